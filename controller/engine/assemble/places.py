"""Host types, racks, rooms, zones, feeds, PDUs and phases of the estate as tables, each sorted by name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np

from controller.engine.assemble import host_types, uplinks
from controller.engine.gate import Gate
from controller.engine.watts import Slope
from controller.model import cluster as model
from controller.model.sample import FloatColumn, IntColumn, Kind, Quantity
from inventory.facility import DeviceKind, Pdu
from inventory.model import Cord, Estate

_BELIEVABLE_OVERLOAD = 1.5
"""A breaker trips well below this multiple of the rating."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The tables, and the row of each name. `phase_rows` are keyed by `{pdu}/{n}`."""

    host_types: model.HostTypes
    racks: model.Racks
    rooms: model.Rooms
    zones: model.Zones
    power: model.Power
    type_rows: Mapping[str, int]
    rack_rows: Mapping[str, int]
    feed_rows: Mapping[str, int]
    pdu_rows: Mapping[str, int]
    phase_rows: Mapping[str, int]

    def power_rows(self, estate: Estate, cords: Iterable[Cord]) -> tuple[int, ...]:
        """Rows of every feed, PDU and phase that these cords hang on, sorted."""
        rows: set[int] = set()
        for cord in cords:
            rows.add(self.feed_rows[estate.pdus[cord.pdu].feed])
            rows.add(self.pdu_rows[cord.pdu])
            rows.add(self.phase_rows[phase_name(cord.pdu, cord.phase)])
        return tuple(sorted(rows))


def phase_name(pdu: str, phase: int) -> str:
    """A phase's name everywhere: in readings, in the snapshot, in breach keys."""
    return f"{pdu}/{phase}"


def rows_of(names: Iterable[str]) -> dict[str, int]:
    """The row of each name, in this order."""
    return dict(zip(names, count(), strict=False))


def places(estate: Estate, gate: Gate, slopes: Mapping[str, Slope]) -> Places:
    """All tables of places with their readings; those of zones come from their hosts (`assemble.zones`).

    `slopes`: the fitted ones, by host type.
    """
    types = sorted(estate.host_types)
    rooms, zones, racks = sorted(estate.rooms), sorted(estate.zones), sorted(estate.racks)
    feeds, pdus = sorted(estate.feeds), sorted(estate.pdus)
    phases = [phase_name(pdu, n) for pdu in pdus for n in range(1, estate.pdus[pdu].phases + 1)]
    zone_rows, room_rows = rows_of(zones), rows_of(rooms)
    comes_in, leaves = uplinks.traffic(estate, gate, racks)
    return Places(
        host_types=host_types.table(estate, slopes),
        racks=model.Racks(
            names=tuple(racks),
            zone=_ints(zone_rows[estate.racks[name].zone] for name in racks),
            room=_ints(room_rows[estate.racks[name].room] for name in racks),
            uplink_mib_s=_floats(estate.racks[name].uplink_mib_s for name in racks),
            uplink_in_bytes_s=comes_in,
            uplink_out_bytes_s=leaves,
        ),
        rooms=model.Rooms(names=tuple(rooms), site=tuple(estate.rooms[name].site for name in rooms)),
        zones=model.Zones(
            names=tuple(zones),
            warning_celsius=_floats(estate.zones[name].warning_celsius for name in zones),
            critical_celsius=_floats(estate.zones[name].critical_celsius for name in zones),
            inlet_celsius=model.absent(len(zones)),
        ),
        power=_power(estate, gate, feeds, pdus, phases),
        type_rows=rows_of(types),
        rack_rows=rows_of(racks),
        feed_rows=rows_of(feeds),
        pdu_rows={name: len(feeds) + row for row, name in enumerate(pdus)},
        phase_rows={name: len(feeds) + len(pdus) + row for row, name in enumerate(phases)},
    )


def _power(estate: Estate, gate: Gate, feeds: list[str], pdus: list[str], phases: list[str]) -> model.Power:
    feed_rows = rows_of(feeds)
    phase_pdus = [estate.pdus[name.rpartition("/")[0]] for name in phases]
    rated = _floats(
        [estate.feeds[name].rated_watts for name in feeds]
        + [_phase_watts(estate.pdus[name]) * estate.pdus[name].phases for name in pdus]
        + [_phase_watts(pdu) for pdu in phase_pdus]
    )
    derating = _floats(
        [estate.feeds[name].derating_ratio for name in feeds]
        + [estate.pdus[name].derating_ratio for name in pdus]
        + [pdu.derating_ratio for pdu in phase_pdus]
    )
    pdu_feeds = [feed_rows[estate.pdus[name].feed] for name in pdus]
    phase_feeds = [feed_rows[pdu.feed] for pdu in phase_pdus]
    partners = [feed_rows.get(estate.feeds[name].partner or "", -1) for name in feeds]
    rest = len(pdus) + len(phases)
    on_battery = _padded(gate.reading(Kind.FEED, Quantity.ON_BATTERY, tuple(feeds)), rest)
    return model.Power(
        names=(*feeds, *pdus, *phases),
        kind=np.repeat(np.array(model.PowerKind, np.int8), [len(feeds), len(pdus), len(phases)]),
        limit_watts=rated * derating,
        base_watts=_base_watts(estate, feeds, pdus, phases),
        feed=_ints([*feed_rows.values(), *pdu_feeds, *phase_feeds]),
        partner=_ints([*partners, *[-1] * rest]),
        ups=(*_ups(estate, feeds), *[None] * rest),
        power_watts=_metered(gate, rated, feeds, pdus, phases),
        on_battery=on_battery,
        silent_on_battery=~on_battery.fresh & np.greater(on_battery.values, 0.0),
        battery_minutes=_padded(gate.reading(Kind.FEED, Quantity.BATTERY_MINUTES, tuple(feeds)), rest),
    )


def _ups(estate: Estate, feeds: list[str]) -> list[str | None]:
    units = sorted((d.serves, d.name) for d in estate.devices.values() if d.kind is DeviceKind.UPS)
    return ["+".join(name for serves, name in units if serves == feed) or None for feed in feeds]


def _phase_watts(pdu: Pdu) -> float:
    return pdu.rated_amps * pdu.volts


def _base_watts(estate: Estate, feeds: list[str], pdus: list[str], phases: list[str]) -> FloatColumn:
    """What else stands in the racks, for the day the partner has failed: all of a rack's base on each of its feeds,
    split over the feed's PDUs in it and their phases.
    """
    on_feed = dict.fromkeys(feeds, 0.0)
    on_pdu = dict.fromkeys(pdus, 0.0)
    in_rack: dict[str, list[Pdu]] = {}
    for name in pdus:
        in_rack.setdefault(estate.pdus[name].rack, []).append(estate.pdus[name])
    for rack, its_pdus in in_rack.items():
        share = estate.racks[rack].base_watts
        for feed in {pdu.feed for pdu in its_pdus}:
            on_feed[feed] += share
            fed = [pdu for pdu in its_pdus if pdu.feed == feed]
            for pdu in fed:
                on_pdu[pdu.name] += share / len(fed)
    on_phase = [on_pdu[pdu] / estate.pdus[pdu].phases for pdu in (name.rpartition("/")[0] for name in phases)]
    return _floats([*on_feed.values(), *on_pdu.values(), *on_phase])


def _metered(gate: Gate, rated: FloatColumn, *names: list[str]) -> model.Reading:
    high = np.split(rated * _BELIEVABLE_OVERLOAD, np.cumsum([len(part) for part in names])[:-1])
    kinds = (Kind.FEED, Kind.PDU, Kind.PHASE)
    return joined(
        *(
            gate.reading(kind, Quantity.POWER_WATTS, tuple(part), high=most)
            for kind, part, most in zip(kinds, names, high, strict=True)
        )
    )


def _padded(reading: model.Reading, count: int) -> model.Reading:
    return joined(reading, model.absent(count))


def joined(*readings: model.Reading) -> model.Reading:
    """Columns one below the other."""
    return model.Reading(
        values=np.concatenate([reading.values for reading in readings]),
        at=np.concatenate([reading.at for reading in readings]),
        source=np.concatenate([reading.source for reading in readings]),
        trust=np.concatenate([reading.trust for reading in readings]),
    )


def _ints(values: Iterable[int]) -> IntColumn:
    return np.array(list(values), np.int32)


def _floats(values: Iterable[float]) -> FloatColumn:
    return np.array(list(values), np.float64)

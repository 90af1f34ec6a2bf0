"""The estate as columns of what never changes while a twin runs: which host hangs on which phase, PDU and feed.

Rows of hosts are the estate's hosts that stand in a rack (all but planned and decommissioned ones), sorted by name.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inventory.facility import Pdu
from inventory.model import IN_NOVA, Estate, Host, Lifecycle

Floats = NDArray[np.float64]
Rows = NDArray[np.int32]
Flags = NDArray[np.bool_]

_ABSENT = frozenset({Lifecycle.PLANNED, Lifecycle.DECOMMISSIONED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Hosts H, racks R, zones Z, feeds F, PDUs P, phases N, cords C. Limits are derated watts.

    A rack's `base_watts` hang in equal parts on its PDUs' phases;
    `phase_failover_base_watts` is that part when no other feed helps to carry them.
    """

    hosts: tuple[str, ...]
    in_nova: Flags
    host_rack: Rows
    host_zone: Rows
    threads: Floats
    memory_mib: Floats
    idle_watts: Floats
    peak_watts: Floats
    link_mib_s: Floats
    racks: tuple[str, ...]
    rack_uplink_mib_s: Floats
    zones: tuple[str, ...]
    feeds: tuple[str, ...]
    feed_limit: Floats
    feed_partner: Rows
    pdus: tuple[str, ...]
    pdu_rack: Rows
    pdu_feed: Rows
    pdu_limit: Floats
    phases: tuple[str, ...]
    phase_pdu: Rows
    phase_limit: Floats
    phase_base_watts: Floats
    phase_failover_base_watts: Floats
    cord_host: Rows
    cord_phase: Rows

    def host_row(self, name: str) -> int:
        """The row of a host. Raises KeyError."""
        return _row(self.hosts, name)

    def feed_row(self, name: str) -> int:
        """The row of a feed. Raises KeyError."""
        return _row(self.feeds, name)

    def zone_row(self, name: str) -> int:
        """The row of a zone. Raises KeyError."""
        return _row(self.zones, name)

    def rack_row(self, name: str) -> int:
        """The row of a rack. Raises KeyError."""
        return _row(self.racks, name)


def of(estate: Estate) -> Topology:
    """The columns of an estate whose names all resolve (what `inventory.load` answers)."""
    hosts = sorted((h for h in estate.hosts.values() if h.lifecycle not in _ABSENT), key=lambda host: host.name)
    racks, zones, feeds, pdus = (tuple(sorted(t)) for t in (estate.racks, estate.zones, estate.feeds, estate.pdus))
    phases = tuple(f"{name}/{n}" for name in pdus for n in range(1, estate.pdus[name].phases + 1))
    rack_row, zone_row, feed_row, pdu_row = (_index(names) for names in (racks, zones, feeds, pdus))
    phase_row = _index(phases)
    types = [estate.host_types[host.type] for host in hosts]
    cords = [(row, cord) for row, host in enumerate(hosts) for cord in host.cords]
    return Topology(
        hosts=tuple(host.name for host in hosts),
        in_nova=np.array([host.lifecycle in IN_NOVA for host in hosts], np.bool_),
        host_rack=_rows(rack_row[host.rack] for host in hosts),
        host_zone=_rows(zone_row[estate.racks[host.rack].zone] for host in hosts),
        threads=_floats(t.vcpus for t in types),
        memory_mib=_floats(t.memory_mib for t in types),
        idle_watts=_floats(t.idle_watts for t in types),
        peak_watts=_floats(t.peak_watts for t in types),
        link_mib_s=_floats(t.migration_mib_s for t in types),
        racks=racks,
        rack_uplink_mib_s=_floats(estate.racks[name].uplink_mib_s for name in racks),
        zones=zones,
        feeds=feeds,
        feed_limit=_floats(estate.feeds[n].rated_watts * estate.feeds[n].derating_ratio for n in feeds),
        feed_partner=_rows(feed_row.get(estate.feeds[name].partner or "", -1) for name in feeds),
        pdus=pdus,
        pdu_rack=_rows(rack_row[estate.pdus[name].rack] for name in pdus),
        pdu_feed=_rows(feed_row[estate.pdus[name].feed] for name in pdus),
        pdu_limit=_floats(phase_watts(estate.pdus[name]) * estate.pdus[name].phases for name in pdus),
        phases=phases,
        phase_pdu=_rows(pdu_row[name.rpartition("/")[0]] for name in phases),
        phase_limit=_floats(phase_watts(estate.pdus[name.rpartition("/")[0]]) for name in phases),
        phase_base_watts=_base_watts(estate, pdus, alone=False),
        phase_failover_base_watts=_base_watts(estate, pdus, alone=True),
        cord_host=_rows(row for row, _ in cords),
        cord_phase=_rows(phase_row[f"{cord.pdu}/{cord.phase}"] for _, cord in cords),
    )


def phase_watts(pdu: Pdu) -> float:
    """What one phase of a PDU may carry, derated."""
    return pdu.rated_amps * pdu.volts * pdu.derating_ratio


def rows_of(estate: Estate, topology: Topology) -> tuple[Host, ...]:
    """The estate's hosts in the order of the topology's rows."""
    return tuple(estate.hosts[name] for name in topology.hosts)


def _base_watts(estate: Estate, pdus: tuple[str, ...], *, alone: bool) -> Floats:
    """Each phase's part of its rack's base watts; with `alone`, as when no other feed helps to carry them."""

    def group(name: str) -> tuple[str, str]:
        return (estate.pdus[name].rack, estate.pdus[name].feed if alone else "")

    sharing = Counter(group(name) for name in pdus)
    watts: list[float] = []
    for name in pdus:
        pdu = estate.pdus[name]
        watts.extend([estate.racks[pdu.rack].base_watts / sharing[group(name)] / pdu.phases] * pdu.phases)
    return _floats(watts)


def _index(names: tuple[str, ...]) -> dict[str, int]:
    return {name: row for row, name in enumerate(names)}


def _row(names: tuple[str, ...], name: str) -> int:
    if name not in names:
        raise KeyError(name)
    return names.index(name)


def _floats(values: Iterable[float]) -> Floats:
    return np.array(list(values), np.float64)


def _rows(values: Iterable[int]) -> Rows:
    return np.array(list(values), np.int32)

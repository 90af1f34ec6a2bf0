"""Hosts, racks, zones and power: the readings that count, and what is left below each limit."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from prometheus_client.core import Metric

from controller.adapters.exposition.family import Rows, gauges
from controller.engine.status import BankLoad, Published, RackRoom
from controller.model.cluster import Cluster, Power, PowerKind, Racks, Reading
from controller.model.plan import LimitState
from controller.model.sample import FloatColumn

_HOST_READINGS = (
    ("gdcc_host_cpu_ratio", "Busy share of a host's threads.", "cpu_ratio"),
    ("gdcc_host_memory_bytes", "Memory in use on a host.", "memory_bytes"),
    (
        "gdcc_host_memory_pressure_ratio",
        "Share of time some task of a host waited for memory.",
        "memory_pressure_ratio",
    ),
    ("gdcc_host_network_bytes_per_second", "Sent and received by a host.", "network_bytes_s"),
    ("gdcc_host_storage_bytes_per_second", "Read from and written to its storage by a host.", "storage_bytes_s"),
    ("gdcc_host_power_watts", "Power drawn by a host.", "power_watts"),
    ("gdcc_host_inlet_celsius", "Air that a host breathes.", "inlet_celsius"),
)
_HEALTH = ("memory", "psu", "fan", "disk")
_POWER = ("feed", "pdu", "phase")


def families(published: Published) -> Iterator[Metric]:
    """Only fresh readings are values; a reading's age is shown whatever the trust gate says of it."""
    plan = published.status.plan
    yield from _limits(plan.limits if plan else ())
    yield from _racks(published.status.racks)
    if published.cluster is not None:
        yield from _hosts(published.cluster)
        yield from _uplinks(published.cluster.racks, published.cluster.taken_at.timestamp())
        yield from _power(published.cluster, published.status.banks)


def _limits(limits: Sequence[LimitState]) -> Iterator[Metric]:
    keyed = [((limit.key.partition(":")[0], limit.subject), limit) for limit in limits]
    used = [(key, limit.before / limit.limit) for key, limit in keyed if limit.limit > 0]
    text = "Load over limit at the newest look; above 1 the limit is broken."
    yield gauges("gdcc_limit_load_ratio", text, ("limit", "subject"), used)
    power = [(key, limit) for key, limit in keyed if key[0] in _POWER]
    for name, text, rows in (
        (
            "gdcc_power_failover_watts",
            "What hangs on it alone when its partner has failed, as far as hosts are read.",
            [state.before for _, state in power],
        ),
        (
            "gdcc_power_unread_watts",
            "What hosts that are not read may add to that, at most.",
            [state.unread for _, state in power],
        ),
        (
            "gdcc_power_headroom_watts",
            "What is surely left below its limit then: hosts that are not read count with the most they may draw.",
            [state.limit - state.before - state.unread for _, state in power],
        ),
    ):
        yield gauges(name, text, ("kind", "name"), zip([key for key, _ in power], rows, strict=True))


def _racks(racks: Sequence[RackRoom]) -> Iterator[Metric]:
    for name, text, values in (
        ("gdcc_rack_hosts", "Hosts of a rack that may receive VMs.", [float(r.hosts) for r in racks]),
        ("gdcc_rack_vcpus", "vCPUs that these hosts admit.", [r.vcpus for r in racks]),
        ("gdcc_rack_headroom_vcpus", "vCPUs not yet placed on them.", [r.vcpus - r.vcpus_placed for r in racks]),
        ("gdcc_rack_memory_bytes", "Memory that these hosts admit.", [r.memory_bytes for r in racks]),
        (
            "gdcc_rack_headroom_memory_bytes",
            "Memory not yet placed on them.",
            [r.memory_bytes - r.memory_placed_bytes for r in racks],
        ),
    ):
        yield gauges(name, text, ("rack",), (((r.rack,), value) for r, value in zip(racks, values, strict=True)))


def _uplinks(racks: Racks, now: float) -> Iterator[Metric]:
    """By direction, `in` to the rack and `out` of it; a rack whose uplinks are not read has its limit alone."""
    labels = ("rack", "direction")
    limits = (racks.uplink_mib_s * 2**20).tolist()
    ways = [(way, [(name, way) for name in racks.names]) for way in ("in", "out")]
    columns = (racks.uplink_in_bytes_s, racks.uplink_out_bytes_s)
    passing = [row for (_, keys), column in zip(ways, columns, strict=True) for row in _fresh(keys, column)]
    text = "What passes a rack's uplinks, all of them together."
    yield gauges("gdcc_rack_uplink_bytes_per_second", text, labels, passing)
    limit_of = dict(zip(racks.names, limits, strict=True))
    text = "What a rack's uplinks may carry each way."
    yield gauges(
        "gdcc_rack_uplink_limit_bytes_per_second", text, ("rack",), (((name,), limit_of[name]) for name in racks.names)
    )
    text = "What is left of that."
    left = [((rack, way), limit_of[rack] - bytes_s) for (rack, way), bytes_s in passing]
    yield gauges("gdcc_rack_uplink_headroom_bytes_per_second", text, labels, left)
    ages = [row for (_, keys), column in zip(ways, columns, strict=True) for row in _aged(keys, column.at, now)]
    text = "Age of the oldest of the readings of a rack's uplinks."
    yield gauges("gdcc_rack_uplink_reading_age_seconds", text, labels, ages)


def _hosts(cluster: Cluster) -> Iterator[Metric]:
    hosts, now = cluster.hosts, cluster.taken_at.timestamp()
    keys = [(name,) for name in hosts.names]
    for name, text, field in _HOST_READINGS:
        yield gauges(name, text, ("host",), _fresh(keys, getattr(hosts, field)))
    health = [
        row
        for part in _HEALTH
        for row in _fresh([(name, part) for name in hosts.names], getattr(hosts, f"{part}_health"))
    ]
    text = "0 well, 1 warning (redundancy lost, failure predicted), 2 failed."
    yield gauges("gdcc_host_health_state", text, ("host", "part"), health)
    ages = [
        row
        for field in (*(field for _, _, field in _HOST_READINGS), *(f"{part}_health" for part in _HEALTH))
        for row in _aged([(name, field) for name in hosts.names], getattr(hosts, field).at, now)
    ]
    yield gauges("gdcc_host_reading_age_seconds", "Age of a host's newest reading.", ("host", "quantity"), ages)
    zones = [(name,) for name in cluster.zones.names]
    yield gauges(
        "gdcc_zone_inlet_celsius",
        "Air that the host in the middle of a zone's hosts breathes.",
        ("zone",),
        _fresh(zones, cluster.zones.inlet_celsius),
    )


def _power(cluster: Cluster, banks: Sequence[BankLoad]) -> Iterator[Metric]:
    power = cluster.power
    keys = [(PowerKind(kind).name.lower(), name) for kind, name in zip(power.kind, power.names, strict=True)]
    labels = ("kind", "name")
    shown = [(("bank", bank.name), bank.watts) for bank in banks if bank.watts is not None]
    yield gauges("gdcc_power_watts", "What its meter shows now.", labels, [*_fresh(keys, power.power_watts), *shown])
    limits = zip(keys, power.limit_watts.tolist(), strict=True)
    yield gauges("gdcc_power_limit_watts", "What it may carry: its derated rating.", labels, limits)
    ages = [*_aged(keys, power.power_watts.at, cluster.taken_at.timestamp())]
    ages += [(("bank", bank.name), bank.age) for bank in banks]
    yield gauges("gdcc_power_reading_age_seconds", "Age of its meter's newest reading.", labels, ages)
    yield from _batteries(power)


def _batteries(power: Power) -> Iterator[Metric]:
    feeds = np.flatnonzero(np.equal(power.kind, PowerKind.FEED))
    names = [(power.names[row],) for row in feeds]
    silent = np.flatnonzero(power.silent_on_battery[feeds])
    on_battery = [*_fresh(names, _rows(power.on_battery, feeds)), *((names[at], 1.0) for at in silent)]
    text = "1 while the feed's UPS runs on battery, or said so last and is silent."
    yield gauges("gdcc_feed_on_battery", text, ("feed",), on_battery)
    left = ((key, minutes * 60) for key, minutes in _fresh(names, _rows(power.battery_minutes, feeds)))
    yield gauges("gdcc_feed_battery_seconds", "How long the feed's battery lasts.", ("feed",), left)


def _rows(reading: Reading, rows: NDArray[np.intp]) -> Reading:
    return Reading(
        values=reading.values[rows], at=reading.at[rows], source=reading.source[rows], trust=reading.trust[rows]
    )


def _fresh(keys: Sequence[tuple[str, ...]], reading: Reading) -> Rows:
    return [(keys[row], float(reading.values[row])) for row in np.flatnonzero(reading.fresh).tolist()]


def _aged(keys: Sequence[tuple[str, ...]], at: FloatColumn, now: float) -> Rows:
    return [(keys[row], float(now - at[row])) for row in np.flatnonzero(np.isfinite(at)).tolist()]

"""Counts a snapshot: hosts, VMs, readings by trust, room in each rack. Pure."""

import numpy as np

from controller.engine.status import HostCounts, RackRoom, ReadingCount, VmCounts
from controller.model.cluster import BoolColumn, Cluster, PowerKind, Reading
from controller.model.sample import FloatColumn, IntColumn, Kind, Quantity, Trust

MIB = 1 << 20
_OF_HOSTS = (
    Quantity.CPU_RATIO, Quantity.MEMORY_BYTES, Quantity.MEMORY_PRESSURE_RATIO, Quantity.NETWORK_BYTES_S,
    Quantity.STORAGE_BYTES_S, Quantity.POWER_WATTS, Quantity.INLET_CELSIUS, Quantity.MEMORY_HEALTH,
    Quantity.PSU_HEALTH, Quantity.FAN_HEALTH, Quantity.DISK_HEALTH,
)  # fmt: skip
_OF_VMS = (
    Quantity.CPU_VCPUS, Quantity.STEAL_RATIO, Quantity.MEMORY_BYTES, Quantity.NETWORK_BYTES_S, Quantity.STORAGE_BYTES_S,
    Quantity.DIRTY_BYTES_S,
)  # fmt: skip
_OF_RACKS = (Quantity.UPLINK_IN_BYTES_S, Quantity.UPLINK_OUT_BYTES_S)
_OF_FEEDS = (Quantity.ON_BATTERY, Quantity.BATTERY_MINUTES)
_KIND_OF_POWER = {PowerKind.FEED: Kind.FEED, PowerKind.PDU: Kind.PDU, PowerKind.PHASE: Kind.PHASE}


def hosts(cluster: Cluster) -> HostCounts:
    """How many hosts there are, and in which state."""
    table = cluster.hosts
    return HostCounts(
        total=len(table.names),
        trusted=int(table.trusted.sum()),
        enabled=int(table.enabled.sum()),
        up=int(table.up.sum()),
        draining=int(table.draining.sum()),
        unknown=tuple(name for name, known in zip(table.names, table.known, strict=True) if not known),
    )


def vms(cluster: Cluster) -> VmCounts:
    """How many servers there are, and in which state."""
    table = cluster.vms
    return VmCounts(
        total=len(table.ids),
        moving=int((table.target >= 0).sum()),
        resting=int((table.cooldown_until > cluster.taken_at.timestamp()).sum()),
        locked=int(table.locked.sum()),
        unknown=int((table.system < 0).sum()),
    )


def readings(cluster: Cluster) -> tuple[ReadingCount, ...]:
    """Every quantity of hosts, VMs, racks, zones and power by the trust gate's word on it, at the snapshot's time.

    Hosts that are switched off on purpose (disabled and down) do not count: nobody expects a word of them.
    """
    now = cluster.taken_at.timestamp()
    power = cluster.power
    on = cluster.hosts.enabled | cluster.hosts.up
    counts = [_count(Kind.HOST, quantity, getattr(cluster.hosts, quantity), now, on) for quantity in _OF_HOSTS]
    counts += [_count(Kind.VM, quantity, getattr(cluster.vms, quantity), now) for quantity in _OF_VMS]
    counts += [_count(Kind.RACK, quantity, getattr(cluster.racks, quantity), now) for quantity in _OF_RACKS]
    counts.append(_count(Kind.ZONE, Quantity.INLET_CELSIUS, cluster.zones.inlet_celsius, now))
    for power_kind, kind in _KIND_OF_POWER.items():
        rows = np.equal(power.kind, power_kind)
        counts.append(_count(kind, Quantity.POWER_WATTS, power.power_watts, now, rows))
    feeds = np.equal(power.kind, PowerKind.FEED)
    counts += [_count(Kind.FEED, quantity, getattr(power, quantity), now, feeds) for quantity in _OF_FEEDS]
    return tuple(counts)


def _count(kind: Kind, quantity: Quantity, column: Reading, now: float, rows: BoolColumn | None = None) -> ReadingCount:
    trust = column.trust if rows is None else column.trust[rows]
    at = column.at if rows is None else column.at[rows]
    tally = np.bincount(trust, minlength=len(Trust))
    ages = now - at[trust == Trust.FRESH]
    return ReadingCount(
        kind=kind.value,
        quantity=quantity.value,
        fresh=int(tally[Trust.FRESH]),
        stale=int(tally[Trust.STALE]),
        implausible=int(tally[Trust.IMPLAUSIBLE]),
        absent=int(tally[Trust.ABSENT]),
        age=float(np.median(ages)) if ages.size else None,
        oldest=float(ages.max()) if ages.size else None,
    )


def racks(cluster: Cluster) -> tuple[RackRoom, ...]:
    """Room in each rack, on hosts that are known, enabled, up, trusted and not being drained, and on its uplinks."""
    table = cluster.hosts
    open_ = table.known & table.enabled & table.up & table.trusted & ~table.draining
    placed_vcpus = _placed(cluster, cluster.vms.vcpus)
    placed_mib = _placed(cluster, cluster.vms.memory_mib)
    count = len(cluster.racks.names)

    def of_rack(column: FloatColumn) -> FloatColumn:
        use = open_ & (table.rack >= 0)
        return np.bincount(table.rack[use], weights=column[use], minlength=count).astype(np.float64)

    columns = [of_rack(c) for c in (np.ones(len(open_)), table.vcpus, placed_vcpus, table.memory_mib, placed_mib)]
    return tuple(
        RackRoom(
            rack=name,
            hosts=int(columns[0][row]),
            vcpus=float(columns[1][row]),
            vcpus_placed=float(columns[2][row]),
            memory_bytes=float(columns[3][row]) * MIB,
            memory_placed_bytes=float(columns[4][row]) * MIB,
            uplink_bytes_s=float(cluster.racks.uplink_mib_s[row]) * MIB,
            uplink_in_bytes_s=_fresh(cluster.racks.uplink_in_bytes_s, row),
            uplink_out_bytes_s=_fresh(cluster.racks.uplink_out_bytes_s, row),
        )
        for row, name in enumerate(cluster.racks.names)
    )


def _fresh(reading: Reading, row: int) -> float | None:
    return float(reading.values[row]) if reading.fresh[row] else None


def _placed(cluster: Cluster, weights: FloatColumn) -> FloatColumn:
    """Sum of the VMs' weights on each host, both copies of a moving VM counted."""
    total = np.zeros(len(cluster.hosts.names))
    column: IntColumn
    for column in (cluster.vms.host, cluster.vms.target):
        rows = column >= 0
        total += np.bincount(column[rows], weights=weights[rows], minlength=len(total))
    return total

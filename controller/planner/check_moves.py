"""The checker's rules of one move: what holds of its VM, its source and its target whatever else moves."""

import math
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from controller.model import cluster as model
from controller.model.plan import WRONG, Concern, Move
from controller.model.policy import Policy
from controller.model.sample import Health, Trust
from controller.planner.check_admission import Verdicts
from controller.planner.check_rows import Rows

_FRESH = int(Trust.FRESH)
_DOUBTFUL = {int(Trust.STALE), int(Trust.IMPLAUSIBLE)}
LIVE = (model.VmState.ACTIVE, model.VmState.PAUSED)


def problems(cluster: model.Cluster, policy: Policy, moves: Sequence[Move], now_s: float, rows: Rows) -> Iterator[str]:
    """Each move that may not be made, and why."""
    facility, verdicts = facility_zones(cluster, policy), Verdicts(cluster)
    for move in moves:
        vm, source, target = rows.vms[move.vm], rows.hosts[move.source], rows.hosts[move.target]
        reasons = [
            *_of_vm(cluster, vm, move, now_s),
            *_of_source(cluster, source, facility),
            *_of_battery(cluster, move, source),
            *of_target(cluster, target, facility),
            *_of_fit(cluster, verdicts, vm, target, now_s),
            *_of_copy(cluster, policy, move, vm, _counted_s(cluster, move, rows)),
        ]
        yield from (f"move {move.n} of {move.vm_name} to {move.target}: {reason}" for reason in reasons)


def facility_zones(cluster: model.Cluster, policy: Policy) -> frozenset[int]:
    """Zones in which two or more known hosts, and more than the configured share, are above warning."""
    count, inlets = len(cluster.zones.names), cluster.hosts.inlet_celsius
    zone = np.append(cluster.racks.zone, -1)[cluster.hosts.rack]
    known = cluster.hosts.known & (zone >= 0)
    warm = known & readable(inlets) & (inlets.values > np.append(cluster.zones.warning_celsius, np.inf)[zone])
    knowns, warms = (np.bincount(zone[hosts], minlength=count) for hosts in (known, warm))
    event = (warms >= 2) & (warms / np.maximum(knowns, 1) > policy.thresholds.facility_share)
    return frozenset(np.flatnonzero(event).tolist())


def zone_of(cluster: model.Cluster, host: int) -> int:
    """The host's cooling zone, -1 where its rack is not known."""
    rack = int(cluster.hosts.rack[host])
    return int(cluster.racks.zone[rack]) if rack >= 0 else -1


def inlet(cluster: model.Cluster, host: int) -> float:
    """Degrees, or minus infinity where no fresh reading says."""
    value = fresh(cluster.hosts.inlet_celsius, host)
    return -math.inf if value is None else value


def fresh(reading: model.Reading, row: int) -> float | None:
    """The reading's value where it may be used; there is none of a row below 0, which is no row."""
    if row < 0:
        return None
    value = float(reading.values[row])
    return value if int(reading.trust[row]) == _FRESH and math.isfinite(value) else None


def readable(reading: model.Reading) -> model.BoolColumn:
    """The rows whose value may be used."""
    return np.equal(reading.trust, _FRESH) & np.isfinite(reading.values)


def _of_vm(cluster: model.Cluster, vm: int, move: Move, now_s: float) -> Iterator[str]:
    vms = cluster.vms
    system = int(vms.system[vm])
    drained = bool(cluster.hosts.draining[vms.host[vm]])
    state = model.VmState(int(vms.state[vm]))
    if state not in LIVE and not (drained and move.cold and state is model.VmState.SHUTOFF):
        yield f"its state is {state.name}"
    if move.cold and state is not model.VmState.SHUTOFF:
        yield "it runs, and is not to be moved cold"
    if vms.busy[vm] or vms.target[vm] >= 0:
        yield "it is busy or migrating"
    if system >= 0 and cluster.systems.withheld[system]:
        yield "its system is withheld by a mode or a pause"
    if system >= 0 and not cluster.systems.open[system]:
        yield "its window is closed"
    if drained:
        return
    if cluster.freeze is not None:
        yield "the controller is frozen"
    if system < 0 or vms.locked[vm] or not vms.fit_known[vm] or vms.cooldown_until[vm] > now_s:
        yield "it is of no known system, locked, pinned or resting"


def _of_source(cluster: model.Cluster, host: int, facility: frozenset[int]) -> Iterator[str]:
    hosts = cluster.hosts
    if not hosts.up[host]:
        yield "its source is down"
    if hosts.withheld[host]:
        yield "its source is withheld by a mode or a pause"
    if hosts.draining[host]:
        return
    if not (hosts.known[host] and hosts.trusted[host]):
        yield "its source is unknown or has no trusted readings"
    if zone_of(cluster, host) in facility:
        yield "its source is in a facility event"


def _of_battery(cluster: model.Cluster, move: Move, source: int) -> Iterator[str]:
    if move.concern not in WRONG and _on_battery(cluster, source):
        what = "balance" if move.concern is Concern.UNEVEN else "consolidation"
        yield f"a feed of its source runs on battery, and it moves for {what}"


def _on_battery(cluster: model.Cluster, host: int) -> bool:
    power = cluster.power
    rows = [int(row) for row in cluster.hosts.power[host] if row >= 0 and power.kind[row] == model.PowerKind.FEED]
    return any(power.silent_on_battery[row] or (fresh(power.on_battery, row) or 0.0) > 0 for row in rows)


def of_target(cluster: model.Cluster, host: int, facility: frozenset[int]) -> Iterator[str]:
    """Why the host may receive nothing, whatever it is."""
    hosts = cluster.hosts
    if _on_battery(cluster, host):
        yield "a feed of the target runs on battery"
    if not (hosts.up[host] and hosts.enabled[host] and hosts.known[host] and hosts.trusted[host]):
        yield "the target is down, disabled, unknown or has no trusted readings"
    if hosts.draining[host]:
        yield "the target is being drained"
    if hosts.withheld[host]:
        yield "the target is withheld by a mode or a pause"
    health = (hosts.memory_health, hosts.psu_health, hosts.fan_health, hosts.disk_health)
    if any(int(reading.trust[host]) in _DOUBTFUL for reading in (*health, hosts.inlet_celsius)):
        yield "the target's health or inlet is stale or implausible"
    if hosts.unread_health[host]:
        yield "the target's health was not read, though its BMC should tell it"
    for reading in health:
        value = fresh(reading, host)
        if value is not None and value >= Health.WARNING:
            yield "the target's hardware warns or fails"
    zone = zone_of(cluster, host)
    if zone >= 0 and (zone in facility or inlet(cluster, host) > cluster.zones.warning_celsius[zone]):
        yield "the target or its zone is too warm"


def _of_fit(cluster: model.Cluster, verdicts: Verdicts, vm: int, target: int, now_s: float) -> Iterator[str]:
    if cluster.vms.classification[vm] > cluster.hosts.clearance[target]:
        yield "the target is not cleared for it"
    if any(r.vm == vm and r.host == target and r.until > now_s for r in cluster.refusals):
        yield "Nova refused it there"
    requirement = int(cluster.vms.requirement[vm])
    if requirement < 0:
        yield "what it asks of a host is not known"
    elif not verdicts.admits(requirement, target):
        yield "Nova's scheduler would not admit it there"


def _counted_s(cluster: model.Cluster, move: Move, rows: Rows) -> float:
    """Seconds of the copy, but for a disk of which nobody says whether it is copied, where the VM must leave."""
    hosts, vm, source = cluster.hosts, rows.vms[move.vm], rows.hosts[move.source]
    ends, disk_bytes = [source, rows.hosts[move.target]], float(cluster.vms.disk_gib[vm]) * 2.0**30
    unsaid = bool((hosts.shared_storage | hosts.unsaid_storage)[ends].all() and not hosts.shared_storage[ends].all())
    share = disk_bytes / move.copy_bytes if unsaid and move.copy_bytes > 0 and _must_leave(cluster, source) else 0.0
    return move.copy.total_seconds() * (1.0 - min(share, 1.0))


def failing(cluster: model.Cluster, facility: Collection[int]) -> tuple[model.BoolColumn, model.BoolColumn]:
    """Hosts (H,) whose hardware fails, and those whose inlet is above critical but not with their whole zone."""
    hosts, zone = cluster.hosts, np.append(cluster.racks.zone, -1)[cluster.hosts.rack]
    critical, inlet_read = np.append(cluster.zones.critical_celsius, np.nan)[zone], hosts.inlet_celsius
    hot = readable(inlet_read) & np.greater(inlet_read.values, critical)
    sick = _at_least(hosts.memory_health, Health.WARNING)
    for reading in (hosts.psu_health, hosts.fan_health, hosts.disk_health):
        sick = sick | _at_least(reading, Health.FAILED)
    return sick, hot & ~np.isin(zone, list(facility))


def _must_leave(cluster: model.Cluster, host: int) -> bool:
    """Whether the host fails or is drained."""
    hosts, zone = cluster.hosts, zone_of(cluster, host)
    parts = ((hosts.memory_health, Health.WARNING), (hosts.psu_health, Health.FAILED),
             (hosts.fan_health, Health.FAILED), (hosts.disk_health, Health.FAILED))  # fmt: skip
    sick = any((fresh(reading, host) or Health.OK) >= least for reading, least in parts)
    hot = zone >= 0 and inlet(cluster, host) > cluster.zones.critical_celsius[zone]
    return bool(hosts.draining[host]) or sick or bool(hot)


def _of_copy(cluster: model.Cluster, policy: Policy, move: Move, vm: int, counted_s: float) -> Iterator[str]:
    """A copy ends in time, and where it is forced to, its guest may be paused or its source permits post-copy."""
    migration, source = policy.migration, int(cluster.vms.host[vm])
    drained = bool(cluster.hosts.draining[source])
    allowed = migration.give_up_after if drained else min(policy.limits.max_copy, migration.give_up_after)
    if counted_s > allowed.total_seconds() + 1e-3 and not move.cold:
        yield f"its copy would take {counted_s:.0f} s, allowed {allowed.total_seconds():.0f} s"
    if move.force_complete_after is not None and move.concern is Concern.CONSOLIDATION:
        yield "its copy is to be forced, only to free a host"
    if move.force_complete_after is None or (migration.post_copy and cluster.hosts.post_copy[source]):
        return
    system = int(cluster.vms.system[vm])
    by_tier = system >= 0 and int(cluster.systems.tier[system]) in migration.force_complete_tiers
    by_agency = float(cluster.systems.pause_s[system]) if system >= 0 else 0.0
    pause, most = move.blackout_estimate.total_seconds(), max(by_agency, by_tier * migration.max_pause.total_seconds())
    if not most:
        yield "its copy is to be forced, and neither its tier, its agency nor its source permits that"
    elif pause > most:
        yield f"its guest could be paused for {pause:.0f} s, allowed {most:.0f} s"


def idle_watts(cluster: model.Cluster, host: int) -> float:
    """What the host draws without load, at least; 0 where that is not known."""
    hosts = cluster.hosts
    watts, busy = fresh(hosts.power_watts, host), fresh(hosts.cpu_ratio, host)
    slope, error = float(hosts.watts_per_thread[host]), float(hosts.watts_error[host])
    if watts is None or busy is None or not slope >= 0:
        return 0.0
    error = max(error, 0.0) if math.isfinite(error) else 0.0
    return max(0.0, max(watts, 0.0) - slope * max(busy, 0.0) * float(hosts.threads[host]) - error)


def _at_least(reading: model.Reading, health: Health) -> model.BoolColumn:
    found: model.BoolColumn = readable(reading) & np.greater_equal(reading.values, health)
    return found

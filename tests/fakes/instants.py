"""What a cluster carries at one instant of a plan, counted copy by copy from the tables, as a person would."""

from collections import defaultdict

import numpy as np

from controller.model.cluster import Cluster, GroupKind
from controller.model.plan import Plan
from controller.model.policy import Policy
from controller.planner.check_loads import domain_of
from controller.planner.project import project

_HARD = {GroupKind.ANTI_AFFINITY}


def carried(cluster: Cluster, policy: Policy, plan: Plan, wave: int, states: list[str]) -> dict[str, float]:
    """Loads by name while a wave runs, each of its moves `waiting`, `flying` or `done`; all earlier ones done."""
    earlier = [move for move in plan.moves if move.wave < wave]
    current = [move for move in plan.moves if move.wave == wave]
    done = earlier + [move for move, state in zip(current, states, strict=True) if state == "done"]
    flying = [move for move, state in zip(current, states, strict=True) if state == "flying"]
    base = project(cluster, policy, done, plan.created_at)
    both = project(cluster, policy, done + flying, plan.created_at)
    copies = {move.vm: move.target for move in flying}
    found: dict[str, float] = defaultdict(float)
    _placed(base, copies, found)
    _groups(base, copies, found)
    for host, name in enumerate(base.hosts.names):
        for what, reading in (("cpu", "cpu_ratio"), ("memory", "memory_bytes")):
            values = [getattr(look.hosts, reading).values[host] for look in (base, both)]
            found[f"{what} {name}"] = float(np.nanmax([*values, 0.0]))
    _supplied(base, both, found)
    return found


def limits(cluster: Cluster, policy: Policy) -> dict[str, float]:
    """What each of those may be."""
    hosts, may = cluster.hosts, {}
    for host, name in enumerate(hosts.names):
        may[f"vcpus placed {name}"] = float(hosts.vcpus[host])
        may[f"memory placed {name}"] = float(hosts.memory_mib[host])
        may[f"disk placed {name}"] = float(hosts.disk_gib[host])
        may[f"cpu {name}"] = policy.thresholds.cpu_ratio
        may[f"memory {name}"] = policy.thresholds.memory_ratio * hosts.physical_memory_mib[host] * 2.0**20
    may.update({f"watts {name}": float(cluster.power.limit_watts[row]) for row, name in enumerate(cluster.power.names)})
    may.update({f"group {group.name}": group.max_per_domain for group in cluster.groups})
    return may


def _placed(cluster: Cluster, copies: dict[str, str], found: dict[str, float]) -> None:
    vms, names = cluster.vms, cluster.hosts.names
    for vm, identity in enumerate(vms.ids):
        at = {names[row] for row in (vms.host[vm], vms.target[vm]) if row >= 0} | {copies.get(identity, "")} - {""}
        for host in at - {""}:
            found[f"vcpus placed {host}"] += vms.vcpus[vm]
            found[f"memory placed {host}"] += vms.memory_mib[vm]
            found[f"disk placed {host}"] += vms.disk_gib[vm]
            if vms.classification[vm] > cluster.hosts.clearance[names.index(host)]:
                found[f"above clearance {identity} {host}"] = 1.0


def _supplied(base: Cluster, both: Cluster, found: dict[str, float]) -> None:
    """What each supply carries: every copy in flight draws on its target and still on its source."""
    quiet = np.where(base.hosts.power_watts.fresh, base.hosts.power_watts.values, 0.0)
    added = np.maximum(np.where(both.hosts.power_watts.fresh, both.hosts.power_watts.values, 0.0) - quiet, 0.0)
    for row, name in enumerate(base.power.names):
        on = (base.hosts.power == row).any(axis=1)
        meter = base.power.power_watts
        shown = float(meter.values[row]) if meter.fresh[row] else 0.0
        explained = float(base.power.base_watts[row] + quiet[on].sum())
        found[f"watts {name}"] = max(explained, shown) + float(added[on].sum())


def _groups(cluster: Cluster, copies: dict[str, str], found: dict[str, float]) -> None:
    vms, names = cluster.vms, cluster.hosts.names
    for group in cluster.groups:
        if group.kind not in _HARD:
            continue
        members = defaultdict(set)
        for vm in group.members.tolist():
            rows = {int(vms.host[vm]), int(vms.target[vm])} - {-1}
            rows |= {names.index(copies[vms.ids[vm]])} if vms.ids[vm] in copies else set()
            for row in rows:
                members[domain_of(cluster, group.domain, row)].add(vm)
        members.pop((), None)
        found[f"group {group.name}"] = max((len(each) for each in members.values()), default=0)

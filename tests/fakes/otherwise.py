"""A snapshot and a policy in which a condition of a counterfactual is true, and what their plan does against it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np

from controller.model.cluster import Cluster, GroupKind, Requirement
from controller.model.plan import Move, Plan
from controller.model.policy import Policy
from controller.planner import situation, supplies
from controller.planner.conditions import Condition
from controller.planner.counterfactual import Counterfactual
from controller.planner.load import Load
from tests import builders

GIB, MIB = 2.0**30, 2.0**20
OF_POLICY = {"gain_per_gib", "balance", "sustained", "consolidation", "watts_per_gib"}
PLACED = {"vcpus": 1.0, "memory_mib": 1024.0, "disk_gib": 1.0}


def changed(cluster: Cluster, policy: Policy, conditions: Iterable[Condition]) -> tuple[Cluster, Policy]:
    """With every one of them true."""
    for condition in conditions:
        if condition.what in OF_POLICY or condition.what.startswith("thresholds."):
            policy = _policy(policy, condition)
        else:
            cluster = _cluster(cluster, policy, condition)
    return cluster, policy


def contradicted(move: Move, found: Counterfactual, again: Plan) -> Iterator[str]:
    """What a plan in which the move's counterfactual is true does, and would not by what that says."""
    made = [other for other in again.moves if other.vm == move.vm]
    if found.stops == "target":
        made = [other for other in made if other.target == move.target]
    elif found.stops == "breaches":
        if move.breach not in found.breaches:
            yield f"the move is for {move.breach}, which is not told"
        levelled = {breach for breach in found.breaches if "unless other moves make it uneven" in found.sentence
                    and breach.startswith("uneven:")}  # fmt: skip
        yield from (f"{breach.key} is there" for breach in again.breaches_before if breach.key in levelled)
        made = [other for other in made if other.breach in set(found.breaches) - levelled]
    yield from (f"{other.vm_name} moves to {other.target} for {other.breach}" for other in made)


def _policy(policy: Policy, condition: Condition) -> Policy:
    if condition.what == "balance":
        return replace(policy, balance=False)
    if condition.what == "consolidation":
        return replace(policy, consolidation=replace(policy.consolidation, enabled=False))
    if condition.what == "watts_per_gib":
        more = condition.at * (1 + 1e-9)
        return replace(policy, consolidation=replace(policy.consolidation, watts_per_gib=more))
    if condition.what == "sustained":
        return replace(policy, sustained=timedelta(seconds=condition.at + 1))
    if condition.what == "gain_per_gib":
        return replace(policy, limits=replace(policy.limits, gain_per_gib=condition.at))
    name = condition.what.partition(".")[2]
    return replace(policy, thresholds=replace(policy.thresholds, **{name: condition.at}))


def _cluster(cluster: Cluster, policy: Policy, condition: Condition) -> Cluster:
    what, subject, at = condition.what, condition.subject, condition.at
    if what == "least_watts":
        return _carrying(cluster, policy, condition)
    if what == "limit_watts":
        return _supply(cluster, condition, limit_watts=at)
    if what == "locked":
        vms = cluster.vms
        return replace(cluster, vms=replace(vms, locked=_set(vms.locked, vms.names, subject, True)))
    if what == "window":
        systems = cluster.systems
        return replace(cluster, systems=replace(systems, open=_set(systems.open, systems.names, subject, False)))
    if what == "admission":
        return _admitted(cluster, subject)
    if what in {"max_per_domain", "min_domains", "soft"}:
        return replace(cluster, groups=tuple(_group(group, condition) for group in cluster.groups))
    return replace(cluster, hosts=_hosts(cluster, condition))


def _hosts(cluster: Cluster, condition: Condition):
    hosts, what, subject, at = cluster.hosts, condition.what, condition.subject, condition.at
    host = hosts.names.index(subject)
    if what in {"cpu", "memory", "network", "storage"}:
        column, factor = {"cpu": ("cpu_ratio", 1 / hosts.threads[host]), "memory": ("memory_bytes", GIB),
                          "network": ("network_bytes_s", MIB), "storage": ("storage_bytes_s", MIB)}[what]  # fmt: skip
        value = min(getattr(hosts, column).values[host], at * factor)
        return replace(hosts, **{column: _read(getattr(hosts, column), host, value)})
    if what in PLACED:
        return replace(hosts, **{what: _set(getattr(hosts, what), hosts.names, subject, at * PLACED[what])})
    if what == "drain":
        return replace(hosts, draining=_set(hosts.draining, hosts.names, subject, False))
    if what == "disabled":
        return replace(hosts, enabled=_set(hosts.enabled, hosts.names, subject, False))
    if what == "clearance":
        return replace(hosts, clearance=_set(hosts.clearance, hosts.names, subject, int(at)))
    return replace(hosts, **{what: _read(getattr(hosts, what), host, at)})


def _group(group, condition: Condition):
    if group.name != condition.subject:
        return group
    if condition.what == "soft":
        return replace(group, kind=GroupKind.SOFT_AFFINITY) if group.kind is GroupKind.AFFINITY else group
    if condition.what == "min_domains":
        return replace(group, min_domains=min(group.min_domains, int(condition.at)))
    return replace(group, max_per_domain=max(group.max_per_domain, int(condition.at)))


def _carrying(cluster: Cluster, policy: Policy, condition: Condition) -> Cluster:
    """The supply carries so much less, by what else hangs on it and by its meter."""
    facts = situation.of_cluster(cluster, policy, builders.NOW)
    over = Load(facts).least[_row(facts.cluster, condition)] - condition.at
    power, row = cluster.power, _row(cluster, condition)
    base = power.base_watts.copy()
    base[row] -= over
    meter = _read(power.power_watts, row, power.power_watts.values[row] - over)
    return replace(cluster, power=replace(power, base_watts=base, power_watts=meter))


def _supply(cluster: Cluster, condition: Condition, limit_watts: float) -> Cluster:
    limits = cluster.power.limit_watts.copy()
    limits[_row(cluster, condition)] = limit_watts
    return replace(cluster, power=replace(cluster.power, limit_watts=limits))


def _row(cluster: Cluster, condition: Condition) -> int:
    return supplies.keys(cluster)[condition.subject]


def _admitted(cluster: Cluster, vm: str) -> Cluster:
    """The VM asks nothing of any host, and its own is reserved for nobody."""
    vms, host = cluster.vms, int(cluster.vms.host[cluster.vms.ids.index(vm)])
    asked = _set(vms.requirement, vms.ids, vm, len(cluster.requirements))
    aggregates = tuple(
        replace(each, metadata={k: v for k, v in each.metadata.items() if not k.startswith("filter_tenant_id")})
        if host in each.hosts else each for each in cluster.aggregates
    )  # fmt: skip
    return replace(cluster, vms=replace(vms, requirement=asked), aggregates=aggregates,
                   requirements=(*cluster.requirements, Requirement()))  # fmt: skip


def _set(column: np.ndarray, names, name: str, value):
    changed_ = column.copy()
    changed_[[at for at, each in enumerate(names) if each == name]] = value
    return changed_


def _read(reading, row: int, value: float):
    values = reading.values.copy()
    values[row] = value
    return replace(reading, values=values)

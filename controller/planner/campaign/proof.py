"""The proof of a wave: with all its hosts out of service, every server on them has somewhere to go.

It is the planner's own drain plan, checked by `planner.check`. What an hour's budgets allow is left out, since they
only delay a drain; a server that has no place, or whose agency's window is closed, is not. Drains that are under way
already count with all that they still have to move.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

import numpy as np

from controller.model.campaign import Held
from controller.model.cluster import BoolColumn, Cluster, VmState
from controller.model.ids import HostName
from controller.model.policy import Policy
from controller.planner import plan as planner

_UNLIMITED = 2**30


def held(
    cluster: Cluster, policy: Policy, now: datetime, hosts: Collection[HostName], *, keep_shutoff: bool
) -> tuple[Held, ...]:
    """For each host that could not be emptied together with the others, the rule that holds it; () proves the wave.

    Raises what `planner.plan` raises.
    """
    row_of: Mapping[str, int] = {name: row for row, name in enumerate(cluster.hosts.names)}
    missing = [
        Held(host=host, rule="unknown-host", why=f"{host} is not in Nova") for host in hosts if host not in row_of
    ]
    rows = np.array([row_of[host] for host in hosts if host in row_of], np.int32)
    if missing or not len(rows):
        return tuple(missing)
    drained = _drained(cluster, rows)
    names = [cluster.hosts.names[row] for row in rows]
    emptied = [name for name, going in zip(cluster.hosts.names, drained.hosts.draining, strict=True) if going]
    cold = () if keep_shutoff else names
    found = planner.plan(drained, _unhurried(policy, cluster), now, only=emptied, cold=cold)
    stays = _may_stay(cluster) if keep_shutoff else np.zeros(len(cluster.vms.ids), np.bool_)
    vm_of = {vm: row for row, vm in enumerate(cluster.vms.ids)}
    reasons: dict[HostName, Held] = {}
    for hold in found.holds:
        rule, _, subject = hold.breach.partition(":")
        allowed = hold.vm is not None and bool(stays[vm_of[hold.vm]])
        if rule == "drain" and subject in names and not allowed:
            reasons.setdefault(HostName(subject), Held(host=HostName(subject), rule=hold.rule, why=hold.why))
    return tuple(reasons.values())


def _drained(cluster: Cluster, rows: "np.ndarray[tuple[int], np.dtype[np.int32]]") -> Cluster:
    draining = cluster.hosts.draining.copy()
    draining[rows] = True
    none = np.full_like(cluster.systems.per_hour, -1)
    return replace(
        cluster,
        hosts=replace(cluster.hosts, draining=draining),
        systems=replace(cluster.systems, per_hour=none),
        agencies=replace(cluster.agencies, per_hour=np.full_like(cluster.agencies.per_hour, -1)),
    )


def _unhurried(policy: Policy, cluster: Cluster) -> Policy:
    return replace(policy, limits=replace(policy.limits, per_hour=_UNLIMITED, max_moves=len(cluster.vms.ids) + 1))


def _may_stay(cluster: Cluster) -> BoolColumn:
    off: BoolColumn = np.equal(cluster.vms.state, VmState.SHUTOFF)
    return off

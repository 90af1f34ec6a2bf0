"""The proof of a wave: with all its hosts out of service, every server on them has somewhere to go.

It is the planner's own drain plan, checked by `planner.check`. What an hour's budgets allow is left out, since they
only delay a drain; a server that has no place, or whose agency's window is closed, is not. Drains that are under way
already count with all that they still have to move.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

import numpy as np

from controller.model.campaign import Held
from controller.model.cluster import BoolColumn, Cluster, VmState
from controller.model.ids import HostName, ServerId
from controller.model.plan import Plan
from controller.model.policy import Policy
from controller.planner import plan as planner

_UNLIMITED = 2**30


def held(
    cluster: Cluster, policy: Policy, now: datetime, hosts: Collection[HostName], *, keep_shutoff: bool
) -> tuple[Held, ...]:
    """For each host that could not be emptied together with the others, the rule that holds it; () proves the wave.

    Raises what `planner.plan` raises.
    """
    missing = [
        Held(host=host, rule="unknown-host", why=f"{host} is not in Nova")
        for host in hosts
        if host not in cluster.hosts.names
    ]
    if missing or not hosts:
        return tuple(missing)
    found = drains(cluster, policy, now, hosts, keep_shutoff=keep_shutoff)
    staying = _may_stay(cluster) if keep_shutoff else frozenset()
    reasons: dict[HostName, Held] = {}
    for hold in found.holds:
        rule, _, subject = hold.breach.partition(":")
        if rule == "drain" and subject in hosts and hold.vm not in staying:
            reasons.setdefault(HostName(subject), Held(host=HostName(subject), rule=hold.rule, why=hold.why))
    return tuple(reasons.values())


def drains(cluster: Cluster, policy: Policy, now: datetime, hosts: Collection[HostName], *, keep_shutoff: bool) -> Plan:
    """The checked plan that empties these hosts beside those that are being drained already."""
    names = cluster.hosts.names
    draining = cluster.hosts.draining | np.isin(np.array(names), list(hosts))
    emptied = [name for name, going in zip(names, draining.tolist(), strict=True) if going]
    cold = () if keep_shutoff else tuple(hosts)
    unhurried = replace(policy, limits=replace(policy.limits, per_hour=_UNLIMITED, max_moves=len(cluster.vms.ids) + 1))
    return planner.plan(_drained(cluster, draining), unhurried, now, only=emptied, cold=cold)


def _drained(cluster: Cluster, draining: BoolColumn) -> Cluster:
    """With those hosts draining, and no system or agency that counts its moves by the hour."""
    systems, agencies = cluster.systems, cluster.agencies
    return replace(
        cluster,
        hosts=replace(cluster.hosts, draining=draining),
        systems=replace(systems, per_hour=np.full_like(systems.per_hour, -1)),
        agencies=replace(agencies, per_hour=np.full_like(agencies.per_hour, -1)),
    )


def _may_stay(cluster: Cluster) -> frozenset[ServerId]:
    off = np.flatnonzero(np.equal(cluster.vms.state, VmState.SHUTOFF)).tolist()
    return frozenset(cluster.vms.ids[row] for row in off)

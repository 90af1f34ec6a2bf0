"""Hosts that are emptied for good reason, not lost: their servers move while they run.

The question is put to the snapshot in which these hosts drain and every window is open: a closed one costs time and no
place. A host that is being emptied gives back no watts: it runs until the last server has left.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import numpy as np

from controller import errors
from controller.model import cluster as model
from controller.model.ids import HostName, ServerId
from controller.model.policy import Policy
from controller.model.whatif import Outcome
from controller.planner import project
from controller.planner.whatif.spare import Spare

PASSING = frozenset({"at-once", "out-of-host", "agency-budget", "system-budget"})
"""Rules that keep a server where it is for a while: they cost time, and no place. Any other goes before them."""


class Moved(NamedTuple):
    vm: ServerId
    target: HostName


def of_generation(cluster: model.Cluster, name: str) -> tuple[HostName, ...]:
    """All hosts of a generation, or of a type; `InputError` where there is none."""
    types = cluster.host_types
    rows = {n for n, pair in enumerate(zip(types.names, types.generation, strict=True)) if name in pair}
    of_type = np.isin(cluster.hosts.type, sorted(rows))
    found = tuple(cluster.hosts.names[host] for host in np.flatnonzero(of_type))
    if not found:
        known = ", ".join(sorted({*types.names, *types.generation} - {""}))
        raise errors.InputError(f"the snapshot has no hosts of a type or generation {name}", remedy=f"it knows {known}")
    return found


def draining(cluster: model.Cluster, hosts: Collection[HostName]) -> model.Cluster:
    """The same snapshot with these hosts being drained too; `InputError` for a host that it does not know."""
    unknown = sorted(set(hosts) - set(cluster.hosts.names))
    if unknown:
        raise errors.InputError(f"the snapshot knows no host {', '.join(unknown)}")
    return replace(cluster, hosts=replace(cluster.hosts, draining=cluster.hosts.draining | rows(cluster, hosts)))


def windows_open(cluster: model.Cluster) -> model.Cluster:
    """The same snapshot in every system's window."""
    systems = cluster.systems
    return replace(cluster, systems=replace(systems, open=np.ones_like(systems.open)))


def rows(cluster: model.Cluster, hosts: Collection[HostName]) -> model.BoolColumn:
    """(H,) which of its hosts these are."""
    return np.isin(np.array(cluster.hosts.names, dtype=object), list(hosts))


def after(cluster: model.Cluster, policy: Policy, found: Outcome, now: datetime) -> model.Cluster:
    """The snapshot once they are empty: their servers where they were found a place, and they closed."""
    moved = (Moved(each.vm, each.target) for each in found.restarts if each.target is not None)
    return draining(project.project(cluster, policy, moved, now), found.emptied)


def barred(spare: Spare, servers: Iterable[int]) -> dict[int, str]:
    """The servers that nothing of ours moves in a drain, and the rule that keeps each."""
    held = ((vm, str(spare.situation.drain[vm])) for vm in servers)
    return {vm: rule for vm, rule in held if rule and rule not in PASSING}

"""What of a snapshot may be moved, by the modes of its scopes and what operators paused. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np

from controller.engine import guard
from controller.engine.places import Situation
from controller.model.cluster import Cluster
from controller.model.operation import Pause
from controller.model.policy import Mode, Policy, Scope, ScopeKind
from inventory.model import Estate


def unknown(scopes: Iterable[Scope], estate: Estate) -> tuple[Scope, ...]:
    """Those that name nothing in the inventory, and so bind nothing."""
    tables = {
        ScopeKind.HOST: estate.hosts,
        ScopeKind.RACK: estate.racks,
        ScopeKind.ZONE: estate.zones,
        ScopeKind.ROOM: estate.rooms,
        ScopeKind.AGENCY: estate.agencies,
        ScopeKind.SYSTEM: estate.systems,
    }
    return tuple(scope for scope in scopes if scope.name not in tables[scope.kind])


def restricted(
    cluster: Cluster, situation: Situation, policy: Policy, modes: Collection[Mode], pauses: Collection[Pause] = ()
) -> Cluster:
    """The snapshot with everything withheld whose mode is not one of `modes`, or that is paused.

    A plan of the rest then needs nothing of them, and its waves stay proved; what is wrong with them is told all the
    same. A pause of everything is not looked at here.
    """
    paused = frozenset(pause.scope for pause in pauses if pause.scope is not None)
    if not policy.scope_modes and not paused:
        return cluster

    def closed(scopes: frozenset[Scope]) -> bool:
        return guard.mode_of(policy, scopes) not in modes or not paused.isdisjoint(scopes)

    systems = [situation.estate.systems[name] for name in cluster.systems.names]
    no_system = np.array([closed(situation.scopes(system, ())) for system in systems], np.bool_)
    no_host = np.array([closed(situation.scopes(None, (name,))) for name in cluster.hosts.names], np.bool_)
    return replace(
        cluster,
        systems=replace(cluster.systems, withheld=cluster.systems.withheld | no_system),
        hosts=replace(cluster.hosts, withheld=cluster.hosts.withheld | no_host),
    )


def without_drains(cluster: Cluster) -> Cluster:
    """The snapshot as the controller's own moves may use it: what stands on draining hosts is the drains' to move.

    Their servers count where they are and stay, by being busy (one that has a target stays without: it copies, or a
    resize waits for its owner and takes no place); the hosts are closed by being disabled.
    """
    if not cluster.hosts.draining.any():
        return cluster
    there = cluster.hosts.draining[cluster.vms.host] & (cluster.vms.host >= 0)
    return replace(
        cluster,
        hosts=replace(
            cluster.hosts,
            draining=np.zeros_like(cluster.hosts.draining),
            enabled=cluster.hosts.enabled & ~cluster.hosts.draining,
        ),
        vms=replace(cluster.vms, busy=cluster.vms.busy | (there & (cluster.vms.target < 0))),
    )

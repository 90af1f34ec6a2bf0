"""What of a snapshot the controller may move on its own, by the modes of its scopes. Pure."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from controller.engine import guard
from controller.engine.places import Situation
from controller.model.cluster import Cluster
from controller.model.policy import Mode, Policy


def restricted(cluster: Cluster, situation: Situation, policy: Policy, modes: Collection[Mode]) -> Cluster:
    """The snapshot with everything closed whose mode is not one of `modes`.

    A system outside them is as if its window were closed, a host as if it had no trusted readings: a plan of the rest
    then needs nothing of them, and its waves stay proved.
    """
    if not policy.scope_modes:
        return cluster
    systems = [situation.estate.systems[name] for name in cluster.systems.names]
    allowed = [guard.mode_of(policy, situation.scopes(system, ())) in modes for system in systems]
    hosts = [guard.mode_of(policy, situation.scopes(None, (name,))) in modes for name in cluster.hosts.names]
    return replace(
        cluster,
        systems=replace(cluster.systems, open=cluster.systems.open & np.array(allowed, np.bool_)),
        hosts=replace(cluster.hosts, trusted=cluster.hosts.trusted & np.array(hosts, np.bool_)),
    )

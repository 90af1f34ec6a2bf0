"""What freeing each host would save, which hosts policy lets be freed, and which can stand in for which.

A host that nothing stands on still draws what it draws idle, and powered down it draws nothing:

    idle = watts - watts_per_thread * busy threads - watts_error

so that what is said to be saved is rather too little. A host whose watts, CPU or slope nobody knows saves nothing that
could be told, and is not freed. The load that leaves it costs about the same watts elsewhere.

Hosts are of one kind where the same servers may stand on either: of one type and clearance, in one availability zone,
with the same traits and the same metadata of aggregates.
"""

from dataclasses import dataclass

import numpy as np

from controller.model import cluster as model
from controller.model.policy import Consolidation
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import amounts
from controller.planner.admission import Kinds
from controller.planner.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """One entry a host. `freeable`: policy lets it be freed. `idle_watts`: NaN where not known. `kind`: a number."""

    freeable: model.BoolColumn
    idle_watts: FloatColumn
    kind: IntColumn


def of_hosts(cluster: model.Cluster, policy: Consolidation, kinds: Kinds, standing: Standing) -> Saving:
    """Nothing may be freed where policy has consolidation off."""
    hosts = cluster.hosts
    if not policy.enabled:
        count = len(hosts.names)
        return Saving(
            freeable=np.zeros(count, np.bool_), idle_watts=np.full(count, np.nan), kind=np.zeros(count, np.int32)
        )
    idle = _idle_watts(hosts)
    awaited = np.zeros(len(hosts.names), np.bool_)
    awaited[cluster.vms.target[cluster.vms.target >= 0]] = True
    return Saving(
        freeable=standing.open & ~awaited & np.greater(np.nan_to_num(idle, nan=0.0), 0.0),
        idle_watts=idle,
        kind=_kinds(hosts, kinds),
    )


def _idle_watts(hosts: model.Hosts) -> FloatColumn:
    busy = amounts.usable(hosts.cpu_ratio) * hosts.threads
    slope = np.where(hosts.watts_per_thread >= 0, hosts.watts_per_thread, np.nan)
    error = np.nan_to_num(np.maximum(hosts.watts_error, 0.0), nan=0.0)
    idle: FloatColumn = np.maximum(amounts.usable(hosts.power_watts) - slope * busy - error, 0.0)
    return idle


def _kinds(hosts: model.Hosts, kinds: Kinds) -> IntColumn:
    columns = (hosts.type, hosts.clearance, kinds.of_zones, kinds.of_traits, kinds.of_metadata)
    _, kind = np.unique(np.stack(columns), axis=1, return_inverse=True)
    numbers: IntColumn = kind.reshape(-1).astype(np.int32)
    return numbers

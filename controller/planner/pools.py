"""Pools: the sets of hosts on which servers of one kind may stand, whatever these carry.

By clearance, traits, zone, aggregates, tenants and NUMA cells, which change with the estate and not with moves. Servers
of a pool are another's own where all of its hosts are among that one's: they can stand nowhere else.

A host stands where servers may be sent to it once another is lost: the inventory knows it, its compute service is up
and enabled, nobody drains it and its hardware does not fail. That its readings are stale makes it none the less one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from controller.model import cluster as model
from controller.model.cluster import BoolColumn
from controller.model.sample import IntColumn
from controller.planner import amounts
from controller.planner.admission import Admission
from controller.planner.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """K of them. `hosts` (K, H). `of_vm` (V,): each server's, -1 for none. `own` (K, K): whether servers of the second
    are the first's own. `whole` (K, 3): what Placement admits on its hosts that stand. `stands` (H,).
    """

    names: tuple[str, ...]
    hosts: BoolColumn
    of_vm: IntColumn
    own: BoolColumn
    whole: amounts.Table
    stands: BoolColumn


def of_cluster(cluster: model.Cluster, admission: Admission, standing: Standing, capacity: amounts.Table) -> Pools:
    """A server of which nobody knows what it asks, or that may stand nowhere, is in none."""
    vms, hosts = cluster.vms, cluster.hosts
    numbers: dict[bytes, int] = {b"": -1}
    masks: list[BoolColumn] = []
    levels = 1 + int(max(vms.classification, default=0))
    kinds, kind_of = np.unique(vms.requirement.astype(np.int64) * levels + vms.classification, return_inverse=True)
    pool_of = np.full(len(kinds), -1, np.int32)
    for kind, code in enumerate(kinds.tolist()):
        requirement, level = divmod(code, levels)
        if requirement >= 0:
            mask = admission.possible(requirement) & np.greater_equal(hosts.clearance, level)
            packed = np.packbits(mask).tobytes() if mask.any() else b""
            if packed not in numbers:
                numbers[packed] = len(masks)
                masks.append(mask)
            pool_of[kind] = numbers[packed]
    inside = np.array(masks, np.bool_).reshape(len(masks), len(hosts.names))
    stands = hosts.known & hosts.up & hosts.enabled & ~hosts.draining & ~standing.failing
    return Pools(
        names=names(hosts.names, inside),
        hosts=inside,
        of_vm=pool_of[kind_of],
        own=np.array([[not (few & ~many).any() for few in inside] for many in inside], np.bool_).reshape(
            len(masks), len(masks)
        ),
        whole=(inside & stands).astype(np.float64) @ capacity.T,
        stands=stands,
    )


def names(hosts: Sequence[str], pools: BoolColumn) -> tuple[str, ...]:
    """`c1..c40/12`: the first and the last of its hosts by name, and how many they are; `#2` where another is called
    the same. In whatever order hosts and pools come, a pool is called so.
    """
    inside = [sorted(hosts[row] for row in np.flatnonzero(pool).tolist()) for pool in pools]
    found: dict[int, str] = {}
    for pool in sorted(range(len(inside)), key=inside.__getitem__):
        first, last, count = inside[pool][0], inside[pool][-1], len(inside[pool])
        name = f"{first}..{last}/{count}" if count > 1 else first
        same = sum(each.partition("#")[0] == name for each in found.values())
        found[pool] = f"{name}#{same + 1}" if same else name
    return tuple(found[pool] for pool in range(len(inside)))

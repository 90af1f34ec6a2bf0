"""The checker's account of what hosts keep free for others that may be lost: from the snapshot, and as moves are made.

For each set of hosts on which some kind of server may stand, and each of vCPUs, memory and disk: with the hosts gone
that take most, what servers that may stand on no other hosts ask is to fit into what is free on the rest.

While a wave runs a server may have a copy on both hosts. One that may stand nowhere else takes nothing by that: it is
at one of them in the end. Any other counts where it arrives, and is not gone from where it was; so does one that comes
from a host where it may not stand.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from controller.model import cluster as model
from controller.model.plan import Move, Plan
from controller.model.policy import Policy
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import check_moves
from controller.planner.check_admission import Verdicts
from controller.planner.check_rows import Rows
from controller.planner.pools import names

SLACK = 1e-6
"""Sums made in another order differ by so much of themselves."""


def problems(cluster: model.Cluster, policy: Policy, plan: Plan, rows: Rows) -> Iterator[str]:
    """The waves in which a pool could have too little free, and less of what is missing than at the start."""
    reserve = Reserve(cluster, policy)
    if not reserve.named:
        return
    host = reserve.settled(cluster.vms.host)
    start = {pool: reserve.left(pool, host) for pool in range(len(reserve.named))}
    for number, wave in enumerate(plan.waves, start=1):
        for pool in range(len(reserve.named)):
            coming = reserve.coming(pool, wave, rows)
            if not coming:
                continue
            left = reserve.left(pool, host, coming)
            least = np.minimum(start[pool], 0.0)
            if (left < least - SLACK * (1.0 + np.abs(least))).any():
                name, spare = reserve.named[pool], policy.thresholds.reserve_hosts
                yield f"wave {number}: {name} could keep too little free to lose {spare} hosts"
        for move in wave:
            host[rows.vms[move.vm]] = rows.hosts[move.target]


class Reserve:
    """The pools, `named`, and what they have left. None where policy asks for no reserve."""

    def __init__(self, cluster: model.Cluster, policy: Policy) -> None:
        self._cluster, self._spare = cluster, policy.thresholds.reserve_hosts
        vms, hosts = cluster.vms, cluster.hosts
        self._asked = np.stack([vms.vcpus, vms.memory_mib, vms.disk_gib]).astype(np.float64)
        self._admitted = np.stack([hosts.vcpus, hosts.memory_mib, hosts.disk_gib]).astype(np.float64)
        found: dict[frozenset[int], int] = {}
        of_kind: dict[tuple[int, int], int] = {}
        verdicts = Verdicts(cluster) if self._spare else None
        kinds = list(zip(vms.requirement.tolist(), vms.classification.tolist(), strict=True)) if verdicts else []
        for kind in sorted(set(kinds)):
            may = () if kind[0] < 0 or verdicts is None else np.flatnonzero(
                verdicts.possible(kind[0]) & (hosts.clearance >= kind[1])
            ).tolist()  # fmt: skip
            of_kind[kind] = found.setdefault(frozenset(may), len(found)) if len(may) else -1
        self._pools = list(found)
        self._mask = np.array([np.isin(np.arange(len(hosts.names)), sorted(pool)) for pool in self._pools], np.bool_)
        self.named = names(hosts.names, self._mask) if self._pools else ()
        pool_of = np.array([of_kind[kind] for kind in kinds], np.int64)
        within = [np.array([few <= many for few in self._pools] + [False], np.bool_) for many in self._pools]
        self._own = [of_pool[pool_of] for of_pool in within]
        sick, overheated = check_moves.failing(cluster, check_moves.facility_zones(cluster, policy))
        self._stands = hosts.known & hosts.up & hosts.enabled & ~hosts.draining & ~sick & ~overheated

    def settled(self, host: IntColumn) -> IntColumn:
        """Where everything is once what was under way at the snapshot has arrived."""
        target = self._cluster.vms.target
        return np.where((target >= 0) & np.equal(host, self._cluster.vms.host), target, host)

    def coming(self, pool: int, wave: Sequence[Move], rows: Rows) -> list[tuple[int, int]]:
        """Those that the wave brings to hosts of the pool, but not from one to the other where they may stand on no
        other, and where to.
        """
        moves = [(rows.vms[move.vm], rows.hosts[move.source], rows.hosts[move.target]) for move in wave]
        inside, own = self._pools[pool], self._own[pool]
        return [
            (vm, to) for vm, at, to in moves
            if to in inside and not (own[vm] and (at in inside or not self._stands[at]))
        ]  # fmt: skip

    def left(self, pool: int, host: IntColumn, coming: Sequence[tuple[int, int]] = ()) -> FloatColumn:
        """Of each quantity what is left of what is free once the hosts that take most are gone (3,); below 0: short.

        `coming`: copies that are there as well.
        """
        count = len(self._cluster.hosts.names)
        on = np.append(host, [to for _, to in coming]).astype(np.int64)
        vms = np.append(np.arange(len(host)), [vm for vm, _ in coming]).astype(np.int64)
        placed, own = on >= 0, np.append(self._own[pool], self._own[pool][[vm for vm, _ in coming]])
        left = np.zeros(3)
        for quantity in range(3):
            amounts = self._asked[quantity][vms]
            carried = np.bincount(on[placed], weights=amounts[placed], minlength=count)
            needs = np.bincount(on[placed & own], weights=amounts[placed & own], minlength=count)
            free = np.where(self._stands & self._mask[pool], self._admitted[quantity] - carried, 0.0)
            worst = np.sort(np.where(self._stands, np.maximum(needs + free, 0.0), 0.0))[-self._spare :]
            left[quantity] = free.sum() - needs[~self._stands].sum() - worst.sum()
        return left

    def shares(self, host: IntColumn) -> Iterator[tuple[str, list[float]]]:
        """Of each pool what is missing of each quantity, as a share of what its hosts that stand may hold."""
        at = self.settled(host)
        for pool, name in enumerate(self.named):
            whole = (self._admitted * (self._mask[pool] & self._stands)).sum(axis=1)
            yield name, np.maximum(-self.left(pool, at) / np.maximum(whole, 1.0), 0.0).tolist()

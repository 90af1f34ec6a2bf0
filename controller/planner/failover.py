"""N+1: what hosts must keep free, so that the servers of any `thresholds.reserve_hosts` of them can start elsewhere.

For each pool (`pools`), and for vCPUs, memory and disk as Placement counts, n hosts being lost:

    free - lost >= sum of the n largest of at_stake(h)          at_stake(h) = own(h) + free(h), of hosts that stand

    free(h)  capacity - asked of a host of the pool that stands, below 0 where it is too full; `free` is their sum
    own(h)   what servers of the pool's own ask that are on h
    lost     own(h) of all hosts that do not stand: these servers have to go to what is free as it is

for a set of hosts that is lost takes its free places with it, and its servers need others. A server that leaves a host
which is drained or fails is in `lost` no more, and has taken its place: that takes nothing from the reserve. Nor does a
move of a pool's own servers inside it. What fills it are servers that could stand elsewhere, and those of its own that
come from a host that is not in it.

A server under way counts where it goes. It is a sum: that each server of a lost host finds one host to fit on is not
shown (`gdcc whatif --all-single-failures` shows it).
"""

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import amounts
from controller.planner.pools import Pools


class Failover:
    """What pools keep free and what they need, kept as copies of servers come and go. Tables are (K, 3)."""

    def __init__(self, pools: Pools, spare: int, capacity: amounts.Table, asked: amounts.Table, at: IntColumn) -> None:
        """`spare`: hosts that may be lost, at least one. `capacity` (3, H), `asked` (3, V), `at` (V,): their hosts."""
        self.pools, self._spare = pools, spare
        self._asked_by = asked
        hosts, stands = len(pools.stands), pools.stands
        placed = at >= 0
        of_pools = np.zeros((len(pools.names), 3, hosts))
        for pool in range(len(pools.names)):
            of_pools[pool] = _on_hosts(asked, at, placed & np.equal(pools.of_vm, pool), hosts)
        own = np.tensordot(pools.own.astype(np.float64), of_pools, 1)
        free = np.where(stands, capacity - _on_hosts(asked, at, placed, hosts), 0.0) * pools.hosts[:, None, :]
        self.free: amounts.Table = free.sum(axis=2)
        self.lost: amounts.Table = np.where(stands, 0.0, own).sum(axis=2)
        self._at_stake = np.where(stands, own + free, 0.0)
        self._largest: amounts.Table = np.zeros_like(self.free)
        self._stale = np.ones(len(pools.names), np.bool_)

    def arrive(self, vm: int, host: int) -> None:
        """A copy of the VM is on the host."""
        self._change(vm, host, 1.0)

    def leave(self, vm: int, host: int) -> None:
        """It is there no more."""
        self._change(vm, host, -1.0)

    @property
    def needed(self) -> amounts.Table:
        """What must be free: for servers that are lost already, and for those of the hosts that would need most."""
        for pool in np.flatnonzero(self._stale).tolist():
            self._largest[pool] = _largest(self._at_stake[pool], self._spare).sum(axis=1)
        self._stale[:] = False
        return self.lost + self._largest

    @property
    def short(self) -> amounts.Table:
        """By how much too little is free; 0 where it is enough."""
        short = self.needed - self.free
        return np.where(short > amounts.ROUNDING * (1.0 + self.free), short, 0.0)

    @property
    def shares(self) -> amounts.Table:
        """That as a share of all that Placement admits on the pool's hosts that stand."""
        return self.short / np.maximum(self.pools.whole, 1.0)

    def admits(self, vm: int, source: int, hosts: IntColumn) -> BoolColumn:
        """For each of the hosts whether the VM may go there from `source`: no pool that it fills has too little free.

        With both its copies there, and so whether or not the move succeeds.
        """
        asked = self._asked_by[:, vm]
        over = (asked > 0) & (self.needed + asked > amounts.bound(self.free))
        at_home = self.pools.hosts[:, source] | ~self.pools.stands[source]
        tight = over.any(axis=1) & ~(self._own_of(vm) & at_home)
        filled: BoolColumn = np.logical_or.reduce(self.pools.hosts[tight][:, hosts], axis=0)
        return np.logical_not(filled)

    def fillers(self, pool: int, host: IntColumn) -> IntColumn:
        """The servers on a pool's hosts that stand which could stand outside of it; `host` (V,) is where all are."""
        inside = np.append(self.pools.hosts[pool] & self.pools.stands, False)[host]
        known = self.pools.of_vm >= 0
        return np.flatnonzero(inside & known & ~self.pools.own[pool][self.pools.of_vm]).astype(np.int32)

    def number(self, name: str) -> int:
        """The row of the pool that is called so."""
        return self.pools.names.index(name)

    def relief(self, pool: int, quantity: int, vms: IntColumn, host: IntColumn) -> FloatColumn:
        """What the pool would be less short of without each of the VMs, which stand on `host` (V,) of all.

            min(asked, max(0, the n-th largest at stake - at stake there))

        for with it more is free, and more is at stake on its host.
        """
        at_stake = self._at_stake[pool, quantity]
        least = float(_largest(at_stake[None, :], self._spare).min())
        gain: FloatColumn = np.minimum(self._asked_by[quantity, vms], np.maximum(least - at_stake[host[vms]], 0.0))
        return gain

    def _change(self, vm: int, host: int, sign: float) -> None:
        amount, own, inside = sign * self._asked_by[:, vm], self._own_of(vm), self.pools.hosts[:, host]
        if not self.pools.stands[host]:
            self.lost[own] += amount
            return
        self.free[inside] -= amount
        self._at_stake[inside, :, host] -= amount
        self._at_stake[own, :, host] += amount
        self._stale |= inside | own

    def _own_of(self, vm: int) -> BoolColumn:
        """(K,) the pools whose own the VM is."""
        pool = int(self.pools.of_vm[vm])
        return self.pools.own[:, pool] if pool >= 0 else np.zeros(len(self.pools.names), np.bool_)


def _on_hosts(asked: amounts.Table, at: IntColumn, counted: BoolColumn, hosts: int) -> amounts.Table:
    rows = at[counted]
    return np.stack([np.bincount(rows, weights=row[counted], minlength=hosts).astype(np.float64) for row in asked])


def _largest(amounts_of_hosts: amounts.Table, count: int) -> amounts.Table:
    """The `count` largest of each row, the largest first (Q, count); nothing is needed where less than nothing is.

    One after the other: for the few that are asked for, that is quicker than sorting thousands.
    """
    left, quantities = amounts_of_hosts.copy() if count > 1 else amounts_of_hosts, np.arange(len(amounts_of_hosts))
    found = np.zeros((len(amounts_of_hosts), count))
    for place in range(min(count, amounts_of_hosts.shape[1])):
        hosts = left.argmax(axis=1)
        found[:, place] = np.maximum(left[quantities, hosts], 0.0)
        if count > 1:
            left[quantities, hosts] = -np.inf
    return found

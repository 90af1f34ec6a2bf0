"""Room for a VM that has no target: one other VM leaves the host that could then take it.

The host meets every rule of places; only what it carries stands against it. The other VM goes, both copies counted, to
its own best target. The smallest that is enough is taken, from the least full hosts first; how many are tried in one
plan is bounded, so that a cluster with no room anywhere is not searched for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.sample import IntColumn
from controller.planner import preference, rules
from controller.planner.load import Load


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard a plan looks for room: `tries` of a host and a VM on it in all, `hosts` for a VM, `vms` of a breach."""

    tries: int = 2000
    hosts: int = 16
    vms: int = 8

    def more(self) -> "Effort":
        """The next effort of a plan that has time left."""
        return Effort(tries=8 * self.tries, hosts=4 * self.hosts, vms=4 * self.vms)


USUAL = Effort()


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """`other` goes to `to`, and then `host` admits the VM."""

    other: int
    to: int
    host: int


class Rooms:
    """Finds room on one load, which is as it was when a search for room returns.

    `bounded`: more effort might have found more.
    """

    def __init__(self, load: Load, effort: Effort) -> None:
        self._load = load
        self.effort = effort
        self._tries = effort.tries
        self.bounded = False

    def room(self, vm: int, within: IntColumn | None, may_leave: Callable[[int], bool]) -> Room | None:
        """The first room found; None where there is none, or none was found in time."""
        hosts = rules.places(self._load, vm)
        if within is not None:
            hosts = hosts[np.isin(hosts, within)]
        self.bounded |= len(hosts) > self.effort.hosts
        order = np.argsort(preference.costs(self._load, vm, hosts), kind="stable")[: self.effort.hosts]
        for host in hosts[order].tolist():
            for other in self._enough(vm, host).tolist():
                if self._tries <= 0:
                    self.bounded = True
                    return None
                if not may_leave(other):
                    continue
                self._tries -= 1
                to = self._tried(vm, host, other)
                if to is not None:
                    return Room(other=other, to=to, host=host)
        return None

    def _enough(self, vm: int, host: int) -> IntColumn:
        """The VMs on the host without any one of which there is enough of every quantity, the smallest first."""
        load, facts = self._load, self._load.situation
        there = np.flatnonzero(load.host == host).astype(np.int32)
        home = load.origin[there] == host
        asked = load.asked[:, host, None] + facts.asked[:, vm, None] - facts.asked[:, there]
        relieved = np.where(home, facts.relieves[:, there], facts.brings[:, there])
        used = load.used[:, host, None] + facts.brings[:, vm, None] - relieved
        placed: BoolColumn = np.logical_and.reduce(rules.fits(asked, facts.capacity[:, host, None]))
        cool: BoolColumn = np.logical_and.reduce(rules.fits(used, facts.limit[:, host, None]))
        found = there[placed & cool]
        ordered: IntColumn = found[np.lexsort((found, facts.asked[1, found]))]
        return ordered

    def _tried(self, vm: int, host: int, other: int) -> int | None:
        """Where the other would go, if the host then admits the VM."""
        load = self._load
        targets = rules.targets(load, other)
        if not len(targets):
            return None
        to = int(targets[np.argmin(preference.costs(load, other, targets))])
        load.move(other, to)
        admitted = len(rules.admitted(load, vm, np.array([host], np.int32), rules.DYNAMIC)) == 1
        load.move(other, host)
        return to if admitted else None

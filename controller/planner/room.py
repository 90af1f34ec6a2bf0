"""Room for a VM that has no target: others leave the host that could then take it.

The host meets every rule of places; only what it carries stands against it. Others go, both copies counted, each to its
own best target: one where one is enough, the smallest such, else the largest one after the other, few of them. The
least full hosts are looked at first. How many are tried in one plan is bounded, so that a cluster with no room anywhere
is not searched for ever.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import preference, rules, whim
from controller.planner.load import Load


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard a plan looks for room: `tries` of hosts and VMs on them in all, `hosts` for a VM, `vms` of a breach."""

    tries: int = 2000
    hosts: int = 16
    vms: int = 8

    def more(self) -> "Effort":
        """The next effort of a plan that has time left."""
        return Effort(tries=8 * self.tries, hosts=4 * self.hosts, vms=4 * self.vms)


USUAL = Effort()
DEPTH = 3
"""So many others leave for one VM at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """`others` go each to its target, in this order, and then `host` admits the VM."""

    others: tuple[tuple[int, int], ...]
    host: int


class Rooms:
    """Finds room on one load, which is as it was when a search for room returns.

    `bounded`: more effort might have found more.
    """

    def __init__(self, load: Load, effort: Effort, stop: Callable[[], bool], prefers: whim.Whim = whim.NONE) -> None:
        self._load = load
        self._prefers = prefers
        self.effort = effort
        self._stop = stop
        self._tries = effort.tries
        self.bounded = False

    def room(self, vm: int, within: BoolColumn | None, may_leave: Callable[[IntColumn], BoolColumn]) -> Room | None:
        """The first room found; None where there is none, or none was found in time."""
        if not self._may_try():
            return None
        hosts = rules.places(self._load, vm)
        if within is not None:
            hosts = hosts[within[hosts]]
        self.bounded |= len(hosts) > self.effort.hosts
        order = preference.order(self._load, hosts, self._costs(vm, hosts))[: self.effort.hosts]
        for host in hosts[order].tolist():
            if not self._may_try():
                return None
            there = self._standing_on(host)
            there = there[may_leave(there)]
            for other in there[self._enough(vm, host, there)].tolist():
                if found := self._tried(vm, host, (other,)):
                    return Room(others=found, host=host)
            if found := self._tried(vm, host, there[::-1].tolist()):
                return Room(others=found, host=host)
        return None

    def _standing_on(self, host: int) -> IntColumn:
        """The VMs on the host, the smallest first."""
        there = np.flatnonzero(self._load.host == host).astype(np.int32)
        facts = self._load.situation
        ordered: IntColumn = there[np.lexsort((facts.likeness.vms[there], facts.asked[1, there]))]
        return ordered

    def _enough(self, vm: int, host: int, there: IntColumn) -> BoolColumn:
        """Without which of these alone there is enough of every quantity for the VM."""
        load, facts = self._load, self._load.situation
        home = load.origin[there] == host
        asked = load.asked[:, host, None] + facts.asked[:, vm, None] - facts.asked[:, there]
        counted = rules.counted(load, vm)
        of_others = facts.brings if facts.urgent[vm] else facts.at_peaks
        relieved = np.where(home, facts.relieves[:, there], of_others[:, there])
        used = counted.carried[:, host, None] + counted.brought[:, None] - relieved
        placed: BoolColumn = np.logical_and.reduce(rules.within(asked, facts.bounds.capacity[:, host, None]))
        cool: BoolColumn = np.logical_and.reduce(rules.within(used, counted.bound[:, host, None]))
        return placed & cool

    def _tried(self, vm: int, host: int, others: Iterable[int]) -> tuple[tuple[int, int], ...]:
        """Who of the others went where until the host admitted the VM, or nobody. All stand where they stood again."""
        load, gone = self._load, list[tuple[int, int]]()
        admitted = False
        for other in others:
            if admitted or len(gone) == DEPTH or not self._may_try():
                break
            targets = rules.targets(load, other)
            if not len(targets):
                continue
            to = preference.best(load, targets, self._costs(other, targets))
            load.move(other, to)
            gone.append((other, to))
            admitted = rules.has_room(load, vm, host)
        for other, _ in reversed(gone):
            load.move(other, host)
        return tuple(gone) if admitted else ()

    def _costs(self, vm: int, hosts: IntColumn) -> FloatColumn:
        return self._prefers.costs(preference.costs(self._load, vm, hosts))

    def _may_try(self) -> bool:
        """Whether one more look is allowed; it is then spent."""
        self.bounded |= self._tries <= 0
        self._tries -= 1
        return self._tries >= 0 and not self._stop()

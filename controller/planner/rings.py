"""VMs that would have to change places at once: each may go where the next one stands, and needs it gone first.

No plan can move them one by one. One that another host could take for the moment makes no ring: it goes there for good
(`room`), and the others follow. What is looked for is small: exchanges of two, and rings of three whose VMs are all to
leave where they are. An exchange counts where it leaves less broken, hot or to be drained than there is. None goes to
a host that may receive nothing, so a VM whose own host is such a one, as one that fails or is drained, has none.
"""

from collections.abc import Callable, Collection, Iterator

import numpy as np

from controller.model.plan import WRONG
from controller.model.sample import IntColumn
from controller.planner import rules, score
from controller.planner.load import Load

TRIES = 100
"""Exchanges that are tried in one plan at most."""
LOOKS = 1000
"""VMs that are looked at for one in one plan at most: in a full cloud most could change places with nobody."""


def never() -> bool:
    """Nobody stops the search."""
    return False


class Rings:
    """Looks on one load, which is as it was when a search for a ring returns.

    `leaving`: VMs that are to leave where they are. `held`: the rule that keeps a VM from moving, "" for none. `stop`:
    whether to find no more of them.
    """

    def __init__(
        self, load: Load, leaving: Collection[int], held: Callable[[int], str], stop: Callable[[], bool] = never
    ) -> None:
        self._load, self._leaving, self._held, self._stop = load, sorted(leaving), held, stop
        self._leaving_set = frozenset(self._leaving)
        self._tries, self._looks = TRIES, LOOKS

    def of(self, vm: int) -> tuple[int, ...]:
        """The ring of this VM, itself first, each of which goes where the next stands; empty where none was found."""
        for ring in self._possible(vm):
            if self._tries <= 0:
                return ()
            self._tries -= 1
            if self._serves(ring):
                return ring
        return ()

    def _possible(self, vm: int) -> Iterator[tuple[int, ...]]:
        load, home = self._load, int(self._load.host[vm])
        if not load.situation.standing.open[home] or not self._may_look():
            return
        for other in self._standing_on(rules.places(load, vm)):
            if not self._may_look():
                return
            if self._held(other) or len(rules.targets(load, other)):
                continue
            onward = rules.places(load, other)
            if home in onward:
                yield vm, other
            for third in self._thirds(vm, other, onward):
                if not self._may_look():
                    return
                if not self._held(third) and home in rules.places(load, third):
                    yield vm, other, third

    def _standing_on(self, hosts: IntColumn) -> list[int]:
        """The VMs on these hosts, those first that are to leave."""
        others = np.flatnonzero(np.isin(self._load.host, hosts))
        first = np.isin(others, self._leaving)
        return [*others[first].tolist(), *others[~first].tolist()]

    def _thirds(self, vm: int, other: int, onward: IntColumn) -> list[int]:
        """Who stands where the second may go, where all three are to leave."""
        if other not in self._leaving_set:
            return []
        there = np.array(self._leaving, np.int32)[np.isin(self._load.host[self._leaving], onward)]
        return [third for third in there.tolist() if third not in {vm, other}]

    def _may_look(self) -> bool:
        """Whether one more VM is looked at."""
        if self._looks <= 0 or self._stop():
            return False
        self._looks -= 1
        return True

    def _serves(self, ring: tuple[int, ...]) -> bool:
        load = self._load
        levels = [load.situation.policy.rank(concern) for concern in WRONG]
        before = score.of_load(load)
        homes = [int(load.host[vm]) for vm in ring]
        for vm, target in zip(ring, (*homes[1:], homes[0]), strict=True):
            load.move(vm, target)
        after = score.of_load(load)
        for vm, home in zip(ring, homes, strict=True):
            load.move(vm, home)
        return all(after[level] <= before[level] for level in levels) and any(
            after[level] < before[level] for level in levels
        )

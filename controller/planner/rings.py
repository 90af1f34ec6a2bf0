"""VMs that would have to change places at once: each may go where the next one stands, and needs it gone first.

No plan can move them one by one. One that another host could take for the moment makes no ring: it goes there for good
(`room`), and the others follow. What is looked for is small: exchanges of two, and rings of three whose VMs are all to
leave where they are. An exchange counts where it leaves less broken, hot or to be drained than there is.
"""

from collections.abc import Callable, Collection, Iterator

import numpy as np

from controller.model.plan import WRONG
from controller.planner import rules, score
from controller.planner.load import Load

TRIES = 100
"""Exchanges that are tried in one plan at most."""


class Rings:
    """Looks on one load, which is as it was when a search for a ring returns.

    `leaving`: VMs that are to leave where they are. `held`: the rule that keeps a VM from moving, "" for none.
    """

    def __init__(self, load: Load, leaving: Collection[int], held: Callable[[int], str]) -> None:
        self._load, self._leaving, self._held = load, sorted(leaving), held
        self._tries = TRIES

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
        hosts = rules.places(load, vm)
        others = np.flatnonzero(np.isin(load.host, hosts))
        first = np.isin(others, self._leaving)
        for other in (*others[first].tolist(), *others[~first].tolist()):
            if self._held(other) or len(rules.targets(load, other)):
                continue
            onward = rules.places(load, other)
            if home in onward:
                yield vm, other
            for third in self._leaving if other in self._leaving else ():
                between = third not in {vm, other} and not self._held(third) and load.host[third] in onward
                if between and home in rules.places(load, third):
                    yield vm, other, third

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

"""Follows a placement as far as every rule lets it: a VM that has a reason goes where the placement has it, and before
it those that the placement takes away from there.

A VM whose host, group or own place is in none of the breaches, and which makes room for nobody, stays where it is. So
every VM is where it was at first or where the placement has it, at any time.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from controller.model.plan import Breach
from controller.model.sample import IntColumn
from controller.planner import canonical, classify, rules
from controller.planner.mover import Mover

DEPTH = 4
"""So many times over may those who make room need others to make room for them."""


def towards(search: Mover, placement: IntColumn, found: Iterable[Breach]) -> None:
    """Sends VMs of hosts in these breaches where the placement has them, the most urgent first."""
    for vm, breach in _reasons(search, found).items():
        if search.asked_to_stop():
            return
        if placement[vm] != search.load.host[vm] and search.may_move(vm, breach):
            _Path(search, placement, breach).clear(vm, DEPTH)


def _reasons(search: Mover, found: Iterable[Breach]) -> Mapping[int, Breach]:
    """For each VM that may mend something by leaving, the most urgent of it."""
    reasons: dict[int, Breach] = {}
    for breach in found:
        for vm in _concerned(search, breach):
            reasons.setdefault(vm, breach)
    return reasons


def _concerned(search: Mover, breach: Breach) -> list[int]:
    """The VM above its host's clearance, the members of the group, or all on the host."""
    facts = search.load.situation
    if breach.rule in classify.OF_VM:
        return [canonical.at(facts.cluster.vms.ids, breach.subject)]
    if breach.rule == "group":
        bonds = (bond for bond in facts.bonds if bond.group.name == breach.subject)
        return [vm for bond in bonds for vm in bond.group.members.tolist()]
    return search.on(search.hosts[breach.subject]).tolist() if breach.subject in search.hosts else []


class _Path:
    """The way of one VM to where the placement has it, and of those that it needs to be gone."""

    def __init__(self, search: Mover, placement: IntColumn, breach: Breach) -> None:
        self._search, self._placement, self._breach = search, placement, breach
        self._on_the_way: set[int] = set()
        self._gone: list[tuple[int, int]] = []
        """Who was sent so far, and from where, in order."""

    def clear(self, vm: int, depth: int, room_for: int | None = None) -> bool:
        """Sends it, others first where it needs their room; False where it cannot be, and all stand as before."""
        search, target, before = self._search, int(self._placement[vm]), len(self._gone)
        self._on_the_way.add(vm)
        if target not in rules.places(search.load, vm):
            return False
        admitted = rules.has_room(search.load, vm, target)
        for other in () if admitted else self._in_the_way(target, depth):
            if admitted or search.asked_to_stop():
                break
            self.clear(other, depth - 1, vm)
            admitted = rules.has_room(search.load, vm, target)
        if not admitted or not search.may_move(vm, self._breach):
            while len(self._gone) > before:
                search.send(*self._gone.pop(), self._breach)
            return False
        self._gone.append((vm, int(search.load.host[vm])))
        search.send(vm, target, self._breach, room_for)
        return True

    def _in_the_way(self, target: int, depth: int) -> list[int]:
        """VMs on the target that the placement has elsewhere, the largest first."""
        if depth == 0:
            return []
        search = self._search
        there = search.on(target)
        there = there[self._placement[there] != target]
        facts = search.load.situation
        order = there[np.lexsort((facts.likeness.vms[there], -facts.asked[1, there]))].tolist()
        return [other for other in order if other not in self._on_the_way and search.may_move(other, self._breach)]

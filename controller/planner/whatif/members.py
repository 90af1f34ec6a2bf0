"""Groups while servers go down and start elsewhere: how many members stand in which fault domain.

Members of an affinity group that lost its domain start together: the first one chooses where. Servers that move while
they run do so one by one: then such a group stays in the domain where most of it stood at first, as in a plan, and one
that wants several domains keeps as many of them as it wants or has. Where servers were lost, no place is refused for
that: better all of a group in one domain than a part of it nowhere; `broken` tells it.
"""

from collections import Counter

import numpy as np

from controller.model import cluster as model
from controller.planner import groups
from controller.planner.whatif.spare import Spare
from inventory.model import Domain


class Members:
    """What changes of the groups of `spare`, in a copy of those that change; `running`: servers move, none is lost."""

    def __init__(self, spare: Spare, *, running: bool = False) -> None:
        self._situation = spare.situation
        self._running = running
        self._start = spare.members
        self._changed: dict[int, Counter[int]] = {}

    def leave(self, vm: int) -> None:
        """The server's host is gone; a copy of it elsewhere still counts."""
        vms = self._situation.cluster.vms
        for number, bond in self._hard(vm):
            here, there = (int(bond.domain_of[row]) if row >= 0 else -1 for row in (vms.host[vm], vms.target[vm]))
            if here >= 0 and here != there:
                self._counts(number)[here] -= 1

    def arrive(self, vm: int, host: int) -> None:
        """The server has started there."""
        for number, bond in self._hard(vm):
            domain = int(bond.domain_of[host])
            if domain >= 0:
                self._counts(number)[domain] += 1

    def admitted(self, vm: int) -> model.BoolColumn | None:
        """(H,) the hosts on which no group forbids the server; None where it is in no group that could."""
        mask: model.BoolColumn | None = None
        for number, bond in self._hard(vm):
            admits = self._admits(number, bond)
            if self._running:
                admits &= self._keeps_domains(number, bond)
                admits |= self._stays(vm, bond)
            mask = admits if mask is None else mask & admits
        return mask

    def must_start_with(self, vm: int) -> int | None:
        """The group whose members have all lost their host and must find one together; None for none."""
        for number, bond in self._hard(vm):
            if bond.anchor is not None and bond.group.domain is Domain.HOST and self._anchor(number, bond) is None:
                return number
        return None

    def names(self, vm: int) -> tuple[str, ...]:
        """The groups that bind the server, by name."""
        return tuple(bond.group.name for _, bond in self._hard(vm))

    def _hard(self, vm: int) -> list[tuple[int, groups.Bond]]:
        bonds = self._situation.bonds
        return [(number, bonds[number]) for number in self._situation.bonds_of.get(vm, ()) if bonds[number].hard]

    def _counts(self, number: int) -> Counter[int]:
        if number not in self._changed:
            self._changed[number] = Counter(self._start[number])
        return self._changed[number]

    def _admits(self, number: int, bond: groups.Bond) -> model.BoolColumn:
        anchor = None if bond.anchor is None else self._anchor(number, bond)
        return bond.admits(self._changed.get(number, self._start[number]), bond.domain_of, anchor)

    def _keeps_domains(self, number: int, bond: groups.Bond) -> model.BoolColumn:
        """(H,) the hosts of domains without a member, while those that have one are too few."""
        counts = self._changed.get(number, self._start[number])
        held = [domain for domain, members in counts.items() if members > 0]
        started = sum(members > 0 for members in self._start[number].values())
        if not bond.wants_several or len(held) >= min(bond.group.min_domains, started):
            return np.ones(len(bond.domain_of), np.bool_)
        keeps: model.BoolColumn = ~np.isin(bond.domain_of, held)
        return keeps

    def _stays(self, vm: int, bond: groups.Bond) -> model.BoolColumn:
        """(H,) the hosts of the domain that the server is in anyway."""
        here = int(bond.domain_of[self._situation.cluster.vms.host[vm]])
        stays: model.BoolColumn = np.equal(bond.domain_of, here) & (here >= 0)
        return stays

    def _anchor(self, number: int, bond: groups.Bond) -> int | None:
        """Where the group is: where it was while somebody is still there or left it running, else where most are."""
        counts = self._changed.get(number, self._start[number])
        left = {domain: members for domain, members in counts.items() if members > 0}
        if bond.anchor in left or self._running:
            return bond.anchor
        return min(left, key=lambda domain: (-left[domain], domain)) if left else None

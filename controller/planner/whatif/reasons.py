"""Why a server has no place, in a sentence."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from controller.model import cluster as model
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import describe
from controller.planner.whatif.restart import NOWHERE, Placed
from controller.planner.whatif.spare import HARD, Spare

_WORDS = (("{:,.0f} vCPUs", 1.0), ("{:,.0f} GiB of memory", 1024.0), ("{:,.0f} GiB of disk", 1.0))
"""How each hard row of the table is told, and how many of its units are one."""


class Reasons:
    """Of one question, for the servers that `placed` has no place for; `barred` are kept by a rule of their own."""

    def __init__(self, spare: Spare, placed: Placed, barred: Mapping[int, str]) -> None:
        self._barred = barred
        self._spare, self._placed, self._down = spare, placed, placed.left.down
        self._together: dict[int, str] = {}

    @cached_property
    def _by_open(self) -> dict[int, list[int]]:
        """The servers that could start, together where the same hosts are open to them."""
        found: dict[int, list[int]] = {}
        for vm in self._placed.target:
            if not (vm in self._barred or self._unknown(vm)):
                found.setdefault(id(self._spare.open_to(vm)), []).append(vm)
        return found

    def why(self, vm: int) -> str:
        """The first that holds: nobody knows, no host may, none has room, no copy gets there, no group lets it, or too
        few have room.
        """
        rule = self._barred.get(vm) or self._unknown(vm)
        if rule:
            return describe.RULES[rule]
        hosts = self._left(vm)
        if not len(hosts):
            return f"no host is left that may start it: {self._closed(vm)}"
        roomy = hosts[self._has_room(vm, hosts)]
        if not len(roomy):
            return (
                f"none of the {len(hosts)} hosts that may start it has {_amounts(self._spare.amount[:HARD, vm])} left"
            )
        near = self._near(vm, roomy)
        if not len(near):
            return f"{describe.RULES['pre-copy']} to the {_hosts(roomy)} with room for it"
        if self.bound_by_groups(vm):
            names = ", ".join(f"group {name}" for name in self._placed.members.names(vm))
            return f"{names} keeps it from the {_hosts(near)} with room for it"
        key = id(self._spare.open_to(vm))
        if key not in self._together:
            self._together[key] = self._all_together(vm, hosts)
        return self._together[key]

    def _unknown(self, vm: int) -> str:
        vms = self._spare.situation.cluster.vms
        if vms.requirement[vm] < 0:
            return "requirement-unknown"
        return "" if vms.fit_known[vm] else "fit-unknown"

    def bound_by_groups(self, vm: int) -> bool:
        """Whether only a group keeps the server from every host that has room for it."""
        groups, hosts = self._placed.members.admitted(vm), self._left(vm)
        roomy = self._near(vm, hosts[self._has_room(vm, hosts)])
        return vm not in self._barred and groups is not None and len(roomy) > 0 and not groups[roomy].any()

    def _all_together(self, vm: int, hosts: IntColumn) -> str:
        """What all that must start on these hosts or on fewer of them ask for, beside what these have left."""
        bound = [
            each
            for servers in self._by_open.values()
            if len(left := self._left(servers[0])) and np.isin(left, hosts).all()
            for each in servers
        ]
        asked = self._spare.amount[:HARD, bound].sum(axis=1)
        room = np.maximum(self._spare.room[:HARD][:, hosts], 0.0).sum(axis=1)
        for row in np.flatnonzero(asked > room)[:1].tolist():
            needed, free = _amount(row, asked[row]), _amount(row, room[row])
            return (
                f"the {len(bound)} servers that may start only on {_hosts(hosts)} ask for {needed}, and {free} is left"
            )
        without = sum(self._placed.target[each] == NOWHERE for each in bound)
        return f"what the {_hosts(hosts)} that may start it have left is in pieces too small for {without} servers"

    def _closed(self, vm: int) -> str:
        counts = self._spare.closed_by(vm, np.flatnonzero(~self._down).astype(np.int32))
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return "; ".join(f"{_count(count)}: {describe.RULES[rule]}" for rule, count in ordered) or "none is left at all"

    def _left(self, vm: int) -> IntColumn:
        hosts = self._spare.open_to(vm)
        return hosts[~self._down[hosts]]

    def _near(self, vm: int, hosts: IntColumn) -> IntColumn:
        """Those of the hosts that its copy reaches, where it is copied."""
        return self._spare.in_reach(vm, hosts) if self._placed.running else hosts

    def _has_room(self, vm: int, hosts: IntColumn) -> model.BoolColumn:
        amount, room = self._spare.amount[:HARD, vm], self._spare.room[:HARD][:, hosts]
        has: model.BoolColumn = ((room >= amount[:, None]) | (amount[:, None] == 0)).all(axis=0)
        return has


def _amounts(amounts: FloatColumn) -> str:
    return ", ".join(_amount(row, amount) for row, amount in enumerate(amounts) if amount > 0)


def _amount(row: int, amount: float) -> str:
    word, unit = _WORDS[row]
    return word.format(amount / unit)


def _hosts(hosts: IntColumn) -> str:
    return _count(len(hosts))


def _count(hosts: int) -> str:
    return f"{hosts} host{'' if hosts == 1 else 's'}"

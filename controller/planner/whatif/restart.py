"""Finds places for servers that must start elsewhere.

First the servers that the fewest hosts may start, the largest of them first; each on the host that is then the
emptiest. Where that leaves somebody without a place, or a limit broken, all of them are tried again on the host that is
then the fullest (best fit decreasing), and the better of the two is taken. A place is never made by moving a server
that runs: so a loss that is called survived is survived, and one that is not might still be with moves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from controller.model import cluster as model
from controller.model.sample import FloatColumn, IntColumn
from controller.planner.whatif.members import Members
from controller.planner.whatif.spare import HARD, Left, Spare

NOWHERE = -1

_FEW, _FEW_EACH = 64, 4
"""A server is offered first to so many hosts, and so many more for each that must start: the emptiest before the loss.
Only where none of these takes it inside every limit are all hosts looked at."""

Unit = tuple[int, ...]
"""Servers that must start on one host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """`target[vm]` is a host's row or NOWHERE; `hot`: servers whose host is over a safety limit with them.

    `running`: they moved there, and did not start again.
    """

    target: dict[int, int]
    hot: frozenset[int]
    left: Left
    members: Members
    running: bool

    @property
    def unplaced(self) -> list[int]:
        """The servers without a place."""
        return [vm for vm, host in self.target.items() if host == NOWHERE]


def restart(spare: Spare, down: model.BoolColumn, servers: Sequence[int], *, running: bool = False) -> Placed:
    """Places the servers on hosts that are not `down` (H,), which draw nothing any more.

    `running`: servers move off hosts that run until the last has left, each only where its copy would end in time.
    """
    placed = _Attempt(spare, down, servers, tight=False, running=running).placed
    if not placed.unplaced and not placed.hot:
        return placed
    tight = _Attempt(spare, down, servers, tight=True, running=running).placed
    return min(placed, tight, key=lambda each: (len(each.unplaced), len(each.hot)))


class _Attempt:
    def __init__(
        self, spare: Spare, down: model.BoolColumn, servers: Sequence[int], *, tight: bool, running: bool
    ) -> None:
        self._spare, self._down, self._tight, self._running = spare, down, tight, running
        self._rows, self._added = spare.situation.watts.rows, spare.situation.watts.added
        self._power = spare.situation.cluster.hosts.power
        self._room, self._watts = spare.room.copy(), spare.watts.copy()
        self._arrived = np.zeros(len(down), np.bool_)
        self._members = Members(spare, running=running)
        self._few = max(_FEW, _FEW_EACH * len(servers))
        self._by_kind: dict[tuple[int, int], IntColumn] = {}
        for host in np.flatnonzero(down & (not running)).tolist():
            self._watts[self._rows[host]] += spare.situation.watts.drawn[host]
        for vm in servers:
            self._members.leave(vm)
        hot: set[int] = set()
        target = dict.fromkeys(servers, NOWHERE)
        for unit in self._in_order(servers):
            need = spare.amount[:, list(unit)].sum(axis=1)
            for vm in unit:
                host, over = self._host_for(vm, need)
                if host == NOWHERE:
                    break
                self._settle(vm, host)
                target[vm] = host
                hot |= {vm} if over else set()
                need = need - spare.amount[:, vm]
        self.placed = Placed(
            target=target,
            hot=frozenset(hot),
            left=Left(room=self._room, watts=self._watts, arrived=self._arrived, down=down),
            members=self._members,
            running=running,
        )

    def _in_order(self, servers: Iterable[int]) -> list[Unit]:
        units: dict[tuple[str, int], list[int]] = {}
        for vm in servers:
            if self._spare.situation.cluster.vms.fit_known[vm]:
                group = self._members.must_start_with(vm)
                units.setdefault(("group", group) if group is not None else ("vm", vm), []).append(vm)
        return sorted(map(tuple, units.values()), key=self._hardest)

    def _hardest(self, unit: Unit) -> tuple[int, float, int]:
        choice = min(len(self._spare.open_to(vm)) for vm in unit)
        return choice, -float(self._spare.size[list(unit)].sum()), unit[0]

    def _host_for(self, vm: int, need: FloatColumn) -> tuple[int, bool]:
        """The host, and whether it is over a safety limit then."""
        every = self._left(vm)
        hosts, hard = every[:0], np.empty(0)
        for offered in (every,) if self._tight else (every[: self._few], every):
            hosts = self._spare.in_reach(vm, offered) if self._running else offered
            slack = (self._room[:, hosts] - need[:, None]) * self._spare.share[:, hosts]
            slack[need == 0] = np.inf
            hard, least = slack[:HARD].min(axis=0), slack.min(axis=0)
            of_groups = self._members.admitted(vm)
            if of_groups is not None:
                hard[~of_groups[hosts]] = least[~of_groups[hosts]] = -np.inf
            host = self._within_watts(vm, hosts[least >= 0], least[least >= 0])
            if host != NOWHERE:
                return host, False
        fits = hard >= 0
        return (self._best(hosts[fits], hard[fits]), True) if fits.any() else (NOWHERE, False)

    def _left(self, vm: int) -> IntColumn:
        """The hosts that may start the server and are not down, those first that were the emptiest before."""
        kind = self._spare.kind(vm)
        if kind not in self._by_kind:
            hosts = self._spare.open_to(vm)
            self._by_kind[kind] = hosts[~self._down[hosts]]
        return self._by_kind[kind]

    def _within_watts(self, vm: int, hosts: IntColumn, slack: FloatColumn) -> int:
        """The best of the hosts whose supplies may carry the server too. Most often that is the first one asked."""
        if not len(hosts):
            return NOWHERE
        best = self._best(hosts, slack)
        added = self._added_watts(vm, best)
        if added == 0 or all(added <= self._watts[row] for row in self._rows[best]):
            return best
        carried = self._carried(vm, hosts)
        return self._best(hosts[carried], slack[carried]) if carried.any() else NOWHERE

    def _best(self, hosts: IntColumn, slack: FloatColumn) -> int:
        return int(hosts[np.argmin(slack) if self._tight else np.argmax(slack)])

    def _carried(self, vm: int, hosts: IntColumn) -> model.BoolColumn:
        added = self._added_watts(vm, hosts)
        left = self._watts[self._power[hosts]].min(axis=1, initial=np.inf)
        carried: model.BoolColumn = (added <= left) | (added == 0)
        return carried

    def _added_watts(self, vm: int, hosts: IntColumn | int) -> FloatColumn:
        return self._added(self._spare.amount[HARD, vm], hosts, self._arrived[hosts])

    def _settle(self, vm: int, host: int) -> None:
        self._room[:, host] -= self._spare.amount[:, vm]
        self._watts[self._rows[host]] -= self._added_watts(vm, host)
        self._arrived[host] |= bool(self._spare.situation.brings[0, vm] > 0)
        self._members.arrive(vm, host)

"""Moves that make room for more servers of a flavor, among the hosts that may start one.

What a host has left beyond whole servers is of no use to the flavor. So a host that lacks least for one more sheds what
that takes: one server where one is enough, the smallest such, else up to three, the largest first. Each goes where it
takes room for no whole server, to the host whose remainder it fills best, and by every rule of a plan
(`rules.targets`), when its turn comes and both its copies count. A host is tried again after others have changed, until
nothing is gained any more, as many moves are made as may be, or as many were tried as a what-if may take. The gain is
what is counted after all of them less what was counted before, supplies included.

Since servers move among these hosts alone, and bring to one no less than they relieve another of, what is left of all
of them grows by nothing: where supplies bind nobody, no such plan gains more than that room would in one piece.
"""

from collections.abc import Iterator

import numpy as np

from controller.model.sample import FloatColumn, IntColumn
from controller.model.whatif import Defragmented, Shift
from controller.planner import rules
from controller.planner.load import Load
from controller.planner.whatif import capacity, emptying, timing
from controller.planner.whatif.spare import Left, Spare

TRIES, TRIES_EACH = 300, 4
"""Servers that are tried to move for one flavor at most, or so many for each that may move."""
DEPTH = 3
"""So many leave a host for one more server at most."""

_UNBOUNDED = 1e18


def plan(spare: Spare, like: capacity.Like, most: int) -> Defragmented:
    """At most so many moves; none where they gain nothing in the end."""
    search = _Search(spare, like, most)
    search.run()
    gained = capacity.count(spare, like, search.left()) - capacity.count(spare, like, spare.now())
    moves = search.moves if gained > 0 else []
    schedule = timing.starts(spare.situation, [timing.copy(spare, vm, target) for vm, target in moves])
    return Defragmented(
        more=max(gained, 0),
        moves=tuple(_shift(spare, vm, target) for vm, target in moves),
        takes=timing.length(schedule),
    )


def _shift(spare: Spare, vm: int, target: int) -> Shift:
    cluster = spare.situation.cluster
    return Shift(
        vm=cluster.vms.ids[vm],
        name=cluster.vms.names[vm],
        source=cluster.hosts.names[int(cluster.vms.host[vm])],
        target=cluster.hosts.names[target],
    )


class _Search:
    """`moves`: VM and target, in the order in which they are made; each VM once."""

    def __init__(self, spare: Spare, like: capacity.Like, most: int) -> None:
        self._spare, self._most, self._tries = spare, most, max(TRIES, TRIES_EACH * most)
        self._situation = spare.situation
        self._load = Load(spare.situation)
        self._needed = np.flatnonzero(like.need > 0)
        self._need = like.need[self._needed, None]
        self._hosts: IntColumn = np.sort(spare.open_to(like.model))
        self._open = np.zeros(len(spare.situation.cluster.hosts.names), np.bool_)
        self._open[self._hosts] = True
        self._worth_it = self._hosts[~capacity.short_of_power(spare, like)[self._hosts]]
        self.moves: list[tuple[int, int]] = []

    def run(self) -> None:
        """Clears hosts, those first that lack least, until a round over all of them gains nothing."""
        if not len(self._needed):
            return
        while any([self._cleared(host) for host in self._by_lack()]):  # noqa: C419 - every one of a round is tried
            pass

    def left(self) -> Left:
        """What is left after the moves."""
        load, limit = self._load, self._situation.cluster.power.limit_watts
        watts = np.append(limit - load.most, np.inf)
        return Left(
            room=self._room(slice(None)),
            watts=np.where(np.isnan(watts), np.inf, watts),
            arrived=load.arrivals > 0,
            down=np.zeros(len(self._open), np.bool_),
        )

    def _room(self, hosts: IntColumn | slice) -> FloatColumn:
        """(7, hosts) what they have left, as `spare` has it."""
        load, bounds = self._load, self._situation.bounds
        bound = np.concatenate([bounds.capacity[:, hosts], bounds.limit[:, hosts]])
        room = bound - np.concatenate([load.asked[:, hosts], load.used[:, hosts]])
        found: FloatColumn = np.where(np.isfinite(room), room, _UNBOUNDED)
        return found

    def _fits(self, room: FloatColumn) -> FloatColumn:
        """How many new servers the rooms (needed, hosts) hold."""
        fits: FloatColumn = np.floor(np.maximum(room, 0.0) / self._need).min(axis=0)
        return fits

    def _by_lack(self) -> Iterator[int]:
        """The hosts to be cleared; room on one whose supplies carry no more would be of no use."""
        room = self._room(self._worth_it)[self._needed]
        lack = ((self._fits(room) + 1.0) * self._need - room) / self._need
        yield from self._worth_it[np.argsort(lack.max(axis=0), kind="stable")].tolist()

    def _cleared(self, host: int) -> bool:
        """Whether enough left for one more; where not, all stand where they stood."""
        if len(self.moves) >= self._most or self._tries <= 0:
            return False
        one = np.array([host], np.int32)
        room = self._room(one)[self._needed]
        fits = float(self._fits(room)[0])
        missing = ((fits + 1.0) * self._need - room)[:, 0]
        there = self._movable(host)
        given = np.concatenate([self._situation.asked, self._situation.relieves])[np.ix_(self._needed, there)]
        enough = (given >= missing[:, None]).all(axis=0)
        for vm in there[enough].tolist():
            if self._sent([vm], one, fits):
                return True
        few = min(DEPTH, self._most - len(self.moves))
        some = there[~enough][::-1][:few]
        together = given[:, ~enough][:, ::-1][:, :few].sum(axis=1)
        return len(some) > 1 and bool((together >= missing).all()) and self._sent(some.tolist(), one, fits)

    def _movable(self, host: int) -> IntColumn:
        """The servers on it that no rule keeps there for good and that were not moved yet, the smallest first."""
        there = np.flatnonzero((self._load.host == host) & (self._load.origin == host)).astype(np.int32)
        held = (self._situation.held(vm) for vm in there.tolist())
        there = there[[not rule or rule in emptying.PASSING for rule in held]]
        ordered: IntColumn = there[np.lexsort((there, self._situation.asked[1, there]))]
        return ordered

    def _sent(self, vms: list[int], host: IntColumn, fits: float) -> bool:
        """Sends them one after another until the host holds one more."""
        made: list[tuple[int, int]] = []
        for vm in vms:
            target = self._target(vm, int(host[0]))
            if target is None:
                break
            self._load.move(vm, target)
            made.append((vm, target))
            if float(self._fits(self._room(host)[self._needed])[0]) > fits:
                self.moves += made
                return True
        for vm, _ in reversed(made):
            self._load.move(vm, int(host[0]))
        return False

    def _target(self, vm: int, source: int) -> int | None:
        """Where it takes no whole place, the host of which it leaves the least; None where there is none."""
        if self._tries <= 0:
            return None
        self._tries -= 1
        hosts = rules.targets(self._load, vm)
        hosts = hosts[self._open[hosts] & (hosts != source)]
        brought = np.concatenate([self._situation.asked[:, vm], self._situation.brings[:, vm]])[self._needed, None]
        room = self._room(hosts)[self._needed]
        fits = self._fits(room)
        lossless = self._fits(room - brought) >= fits
        if not lossless.any():
            return None
        rest = ((room - brought - fits * self._need) / self._need).sum(axis=0)
        rest[~lossless] = np.inf
        return int(hosts[np.argmin(rest)])

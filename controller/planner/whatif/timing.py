"""How long moves take at the configured limits: a schedule that keeps every one of them, not a bound.

Each limit is a number of places: at once in all, out of a host, into a host, across a rack's uplink, of an agency, of a
system, and in an hour, of an agency and of a system too. A move takes one place of each that it is under, for as long
as its copy takes, of an hour's for an hour, and begins as soon as all are free. The longest moves of each host go
first, one of each host in turn (list scheduling, Graham 1966). Windows and blackouts are not in it.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from heapq import heappush, heapreplace

import numpy as np

from controller.planner import budget, copies, waves
from controller.planner.situation import Situation
from controller.planner.whatif.spare import Spare

_HOUR_S = 3600.0

Place = tuple[Hashable, int, float]
"""Which limit, how many places it has, and for how long a move takes one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    vm: int
    source: int
    target: int
    seconds: float


def copy(spare: Spare, vm: int, target: int) -> Copy:
    """The move of a server that runs, or is off, to a host."""
    seconds = min(copies.estimate(spare.load, vm, target).copy_s, waves.FOR_EVER_S)
    return Copy(vm=vm, source=int(spare.situation.cluster.vms.host[vm]), target=target, seconds=seconds)


def starts(situation: Situation, moves: Sequence[Copy]) -> list[tuple[Copy, float]]:
    """Each move with the second at which it begins."""
    limits = _Limits(situation)
    free_at: defaultdict[Hashable, list[float]] = defaultdict(list)
    made = []
    for each in _in_turn(moves):
        places = list(limits.of(each))
        start = max((free_at[key][0] for key, most, _ in places if len(free_at[key]) >= most), default=0.0)
        for key, most, held in places:
            (heapreplace if len(free_at[key]) >= most else heappush)(free_at[key], start + held)
        made.append((each, start))
    return made


def length(schedule: Sequence[tuple[Copy, float]]) -> timedelta:
    """Until the last of them has ended, in whole seconds."""
    return timedelta(seconds=round(max((start + each.seconds for each, start in schedule), default=0.0)))


def _in_turn(moves: Sequence[Copy]) -> list[Copy]:
    turn: defaultdict[int, int] = defaultdict(int)
    ordered = []
    for each in sorted(moves, key=lambda each: (-each.seconds, each.vm)):
        ordered.append((turn[each.source], each))
        turn[each.source] += 1
    return [each for _, each in sorted(ordered, key=lambda pair: pair[0])]


class _Limits:
    """The limits as they are with nothing under way. One that allows nothing is taken to allow one."""

    def __init__(self, situation: Situation) -> None:
        cluster, self._limits = situation.cluster, situation.policy.limits
        idle = replace(cluster, vms=replace(cluster.vms, busy=np.zeros(len(cluster.vms.ids), np.bool_)))
        self._free = budget.free(idle, self._limits)
        self._rack, self._system, self._agency = cluster.hosts.rack, cluster.vms.system, situation.agency
        self._agency_hour, self._system_hour = cluster.agencies.per_hour, cluster.systems.per_hour

    def of(self, each: Copy) -> Iterator[Place]:
        """Every limit that the move is under."""
        system, agency = int(self._system[each.vm]), int(self._agency[each.vm])
        racks = {int(self._rack[each.source]), int(self._rack[each.target])}
        found: list[tuple[Hashable, int, float]] = [
            ("all", self._limits.at_once, each.seconds),
            (("out", each.source), self._limits.out_of_host, each.seconds),
            (("into", each.target), self._limits.into_host, each.seconds),
            ("hour", self._limits.per_hour, _HOUR_S),
        ]
        if len(racks) == 2:
            found += [(("rack", rack), self._limits.across_rack, each.seconds) for rack in sorted(racks) if rack >= 0]
        if agency >= 0:
            found.append((("agency", agency), int(self._free.agency[agency]), each.seconds))
            found += _hourly("agency", agency, int(self._agency_hour[agency]))
        if system >= 0:
            found.append((("system", system), int(self._free.system[system]), each.seconds))
            found += _hourly("system", system, int(self._system_hour[system]))
        return ((key, max(most, 1), held) for key, most, held in found)


def _hourly(kind: str, row: int, most: int) -> list[Place]:
    return [] if most < 0 else [((kind, "hour", row), most, _HOUR_S)]

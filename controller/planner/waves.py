"""Puts moves into waves. A wave's moves may run side by side, begin and end in any order, and any of them may fail.

A move joins a wave when its target admits it with every copy counted: what earlier waves left, and for each move of
this wave both its copies. Since loads only add up, what holds with all of them there holds with any part of them.
The limits on moves at once hold within a wave, migrations already under way included. In how many domains a group has
members does not add up: there each move may fail or succeed on its own, and in the worst of all outcomes as many hold a
member as the group wants, or as held one when the wave began (`Spreading`).

A wave lasts as long as its longest copy. It is led by the most urgent move; the others that join it are those whose
copies fit best into that time, so that short ones do not wait for long ones wave after wave.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from controller.model.plan import Concern
from controller.model.sample import IntColumn
from controller.planner import copies, rules
from controller.planner.budget import Free
from controller.planner.choice import Choice
from controller.planner.groups import Bond, certain, surely
from controller.planner.load import Load
from controller.planner.situation import Situation

Wave = tuple[Choice, ...]

FOR_EVER_S = 1e9
"""A copy over a link of no known speed is taken to last so long."""


def waves(situation: Situation, choices: Sequence[Choice]) -> tuple[tuple[Wave, ...], tuple[Choice, ...]]:
    """The waves in order, and the moves that fit into none (each waits for another that waits for it)."""
    load = Load(situation)
    estimates = ((choice.vm, copies.estimate(load, choice.vm, choice.target).copy_s) for choice in choices)
    copy_s = {vm: min(seconds, FOR_EVER_S) for vm, seconds in estimates}
    left = list(choices)
    made: list[Wave] = []
    while left:
        wave = _wave(load, left, copy_s)
        if not wave:
            break
        for choice in wave:
            load.finish(choice.vm, choice.target)
        made.append(wave)
        gone = {choice.vm for choice in wave}
        left = [choice for choice in left if choice.vm not in gone]
    return tuple(made), tuple(left)


def _wave(load: Load, left: Sequence[Choice], copy_s: Mapping[int, float]) -> Wave:
    """The most urgent move that may run now, and with it those whose copies last about as long, as places allow."""
    places, spreading = Places(load.situation), Spreading(load)
    wave: list[Choice] = []
    for choice in left:
        if _joins(load, places, spreading, choice):
            wave.append(choice)
            break
    if wave:
        longest = copy_s[wave[0].vm]
        for choice in sorted(left, key=lambda choice: _apart(copy_s[choice.vm], longest)):
            if places.none_left:
                break
            if choice is not wave[0] and _joins(load, places, spreading, choice):
                wave.append(choice)
    rank = load.situation.policy.rank
    return tuple(sorted(wave, key=lambda choice: rank(choice.breach.concern)))


def _apart(seconds: float, longest: float) -> tuple[bool, float]:
    """Copies that end within the longest first, of these those that last longest; then those that prolong it least."""
    return seconds > longest, abs(longest - seconds)


def _joins(load: Load, places: "Places", spreading: "Spreading", choice: Choice) -> bool:
    """Whether the move may run beside those that are in the wave; it then does."""
    if not places.holds(choice) or not _admitted(load, choice, filling=places.fills(choice)):
        return False
    if not spreading.holds(choice):
        return False
    spreading.take(choice)
    load.begin(choice.vm, choice.target)
    places.take(choice)
    return True


def _admitted(load: Load, choice: Choice, *, filling: bool) -> bool:
    """Whether the target has room, with every copy counted; `filling`: no further than it may be to free a host."""
    target = np.array([choice.target], np.int32)
    fills = not filling or len(rules.below_fill(load, choice.vm, target)) == 1
    return fills and rules.has_room(load, choice.vm, choice.target)


class Spreading:
    """The members of groups that want several domains which move in one wave, from one domain to another."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._moving: dict[int, list[tuple[int, int]]] = {}

    def holds(self, choice: Choice) -> bool:
        """Whether, with the move in the wave, each of its groups surely keeps its domains."""
        bonds = self._load.situation.bonds
        return all(
            self._kept(bonds[number], self._load.members[number], [*self._moving.get(number, ()), way])
            for number, way in self._ways(choice)
        )

    def take(self, choice: Choice) -> None:
        """Counts the move as one of the wave; before its copy begins."""
        for number, way in self._ways(choice):
            self._moving.setdefault(number, []).append(way)

    def _ways(self, choice: Choice) -> list[tuple[int, tuple[int, int]]]:
        """The groups whose member leaves a domain for another, and which for which."""
        found = []
        for number in self._load.situation.bonds_of.get(choice.vm, ()):
            bond = self._load.situation.bonds[number]
            if bond.wants_several:
                here, there = (int(bond.domain_of[row]) for row in (self._load.host[choice.vm], choice.target))
                found += [(number, (here, there))] if here != there else []
        return found

    def _kept(self, bond: Bond, members: Mapping[int, int], moving: Sequence[tuple[int, int]]) -> bool:
        """`members` count the copies of all of these but the last, on both ends. As the wave begins none of them has
        arrived.
        """
        arriving = Counter(there for _, there in moving[:-1])
        least = certain(bond.sure(Counter(members) - arriving), bond.known_ways, bond.group.min_domains)
        leaving = Counter(here for here, _ in moving)
        held = bond.sure(Counter(members) - arriving - leaving)
        return surely(held, [*(way for way in moving if min(way) >= 0), *bond.known_ways], least)


class Places:
    """The places of one wave that are still free."""

    def __init__(self, situation: Situation) -> None:
        free = situation.places
        self._situation = situation
        self._total = free.total
        self._columns = {name: column.copy() for name, column in columns(free).items()}
        self._filled: set[int] = set()

    @property
    def none_left(self) -> bool:
        """Whether nothing more may move in this wave."""
        return self._total <= 0

    def holds(self, choice: Choice) -> bool:
        """Whether there is a place for the move everywhere."""
        return self._total > 0 and all(self._columns[name][row] > 0 for name, row in taken(self._situation, choice))

    def fills(self, choice: Choice) -> bool:
        """Whether the move, or another of the wave to the same target, is made to free a host."""
        return choice.breach.concern is Concern.CONSOLIDATION or choice.target in self._filled

    def take(self, choice: Choice) -> None:
        """Takes the move's places."""
        if choice.breach.concern is Concern.CONSOLIDATION:
            self._filled.add(choice.target)
        self._total -= 1
        for name, row in taken(self._situation, choice):
            self._columns[name][row] -= 1


def columns(free: Free) -> dict[str, IntColumn]:
    """The places of one wave by what limits them, beside those in all."""
    return {
        "out_of": free.out_of,
        "into": free.into,
        "across": free.across,
        "agency": free.agency,
        "system": free.system,
    }


def taken(situation: Situation, choice: Choice) -> list[tuple[str, int]]:
    """Where a move takes a place: a column and a row of it each."""
    cluster = situation.cluster
    source = int(cluster.vms.host[choice.vm])
    racks = {int(cluster.hosts.rack[source]), int(cluster.hosts.rack[choice.target])}
    rows = [("out_of", source), ("into", choice.target)]
    if len(racks) == 2:
        rows += [("across", rack) for rack in sorted(racks)]
    rows += [("agency", int(situation.agency[choice.vm])), ("system", int(cluster.vms.system[choice.vm]))]
    return [(name, row) for name, row in rows if row >= 0]

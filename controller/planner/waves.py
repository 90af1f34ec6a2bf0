"""Puts moves into waves. A wave's moves may run side by side, begin and end in any order, and any of them may fail.

A move joins a wave when its target admits it with every copy counted: what earlier waves left, and for each move of
this wave both its copies. Since loads only add up, what holds with all of them there holds with any part of them.
The limits on moves at once hold within a wave, migrations already under way included.
"""

from collections.abc import Sequence

import numpy as np

from controller.model.sample import IntColumn
from controller.planner import rules
from controller.planner.load import Load
from controller.planner.search import Choice
from controller.planner.situation import Situation

Wave = tuple[Choice, ...]


def waves(situation: Situation, choices: Sequence[Choice]) -> tuple[tuple[Wave, ...], tuple[Choice, ...]]:
    """The waves in order, and the moves that fit into none (each waits for another that waits for it)."""
    load = Load(situation)
    queues = _by_source(load, choices)
    made: list[Wave] = []
    while queues:
        wave = _wave(load, queues)
        if not wave:
            break
        for choice in wave:
            load.finish(choice.vm, choice.target)
        made.append(wave)
        queues = {source: queue for source, queue in queues.items() if queue}
    return tuple(made), tuple(choice for queue in queues.values() for choice in queue)


def _by_source(load: Load, choices: Sequence[Choice]) -> dict[int, list[Choice]]:
    queues: dict[int, list[Choice]] = {}
    for choice in choices:
        queues.setdefault(int(load.host[choice.vm]), []).append(choice)
    return queues


def _wave(load: Load, queues: dict[int, list[Choice]]) -> Wave:
    """Takes from the queues what may run together now, most urgent first."""
    places = Places(load.situation)
    wave: list[Choice] = []
    for source, queue in queues.items():
        for choice in tuple(queue):
            if not places.left(source):
                break
            if places.holds(choice) and _admitted(load, choice):
                load.begin(choice.vm, choice.target)
                places.take(choice)
                queue.remove(choice)
                wave.append(choice)
    return tuple(sorted(wave, key=lambda choice: choice.breach.concern))


def _admitted(load: Load, choice: Choice) -> bool:
    return len(rules.admitted(load, choice.vm, np.array([choice.target], np.int32), rules.DYNAMIC)) == 1


class Places:
    """The places of one wave that are still free."""

    def __init__(self, situation: Situation) -> None:
        free = situation.places
        self._situation = situation
        self._total = free.total
        self._out, self._into = free.out_of.copy(), free.into.copy()
        self._across, self._agency, self._system = free.across.copy(), free.agency.copy(), free.system.copy()

    def left(self, source: int) -> bool:
        """Whether anything more may leave this host in this wave."""
        return self._total > 0 and bool(self._out[source] > 0)

    def holds(self, choice: Choice) -> bool:
        """Whether there is a place for the move everywhere."""
        return all(column[row] > 0 for column, row in self._rows(choice))

    def take(self, choice: Choice) -> None:
        """Takes the move's places."""
        self._total -= 1
        for column, row in self._rows(choice):
            column[row] -= 1

    def _rows(self, choice: Choice) -> list[tuple[IntColumn, int]]:
        cluster = self._situation.cluster
        source = int(cluster.vms.host[choice.vm])
        racks = {int(cluster.hosts.rack[source]), int(cluster.hosts.rack[choice.target])}
        rows = [(self._out, source), (self._into, choice.target)]
        if len(racks) == 2:
            rows += [(self._across, rack) for rack in sorted(racks) if rack >= 0]
        rows.append((self._agency, int(self._situation.agency[choice.vm])))
        rows.append((self._system, int(cluster.vms.system[choice.vm])))
        return [(column, row) for column, row in rows if row >= 0]

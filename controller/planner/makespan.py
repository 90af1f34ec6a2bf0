"""How long a plan takes, and what no order of its moves within the limits of moves at once could undercut.

    takes     = sum over waves of the longest copy in the wave
    at least  = max(longest copy, max over limits of (sum of the copies that take a place there) / places)
    waves at least = max over limits of ceil(moves that take a place there / places)

The bounds are the machines' and the longest job's of parallel machine scheduling (R. L. Graham, "Bounds on
Multiprocessing Timing Anomalies", 1969), one for each limit. They ask nothing of what moves wait for.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controller.planner import waves
from controller.planner.situation import Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Makespan:
    """Seconds and waves, and their lower bounds."""

    takes_s: float = 0.0
    takes_at_least_s: float = 0.0
    waves_at_least: int = 0


def makespan(situation: Situation, made: Sequence[waves.Wave], copy_s: Mapping[int, float]) -> Makespan:
    """Of these waves; `copy_s` are the seconds of each VM's copy, by its row."""
    if not made:
        return Makespan()
    work: defaultdict[tuple[str, int], float] = defaultdict(float)
    moves: Counter[tuple[str, int]] = Counter()
    for choice in (choice for wave in made for choice in wave):
        for place in [("in all", 0), *waves.taken(situation, choice)]:
            work[place] += copy_s[choice.vm]
            moves[place] += 1
    columns = waves.columns(situation.places)
    places = {each: situation.places.total if each[0] == "in all" else int(columns[each[0]][each[1]]) for each in work}
    return Makespan(
        takes_s=sum(max(copy_s[choice.vm] for choice in wave) for wave in made),
        takes_at_least_s=max(*copy_s.values(), *(work[each] / places[each] for each in work)),
        waves_at_least=max(math.ceil(moves[each] / places[each]) for each in moves),
    )

"""Plans that get better as long as there is time: each is whole, explained and checked, and may be used as it is.

The first search ends with the first fifth of the time, wherever it stands; where it was cut short it is made again in
what is left. The next ones have, by turns, a whim of their own and a greater effort to make room, where that is what
bounded them, and set out from the best so far where the whim reconsiders: until nothing is left to mend, `PATIENCE` of
them on end found nothing better, or the time is over. What is found depends on the clock only in where it ends: the
same rounds give the same plans.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from controller.model import cluster as model
from controller.model import plan as words
from controller.model.policy import Policy
from controller.planner import plan, room, score, search, situation, whim

FIRST = 0.2
"""The share of the time after which the first search ends."""
MOST_TRIES = 1_000_000
"""Beyond this effort a search would take minutes."""
PATIENCE = 100
"""So many searches on end without a better plan are enough."""


def plans(
    cluster: model.Cluster,
    policy: Policy,
    now: datetime,
    spent: Callable[[], float],
    *,
    rounds: int | None = None,
    seed: int = 0,
) -> Iterator[words.Plan]:
    """The first plan, then each that leaves a better score. `spent`: the share of the time that is gone, 1 at its end;
    `seed`: of what later rounds leave to chance.

    Raises what `plan.plan` raises.
    """
    facts = situation.of_cluster(cluster, policy, now)
    found = search.choices(facts, room.USUAL, lambda: spent() >= FIRST)

    def over() -> bool:
        return spent() >= 1.0

    best = plan.proved(facts, found, cluster, policy, now, stop=over)
    yield best
    efforts, cut, begun = _Efforts(found, seed), found.stopped, found
    done, vain = 1, 0
    while (rounds is None or done < rounds) and vain < PATIENCE and not over():
        if not (found.stopped or score.unmended(best)):
            return
        effort, prefers = efforts.next(found)
        found = search.choices(facts, effort, over, prefers, begun.choices)
        done, vain = done + 1, vain + 1
        take = plan.made_again if cut and not found.stopped else plan.better
        made = take(facts, found, best, cluster, now, stop=over)
        begun = plan.gone_on_from(begun, found, made)
        cut = cut and found.stopped
        if made is not None:
            best, vain = made, 0
            yield made


class _Efforts:
    """How each search differs from those before it."""

    def __init__(self, first: search.Found, seed: int) -> None:
        self._seed = seed
        self._effort, self._bounded = room.USUAL, first.bounded
        self._whims = 0
        self._of_effort = True

    def next(self, last: search.Found) -> tuple[room.Effort, whim.Whim]:
        """The usual effort on a whim, and after it a greater effort without one; the first again where it was cut."""
        if last.stopped:
            return self._effort, whim.NONE
        if self._of_effort:
            self._bounded = last.bounded and self._effort.tries < MOST_TRIES
        self._of_effort = not self._of_effort and self._bounded
        if self._of_effort:
            self._effort = self._effort.more()
            return self._effort, whim.NONE
        self._whims += 1
        return room.USUAL, whim.of_round(self._whims, self._seed)

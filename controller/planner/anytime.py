"""Plans that get better as long as there is time: each is whole, explained and checked, and may be used as it is.

The first search ends with the first fifth of the time, wherever it stands. The next ones have all that is left, each
with a greater effort to make room than the one before, until nothing is left to mend, no effort is bounded, or the time
is over. What is found depends on the clock only in where it ends: the same rounds give the same plans.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from controller.model import cluster as model
from controller.model import plan as words
from controller.model.plan import Concern
from controller.model.policy import Policy
from controller.planner import plan, room, search, situation

FIRST = 0.2
"""The share of the time after which the first search ends."""


def plans(
    cluster: model.Cluster, policy: Policy, now: datetime, spent: Callable[[], float], *, rounds: int | None = None
) -> Iterator[words.Plan]:
    """The first plan, then each that leaves a better score. `spent`: the share of the time that is gone, 1 at its end.

    Raises what `plan.plan` raises.
    """
    facts = situation.of_cluster(cluster, policy, now)
    effort, best, done = room.USUAL, None, 0
    until = FIRST
    while rounds is None or done < rounds:
        found = search.choices(facts, effort, lambda share=until: spent() >= share)  # type: ignore[misc]
        done += 1
        if best is None or found.score < best.score_after:
            made = plan.proved(facts, found, cluster, policy, now)
            if best is None or made.score_after < best.score_after:
                best = made
                yield made
        if spent() >= 1.0 or not _more_to_find(best, found):
            return
        effort = effort if found.stopped else effort.more()
        until = 1.0


def _more_to_find(made: words.Plan, found: search.Found) -> bool:
    """Whether something is left to mend that more time or effort may reach."""
    left = any(breach.concern < Concern.UNEVEN for breach in made.breaches_after)
    return found.stopped or (found.bounded and left)

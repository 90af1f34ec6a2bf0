"""Begins with the moves of an earlier search but some, forgotten by chance: what those took is free for others first.

Ruin and recreate: Schrimpf, Schneider, Stamm-Wilbrandt and Dueck, "Record breaking optimization results using the ruin
and recreate principle", Journal of Computational Physics 159 (2000).
"""

from collections.abc import Collection, Sequence

import numpy as np

from controller.model.plan import Concern
from controller.planner import rules
from controller.planner.choice import Choice
from controller.planner.mover import Mover

MOST = 0.5
"""The largest share of the moves that is forgotten; the least is one."""


def begin(search: Mover, best: Sequence[Choice], dice: np.random.Generator) -> None:
    """Sends VMs as `best` does, in that order. The VMs of forgotten moves wait; a move that needs what one of those
    did is left out too. Which hosts are freed is found anew, each as a whole.
    """
    mending = [choice for choice in best if choice.breach.concern is not Concern.CONSOLIDATION]
    forgotten = _some(len(mending), dice)
    for at, choice in enumerate(mending):
        if search.asked_to_stop():
            return
        if at in forgotten:
            search.waits[choice.vm] = True
        elif _may_go(search, choice):
            search.send(choice.vm, choice.target, choice.breach, choice.room_for)


def _some(count: int, dice: np.random.Generator) -> Collection[int]:
    if count == 0:
        return ()
    most = max(1, int(MOST * count))
    return frozenset(dice.choice(count, size=int(dice.integers(1, most + 1)), replace=False).tolist())


def _may_go(search: Mover, choice: Choice) -> bool:
    return (
        search.may_move(choice.vm, choice.breach)
        and choice.target in rules.places(search.load, choice.vm)
        and rules.has_room(search.load, choice.vm, choice.target)
    )

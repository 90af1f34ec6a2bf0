"""What a search prefers among things about as good: nothing of its own, or in a later round something of chance.

A search takes the best first and never goes back, so that one unlucky choice may leave a breach which another order of
the same choices mends. The next rounds set out towards where VMs had best stand all at once (`assigned`); after two of
them most go on from the best moves so far but some (`reconsidering`), on a whim.
The chance is of the round's number and the seed alone: the same round of one snapshot is the same search. What a rule
forbids, a whim never allows; it is asked only which of what is allowed comes first.
"""

from dataclasses import dataclass

import numpy as np

from controller.model.sample import FloatColumn
from controller.planner.assignment import permission

SPREAD = 0.3
"""How far apart two costs are that a whim may still take for each other: the deviation of their ratio's logarithm."""
JUMPS = 0.3
"""How often something is as urgent as chance will have it."""

SOBER = 2
"""So many rounds after the first take every cost as it is, and differ from it by their direction alone."""
DIRECTED = 8
"""Of those after them each so manieth has a direction, the others reconsider."""

MOST_ROUNDS = 1 << 16
"""Below so many rounds no two seeds search for a placement alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whim:
    """One round's. `dice` is None where every cost is taken as it is; `seed`, where the round sets out towards a
    placement, that of the search for it. `reconsiders`: it sets out from the best moves so far but some.
    """

    dice: np.random.Generator | None = None
    seed: int | None = None
    reconsiders: bool = False

    def costs(self, costs: FloatColumn) -> FloatColumn:
        """The costs, each times `exp(SPREAD * a normal deviate)`."""
        if self.dice is None or not len(costs):
            return costs
        taken: FloatColumn = costs * np.exp(self.dice.normal(0.0, SPREAD, len(costs)))
        return taken

    def rank(self, rank: int, ranks: int) -> int:
        """The rank, or now and then any of so many."""
        if self.dice is None or self.dice.random() >= JUMPS:
            return rank
        return int(self.dice.integers(ranks))

    def undirected(self) -> "Whim":
        """Without a direction, so by chance."""
        return Whim(dice=self.dice or np.random.default_rng(self.seed))

    def amount(self, amount: float) -> float:
        """One cost."""
        return amount if self.dice is None else float(amount * np.exp(self.dice.normal(0.0, SPREAD)))


NONE = Whim()


def of_round(number: int, seed: int = 0) -> Whim:
    """The whim of a round, counted from 0, which has none, whatever the seed.

    None has a direction where machine code is forbidden.
    """
    if number == 0:
        return NONE
    dice = np.random.default_rng([number, seed])
    if number > SOBER and number % DIRECTED:
        return Whim(dice=dice, reconsiders=True)
    if not permission.granted():
        return Whim(dice=dice)
    return Whim(dice=None if number <= SOBER else dice, seed=number + MOST_ROUNDS * seed)

"""What a search prefers among things about as good: nothing of its own, or in a later round something by chance.

A search takes the best first and never goes back, so that one unlucky choice may leave a breach which another order of
the same choices mends. The chance is of the round's number alone: the same round of one snapshot is the same search.
What a rule forbids, a whim never allows; it is asked only which of what is allowed comes first.
"""

from dataclasses import dataclass

import numpy as np

from controller.model.sample import FloatColumn

SPREAD = 0.3
"""How far apart two costs are that a whim may still take for each other: the deviation of their ratio's logarithm."""
JUMPS = 0.3
"""How often something is as urgent as chance will have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whim:
    """One round's. `dice` is None in the first, which takes every cost as it is."""

    dice: np.random.Generator | None = None

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

    def amount(self, amount: float) -> float:
        """One cost."""
        return amount if self.dice is None else float(amount * np.exp(self.dice.normal(0.0, SPREAD)))


NONE = Whim()


def of_round(number: int) -> Whim:
    """The whim of a round, counted from 0; that one has none."""
    return NONE if number == 0 else Whim(dice=np.random.default_rng(number))

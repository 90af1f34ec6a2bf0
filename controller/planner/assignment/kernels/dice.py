"""Chance from a seed: xorshift64*, with its one word of state in an array.

Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016.
"""

import numpy as np
from numpy.typing import NDArray

from controller.planner.assignment.compiled import kernel

Dice = NDArray[np.uint64]


def dice(seed: int, stream: int) -> Dice:
    """One word that is never zero; streams of one seed differ."""
    word = np.random.SeedSequence([seed, stream]).generate_state(1, np.uint64)
    return word | np.uint64(1)


@kernel
def drawn(dice: Dice) -> np.uint64:
    word = dice[0]
    word ^= word >> np.uint64(12)
    word ^= word << np.uint64(25)
    word ^= word >> np.uint64(27)
    dice[0] = word
    return np.uint64(word * np.uint64(2685821657736338717))


@kernel
def below(dice: Dice, end: int) -> int:
    """A whole number from 0 to end - 1."""
    return int(np.int64(((drawn(dice) >> np.uint64(32)) * np.uint64(end)) >> np.uint64(32)))


@kernel
def unit(dice: Dice) -> float:
    """In (0, 1]."""
    return (float(drawn(dice) >> np.uint64(11)) + 1.0) / 9007199254740992.0

"""Simulated annealing over shifts, swaps and pushes.

A move of cost delta is made with probability min(1, exp(-delta / temperature)): Kirkpatrick, Gelatt, Vecchi,
"Optimization by simulated annealing", 1983; for this problem Portal, Ritt, Borba, Buriol, "Simulated annealing for the
machine reassignment problem", Annals of Operations Research 2016.
"""

import math
from typing import NamedTuple

from controller.planner.assignment.compiled import kernel
from controller.planner.assignment.kernels import dice as chance
from controller.planner.assignment.kernels import moves
from controller.planner.assignment.state import Assignment
from controller.planner.assignment.tables import Tables


class Pace(NamedTuple):
    """How moves are tried."""

    temperature: float
    homing: float
    """What an item away from its origin counts as costing, in temperatures.

    There is one way to be at home and one for each bin to be away, so warmth alone drives items away, until what is
    transient jams every bin. The logarithm of the number of bins weighs the two alike; it is no cost when all is cold.
    """
    mates: float
    """The share of tries that are swaps within a group, which no rule on groups can forbid."""
    swaps: float
    """The share up to which they are swaps of any two items."""
    pushes: float
    """The share up to which they are pushes; the rest are shifts."""


@kernel
def mate(tables: Tables, dice: chance.Dice, item: int) -> int:
    """An item of the same group, by chance; itself where it is alone."""
    group = tables.traits[item, 0]
    first = tables.mates_from[group]
    return int(tables.mates[first + chance.below(dice, tables.mates_from[group + 1] - first)])


@kernel
def anneal(tables: Tables, state: Assignment, dice: chance.Dice, pace: Pace, tries: int) -> int:
    """Try so many moves at one temperature; how many were made."""
    items, bins = tables.origin.shape[0] - 1, state.room.shape[0]
    made = 0
    for _ in range(tries):
        heat = moves.Heat(-pace.temperature * math.log(chance.unit(dice)), pace.homing * pace.temperature)
        one = chance.below(dice, items)
        kind = chance.unit(dice)
        if kind <= pace.mates:
            made += moves.swap(tables, state, heat, one, mate(tables, dice, one))
        elif kind <= pace.swaps:
            made += moves.swap(tables, state, heat, one, chance.below(dice, items))
        elif kind <= pace.pushes:
            two = chance.below(dice, items)
            third = int(tables.origin[two])
            if third == state.bins[two]:
                third = chance.below(dice, bins)
            made += moves.push(tables, state, heat, moves.Chain(one, two, third))
        else:
            made += moves.shift(tables, state, heat, one, chance.below(dice, bins))
    return made

"""Simulated annealing over shifts and swaps.

A move of cost delta is made with probability min(1, exp(-delta / temperature)): Kirkpatrick, Gelatt, Vecchi,
"Optimization by simulated annealing", 1983; for this problem Portal, Ritt, Borba, Buriol, "Simulated annealing for the
machine reassignment problem", Annals of Operations Research 2016.
"""

import math
from typing import NamedTuple

from controller.planner.assignment.compiled import kernel
from controller.planner.assignment.kernels import dice as chance
from controller.planner.assignment.kernels import move, price, rules
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
    swaps: float
    """The share of tries that are swaps."""


class Heat(NamedTuple):
    """What one move may cost, and what it counts as costing for each item that leaves its origin."""

    allowed: float
    pull: float


@kernel
def shift(tables: Tables, state: Assignment, heat: Heat, item: int, new: int) -> bool:
    """Move an item if every rule holds and the cost grows by no more than the heat allows."""
    old = state.bins[item]
    nobody = tables.origin.shape[0] - 1
    if old == new or not rules.fits(tables, state, new, item, nobody) or not rules.alone(tables, state, item, new):
        return False
    delta = price.away_cost(tables, item, new) - price.away_cost(tables, item, old)
    delta += price.bin_cost(tables, state, new, item, nobody) - state.bin_cost[new]
    delta += price.bin_cost(tables, state, old, nobody, item) - state.bin_cost[old]
    left, home = int(tables.origin[item] == old), int(tables.origin[item] == new)
    if left != home:
        most = price.most_moved(state, tables.traits[item, 0], left - home, state.moved.shape[0] - 1, 0)
        delta += tables.group_move_weight * (most - state.sums[1])
    if delta + heat.pull * (left - home) > heat.allowed:
        return False
    if not rules.stays_spread(tables, state, item, new) or not rules.shift_depends(tables, state, item, new):
        return False
    move.relocate(tables, state, item, new)
    return True


@kernel
def swap(tables: Tables, state: Assignment, heat: Heat, one: int, two: int) -> bool:
    """Let two items change places if every rule holds and the cost grows by no more than the heat allows."""
    here, there = state.bins[one], state.bins[two]
    if here == there or not rules.fits(tables, state, there, one, two) or not rules.fits(tables, state, here, two, one):
        return False
    group, other = tables.traits[one, 0], tables.traits[two, 0]
    if group != other and not (rules.alone(tables, state, one, there) and rules.alone(tables, state, two, here)):
        return False
    delta = price.away_cost(tables, one, there) - price.away_cost(tables, one, here)
    delta += price.away_cost(tables, two, here) - price.away_cost(tables, two, there)
    delta += price.bin_cost(tables, state, there, one, two) - state.bin_cost[there]
    delta += price.bin_cost(tables, state, here, two, one) - state.bin_cost[here]
    one_more = int(tables.origin[one] == here) - int(tables.origin[one] == there)
    two_more = int(tables.origin[two] == there) - int(tables.origin[two] == here)
    if one_more != 0 or two_more != 0:
        most = price.most_moved(state, group, one_more, other, two_more)
        delta += tables.group_move_weight * (most - state.sums[1])
    if delta + heat.pull * (one_more + two_more) > heat.allowed:
        return False
    if group != other and not _may_swap(tables, state, one, two):
        return False
    move.relocate(tables, state, one, there)
    move.relocate(tables, state, two, here)
    return True


@kernel
def _may_swap(tables: Tables, state: Assignment, one: int, two: int) -> bool:
    here, there = state.bins[one], state.bins[two]
    if not rules.stays_spread(tables, state, one, there) or not rules.stays_spread(tables, state, two, here):
        return False
    return rules.swap_depends(tables, state, one, two)


@kernel
def anneal(tables: Tables, state: Assignment, dice: chance.Dice, pace: Pace, tries: int) -> int:
    """Try so many moves at one temperature; how many were made."""
    items, bins = tables.origin.shape[0] - 1, state.room.shape[0]
    made = 0
    for _ in range(tries):
        heat = Heat(-pace.temperature * math.log(chance.unit(dice)), pace.homing * pace.temperature)
        one = chance.below(dice, items)
        if chance.unit(dice) > pace.swaps:
            made += shift(tables, state, heat, one, chance.below(dice, bins))
        else:
            made += swap(tables, state, heat, one, chance.below(dice, items))
    return made

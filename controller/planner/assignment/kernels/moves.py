"""What can be tried: an item elsewhere, two items in each other's place, one that pushes another on.

Each is made only where every hard rule holds afterwards and the cost grows by no more than the heat allows.
"""

from typing import NamedTuple

from controller.planner.assignment.compiled import kernel
from controller.planner.assignment.kernels import move, price, rules
from controller.planner.assignment.state import Assignment
from controller.planner.assignment.tables import Tables


class Heat(NamedTuple):
    """What one move may cost, and what it counts as costing for each item that leaves its origin."""

    allowed: float
    pull: float


class Chain(NamedTuple):
    """One item goes to the bin of another, and that one to a third bin."""

    one: int
    two: int
    third: int


@kernel
def shift(tables: Tables, state: Assignment, heat: Heat, item: int, new: int) -> bool:
    """Move an item if every rule holds and the cost grows by no more than the heat allows."""
    old = state.bins[item]
    nobody = tables.origin.shape[0] - 1
    if old == new or not rules.may_be(tables, item, new) or not rules.fits(tables, state, new, item, nobody):
        return False
    if not rules.alone(tables, state, item, new):
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
    if here == there or not rules.may_be(tables, one, there) or not rules.may_be(tables, two, here):
        return False
    if not rules.fits(tables, state, there, one, two) or not rules.fits(tables, state, here, two, one):
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
def push(tables: Tables, state: Assignment, heat: Heat, chain: Chain) -> bool:
    """Put one item where another is and that one into a third bin: where there is room for neither on its own."""
    one, two, third = chain.one, chain.two, chain.third
    here, there = state.bins[one], state.bins[two]
    if third in (here, there) or here == there or not _may_push(tables, chain, there):
        return False
    nobody = tables.origin.shape[0] - 1
    if not rules.fits(tables, state, there, one, two) or not rules.fits(tables, state, third, two, nobody):
        return False
    if not rules.alone(tables, state, two, third):
        return False
    if tables.traits[one, 0] != tables.traits[two, 0] and not rules.alone(tables, state, one, there):
        return False
    delta = price.away_cost(tables, one, there) - price.away_cost(tables, one, here)
    delta += price.away_cost(tables, two, third) - price.away_cost(tables, two, there)
    delta += price.bin_cost(tables, state, here, nobody, one) - state.bin_cost[here]
    delta += price.bin_cost(tables, state, there, one, two) - state.bin_cost[there]
    delta += price.bin_cost(tables, state, third, two, nobody) - state.bin_cost[third]
    more = int(tables.origin[one] == here) - int(tables.origin[one] == there)
    more += int(tables.origin[two] == there) - int(tables.origin[two] == third)
    if delta + heat.pull * more > heat.allowed:
        return False
    return _pushed(tables, state, heat.allowed - heat.pull * more, chain)


@kernel
def _may_push(tables: Tables, chain: Chain, there: int) -> bool:
    return rules.may_be(tables, chain.one, there) and rules.may_be(tables, chain.two, chain.third)


@kernel
def _pushed(tables: Tables, state: Assignment, allowed: float, chain: Chain) -> bool:
    """The second goes, then the first comes; undone where a rule forbids a step or the group that moved most costs."""
    one, two, third = chain.one, chain.two, chain.third
    there, before = state.bins[two], state.sums[0]
    if not rules.stays_spread(tables, state, two, third) or not rules.shift_depends(tables, state, two, third):
        return False
    move.relocate(tables, state, two, third)
    if rules.stays_spread(tables, state, one, there) and rules.shift_depends(tables, state, one, there):
        here = state.bins[one]
        move.relocate(tables, state, one, there)
        if state.sums[0] - before <= allowed:
            return True
        move.relocate(tables, state, one, here)
    move.relocate(tables, state, two, there)
    return False

"""What one move changes in the cost: of its bins, of routes and items, and of the group that moved most."""

from controller.planner.assignment.compiled import kernel
from controller.planner.assignment.state import Assignment
from controller.planner.assignment.tables import Tables


@kernel
def bin_cost(tables: Tables, state: Assignment, at: int, comes: int, goes: int) -> float:
    """Load and balance of a bin when one item comes and another goes.

    sum_r weight_r * max(0, over_r), and for each balance weight * max(0, target * free_first - free_second), where
    free = cushion - over.
    """
    cost = 0.0
    for resource in range(tables.weight.shape[0]):
        over = state.over[at, resource] + tables.demand[comes, resource] - tables.demand[goes, resource]
        cost += tables.weight[resource] * max(0.0, over)
    for row in range(tables.balance.shape[0]):
        first, second = int(tables.balance[row, 0]), int(tables.balance[row, 1])
        one = tables.demand[comes, first] - tables.demand[goes, first]
        two = tables.demand[comes, second] - tables.demand[goes, second]
        short = tables.balance[row, 2] * (tables.cushion[at, first] - state.over[at, first] - one)
        short -= tables.cushion[at, second] - state.over[at, second] - two
        cost += tables.balance[row, 3] * max(0.0, short)
    return cost


@kernel
def away_cost(tables: Tables, item: int, at: int) -> float:
    """What an item costs for being there instead of at its origin."""
    origin = tables.origin[item]
    if at == origin:
        return 0.0
    route = tables.route_cost[tables.route_class[origin], tables.route_class[at]]
    return float(tables.move_cost[item] + route)


@kernel
def most_moved(state: Assignment, one: int, one_more: int, two: int, two_more: int) -> int:
    """The most moved items of a group when two groups have so many more, or less; `two` may be the group of none."""
    if one == two:
        one_more, two_more = one_more + two_more, 0
        two = state.moved.shape[0] - 1
    most = max(int(state.moved[one]) + one_more, int(state.moved[two]) + two_more)
    for count in range(int(state.sums[1]), most, -1):
        groups = state.moved_groups[count]
        groups -= (state.moved[one] == count) + (two < state.moved.shape[0] - 1 and state.moved[two] == count)
        if groups > 0:
            return count
    return most

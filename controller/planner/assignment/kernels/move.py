"""One item goes elsewhere: everything that is kept up follows it."""

from controller.planner.assignment.compiled import called, kernel
from controller.planner.assignment.kernels import price
from controller.planner.assignment.state import Assignment
from controller.planner.assignment.tables import Tables


@called
def relocate(tables: Tables, state: Assignment, item: int, new: int) -> None:
    """Move an item without asking whether it may."""
    old = state.bins[item]
    nobody = tables.origin.shape[0] - 1
    change = price.away_cost(tables, item, new) - price.away_cost(tables, item, old)
    change -= state.bin_cost[old] + state.bin_cost[new]
    state.bin_cost[old] = price.bin_cost(tables, state, old, nobody, item)
    state.bin_cost[new] = price.bin_cost(tables, state, new, item, nobody)
    change += state.bin_cost[old] + state.bin_cost[new]
    state.sums[0] += change
    left, home = int(tables.origin[item] == old), int(tables.origin[item] == new)
    for resource in range(tables.weight.shape[0]):
        state.over[old, resource] -= tables.demand[item, resource]
        state.over[new, resource] += tables.demand[item, resource]
        state.room[old, resource] += tables.claim[left, item, resource]
        state.room[new, resource] -= tables.claim[home, item, resource]
    state.bins[item] = new
    _count_group(tables, state, item, old, new)
    if left != home:
        _count_moved(tables, state, tables.traits[item, 0], left - home)


@kernel
def _count_group(tables: Tables, state: Assignment, item: int, old: int, new: int) -> None:
    present, spread, hoods = tables.traits[item, 1], tables.traits[item, 2], tables.traits[item, 3]
    if present >= 0:
        state.present[present, old] -= 1
        state.present[present, new] += 1
    if spread >= 0:
        state.domain_count[spread, tables.domain[old]] -= 1
        state.domains[spread] -= state.domain_count[spread, tables.domain[old]] == 0
        state.domains[spread] += state.domain_count[spread, tables.domain[new]] == 0
        state.domain_count[spread, tables.domain[new]] += 1
    if hoods >= 0:
        state.hood_count[hoods, tables.hood[old]] -= 1
        state.hood_count[hoods, tables.hood[new]] += 1


@kernel
def _count_moved(tables: Tables, state: Assignment, group: int, more: int) -> None:
    most = price.most_moved(state, group, more, state.moved.shape[0] - 1, 0)
    state.moved_groups[state.moved[group]] -= 1
    state.moved[group] += more
    state.moved_groups[state.moved[group]] += 1
    state.sums[0] += tables.group_move_weight * (most - state.sums[1])
    state.sums[1] = most

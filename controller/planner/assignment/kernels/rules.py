"""Whether a move keeps the hard rules, given that they hold before it."""

from controller.planner.assignment.compiled import kernel
from controller.planner.assignment.state import Assignment
from controller.planner.assignment.tables import Tables


@kernel
def fits(tables: Tables, state: Assignment, at: int, comes: int, goes: int) -> bool:
    """Capacity, with what is transient counted on both sides: room + freed >= claimed in every resource."""
    home, left = int(tables.origin[comes] == at), int(tables.origin[goes] == at)
    least = 0.0
    for resource in range(tables.weight.shape[0]):
        freed = state.room[at, resource] + tables.claim[left, goes, resource]
        least = min(least, freed - tables.claim[home, comes, resource])
    return bool(least >= 0.0)


@kernel
def may_be(tables: Tables, item: int, at: int) -> bool:
    """The bin is open to the item's kind, or the item's origin."""
    kind = tables.traits[item, 4]
    return bool(kind < 0 or tables.open_to[kind, at] or tables.origin[item] == at)


@kernel
def alone(tables: Tables, state: Assignment, item: int, at: int) -> bool:
    """No other item of the group is there."""
    row = tables.traits[item, 1]
    return bool(row < 0 or state.present[row, at] == 0)


@kernel
def stays_spread(tables: Tables, state: Assignment, item: int, at: int) -> bool:
    """The group is in enough domains yet when the item is there."""
    row = tables.traits[item, 2]
    if row < 0:
        return True
    old, new = tables.domain[state.bins[item]], tables.domain[at]
    if old == new:
        return True
    domains = state.domains[row] - (state.domain_count[row, old] == 1) + (state.domain_count[row, new] == 0)
    return bool(domains >= tables.least[row])


@kernel
def welcome(tables: Tables, state: Assignment, row: int, hood: int) -> bool:
    """All that a group needs is in the neighbourhood."""
    for at in range(tables.needs_from[row], tables.needs_from[row + 1]):
        if state.hood_count[tables.needs[at], hood] == 0:
            return False
    return True


@kernel
def unmissed(tables: Tables, state: Assignment, row: int, hood: int) -> bool:
    """Nothing in the neighbourhood needs the group."""
    for at in range(tables.needed_from[row], tables.needed_from[row + 1]):
        if state.hood_count[tables.needed[at], hood] > 0:
            return False
    return True


@kernel
def shift_depends(tables: Tables, state: Assignment, item: int, at: int) -> bool:
    """Dependencies hold after one item goes elsewhere."""
    row = tables.traits[item, 3]
    if row < 0:
        return True
    old, new = tables.hood[state.bins[item]], tables.hood[at]
    if old == new:
        return True
    if state.hood_count[row, new] == 0 and not welcome(tables, state, row, new):
        return False
    return bool(state.hood_count[row, old] > 1) or unmissed(tables, state, row, old)


@kernel
def swap_depends(tables: Tables, state: Assignment, one: int, two: int) -> bool:
    """Dependencies hold after two items of different groups changed places: tried out on the counts, and undone."""
    row, other = tables.traits[one, 3], tables.traits[two, 3]
    here, there = tables.hood[state.bins[one]], tables.hood[state.bins[two]]
    if here == there or (row < 0 and other < 0):
        return True
    _count(state, row, here, there)
    _count(state, other, there, here)
    holds = _settled(tables, state, row, here, there) and _settled(tables, state, other, there, here)
    _count(state, row, there, here)
    _count(state, other, here, there)
    return holds


@kernel
def _count(state: Assignment, row: int, old: int, new: int) -> None:
    if row >= 0:
        state.hood_count[row, old] -= 1
        state.hood_count[row, new] += 1


@kernel
def _settled(tables: Tables, state: Assignment, row: int, old: int, new: int) -> bool:
    """What came is welcome and what left is not missed, the counts being those afterwards."""
    if row < 0:
        return True
    if not welcome(tables, state, row, new):
        return False
    return bool(state.hood_count[row, old] > 0) or unmissed(tables, state, row, old)

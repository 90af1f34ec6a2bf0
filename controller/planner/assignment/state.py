"""An assignment with all that its next move is judged by, kept up move by move."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from controller.planner.assignment import objective
from controller.planner.assignment import problem as columns
from controller.planner.assignment.tables import Amounts, Rows, Tables, amounts


class Assignment(NamedTuple):
    """Where every item is, and what follows from it. Kernels change it in place."""

    bins: Rows
    """items: the bin of each; one more for nobody, -1."""
    room: Amounts
    """bins x resources: capacity - usage - what moved away and is transient."""
    over: Amounts
    """bins x resources: usage - safety capacity."""
    bin_cost: Amounts
    """bins: load and balance."""
    present: NDArray[np.uint8]
    """groups of several x bins: how many items of the group are there; more than one is a conflict."""
    domain_count: Rows
    """groups to be spread x domains: how many items of the group are there."""
    domains: Rows
    """groups to be spread: in how many domains each is."""
    hood_count: Rows
    """groups in dependencies x neighbourhoods: how many items of the group are there."""
    moved: Rows
    """groups, and one more for none: how many items are not at their origin."""
    moved_groups: Rows
    """counts: how many groups have so many moved items."""
    sums: Amounts
    """the total cost; the most moved items of a group."""


TOTAL, MOST_MOVED = 0, 1


def assignment(problem: columns.Problem, tables: Tables, bins: columns.Whole) -> Assignment:
    groups = len(problem.least_domains)
    used = objective.usage(problem, bins)
    gone = bins != problem.origin
    room = problem.capacity - used
    np.subtract.at(room, problem.origin[gone], problem.demand[gone] * problem.transient)
    traits = tables.traits[:-1]
    domain_count = _counted(traits[:, 2], tables.domain[bins], tables.spread_rows, tables.domain)
    moved = np.bincount(problem.group[gone], minlength=groups + 1).astype(np.int32)
    longest = int(np.bincount(problem.group).max(initial=0))
    return Assignment(
        bins=np.append(bins, -1).astype(np.int32),
        room=amounts(room),
        over=amounts(used - problem.safety),
        bin_cost=_bin_costs(problem, used).astype(np.float64),
        present=_counted(traits[:, 1], bins, tables.present_rows, np.arange(len(room))).astype(np.uint8),
        domain_count=domain_count,
        domains=(domain_count > 0).sum(axis=1, dtype=np.int32),
        hood_count=_counted(traits[:, 3], tables.hood[bins], tables.hood_rows, tables.hood),
        moved=moved,
        moved_groups=np.bincount(moved[:-1], minlength=longest + 2).astype(np.int32),
        sums=np.array([objective.cost(problem, bins).total, moved.max(initial=0)], dtype=np.float64),
    )


def _bin_costs(problem: columns.Problem, used: columns.Whole) -> columns.Whole:
    free = problem.capacity - used
    costs: columns.Whole = (np.maximum(0, used - problem.safety) * problem.safety_weight).sum(axis=1)
    for each in problem.balances:
        costs = costs + each.weight * np.maximum(0, each.target * free[:, each.first] - free[:, each.second])
    return costs


def _counted(rows: Rows, places: columns.Whole | Rows, count: int, labels: columns.Whole | Rows) -> Rows:
    found = np.zeros((count, int(labels.max(initial=0)) + 1), dtype=np.int32)
    bound = rows >= 0
    np.add.at(found, (rows[bound], places[bound]), 1)
    return found

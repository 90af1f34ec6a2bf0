"""A problem laid out for the kernels: rows where they are read together, and only for what a rule can bind."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from controller.planner.assignment import problem as columns

Rows = NDArray[np.int32]
Amounts = NDArray[np.float64]
"""Whole numbers below 2^53, which floats hold exactly, and of which a processor adds four at once."""


class Tables(NamedTuple):
    """What no move changes. Item number `items` is nobody: it asks for nothing, and stands in for "no item"."""

    demand: Amounts
    """items + 1 x resources."""
    claim: Amounts
    """2 x items + 1 x resources: what an item takes of a bin's room; less at its origin, where transients count on."""
    origin: Rows
    """items + 1; nobody's is -1."""
    traits: Rows
    """items + 1 x 5: group, its rows in `present`, `domain_count` and `hood_count`, and the item's in `open_to`.

    -1 where nothing binds.
    """
    open_to: NDArray[np.bool_]
    """kinds x bins."""
    move_cost: Amounts
    cushion: Amounts
    """bins x resources: capacity - safety."""
    weight: Amounts
    balance: Amounts
    """balances x 4: first, second, target, weight."""
    domain: Rows
    hood: Rows
    least: Rows
    """rows of `domain_count`: in how many domains the group must be."""
    needs: Rows
    needs_from: Rows
    """rows of `hood_count`: `needs[needs_from[row]:needs_from[row + 1]]` are the rows of the groups it needs."""
    needed: Rows
    needed_from: Rows
    """the same for the groups that need it."""
    mates: Rows
    mates_from: Rows
    """groups: `mates[mates_from[group]:mates_from[group + 1]]` are its items."""
    route_class: Rows
    route_cost: Amounts
    group_move_weight: float
    present_rows: int
    spread_rows: int
    hood_rows: int


def laid_out(problem: columns.Problem) -> Tables:
    items, resources = problem.demand.shape
    groups = len(problem.least_domains)
    nothing = np.zeros((1, resources))
    demand = np.concatenate([problem.demand, nothing])
    sizes = np.bincount(problem.group, minlength=groups)
    pairs = problem.dependencies[problem.dependencies[:, 0] != problem.dependencies[:, 1]]
    pairs = np.unique(pairs, axis=0)
    present = _numbered(sizes > 1)
    spread = _numbered(problem.least_domains > 1)
    hoods = _numbered(np.isin(np.arange(groups), pairs))
    nobody = np.full((1, 5), -1)
    own = problem.group
    traits = np.concatenate([np.stack([own, present[own], spread[own], hoods[own], problem.kind], axis=1), nobody])
    rows = hoods[pairs]
    needs, needs_from = _listed(rows[:, 0], rows[:, 1], int(hoods.max(initial=-1)) + 1)
    needed, needed_from = _listed(rows[:, 1], rows[:, 0], int(hoods.max(initial=-1)) + 1)
    mates, mates_from = _listed(own, np.arange(items), groups)
    return Tables(
        demand=demand,
        claim=np.ascontiguousarray(np.stack([demand, np.where(problem.transient, 0, demand)])),
        origin=np.append(problem.origin, -1).astype(np.int32),
        traits=np.ascontiguousarray(traits.astype(np.int32)),
        open_to=np.array(problem.open_to),  # its own: what may not be written is another type to the compiler
        move_cost=np.append(problem.move_cost, 0).astype(np.float64),
        cushion=amounts(problem.capacity - problem.safety),
        weight=problem.safety_weight.astype(np.float64),
        balance=np.array(
            [(each.first, each.second, each.target, each.weight) for each in problem.balances], dtype=np.float64
        ).reshape(-1, 4),
        domain=_dense(problem.domain),
        hood=_dense(problem.neighbourhood),
        least=problem.least_domains[spread >= 0].astype(np.int32),
        needs=needs,
        needs_from=needs_from,
        needed=needed,
        needed_from=needed_from,
        mates=mates,
        mates_from=mates_from,
        route_class=problem.route_class.astype(np.int32),
        route_cost=np.ascontiguousarray(problem.route_cost, dtype=np.float64),
        group_move_weight=float(problem.group_move_weight),
        present_rows=int(present.max(initial=-1)) + 1,
        spread_rows=int(spread.max(initial=-1)) + 1,
        hood_rows=int(hoods.max(initial=-1)) + 1,
    )


def amounts(column: columns.Whole) -> Amounts:
    """In rows: NumPy gives a large difference the order of its temporary, and to the compiler that is another type."""
    return np.ascontiguousarray(column, dtype=np.float64)


def _numbered(bound: columns.Flags) -> columns.Whole:
    """A row for each group that a rule can bind, -1 for the others."""
    return np.where(bound, np.cumsum(bound) - 1, -1)


def _dense(labels: columns.Whole) -> Rows:
    return np.unique(labels, return_inverse=True)[1].astype(np.int32)


def _listed(keys: columns.Whole, values: columns.Whole, count: int) -> tuple[Rows, Rows]:
    """The values of each key one after another, and where each key's begin."""
    order = np.argsort(keys, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=count))])
    return values[order].astype(np.int32), starts.astype(np.int32)

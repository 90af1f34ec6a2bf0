"""What an assignment costs and what it breaks, reckoned anew from the columns: slow, and the twin of the kernels.

The formulas are those of the Google/ROADEF/EURO challenge 2012, problem definition, 1.2 and 1.3.
"""

from dataclasses import dataclass

import numpy as np

from controller.planner.assignment import problem as columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The parts of an assignment's cost, each already weighted."""

    load: int
    balance: int
    item_moves: int
    group_moves: int
    routes: int

    @property
    def total(self) -> int:
        return self.load + self.balance + self.item_moves + self.group_moves + self.routes


def usage(problem: columns.Problem, bins: columns.Whole) -> columns.Whole:
    """bins x resources: the sum of the demands of the items in each bin."""
    used = np.zeros_like(problem.capacity)
    np.add.at(used, bins, problem.demand)
    return used


def cost(problem: columns.Problem, bins: columns.Whole) -> Cost:
    used = usage(problem, bins)
    over = np.maximum(0, used - problem.safety).sum(axis=0)
    free = problem.capacity - used
    moved = np.flatnonzero(bins != problem.origin)
    routes = problem.route_cost[problem.route_class[problem.origin[moved]], problem.route_class[bins[moved]]]
    most = int(np.bincount(problem.group[moved]).max()) if len(moved) else 0
    return Cost(
        load=int((over * problem.safety_weight).sum()),
        balance=sum(
            each.weight * int(np.maximum(0, each.target * free[:, each.first] - free[:, each.second]).sum())
            for each in problem.balances
        ),
        item_moves=int(problem.move_cost[moved].sum()),
        group_moves=problem.group_move_weight * most,
        routes=int(routes.sum()),
    )


def broken(problem: columns.Problem, bins: columns.Whole) -> frozenset[str]:
    """The names of the hard rules that an assignment breaks."""
    rules = {
        "capacity": _over_capacity(problem, bins),
        "conflict": _shares_a_bin(problem, bins),
        "spread": _too_close(problem, bins),
        "dependency": _unmet(problem, bins),
        "open": _where_it_may_not_be(problem, bins),
    }
    return frozenset(name for name, holds in rules.items() if holds)


def _over_capacity(problem: columns.Problem, bins: columns.Whole) -> bool:
    """What moved is counted at its origin too where the resource is transient."""
    used = usage(problem, bins)
    moved = np.flatnonzero(bins != problem.origin)
    np.add.at(used, problem.origin[moved], problem.demand[moved] * problem.transient)
    return bool((used > problem.capacity).any())


def _shares_a_bin(problem: columns.Problem, bins: columns.Whole) -> bool:
    places = set(zip(problem.group.tolist(), bins.tolist(), strict=True))
    return len(places) < len(bins)


def _where_it_may_not_be(problem: columns.Problem, bins: columns.Whole) -> bool:
    bound = np.flatnonzero((problem.kind >= 0) & (bins != problem.origin))
    return not problem.open_to[problem.kind[bound], bins[bound]].all()


def _too_close(problem: columns.Problem, bins: columns.Whole) -> bool:
    domains = _places(problem, problem.domain[bins])
    return any(len(found) < least for found, least in zip(domains, problem.least_domains, strict=True))


def _unmet(problem: columns.Problem, bins: columns.Whole) -> bool:
    hoods = _places(problem, problem.neighbourhood[bins])
    return any(not hoods[group] <= hoods[needed] for group, needed in problem.dependencies)


def _places(problem: columns.Problem, of_items: columns.Whole) -> list[set[int]]:
    found: list[set[int]] = [set() for _ in problem.least_domains]
    for group, place in zip(problem.group.tolist(), of_items.tolist(), strict=True):
        found[group].add(place)
    return found

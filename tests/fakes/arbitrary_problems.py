"""Small assignment problems that bind on every side, each with an origin that keeps every hard rule."""

import numpy as np
from hypothesis import strategies as st

from controller.planner.assignment.problem import Balance, Problem


def problems() -> st.SearchStrategy[Problem]:
    return st.builds(
        problem,
        seed=st.integers(0, 2**32),
        bins=st.integers(1, 7),
        items=st.integers(0, 24),
        resources=st.integers(1, 5),
    )


def problem(seed: int, bins: int = 6, items: int = 20, resources: int = 3) -> Problem:
    """Items thrown into bins, no two of a group in one; what bins then hold, and a little more, is their capacity."""
    chance = np.random.default_rng(seed)
    group = np.sort(chance.integers(0, max(1, items // 2), items))
    origin = np.zeros(items, dtype=np.int64)
    for each in np.unique(group):
        members = np.flatnonzero(group == each)[:bins]
        origin[members] = chance.permutation(bins)[: len(members)]
    group[_doubled(group, origin)] = np.arange(len(_doubled(group, origin))) + items
    group = np.unique(group, return_inverse=True)[1].astype(np.int64)
    groups = int(group.max(initial=-1)) + 1
    demand = chance.integers(0, 40, (items, resources))
    used = np.zeros((bins, resources), dtype=np.int64)
    np.add.at(used, origin, demand)
    capacity = used + chance.integers(0, 60, used.shape)
    domain, hood = chance.integers(0, 4, bins), chance.integers(0, 3, bins)
    found = [set(domain[origin[group == each]].tolist()) for each in range(groups)]
    return Problem(
        origin=origin,
        demand=demand,
        group=group,
        kind=chance.integers(-1, 3, items),
        open_to=chance.random((3, bins)) < 0.7,
        move_cost=chance.integers(-3, 5, items),
        capacity=capacity,
        safety=chance.integers(0, 1 + capacity),
        safety_weight=chance.integers(0, 10, resources),
        transient=chance.random(resources) < 0.4,
        domain=domain,
        least_domains=np.array([chance.integers(0, len(each) + 1) for each in found], dtype=np.int64),
        neighbourhood=hood,
        dependencies=_met(chance, group, hood[origin], groups),
        route_class=np.arange(bins),
        route_cost=chance.integers(0, 9, (bins, bins)),
        group_move_weight=int(chance.integers(0, 20)),
        balances=(
            Balance(
                first=0, second=resources - 1, target=int(chance.integers(0, 4)), weight=int(chance.integers(0, 9))
            ),
        ),
    )


def _doubled(group: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Items that would share a bin with one of their group."""
    seen: set[tuple[int, int]] = set()
    doubled = []
    for item, place in enumerate(zip(group.tolist(), origin.tolist(), strict=True)):
        if place in seen:
            doubled.append(item)
        seen.add(place)
    return np.array(doubled, dtype=np.int64)


def _met(chance: np.random.Generator, group: np.ndarray, hoods: np.ndarray, groups: int) -> np.ndarray:
    """Of some pairs of groups those where the second is wherever the first is."""
    found = [set(hoods[group == each].tolist()) for each in range(groups)]
    pairs = [(one, two) for one in range(groups) for two in range(groups) if found[one] <= found[two]]
    kept = [pair for pair in pairs if chance.random() < 0.2]
    return np.array(kept, dtype=np.int64).reshape(-1, 2)

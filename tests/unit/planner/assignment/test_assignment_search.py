import dataclasses

import numpy as np
import pytest

from controller.planner.assignment import objective
from controller.planner.assignment.problem import Problem, UnsoundProblemError
from controller.planner.assignment.search import Cooling, Found, Search
from tests.fakes import arbitrary_problems


def after(tries: int, seed: int = 1) -> Found:
    problem = arbitrary_problems.problem(7, bins=8, items=60)
    return Search(problem, problem.origin, seed=seed).run(lambda done: done / tries)


def test_a_seed_and_a_number_of_tries_give_one_answer() -> None:
    np.testing.assert_array_equal(after(300_000).bins, after(300_000).bins)


def test_nothing_granted_leaves_everything_where_it_stands() -> None:
    problem = arbitrary_problems.problem(7)
    found = Search(problem, problem.origin, seed=1).run(lambda _: 1.0)
    np.testing.assert_array_equal(found.bins, problem.origin)
    assert found.tries == 0


def test_what_is_found_costs_what_it_says_and_keeps_every_rule() -> None:
    problem = arbitrary_problems.problem(7, bins=8, items=60)
    found = after(300_000)
    assert found.cost == objective.cost(problem, found.bins).total < objective.cost(problem, problem.origin).total
    assert not objective.broken(problem, found.bins)


def test_a_search_goes_on_from_what_a_meeting_hands_it() -> None:
    problem = arbitrary_problems.problem(7, bins=8, items=60)
    better = after(500_000)
    search = Search(problem, problem.origin, seed=2)
    search.run(lambda tries: tries / 2_400_000, lambda here: min(here, better, key=lambda found: found.cost))
    assert search.best.cost <= better.cost


def test_cooling_ends_at_the_coldest() -> None:
    cooling = Cooling(hottest=1000.0, warm=10.0, coldest=0.5)
    assert [cooling.temperature(0.0), cooling.temperature(1.0)] == pytest.approx([1000.0, 0.5])


@pytest.mark.parametrize(
    "change",
    [
        {"origin": np.array([0, 9, 0])},
        {"group": np.array([0, 1])},
        {"demand": np.array([[-1], [1], [1]])},
        {"safety_weight": np.array([2**60])},
    ],
)
def test_columns_that_do_not_fit_together_are_refused(change: dict[str, np.ndarray]) -> None:
    with pytest.raises(UnsoundProblemError):
        dataclasses.replace(three_items(), **change)


def test_what_costs_nothing_may_be_as_large_as_it_is() -> None:
    large = dataclasses.replace(three_items(), demand=np.array([[2**54], [1], [1]]), safety_weight=np.array([0]))
    assert large.largest_cost() < 100


def test_a_large_estate_has_the_layout_of_a_small_one_or_it_would_be_compiled_anew() -> None:
    """NumPy writes a difference of more than 256 KiB into its temporary, whatever order that has."""
    problem = arbitrary_problems.problem(7, bins=5_000, items=10, resources=7)
    turned = dataclasses.replace(problem, capacity=np.asfortranarray(problem.capacity))
    search = Search(turned, turned.origin, seed=1)
    amounts = (search.state.room, search.state.over, search.tables.cushion)
    assert all(column.flags.c_contiguous for column in amounts)


def three_items() -> Problem:
    return Problem(
        origin=np.array([0, 1, 0]),
        demand=np.array([[1], [2], [3]]),
        group=np.array([0, 0, 1]),
        kind=np.array([-1, 0, 0]),
        open_to=np.array([[True, False]]),
        move_cost=np.array([1, 1, 1]),
        capacity=np.array([[9], [9]]),
        safety=np.array([[3], [3]]),
        safety_weight=np.array([10]),
        transient=np.array([True]),
        domain=np.array([0, 1]),
        least_domains=np.array([2, 0]),
        neighbourhood=np.array([0, 0]),
        dependencies=np.zeros((0, 2), dtype=np.int64),
        route_class=np.array([0, 0]),
        route_cost=np.array([[1]]),
        group_move_weight=10,
        balances=(),
    )

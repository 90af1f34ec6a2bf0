"""Whatever the kernels do to an assignment, reckoning it anew from the columns gives the same, and no rule breaks."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from controller.planner.assignment import objective, state, tables
from controller.planner.assignment.kernels import dice, moves
from controller.planner.assignment.problem import Problem
from controller.planner.assignment.search import Search
from tests.fakes import arbitrary_problems
from tests.fakes.arbitrary_clusters import slowly

ANYTHING = moves.Heat(allowed=math.inf, pull=0.0)


def same_as_anew(problem: Problem, layout: tables.Tables, kept: state.Assignment) -> None:
    anew = state.assignment(problem, layout, kept.bins[:-1].astype(np.int64))
    for name, column, expected in zip(state.Assignment._fields, kept, anew, strict=True):
        np.testing.assert_array_equal(column, expected, err_msg=name)


@slowly
@given(arbitrary_problems.problems(), st.integers(0, 2**32), st.sampled_from([0.0, 1.0, 100.0, 1e4]))
def test_an_annealed_assignment_is_what_it_comes_to_anew_and_breaks_nothing(
    problem: Problem, seed: int, temperature: float
) -> None:
    search = Search(problem, problem.origin, seed=seed)
    for _ in range(3):
        search.step(temperature, 200)
        same_as_anew(problem, search.tables, search.state)
        assert not objective.broken(problem, search.here().bins)
        assert search.here().cost == objective.cost(problem, search.here().bins).total
    assert search.best.cost <= objective.cost(problem, problem.origin).total


@slowly
@given(arbitrary_problems.problems(), st.integers(0, 2**32))
def test_every_shift_is_made_if_and_only_if_it_breaks_nothing(problem: Problem, seed: int) -> None:
    search = Search(problem, problem.origin, seed=seed)
    search.step(100.0, 50)
    for item in range(len(problem.origin)):
        for to in range(len(problem.capacity)):
            bins = search.here().bins
            wanted = bins.copy()
            wanted[item] = to
            made = moves.shift(search.tables, search.state, ANYTHING, item, to)
            assert made == (to != bins[item] and not objective.broken(problem, wanted))
            np.testing.assert_array_equal(search.here().bins, wanted if made else bins)


@slowly
@given(arbitrary_problems.problems(), st.integers(0, 2**32))
def test_every_swap_is_made_if_and_only_if_it_breaks_nothing(problem: Problem, seed: int) -> None:
    search = Search(problem, problem.origin, seed=seed)
    search.step(100.0, 50)
    items = len(problem.origin)
    pairs = dice.dice(seed, 1)
    for _ in range(20 if items else 0):
        one, two = dice.below(pairs, items), dice.below(pairs, items)
        bins = search.here().bins
        wanted = bins.copy()
        wanted[one], wanted[two] = bins[two], bins[one]
        made = moves.swap(search.tables, search.state, ANYTHING, one, two)
        assert made == (bins[one] != bins[two] and not objective.broken(problem, wanted))
        same_as_anew(problem, search.tables, search.state)


@slowly
@given(arbitrary_problems.problems(), st.integers(0, 2**32))
def test_a_push_that_is_made_breaks_nothing_and_one_that_is_not_leaves_no_trace(problem: Problem, seed: int) -> None:
    search = Search(problem, problem.origin, seed=seed)
    items = len(problem.origin)
    chosen = dice.dice(seed, 1)
    for _ in range(20 if items else 0):
        one, two = dice.below(chosen, items), dice.below(chosen, items)
        third = dice.below(chosen, len(problem.capacity))
        wanted = search.here().bins
        if moves.push(search.tables, search.state, ANYTHING, moves.Chain(one, two, third)):
            wanted[one], wanted[two] = wanted[two], third
        same_as_anew(problem, search.tables, search.state)
        np.testing.assert_array_equal(search.here().bins, wanted)
        assert not objective.broken(problem, wanted)


@slowly
@given(arbitrary_problems.problems(), st.integers(0, 2**32))
def test_a_move_is_made_up_to_what_it_costs_and_no_further(problem: Problem, seed: int) -> None:
    search = Search(problem, problem.origin, seed=seed)
    for item in range(len(problem.origin)):
        before = search.here()
        wanted = before.bins.copy()
        wanted[item] = (wanted[item] + 1) % len(problem.capacity)
        delta = objective.cost(problem, wanted).total - before.cost
        assert not moves.shift(search.tables, search.state, moves.Heat(delta - 0.5, 0.0), item, wanted[item])
        moves.shift(search.tables, search.state, moves.Heat(float(delta), 0.0), item, wanted[item])

"""The search: anneal from hot to cold as the caller's time passes, and keep the best assignment that was seen."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from controller.planner.assignment import problem as columns
from controller.planner.assignment import state as assignments
from controller.planner.assignment import tables as layout
from controller.planner.assignment.kernels import anneal
from controller.planner.assignment.kernels import dice as chance

Progress = Callable[[int], float]
"""How much of what the caller grants is used up after so many tries, from 0 to 1; the search ends at 1."""
TRIES_AT_ONCE = 100_000
MEETINGS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An assignment, what it costs, and how many moves were tried before it was handed over."""

    bins: columns.Whole
    cost: int
    tries: int = 0


Meeting = Callable[[Found], Found]
"""Searches that run side by side exchange where they stand; what comes back is gone on from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooling:
    """temperature = hottest^(1 - progress) * coldest^progress."""

    hottest: float
    coldest: float

    def temperature(self, progress: float) -> float:
        return self.hottest * math.pow(self.coldest / self.hottest, min(1.0, progress))


def cooling(problem: columns.Problem) -> Cooling:
    """From where an item's whole load may be worsened by a share, down to where no cost of a move is.

    The hottest is a share of what an item of mean size costs where it is all above the safety capacity; the coldest a
    share of what a move costs on its own, or where that is nothing a millionth of the hottest.
    """
    items = max(1, len(problem.origin))
    hottest = max(1.0, HOT * float((problem.demand * problem.safety_weight).sum()) / items)
    moving = float(problem.move_cost.mean()) + float(problem.route_cost.mean())
    coldest = moving / COLD if moving > 0 else hottest / 1e6
    return Cooling(hottest=hottest, coldest=min(coldest, hottest))


HOT, COLD = 0.1, 30.0


def alone(here: Found) -> Found:
    return here


class Search:
    """One chain from one seed. It holds an assignment that keeps every rule at any moment."""

    def __init__(self, problem: columns.Problem, bins: columns.Whole, *, seed: int, stream: int = 0) -> None:
        self.problem = problem
        self.tables = layout.laid_out(problem)
        self.cooling = cooling(problem)
        self.homing = math.log(max(2, len(problem.capacity)))
        self.dice = chance.dice(seed, stream)
        self.state = assignments.assignment(problem, self.tables, bins)
        self.tries = 0
        self.best = self.here()

    def here(self) -> Found:
        total = int(self.state.sums[assignments.TOTAL])
        return Found(bins=self.state.bins[:-1].astype(np.int64), cost=total, tries=self.tries)

    def run(self, progress: Progress, meet: Meeting = alone) -> Found:
        """Go on until nothing is left of what the caller grants."""
        met = 0
        while (used := progress(self.tries)) < 1:
            if int(used * MEETINGS) > met:
                met += 1
                self.go_on_from(meet(self.here()))
            self.step(self.cooling.temperature(used), TRIES_AT_ONCE)
        return self.best

    def step(self, temperature: float, tries: int) -> None:
        pace = anneal.Pace(temperature=temperature, homing=self.homing, swaps=SWAPS)
        anneal.anneal(self.tables, self.state, self.dice, pace, tries)
        self.tries += tries
        if self.state.sums[assignments.TOTAL] < self.best.cost:
            self.best = self.here()

    def go_on_from(self, found: Found) -> None:
        if not np.array_equal(found.bins, self.state.bins[:-1]):
            self.state = assignments.assignment(self.problem, self.tables, found.bins)


SWAPS = 0.5

"""The search: anneal from hot to cold as the caller's time passes, and keep the best assignment that was seen."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from controller.planner.assignment import compiled
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


MATES, SWAPS, PUSHES = 0.25, 0.6, 0.75
"""Shares of what is tried, each added to those before it."""
HOT, WARM, COLD = 0.4, 0.002, 30.0
KNEE = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooling:
    """Geometric from the hottest to the warm while most of the time passes, and geometric again to the coldest.

    Loads settle while it is hot, and need the time; what moves cost on their own settles in the cold, quickly.
    """

    hottest: float
    warm: float
    coldest: float

    def temperature(self, progress: float) -> float:
        if progress < KNEE:
            return self.hottest * math.pow(self.warm / self.hottest, progress / KNEE)
        return self.warm * math.pow(self.coldest / self.warm, min(1.0, (progress - KNEE) / (1 - KNEE)))


def cooling(problem: columns.Problem) -> Cooling:
    """From where an item's whole load may be worsened by a share, down to where no cost of a move is.

    The hottest is a share of what an item of mean size costs where it is all above the safety capacity; the coldest a
    share of what a move costs on its own, or where that is nothing a millionth of the hottest.
    """
    items = max(1, len(problem.origin))
    hottest = max(1.0, HOT * float((problem.demand * problem.safety_weight).sum()) / items)
    moving = float(problem.move_cost.mean()) + float(problem.route_cost.mean()) if len(problem.origin) else 0.0
    coldest = min(hottest, moving / COLD if moving > 0 else hottest / 1e6)
    return Cooling(hottest=hottest, warm=max(coldest, hottest * WARM), coldest=coldest)


def alone(here: Found) -> Found:
    return here


def compiled_before() -> bool:
    """Whether this machine has the search's machine code from an earlier time."""
    return compiled.kept(anneal.anneal)


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

    def run(self, progress: Progress, meet: Meeting = alone, at_once: int = TRIES_AT_ONCE) -> Found:
        """Go on until nothing is left of what the caller grants, asked for after every `at_once` tries."""
        met = 0
        while (used := progress(self.tries)) < 1:
            if int(used * MEETINGS) > met:
                met += 1
                self.go_on_from(meet(self.here()))
            self.step(self.cooling.temperature(used), at_once)
        return self.best

    def step(self, temperature: float, tries: int) -> None:
        pace = anneal.Pace(temperature=temperature, homing=self.homing, mates=MATES, swaps=SWAPS, pushes=PUSHES)
        if len(self.problem.origin):
            anneal.anneal(self.tables, self.state, self.dice, pace, tries)
        self.tries += tries
        if self.state.sums[assignments.TOTAL] < self.best.cost:
            self.best = self.here()

    def go_on_from(self, found: Found) -> None:
        if not np.array_equal(found.bins, self.state.bins[:-1]):
            self.state = assignments.assignment(self.problem, self.tables, found.bins)

"""Instances of the Google/ROADEF/EURO challenge 2012: read, and told in the planner's words.

A process is an item, a machine a bin, a service a group, a location a domain. The format is that of the problem
definition, 2.1: whole numbers one after another.
"""

from pathlib import Path

import numpy as np

from controller.planner.assignment.problem import Balance, Problem, Whole


class MalformedInstanceError(ValueError):
    """The numbers of a file are more or fewer than its own counts say."""


class _Numbers:
    """The numbers of a file, taken from the front."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.all: Whole = np.fromstring(path.read_text(encoding="ascii"), dtype=np.int64, sep=" ")
        self.at = 0

    def rows(self, count: int, width: int) -> Whole:
        end = self.at + count * width
        if end > len(self.all):
            raise MalformedInstanceError(f"{self.path} ends after {len(self.all)} numbers")
        taken = self.all[self.at : end].reshape(count, width)
        self.at = end
        return taken

    def one(self) -> int:
        return int(self.rows(1, 1)[0, 0])

    def end(self) -> None:
        if self.at != len(self.all):
            raise MalformedInstanceError(f"{self.path} goes on after {self.at} numbers")


def read_assignment(path: Path) -> Whole:
    return _Numbers(path).all


def write_assignment(path: Path, machines: Whole) -> None:
    path.write_text(" ".join(map(str, machines.tolist())) + "\n", encoding="ascii")


def read_problem(model: Path, origin: Whole) -> Problem:
    numbers = _Numbers(model)
    resources = numbers.one()
    transient, weight = numbers.rows(resources, 2).T
    count = numbers.one()
    machines = numbers.rows(count, 2 + 2 * resources + count)
    least, dependencies = _services(numbers)
    processes = numbers.rows(numbers.one(), 2 + resources)
    balances = numbers.rows(numbers.one(), 3 + 1)
    process_weight, service_weight, machine_weight = (numbers.one() for _ in range(3))
    numbers.end()
    route_class, route_cost = classes_of_routes(machines[:, 2 + 2 * resources :])
    return Problem(
        origin=origin,
        demand=np.ascontiguousarray(processes[:, 1:-1]),
        group=processes[:, 0].copy(),
        kind=np.full(len(processes), -1),
        open_to=np.ones((0, count), np.bool_),
        move_cost=processes[:, -1] * process_weight,
        capacity=np.ascontiguousarray(machines[:, 2 : 2 + resources]),
        safety=np.ascontiguousarray(machines[:, 2 + resources : 2 + 2 * resources]),
        safety_weight=weight.copy(),
        transient=transient.astype(np.bool_),
        domain=machines[:, 1].copy(),
        least_domains=least,
        neighbourhood=machines[:, 0].copy(),
        dependencies=dependencies,
        route_class=route_class,
        route_cost=route_cost * machine_weight,
        group_move_weight=service_weight,
        balances=tuple(
            Balance(first=first, second=second, target=target, weight=each)
            for first, second, target, each in balances.tolist()
        ),
    )


def _services(numbers: _Numbers) -> tuple[Whole, Whole]:
    count = numbers.one()
    least = np.zeros(count, dtype=np.int64)
    pairs = []
    for service in range(count):
        least[service], needed = numbers.rows(1, 2)[0]
        pairs += [(service, each) for each in numbers.rows(1, int(needed))[0].tolist()]
    return least, np.array(pairs, dtype=np.int64).reshape(-1, 2)


def classes_of_routes(matrix: Whole) -> tuple[Whole, Whole]:
    """Machines of equal rows are one class, where that tells every cost of the matrix; else each is its own.

    A machine's cost to itself is never asked for. It is taken as the least of its row, so that near machines agree.
    """
    filled = matrix.copy()
    np.fill_diagonal(filled, np.iinfo(np.int64).max)
    np.fill_diagonal(filled, filled.min(axis=1, initial=np.iinfo(np.int64).max))
    packed = filled.view(np.dtype((np.void, filled.itemsize * filled.shape[1]))).ravel()
    _, first, of_machine = np.unique(packed, return_index=True, return_inverse=True)
    costs = filled[np.ix_(first, first)]
    if len(matrix) > 1 and np.array_equal(costs[np.ix_(of_machine, of_machine)], filled):
        return of_machine.astype(np.int64), costs
    return np.arange(len(matrix)), matrix

"""Several searches of one problem side by side, a process each, that meet at intervals and go on from the best."""

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable
from multiprocessing import context, sharedctypes
from typing import Any

import numpy as np

from controller.planner.assignment.problem import Problem, Whole
from controller.planner.assignment.search import Found, Progress, Search

PATIENCE_SECONDS = 60.0
"""How long one waits for the others at a meeting before it goes on alone."""


class _Board:
    """A row for each member: the cost and the bins it stands at, in memory that all see."""

    def __init__(self, fork: context.ForkContext, members: int, items: int) -> None:
        self.shape = (members, items + 1)
        self.shared = sharedctypes.RawArray("q", members * (items + 1))
        self.barrier = fork.Barrier(members)

    def rows(self) -> Whole:
        return np.frombuffer(self.shared, dtype=np.int64).reshape(self.shape)

    def post(self, member: int, found: Found) -> None:
        self.rows()[member, 0], self.rows()[member, 1:] = found.cost, found.bins

    def best(self) -> Found:
        row = self.rows()[np.argmin(self.rows()[:, 0])]
        return Found(bins=row[1:].copy(), cost=int(row[0]))

    def meet(self, member: int, here: Found) -> Found:
        """Everyone posts, everyone reads; whom nobody joins any more goes on from where it stands."""
        try:
            self.post(member, here)
            self.barrier.wait(PATIENCE_SECONDS)
            found = self.best()
            self.barrier.wait(PATIENCE_SECONDS)
        except threading.BrokenBarrierError:
            return here
        return found


def solved(problem: Problem, *, seed: int, members: int, progress: Progress, told: Callable[[Found], None]) -> Found:
    """The best that any member found; an interrupt ends all of them with what they have."""
    fork = multiprocessing.get_context("fork")
    search = Search(problem, problem.origin, seed=seed)
    search.step(search.cooling.coldest, 1)  # compiled before it is forked
    told(search.best)
    board = _Board(fork, members, len(problem.origin))
    for member in range(members):
        board.post(member, search.best)
    workers = [fork.Process(target=_work, args=(problem, board, member, seed, progress)) for member in range(members)]
    _start(workers)
    for worker in workers:
        while worker.is_alive():
            with contextlib.suppress(KeyboardInterrupt):  # the members hear it too and end
                worker.join()
    return board.best()


def _start(workers: list[Any]) -> None:
    for worker in workers:
        worker.start()


def _work(problem: Problem, board: _Board, member: int, seed: int, progress: Progress) -> None:
    search = Search(problem, problem.origin, seed=seed, stream=member)
    with contextlib.suppress(KeyboardInterrupt):
        search.run(progress, lambda here: board.meet(member, here))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    board.barrier.abort()
    board.post(member, search.best)

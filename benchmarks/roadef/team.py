"""Several searches of one problem side by side, a process each, that meet at intervals and go on from the best."""

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from multiprocessing import context, sharedctypes

import numpy as np

from controller.planner.assignment.problem import Problem, Whole
from controller.planner.assignment.search import Found, Progress, Search

PATIENCE_SECONDS = 5.0
"""How long one waits for the others at a meeting before it goes on with those who came."""
BEST = 2
"""The part of the board for what a member hands over in the end; parts 0 and 1 are for odd and even meetings."""


class Board:
    """Memory that all see: for each member how many meetings it came to, whether it left, and where it stood.

    Nobody comes to a meeting before everybody came to the one before or left, so two parts in turn are enough.
    """

    def __init__(self, fork: context.ForkContext, members: int, items: int) -> None:
        self.shape = (BEST + 1, members, items + 1)
        self.found = sharedctypes.RawArray("q", (BEST + 1) * members * (items + 1))
        self.met = sharedctypes.RawArray("q", members)
        self.left = sharedctypes.RawArray("q", members)
        self.stop = sharedctypes.RawArray("q", 1)
        self.changed = fork.Condition()

    def rows(self, part: int) -> Whole:
        whole: Whole = np.frombuffer(self.found, dtype=np.int64).reshape(self.shape)[part]
        return whole

    def post(self, part: int, member: int, found: Found) -> None:
        rows = self.rows(part)
        rows[member, 0], rows[member, 1:] = found.cost, found.bins

    def best(self, part: int, members: list[int]) -> Found:
        row = min((self.rows(part)[each] for each in members), key=lambda each: int(each[0]))
        return Found(bins=row[1:].copy(), cost=int(row[0]))

    def meet(self, member: int, here: Found) -> Found:
        meeting = self.met[member] + 1
        self.post(meeting % BEST, member, here)
        with self.changed:
            self.met[member] = meeting
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.all_there(meeting), PATIENCE_SECONDS)
            there = [each for each, met in enumerate(self.met) if met >= meeting]
            return self.best(meeting % BEST, there)

    def all_there(self, meeting: int) -> bool:
        return all(met >= meeting or left for met, left in zip(self.met, self.left, strict=True))

    def leave(self, member: int, best: Found) -> None:
        with self.changed:
            self.post(BEST, member, best)
            self.left[member] = 1
            self.changed.notify_all()


def solved(problem: Problem, *, seed: int, members: int, progress: Progress, told: Callable[[], None]) -> Found:
    """The best that any member found; an interrupt ends all of them with what they have."""
    fork = multiprocessing.get_context("fork")
    search = Search(problem, problem.origin, seed=seed)
    search.step(search.cooling.coldest, 1)  # compiled before it is forked
    board = Board(fork, members, len(problem.origin))
    for member in range(members):
        board.post(BEST, member, search.best)
    workers = [fork.Process(target=_work, args=(problem, board, member, seed, progress)) for member in range(members)]
    with _heard(board):
        told()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return board.best(BEST, list(range(members)))


@contextlib.contextmanager
def _heard(board: Board) -> Iterator[None]:
    """An interrupt is a word on the board, for a member that is about to be forked too."""

    def interrupted(*_: object) -> None:
        board.stop[0] = 1

    before = signal.signal(signal.SIGINT, interrupted)
    yield
    signal.signal(signal.SIGINT, before)


def _work(problem: Problem, board: Board, member: int, seed: int, progress: Progress) -> None:
    search = Search(problem, problem.origin, seed=seed, stream=member)
    search.run(lambda tries: 1.0 if board.stop[0] else progress(tries), lambda here: board.meet(member, here))
    board.leave(member, search.best)

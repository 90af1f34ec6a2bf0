"""Solve an instance of the Google/ROADEF/EURO challenge 2012 with the planner's search core.

    python -m benchmarks.roadef MODEL ASSIGNMENT --time-limit 300 --seed 1 --out NEW

The seconds are those of the wall, from the start to the written file. With `--tries` so many moves are tried by each
process instead, and the same seed gives the same file. An interrupt writes the best so far.
"""

import time

STARTED = time.monotonic()

import argparse  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from benchmarks.roadef import instance, team  # noqa: E402
from controller.planner.assignment import objective  # noqa: E402
from controller.planner.assignment.search import Progress  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.roadef", description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("assignment", type=Path)
    parser.add_argument("--time-limit", type=float, default=300.0, help="seconds, all included")
    parser.add_argument("--tries", type=int, help="moves tried by each process, instead of a time limit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def until(limit: float) -> Progress:
    """The share of the seconds that is gone. What reading took is kept back for writing, and 2 s at least."""
    reading = time.monotonic() - STARTED
    begin, end = time.monotonic(), STARTED + limit - max(2.0, reading)

    def progress(_: int) -> float:
        return (time.monotonic() - begin) / max(1e-9, end - begin) if time.monotonic() < end else 1.0

    return progress


def main() -> int:
    given = arguments()
    origin = instance.read_assignment(given.assignment)
    problem = instance.read_problem(given.model, origin)
    print(f"{seconds()} read: {len(origin)} processes, cost {objective.cost(problem, origin).total}", flush=True)
    progress = until(given.time_limit) if given.tries is None else lambda tries: tries / given.tries
    found = team.solved(problem, seed=given.seed, members=given.processes, progress=progress, told=tell_ready)
    broken, cost = objective.broken(problem, found.bins), objective.cost(problem, found.bins)
    if broken or cost.total != found.cost:
        print(f"the search erred: it says {found.cost}, not {cost}; broken: {sorted(broken)}", file=sys.stderr)
        return 1
    instance.write_assignment(given.out, found.bins)
    print(f"{seconds()} written: cost {cost.total}, {cost}", flush=True)
    return 0


def seconds() -> str:
    return f"{time.monotonic() - STARTED:6.1f} s"


def tell_ready() -> None:
    print(f"{seconds()} kernels ready", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""How long a plan takes, how that grows, and how far what it leaves is from what nothing could undercut.

    python benchmarks/planner.py            300, 1,000, 2,000 and 5,000 hosts, each in a process of its own, one core
    python benchmarks/planner.py --hosts 300 1000

The estates are `parts/perturbed.py`'s. 1,000 hosts x 18,923 VMs is the size at which OpenStack Watcher's workload
stabilization was measured to take 88 s and to leave 401 hosts over their memory; those two numbers are cited, and
`watcher.py` runs both. No level of the score can be below 0, so that is each one's bound, and what is left is told as
a share of what there was at the start. Moves are told beside the fewest that could mend every host over a limit
(`parts/fewest_moves.py`), which no rule or order of moves enters.
"""

import argparse
import json
import math
import os
import platform
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.parts.judge import LEVELS
from benchmarks.parts.process import measured, row

REPOSITORY = Path(__file__).parents[1]
SEED = 1
SIZES = {300: 5_669, 1_000: 18_923, 2_000: 40_000, 5_000: 100_000}
WATCHER_SIZE, WATCHER_SECONDS, WATCHER_LEFT = 1_000, 88.0, 401
SMALL, LARGE = 1_000, 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, nargs="+", choices=SIZES, default=list(SIZES))
    asked = parser.parse_args()
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}, one core, "
          f"load {os.getloadavg()[0]:.1f}\n")  # fmt: skip
    row("hosts x VMs", "seconds", "CPU s", "peak RSS MiB", "over any limit before", "after", "moves, at least", "waves",
        *(f"{name} left, % of the start" for name in LEVELS))  # fmt: skip
    row(*["---"] * (8 + len(LEVELS)))
    told = {hosts: planned(hosts) for hosts in asked.hosts}
    if WATCHER_SIZE in told:
        ratio = WATCHER_SECONDS / told[WATCHER_SIZE]["seconds"]
        print(f"\nWatcher's stabilization at {WATCHER_SIZE:,} hosts (cited): {WATCHER_SECONDS:.0f} s, {WATCHER_LEFT} "
              f"left; {ratio:.0f} times ours.")  # fmt: skip
    if {SMALL, LARGE} <= told.keys():
        print(f"CPU seconds grow with n^{growth(told):.2f} from {SMALL:,} to {LARGE:,} hosts.")
    assert not any(each["over_after"] for each in told.values()), "hosts or supplies are left over a limit"


def planned(hosts: int) -> Mapping[str, Any]:
    """One size in a process of its own: its row, and what it told."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        size = (str(hosts), str(SIZES[hosts]), str(SEED))
        command = [sys.executable, "-m", "benchmarks.parts.planner_run", *size, str(answer)]
        measured(command, REPOSITORY, dict(os.environ))
        told: Mapping[str, Any] = json.loads(answer.read_text())
    scores = (told[name][: len(LEVELS)] for name in ("score_before", "score_after"))
    left = (f"{100 * after / before:.2f}" if before else "-" for before, after in zip(*scores, strict=True))
    row(f"{hosts:,} x {SIZES[hosts]:,}", f"{told['seconds']:.1f}", f"{told['cpu_s']:.1f}", f"{told['mib']:.0f}",
        told["over_before"], told["over_after"], f"{len(told['moves']):,}, {told['least_moves']:,}", told["waves"],
        *left)  # fmt: skip
    return told


def growth(told: Mapping[int, Mapping[str, Any]]) -> float:
    """The exponent e of `seconds ~ hosts^e` between the two sizes."""
    return math.log(told[LARGE]["cpu_s"] / told[SMALL]["cpu_s"]) / math.log(LARGE / SMALL)


if __name__ == "__main__":
    main()

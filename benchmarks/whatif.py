"""How long N+1 takes to prove: every host, rack and feed of an estate lost on its own, on one core.

    python benchmarks/whatif.py            1,000 hosts x 18,923 VMs
    python benchmarks/whatif.py --large    also 5,000 x 100,000

The estates are those of `parts/perturbed.py`, in memory. No peer answers the question, so what is compared is the
growth: n hosts have n failures, each with as many servers to place, each of which n hosts may take; that is n^2 where
every host is looked at for each server.

Those of `parts/mixed.py` (groups, clearances, hosts that cannot be survived) are asked as an operator asks, from the
command's start to its end: `gdcc whatif --all-single-failures --snapshot FILE`, and `gdcc capacity` of the same file.
"""

import argparse
import math
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.parts import mixed, perturbed
from controller.adapters import snapshot_file
from controller.model.whatif import Verdict
from controller.planner.whatif import loss, outcome

TARGET_SECONDS = 60.0


def main() -> None:
    """Prints one row a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="also 5,000 hosts x 100,000 VMs")
    sizes = [(1_000, 18_923), *([(5_000, 100_000)] if parser.parse_args().large else [])]
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}, one core\n")
    print("| hosts x VMs | failures | servers placed | seconds | us a server | survived | peak RSS MiB |")
    print("|---|---|---|---|---|---|---|")
    took = []
    for hosts, vms in sizes:
        seconds, servers, verdicts = measured(hosts, vms)
        took.append(seconds)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {hosts:,} x {vms:,} | {verdicts.total():,} | {servers:,} | {seconds:.1f} "
              f"| {seconds / servers * 1e6:.0f} | {verdicts[Verdict.SURVIVED]:,} | {peak:.0f} |")  # fmt: skip
    if len(took) > 1:
        exponent = math.log(took[1] / took[0]) / math.log(sizes[1][0] / sizes[0][0])
        print(
            f"\nGrowth n^{exponent:.2f}; {TARGET_SECONDS / took[1]:.1f}x inside the {TARGET_SECONDS:.0f} s asked for."
        )

    print("\n| mixed hosts x VMs | groups | command | seconds | exit |")
    print("|---|---|---|---|---|")
    for hosts, vms in sizes:
        commanded(hosts, vms)


def commanded(hosts: int, vms: int) -> None:
    """Prints a row a command, and what `gdcc whatif` counted."""
    cluster = mixed.mixed(hosts, vms, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cluster.json"
        snapshot_file.write(cluster, path)
        found = ""
        for words in (["whatif", "--all-single-failures"], ["capacity"]):
            began = time.perf_counter()
            answer = subprocess.run(
                [sys.executable, "-m", "controller", *words, "--snapshot", str(path)],
                env={**os.environ, "COLUMNS": "120"}, capture_output=True, text=True, check=False,
            )  # fmt: skip
            seconds = time.perf_counter() - began
            print(f"| {hosts:,} x {vms:,} | {len(cluster.groups):,} | gdcc {' '.join(words)} | {seconds:.1f} "
                  f"| {answer.returncode} |")  # fmt: skip
            found = found or answer.stdout
    print("\n" + "\n".join(line for line in found.splitlines() if "each " in line or "what fails" in line) + "\n")


def measured(hosts: int, vms: int) -> tuple[float, int, Counter[Verdict]]:
    """Seconds from the snapshot in memory to the last outcome, servers placed, and the verdicts."""
    cluster = perturbed.perturbed(hosts, vms, seed=1)
    began = time.perf_counter()
    spare = outcome.spare(cluster, perturbed.POLICY, perturbed.NOW)
    servers, verdicts = 0, Counter[Verdict]()
    for each in loss.every_single(cluster):
        found = outcome.lose(spare, [each], timedelta(minutes=1))
        servers += len(found.restarts)
        verdicts[found.verdict] += 1
    return time.perf_counter() - began, servers, verdicts


if __name__ == "__main__":
    main()

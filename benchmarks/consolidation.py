"""How many hosts a plan frees that is let free all it can, against what nothing could exceed, and what that costs.

    python benchmarks/consolidation.py              300, 1,000 and 2,000 hosts, each in a process of its own, one core
    python benchmarks/consolidation.py --hosts 300

The estates are `parts/perturbed.py`'s: three quarters of the memory placed, two hosts in five over what Placement
admits. A host is freed for 0.1 W a GiB copied. The bound packs what is placed as if it were a liquid.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from benchmarks.parts.process import measured, row

REPOSITORY = Path(__file__).parents[1]
SEED = 1
SIZES = {300: 5_669, 1_000: 18_923, 2_000: 40_000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, nargs="+", choices=SIZES, default=list(SIZES))
    asked = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}, one core, load {os.getloadavg()[0]:.1f}\n")
    row("hosts x VMs", "CPU s without", "with", "moves without", "with", "hosts freed", "at most", "kW idle saved")
    row(*["---"] * 8)
    for hosts in asked.hosts:
        with tempfile.TemporaryDirectory() as folder:
            answer = Path(folder) / "answer.json"
            size = (str(hosts), str(SIZES[hosts]), str(SEED))
            command = [sys.executable, "-m", "benchmarks.parts.consolidation_run", *size, str(answer)]
            measured(command, REPOSITORY, dict(os.environ))
            told = json.loads(answer.read_text())
        without, freeing = told["without"], told["with"]
        row(f"{hosts:,} x {SIZES[hosts]:,}", f"{without['cpu_s']:.1f}", f"{freeing['cpu_s']:.1f}", without["moves"],
            freeing["moves"], freeing["freed"], told["most"], f"{freeing['watts'] / 1000:.1f}")  # fmt: skip
        assert not freeing["over_after"], "hosts or supplies are left over a limit"


if __name__ == "__main__":
    main()

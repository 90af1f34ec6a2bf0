"""Seconds and memory to make, write and load a snapshot of 5,000 hosts and 100,000 VMs.

    python benchmarks/snapshot.py [VMS]

Loading is measured in a process of its own, whose peak memory is then the loading's (limits: 2 s and 500 MiB).
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from controller.adapters import snapshot_file
from controller.engine import synthetic
from controller.engine.assemble import assemble
from controller.engine.readings import Readings, merged
from controller.model.policy import Policy
from inventory import generate

Result = TypeVar("Result")
NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SEED = 1


def timed(what: str, work: Callable[[], Result]) -> Result:
    began = time.perf_counter()
    result = work()
    print(f"{what:<28} {time.perf_counter() - began:8.2f} s")
    return result


def peak_mib() -> float:
    """This program's own peak; getrusage's would be inherited from the process that started it."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def make(vms: int, path: Path) -> None:
    estate = timed("generate the estate", lambda: generate.estate(vms, SEED))
    facts = timed("place every VM", lambda: synthetic.facts(estate, SEED, NOW))
    batches = timed("draw the loads", lambda: list(synthetic.batches(estate, facts, SEED, NOW)))
    readings = timed("merge the readings", lambda: merged(Readings(), ((0, b) for b in batches), forget_before=0.0))
    cluster = timed("assemble the snapshot", lambda: assemble(estate, facts, readings, Policy(), NOW))
    timed("write the file", lambda: snapshot_file.write(cluster, path))
    hosts, servers = len(cluster.hosts.names), len(cluster.vms.ids)
    print(f"{hosts:,} hosts, {servers:,} VMs, {path.stat().st_size / 2**20:.1f} MiB of JSON, peak {peak_mib():.0f} MiB")


def main() -> None:
    if sys.argv[1:2] == ["--load"]:
        timed("load and validate the file", lambda: snapshot_file.read(Path(sys.argv[2])))
        print(f"peak {peak_mib():.0f} MiB")
        return
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "cluster.json"
        make(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, path)
        sys.stdout.flush()
        subprocess.run([sys.executable, __file__, "--load", str(path)], check=True)


if __name__ == "__main__":
    main()

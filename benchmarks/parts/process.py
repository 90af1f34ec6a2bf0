"""What a command costs, and the lines of a table."""

import contextlib
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a command took: wall-clock and CPU seconds, MiB over all its processes; and what it printed."""

    seconds: float
    cpu_s: float
    mib: float
    said: str


def measured(command: Sequence[str], cwd: Path, env: dict[str, str], ok: Sequence[int] = (0,)) -> Cost:
    began, worked, peak = time.monotonic(), cpu_s(), 0.0
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        ended = threading.Event()
        threading.Thread(target=lambda: (process.wait(), ended.set()), daemon=True).start()
        while not ended.wait(SAMPLE_S):
            peak = max(peak, memory_mib(process.pid))
        seconds = time.monotonic() - began
        out.seek(0)
        said = out.read()
    if process.returncode not in ok:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}: {said[-3000:]}")
    return Cost(seconds=seconds, cpu_s=cpu_s() - worked, mib=peak, said=said)


def cpu_s() -> float:
    """CPU seconds of all processes that have ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory_mib(root: int) -> float:
    """Memory of a process and all below it, a page divided among those that share it (the kernel's Pss)."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(_share_kib(pid) for pid in family) / 2**10


def _share_kib(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)

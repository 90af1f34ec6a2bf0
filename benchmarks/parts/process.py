"""What a command costs, and the lines of a table."""

import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a command took: wall-clock and CPU seconds, MiB resident over all its processes; and what it printed."""

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
            peak = max(peak, resident_mib(process.pid))
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


def resident_mib(root: int) -> float:
    """Resident memory of a process and all below it; those in sessions of their own are below it, too."""
    parents: dict[int, int] = {}
    pages: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                pages[int(entry.name)] = int((entry / "statm").read_text().split()[1])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(pages.get(pid, 0) for pid in family) * os.sysconf("SC_PAGE_SIZE") / 2**20


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)

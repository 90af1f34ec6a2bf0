"""What a killed controller left running: only processes of the runs that nobody follows are ended."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from controller.adapters.ansible import processes
from controller.adapters.ansible.site import MARK


@contextmanager
def marked(run: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"], env={**os.environ, MARK: run}) as process:
        try:
            yield process
        finally:
            process.kill()


def test_processes_of_a_campaigns_runs_are_ended_and_no_others() -> None:
    mine = f"campaign-test{os.getpid()}-"
    with marked(f"{mine}c1-work-1") as left, marked(f"patch-{mine}c1") as other:
        processes.end(mine)
        assert left.wait(timeout=60) == -9
        assert other.poll() is None

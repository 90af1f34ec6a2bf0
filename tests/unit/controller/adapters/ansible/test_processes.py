"""What a killed controller left running: only processes of the runs that nobody follows are ended."""

import os

from controller.adapters.ansible import processes
from tests.fakes import marked


def test_processes_of_a_campaigns_runs_are_ended_and_no_others() -> None:
    mine = f"campaign-test{os.getpid()}-"
    with marked.process(f"{mine}c1-work-1") as left, marked.process(f"patch-{mine}c1") as other:
        processes.end(mine)
        assert left.wait(timeout=60) == -9
        assert other.poll() is None

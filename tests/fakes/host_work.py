"""Fakes around work on hosts."""

from controller.model.host_run import HostRun, HostRunId, HostRunState, HostStep, HostVerb
from controller.model.ids import HostName
from tests.fakes.journals import START


def host_run(run_id: str = "first", host: str = "c1") -> HostRun:
    """A reboot that was just begun."""
    return HostRun(
        id=HostRunId(run_id),
        host=HostName(host),
        verb=HostVerb.REBOOT,
        who="ann",
        since=START,
        step=HostStep.DRAIN,
        state=HostRunState.OPEN,
        changed_at=START,
    )

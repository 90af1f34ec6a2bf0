"""Runs that only look at hosts, over as many as there are: batch by batch, each with a time of its own.

A host that fails is counted by itself, and a batch that cannot be run costs no other its results.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from controller.engine.ports import Clock, Playbooks
from controller.errors import GdccError
from controller.model.playbook import HostResult, PlaybookResult, PlaybookRun, RunId, TaskEvent, TaskFailure

EACH_BY_ITSELF = {"max_failed_percentage": 100}
"""The playbooks' variable by which no host that fails breaks the others off, as a change must be; old ones lack it."""


async def results(
    playbooks: Playbooks, run: PlaybookRun, size: int, clock: Clock, progress: Callable[[TaskEvent], None]
) -> AsyncIterator[PlaybookResult]:
    """What each batch of at most `size` hosts said, in the run's order. Raises what the first one raises."""
    for number, batch in enumerate(_batches(run, size)):
        try:
            yield await playbooks.run(batch, progress)
        except GdccError as error:
            if not number:
                raise
            yield _unread(batch, error, clock)


def whole(run: PlaybookRun, parts: list[PlaybookResult]) -> PlaybookResult:
    """One result of all batches. A host that did not come to its end says why itself."""
    hosts = {host: _told(part, each) for part in parts for host, each in part.hosts.items()}
    stopped = next((part.stopped for part in parts if part.stopped is not None), None)
    return PlaybookResult(
        run=run, hosts=hosts, ended_at=parts[-1].ended_at, artifacts=parts[-1].artifacts, stopped=stopped
    )


def broken_off(result: PlaybookResult) -> str:
    """Why hosts did not come to their end that did not fail themselves."""
    failed = [host for host, each in result.hosts.items() if each.failure is not None]
    others = f"{', '.join(failed[:3])}{f' and {len(failed) - 3} more' if len(failed) > 3 else ''}" or "other hosts"
    return result.stopped or f"it was broken off, since {others} failed"


def _batches(run: PlaybookRun, size: int) -> list[PlaybookRun]:
    parts = [run.hosts[first : first + size] for first in range(0, len(run.hosts), size)]
    if len(parts) < 2:
        return [replace(run, where_known=EACH_BY_ITSELF)]
    return [
        replace(run, id=RunId(f"{run.id}-{number}"), hosts=hosts, where_known=EACH_BY_ITSELF)
        for number, hosts in enumerate(parts, start=1)
    ]


def _told(result: PlaybookResult, host: HostResult) -> HostResult:
    if host.ended or host.failure is not None:
        return host
    return replace(host, failure=TaskFailure(task="", said=broken_off(result)))


def _unread(run: PlaybookRun, error: GdccError, clock: Clock) -> PlaybookResult:
    failure = TaskFailure(task="", said=str(error))
    hosts = {host: HostResult(host=host, ended=False, ok=0, failure=failure) for host in run.hosts}
    return PlaybookResult(run=run, hosts=hosts, ended_at=clock.now(), artifacts="")

"""Ansible's events of one run, added up by host. Pure; what it is given has no secret in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from controller.adapters.ansible import diffs, said
from controller.model.ids import HostName
from controller.model.playbook import Change, HostResult, TaskEvent, TaskFailure, TaskStatus

_STATUS = {
    "runner_on_start": TaskStatus.STARTED,
    "runner_on_ok": TaskStatus.OK,
    "runner_on_failed": TaskStatus.FAILED,
    "runner_on_skipped": TaskStatus.SKIPPED,
    "runner_on_unreachable": TaskStatus.UNREACHABLE,
}
NOT_OF_A_TASK = frozenset({"verbose", "error", "system_warning", "warning"})
_SET_STATS = "set_stats"
_LONGEST_WORDS = 10
"""Lines of Ansible's own words that are quoted."""


@dataclass(slots=True)
class _Seen:
    ok: int = 0
    task: str = ""
    """The one that goes on now."""
    changes: list[Change] = field(default_factory=list)
    failure: TaskFailure | None = None
    facts: dict[str, object] = field(default_factory=dict)


_UNTOLD = TaskFailure(task="", said="Ansible counts it among its failures and does not say why")


class Tally:
    """Takes each event once, in order."""

    def __init__(self, hosts: Sequence[HostName], playbook: str) -> None:
        self._playbook = playbook
        self._hosts = {host: _Seen() for host in hosts}
        self._stats: Mapping[str, Any] | None = None
        self._broken_off = False
        self.lines: list[str] = []
        """What Ansible said outside of tasks, as its own errors."""

    @property
    def complete(self) -> bool:
        """Whether Ansible came to its end, well or not."""
        return self._stats is not None

    @property
    def words(self) -> str:
        """What Ansible said last outside of tasks, in one line."""
        return " ".join(line.strip() for line in self.lines[-_LONGEST_WORDS:] if line.strip())

    def take(self, event: Mapping[str, Any]) -> TaskEvent | None:
        """Adds one; what it tells of a host's task, None where it tells of something else."""
        kind, data = event.get("event"), event.get("event_data") or {}
        if kind in NOT_OF_A_TASK:
            self.lines += str(event.get("stdout") or "").splitlines()
        elif kind == "playbook_on_no_hosts_remaining":
            self._broken_off = True
        elif kind == "playbook_on_stats":
            self._stats = data
        seen = self._hosts.get(data.get("host", ""))
        if seen is None or kind not in _STATUS:
            return None
        task, result = _task(data), data.get("res") or {}
        status = _add(seen, _STATUS[kind], task, data)
        if data.get("task_action", "").endswith(_SET_STATS) and status in {TaskStatus.OK, TaskStatus.CHANGED}:
            stats = result.get("ansible_stats") or {}
            if stats.get("per_host"):
                seen.facts.update(stats.get("data") or {})
        at = datetime.fromisoformat(event["created"]) if "created" in event else datetime.now(UTC)
        return TaskEvent(host=HostName(data["host"]), task=task, status=status, at=_aware(at))

    def stopped_by(self, status: int | None) -> str | None:
        """Why a complete run has succeeded nowhere though all hosts came to their end: its exit status.

        `status` is None where a signal ended it. None is answered where all is well, or a host says why it is not.
        """
        if status == 0 or not all(result.succeeded for result in self.results().values()):
            return None
        said_last = f": {self.words}" if self.words else ""
        ended = "was killed" if status is None else f"ended with status {status}"
        return f"Ansible {ended} though no host failed{said_last}"

    def results(self, stopped: str | None = None) -> Mapping[HostName, HostResult]:
        """What came of every host; where the run was `stopped`, at which task (none succeeded then)."""
        return {host: self._result(host, seen, stopped) for host, seen in self._hosts.items()}

    def _result(self, host: HostName, seen: _Seen, stopped: str | None) -> HostResult:
        cut = TaskFailure(task=seen.task, said=stopped) if stopped else None
        failure = seen.failure or cut
        ended = self._stats is not None
        if self._stats is not None:
            lost = any((self._stats.get(name) or {}).get(host) for name in ("failures", "dark"))
            failure = (seen.failure or _UNTOLD) if lost else cut
            ended = lost or (host in self._stats["processed"] and not self._broken_off)
            if host not in self._stats["processed"]:
                failure = TaskFailure(task="", said=f"no play of {self._playbook} ran on this host")
        return HostResult(
            host=host, ended=ended, ok=seen.ok, changes=tuple(seen.changes), failure=failure, facts=seen.facts
        )


def _add(seen: _Seen, status: TaskStatus, task: str, data: Mapping[str, Any]) -> TaskStatus:
    """Counts one task's end; the status with CHANGED told from OK and an ignored failure as OK."""
    result = data.get("res") or {}
    seen.task = task if status is TaskStatus.STARTED else ""
    match status:
        case TaskStatus.UNREACHABLE:
            seen.failure = TaskFailure(task=task, said=said.unreachable(result), unreachable=True)
        case TaskStatus.FAILED if not data.get("ignore_errors"):
            seen.failure = TaskFailure(task=task, said=said.line(result))
        case TaskStatus.FAILED:
            return TaskStatus.OK
        case TaskStatus.OK:
            seen.ok += 1
            if result.get("changed"):
                seen.changes.append(Change(task=task, diff=diffs.text(result)))
                return TaskStatus.CHANGED
    return status


def _task(data: Mapping[str, Any]) -> str:
    """`role : task`, as Ansible shows it."""
    role, task = data.get("role"), str(data.get("task") or "")
    return f"{role} : {task}" if role and not task.startswith(f"{role} : ") else task


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)

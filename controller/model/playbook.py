"""One run of an Ansible playbook over some hosts: what is asked, what is seen while it goes on, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from controller.model.ids import HostName

RunId = NewType("RunId", str)
"""Names a run's folder of artifacts; one is never used twice."""

LONGEST_RUN_ID = 255
"""Characters of a `RunId`, as file systems take of a folder's name."""

Scalar = str | int | float | bool | None
Variable = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookRun:
    """`playbook` is a file of `playbooks/`. `check` changes nothing on the hosts and reports what would change.

    The values of the variables that `secrets` names are shown nowhere. `where_known`: variables that are given only
    where the playbooks know them, as older ones may not.
    """

    id: RunId
    playbook: str
    hosts: tuple[HostName, ...]
    timeout: timedelta
    tags: tuple[str, ...] = ()
    variables: Mapping[str, Variable] = field(default_factory=dict, repr=False)
    where_known: Mapping[str, Variable] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    check: bool = False


class TaskStatus(StrEnum):
    STARTED = "started"
    OK = "ok"
    CHANGED = "changed"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEvent:
    """One task on one host, as it began or ended."""

    host: HostName
    task: str
    status: TaskStatus
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailure:
    """Why a host failed: the task, and what it said in one line, secrets taken out."""

    task: str
    said: str
    unreachable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A task that changed something, or would have; `diff` is Ansible's, secrets taken out."""

    task: str
    diff: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostResult:
    """What came of one host. `ended` is False where the run stopped before its last task; `facts` are its set_stats."""

    host: HostName
    ended: bool
    ok: int
    changes: tuple[Change, ...] = ()
    failure: TaskFailure | None = None
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        return self.ended and self.failure is None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookResult:
    """Every host that was asked for has a result; `artifacts` is the folder of what the run left, secrets taken out.

    `stopped` says why it was cut short: its timeout.
    """

    run: PlaybookRun
    hosts: Mapping[HostName, HostResult]
    ended_at: datetime
    artifacts: str
    stopped: str | None = None

    @property
    def succeeded(self) -> bool:
        return self.stopped is None and all(result.succeeded for result in self.hosts.values())

"""What the engine needs of the world, as small protocols. Adapters and fakes follow them; a test holds both to it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from controller.model.cloud import CloudFacts, Guest, Migration, Port, Server, Service
from controller.model.extent import Peak
from controller.model.host_run import HostRun
from controller.model.ids import HostName, MoveId, PlanId, RequestId, ServerId
from controller.model.migration import Entry, Intent, Outcome, State
from controller.model.operation import Approval, Drain, Pause
from controller.model.plan import Plan
from controller.model.playbook import PlaybookResult, PlaybookRun, TaskEvent
from controller.model.policy import Scope
from controller.model.sample import Batch, Fault


class Clock(Protocol):
    """Time, so that tests can have their own."""

    def now(self) -> datetime:
        """The time, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow."""
        ...

    async def sleep(self, duration: timedelta) -> None: ...


class CloudReader(Protocol):
    """Reads; every call may be retried, and raises `TransientError` or `PermanentError`."""

    async def facts(self) -> CloudFacts:
        """Everything, paged, in one look."""
        ...

    async def server(self, server_id: ServerId) -> Server | None:
        """One server now; None where it was deleted."""
        ...

    async def servers_on(self, host: HostName) -> tuple[Server, ...]: ...

    async def service(self, host: HostName) -> Service | None: ...

    async def running_migrations(self) -> tuple[Migration, ...]:
        """Every migration that has not ended, whoever started it."""
        ...

    async def migrations_of(self, server_id: ServerId) -> tuple[Migration, ...]:
        """All records of one server, ended ones too, newest first."""
        ...

    async def migration(self, server_id: ServerId, migration_id: int) -> Migration | None:
        """One record by id, ended or not, with its memory counters while it runs."""
        ...

    async def ports_of(self, server_id: ServerId) -> tuple[Port, ...]: ...

    async def guest(self, server: Server) -> Guest:
        """The server's NUMA topology and its image's demands, read now and shown by `facts` from then on."""
        ...

    async def admits(self, server: Server, target: HostName) -> str | None:
        """Asks Placement for allocation candidates on that one target; None if it admits, else why not."""
        ...


class CloudWriter(Protocol):
    """Acts. No call that starts a migration is ever retried below this line.

    Each raises `RefusedError` for a clear no (nothing happened), `TransientError` with `sent` True where it cannot be
    known whether Nova took the request. None sends anything after it has ended: adoption takes a silence longer than
    `MigrationPolicy.request_timeout` after the deadline for "not sent". Whoever cancels one must end the process.

    `deadline` is looked at right before the request goes out: past it nothing is sent, and a `TransientError` with
    `sent` False is raised.
    """

    async def live_migrate(self, server_id: ServerId, target: HostName, *, deadline: datetime) -> RequestId: ...

    async def cold_migrate(self, server_id: ServerId, target: HostName, *, deadline: datetime) -> RequestId: ...

    async def confirm_resize(self, server_id: ServerId) -> RequestId: ...

    async def abort_migration(self, server_id: ServerId, migration_id: int) -> RequestId: ...

    async def force_complete(self, server_id: ServerId, migration_id: int) -> RequestId: ...

    async def disable_service(self, service: Service, reason: str) -> None: ...

    async def enable_service(self, service: Service) -> None: ...


class Cloud(CloudReader, CloudWriter, Protocol):
    """Both sides of one cloud."""


class Collector(Protocol):
    """A source of readings that polls at its own pace and is asked for what it has.

    `start` begins polling (a no-op for one that reads on demand); `collect` returns the newest batches and the faults
    since the last call, never waits longer than `deadline`, and never raises for a source that is down (a fault).
    """

    name: str

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def collect(self, deadline: timedelta) -> tuple[Sequence[Batch], Sequence[Fault]]: ...


class Journal(Protocol):
    """What must not be forgotten. Every call commits before it returns, or raises `TransientError` (locked, full disk).

    Synchronous on purpose: the line after `intend` may act, and nothing runs between.
    """

    def intend(self, intent: Intent) -> None:
        """Commits a new intent in state INTENDED.

        Raises `RefusedError` (rule `open-intent`) when the server has an open one, (rule `epoch`) when a newer leader
        has written, (rule `known-move`) when a move of this id was made before.
        """
        ...

    def advance(
        self,
        move_id: MoveId,
        state: State,
        at: datetime,
        *,
        migration_id: int | None = None,
        request_id: RequestId | None = None,
    ) -> Entry:
        """Commits the next state; `InvariantError` where `migration.NEXT` has no such step."""
        ...

    def aborting(self, move_id: MoveId, rule: str) -> None:
        """Commits why a move is to be aborted, before that is asked of Nova."""
        ...

    def close(self, move_id: MoveId, outcome: Outcome) -> Entry: ...

    def entry(self, move_id: MoveId) -> Entry | None: ...

    def open_entries(self) -> tuple[Entry, ...]:
        """Those without an outcome, oldest first."""
        ...

    def entries_since(self, since: datetime) -> tuple[Entry, ...]:
        """All created since then, oldest first."""
        ...

    def failures_since(self, since: datetime) -> tuple[Outcome, ...]:
        """Outcomes FAILED, ABORTED and LOST that ended after `since`, oldest first."""
        ...

    def open_epoch(self, who: str, at: datetime) -> int:
        """Begins a new leader's time and returns its epoch, greater than every earlier one."""
        ...

    def save_plan(self, plan: Plan) -> None: ...

    def plan(self, plan_id: PlanId) -> Plan | None: ...

    def newest_plan(self) -> Plan | None: ...

    def approve(self, approval: Approval) -> None: ...

    def approvals(self) -> tuple[Approval, ...]: ...

    def pause(self, pause: Pause) -> None: ...

    def resume(self, scope: Scope | None, who: str, at: datetime) -> bool:
        """Ends the pause of exactly that scope; False where there was none."""
        ...

    def pauses(self) -> tuple[Pause, ...]: ...

    def paused(self, since: datetime, until: datetime) -> timedelta:
        """How long everything (scope None) was paused between the two."""
        ...

    def resumed_at(self) -> datetime | None:
        """When an operator last resumed everywhere (scope None), paused or not; None if never."""
        ...

    def save_drain(self, drain: Drain) -> None:
        """Inserts or replaces by id."""
        ...

    def drains(self) -> tuple[Drain, ...]:
        """Those not ENDED, oldest first."""
        ...

    def learn(self, server_id: ServerId, target: HostName, rule: str, until: datetime) -> None: ...

    def refusals(self, now: datetime) -> tuple[tuple[ServerId, HostName, str, datetime], ...]: ...

    def save_peaks(self, peaks: Sequence[Peak]) -> None:
        """Keeps these and forgets all others."""
        ...

    def peaks(self) -> tuple[Peak, ...]:
        """As they were saved last, oldest first."""
        ...

    @property
    def host_runs(self) -> "HostRuns": ...

    def note(self, at: datetime, who: str, what: str) -> None:
        """The audit log: who did what, in a sentence."""
        ...

    def notes(self, since: datetime) -> tuple[tuple[datetime, str, str], ...]: ...


class HostRuns(Protocol):
    """What was done to hosts by playbooks, in the journal; commits and raises as `Journal` does."""

    def begin(self, run: HostRun) -> None:
        """Commits a new run.

        Raises `RefusedError` when its host has an open one (rule `host-run-open`), or an open campaign has the host
        under way (rule `host-in-campaign`).
        """
        ...

    def save(self, run: HostRun) -> None:
        """Replaces it by id; `RefusedError` (rule `unknown-host-run`) where there is none."""
        ...

    def open_runs(self) -> tuple[HostRun, ...]:
        """Those that have not ended, oldest first."""
        ...

    def runs_since(self, since: datetime) -> tuple[HostRun, ...]:
        """All begun since then, oldest first."""
        ...


class Playbooks(Protocol):
    """Runs Ansible playbooks against hosts."""

    async def run(
        self,
        run: PlaybookRun,
        progress: Callable[[TaskEvent], None],
        ready: Callable[[], Awaitable[None]] | None = None,
    ) -> PlaybookResult:
        """Runs to the end; a host that fails is a result, not an error. Cancelling it ends Ansible's processes.

        It may have to wait for others to end. `ready` is awaited right before it begins, waited or not, and what it
        raises is raised: then nothing was begun. A run's time begins when it need wait no more.

        Raises `InputError` where the playbook, a host or a variable is not known, or the vault's password is missing;
        `PermanentError` where Ansible itself could not run.
        """
        ...

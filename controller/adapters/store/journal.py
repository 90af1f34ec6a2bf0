"""The journal: `engine.ports.Journal` over a database. Each call is one transaction, committed when it returns."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Self

from sqlalchemy import Connection, Engine

from controller.adapters.store import engine as engines
from controller.adapters.store import failures, moves, operations, plans, schema
from controller.adapters.store.campaigns import SqlCampaigns
from controller.adapters.store.host_runs import SqlHostRuns
from controller.adapters.store.lock import Lock
from controller.model.extent import Peak
from controller.model.ids import HostName, MoveId, PlanId, RequestId, ServerId
from controller.model.migration import Entry, Intent, Outcome, State
from controller.model.operation import Approval, Drain, Pause
from controller.model.plan import Plan
from controller.model.policy import Scope


class SqlJournal:
    """See `engine.ports.Journal`. Made by `open_journal`; `close_store` gives its connections back.

    Every call raises `TransientError` (locked, full disk, server away) or `PermanentError` (read-only, corrupted).
    """

    def __init__(self, engine: Engine, where: str, require_lock: Callable[[], None] = lambda: None) -> None:
        """`require_lock` is called before each transaction, and raises where this process may not write any more."""
        self._engine = engine
        self._where = where
        self._require_lock = require_lock
        self.host_runs = SqlHostRuns(self._transaction)
        self.campaigns = SqlCampaigns(self._transaction)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_store()

    def close_store(self) -> None:
        """Closes every connection; the journal's file is whole at any time, with or without it."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        self._require_lock()
        with failures.translated(self._where), self._engine.begin() as connection:
            yield connection

    def intend(self, intent: Intent) -> None:
        with self._transaction() as connection:
            moves.intend(connection, intent)

    def advance(
        self,
        move_id: MoveId,
        state: State,
        at: datetime,
        *,
        migration_id: int | None = None,
        request_id: RequestId | None = None,
    ) -> Entry:
        with self._transaction() as connection:
            return moves.advance(connection, move_id, state, at, migration_id=migration_id, request_id=request_id)

    def aborting(self, move_id: MoveId, rule: str) -> None:
        with self._transaction() as connection:
            moves.aborting(connection, move_id, rule)

    def close(self, move_id: MoveId, outcome: Outcome) -> Entry:
        with self._transaction() as connection:
            return moves.close(connection, move_id, outcome)

    def entry(self, move_id: MoveId) -> Entry | None:
        with self._transaction() as connection:
            return moves.entry(connection, move_id)

    def open_entries(self) -> tuple[Entry, ...]:
        with self._transaction() as connection:
            return moves.open_entries(connection)

    def entries_since(self, since: datetime) -> tuple[Entry, ...]:
        with self._transaction() as connection:
            return moves.entries_since(connection, since)

    def failures_since(self, since: datetime) -> tuple[Outcome, ...]:
        with self._transaction() as connection:
            return moves.failures_since(connection, since)

    def open_epoch(self, who: str, at: datetime) -> int:
        with self._transaction() as connection:
            return moves.open_epoch(connection, who, at)

    def save_plan(self, plan: Plan) -> None:
        with self._transaction() as connection:
            plans.save_plan(connection, plan)

    def plan(self, plan_id: PlanId) -> Plan | None:
        with self._transaction() as connection:
            return plans.plan(connection, plan_id)

    def newest_plan(self) -> Plan | None:
        with self._transaction() as connection:
            return plans.newest_plan(connection)

    def approve(self, approval: Approval) -> None:
        with self._transaction() as connection:
            plans.approve(connection, approval)

    def approvals(self) -> tuple[Approval, ...]:
        with self._transaction() as connection:
            return plans.all_approvals(connection)

    def pause(self, pause: Pause) -> None:
        with self._transaction() as connection:
            operations.pause(connection, pause)

    def resume(self, scope: Scope | None, who: str, at: datetime) -> bool:
        with self._transaction() as connection:
            return operations.resume(connection, scope, who, at)

    def pauses(self) -> tuple[Pause, ...]:
        with self._transaction() as connection:
            return operations.all_pauses(connection)

    def resumed_at(self) -> datetime | None:
        with self._transaction() as connection:
            return operations.resumed_at(connection)

    def paused(self, since: datetime, until: datetime) -> timedelta:
        with self._transaction() as connection:
            return operations.paused(connection, since, until)

    def save_drain(self, drain: Drain) -> None:
        with self._transaction() as connection:
            operations.save_drain(connection, drain)

    def drains(self) -> tuple[Drain, ...]:
        with self._transaction() as connection:
            return operations.open_drains(connection)

    def learn(self, server_id: ServerId, target: HostName, rule: str, until: datetime) -> None:
        with self._transaction() as connection:
            operations.learn(connection, server_id, target, rule, until)

    def refusals(self, now: datetime) -> tuple[tuple[ServerId, HostName, str, datetime], ...]:
        with self._transaction() as connection:
            return operations.refusals_at(connection, now)

    def save_peaks(self, peaks: Sequence[Peak]) -> None:
        with self._transaction() as connection:
            operations.save_peaks(connection, peaks)

    def peaks(self) -> tuple[Peak, ...]:
        with self._transaction() as connection:
            return operations.all_peaks(connection)

    def note(self, at: datetime, who: str, what: str) -> None:
        with self._transaction() as connection:
            operations.note(connection, at, who, what)

    def notes(self, since: datetime) -> tuple[tuple[datetime, str, str], ...]:
        with self._transaction() as connection:
            return operations.notes_since(connection, since)


def open_journal(url: str, *, read_only: bool = False, lock: Lock | None = None) -> SqlJournal:
    """Opens a journal whose tables are this program's (see `schema.upgrade`).

    To write, hold its `lock`, which each transaction then requires; `read_only` needs none and writes nothing. Raises
    `InputError` for a bad address, `PermanentError` for another schema, and what `SqlJournal` raises.
    """
    address = engines.journal_url(url)
    with ExitStack() as unless_current:
        engine = engines.open_engine(address, read_only=read_only)
        unless_current.callback(engine.dispose)
        schema.require_current(engine, engines.place(address))
        unless_current.pop_all()
    if lock is None:
        return SqlJournal(engine, engines.place(address))
    return SqlJournal(engine, engines.place(address), lock.require)

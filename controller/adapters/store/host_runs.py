"""Runs of `gdcc host` in the journal: `engine.ports.HostRuns`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from controller.adapters.store.tables import host_runs
from controller.errors import RefusedError
from controller.model.host_run import HostRun, HostRunId, HostRunState, HostStep, HostVerb
from controller.model.ids import HostName


class SqlHostRuns:
    """Each call is one transaction, and raises what `journal.SqlJournal` raises."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._transaction = transaction

    def begin(self, run: HostRun) -> None:
        held = select(host_runs.c.id).where(host_runs.c.host == run.host, host_runs.c.state == HostRunState.OPEN.value)
        with self._transaction() as connection:
            other = connection.execute(held).scalar()
            if other is not None:
                raise RefusedError(f"run {other} of this host is open", rule="host-run-open", where=run.host)
            connection.execute(insert(host_runs).values(asdict(run)))

    def save(self, run: HostRun) -> None:
        with self._transaction() as connection:
            saved = connection.execute(update(host_runs).where(host_runs.c.id == run.id).values(asdict(run)))
            if not saved.rowcount:
                raise RefusedError("no run of this id is in the journal", rule="unknown-host-run", where=run.id)

    def open_runs(self) -> tuple[HostRun, ...]:
        query = select(host_runs).where(host_runs.c.state == HostRunState.OPEN.value)
        return self._read(query.order_by(host_runs.c.since, host_runs.c.id))

    def runs_since(self, since: datetime) -> tuple[HostRun, ...]:
        query = select(host_runs).where(host_runs.c.since >= since)
        return self._read(query.order_by(host_runs.c.since, host_runs.c.id))

    def _read(self, query: Any) -> tuple[HostRun, ...]:
        with self._transaction() as connection:
            return tuple(_run(row) for row in connection.execute(query))


def _run(row: Row[Any]) -> HostRun:
    return HostRun(
        id=HostRunId(row.id),
        host=HostName(row.host),
        verb=HostVerb(row.verb),
        who=row.who,
        since=row.since,
        step=HostStep(row.step),
        state=HostRunState(row.state),
        changed_at=row.changed_at,
        drained=row.drained,
        boot_id=row.boot_id,
        said=row.said,
        artifacts=row.artifacts,
    )

"""Runs of `gdcc host` in the journal: `engine.ports.HostRuns`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from controller.adapters.store.tables import campaign_hosts, campaigns, host_runs
from controller.errors import RefusedError
from controller.model.campaign import HostState
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
            campaign = connection.execute(_worked_on_by(run.host)).scalar()
            if campaign is not None:
                what, remedy = f"campaign {campaign} works on it", f"see gdcc campaign show {campaign}"
                raise RefusedError(what, rule="host-in-campaign", where=run.host, remedy=remedy)
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


def _worked_on_by(host: HostName) -> Select[tuple[str]]:
    """The open campaign that has the host under way."""
    joined = select(campaign_hosts.c.campaign).join(campaigns, campaigns.c.id == campaign_hosts.c.campaign)
    return joined.where(
        campaigns.c.open, campaign_hosts.c.host == host, campaign_hosts.c.state == HostState.UNDER_WAY.value
    )


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

"""Pauses, drains, refusals, extents and notes in the journal. Functions of a connection; `journal` commits."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, delete, insert, select, update

from controller.adapters.store.tables import drains, extents, notes, pauses, refusals, resumptions
from controller.errors import RefusedError
from controller.model.extent import Extent, Peak
from controller.model.ids import HostName, ServerId
from controller.model.operation import Drain, DrainState, Holdout, Pause
from controller.model.policy import Scope, ScopeKind

_HOLDOUTS = TypeAdapter(tuple[Holdout, ...])

_RESUMED_AT = select(resumptions.c.at).where(resumptions.c.scope_kind == "").order_by(resumptions.c.at.desc()).limit(1)
_PAUSES = select(pauses).where(pauses.c.ended_at.is_(None)).order_by(pauses.c.n)
_OPEN_DRAINS = select(drains).where(drains.c.state != DrainState.ENDED.value).order_by(drains.c.since, drains.c.id)
_PEAKS = select(extents).order_by(extents.c.since)


def pause(connection: Connection, asked: Pause) -> None:
    """Begins a pause; one of the same scope that still holds ends, and this one takes its place."""
    _end_pause(connection, asked.scope, asked.who, asked.since)
    kind, name = _scope_columns(asked.scope)
    connection.execute(
        insert(pauses).values(scope_kind=kind, scope_name=name, who=asked.who, why=asked.why, since=asked.since)
    )


def resume(connection: Connection, scope: Scope | None, who: str, at: datetime) -> bool:
    kind, name = _scope_columns(scope)
    connection.execute(insert(resumptions).values(scope_kind=kind, scope_name=name, who=who, at=at))
    return _end_pause(connection, scope, who, at)


def resumed_at(connection: Connection) -> datetime | None:
    at: datetime | None = connection.execute(_RESUMED_AT).scalar()
    return at


def all_pauses(connection: Connection) -> tuple[Pause, ...]:
    rows = connection.execute(_PAUSES)
    return tuple(Pause(scope=_scope(row), who=row.who, why=row.why, since=row.since) for row in rows)


def paused(connection: Connection, since: datetime, until: datetime) -> timedelta:
    overlaps = (pauses.c.since < until, pauses.c.ended_at.is_(None) | (pauses.c.ended_at > since))
    rows = connection.execute(select(pauses.c.since, pauses.c.ended_at).where(pauses.c.scope_kind == "", *overlaps))
    return sum((min(row.ended_at or until, until) - max(row.since, since) for row in rows), timedelta(0))


def save_drain(connection: Connection, drain: Drain) -> None:
    """Inserts or replaces by id; a host has one drain that is not ENDED."""
    other = select(drains.c.who, drains.c.why).where(
        drains.c.host == drain.host, drains.c.id != drain.id, drains.c.state != DrainState.ENDED.value
    )
    held = connection.execute(other).first()
    if held is not None and drain.state is not DrainState.ENDED:
        what = f"a drain of it by {held.who} is under way: {held.why}"
        raise RefusedError(
            what, rule="already-draining", where=drain.host, remedy=f"gdcc enable {drain.host} ends that"
        )
    connection.execute(delete(drains).where(drains.c.id == drain.id))
    connection.execute(
        insert(drains).values(
            id=drain.id,
            host=drain.host,
            who=drain.who,
            why=drain.why,
            keep_shutoff=drain.keep_shutoff,
            since=drain.since,
            state=drain.state.value,
            holdouts=_HOLDOUTS.dump_json(drain.holdouts).decode(),
        )
    )


def open_drains(connection: Connection) -> tuple[Drain, ...]:
    return tuple(_drain(row) for row in connection.execute(_OPEN_DRAINS))


def learn(connection: Connection, server_id: ServerId, target: HostName, rule: str, until: datetime) -> None:
    """Keeps the newest refusal of this server on this target."""
    connection.execute(delete(refusals).where(refusals.c.server_id == server_id, refusals.c.target == target))
    connection.execute(insert(refusals).values(server_id=server_id, target=target, rule=rule, until=until))


def refusals_at(connection: Connection, now: datetime) -> tuple[tuple[ServerId, HostName, str, datetime], ...]:
    query = select(refusals).where(refusals.c.until > now).order_by(refusals.c.server_id, refusals.c.target)
    rows = connection.execute(query)
    return tuple((ServerId(row.server_id), HostName(row.target), row.rule, row.until) for row in rows)


def save_peaks(connection: Connection, peaks: Sequence[Peak]) -> None:
    """Keeps these and no others."""
    connection.execute(delete(extents))
    rows = [{"since": peak.since, "expected_hosts": peak.extent.expected_hosts, "hosts": peak.extent.hosts,
             "vms": peak.extent.vms} for peak in peaks]  # fmt: skip
    if rows:
        connection.execute(insert(extents), rows)


def all_peaks(connection: Connection) -> tuple[Peak, ...]:
    rows = connection.execute(_PEAKS)
    return tuple(
        Peak(since=row.since, extent=Extent(expected_hosts=row.expected_hosts, hosts=row.hosts, vms=row.vms))
        for row in rows
    )


def note(connection: Connection, at: datetime, who: str, what: str) -> None:
    connection.execute(insert(notes).values(at=at, who=who, what=what))


def notes_since(connection: Connection, since: datetime) -> tuple[tuple[datetime, str, str], ...]:
    rows = connection.execute(select(notes).where(notes.c.at >= since).order_by(notes.c.n))
    return tuple((row.at, row.who, row.what) for row in rows)


def _end_pause(connection: Connection, scope: Scope | None, who: str, at: datetime) -> bool:
    kind, name = _scope_columns(scope)
    held = (pauses.c.scope_kind == kind, pauses.c.scope_name == name, pauses.c.ended_at.is_(None))
    ended = connection.execute(update(pauses).where(*held).values(ended_at=at, ended_by=who))
    return ended.rowcount > 0


def _scope_columns(scope: Scope | None) -> tuple[str, str]:
    return ("", "") if scope is None else (scope.kind.value, scope.name)


def _scope(row: Row[Any]) -> Scope | None:
    return Scope(kind=ScopeKind(row.scope_kind), name=row.scope_name) if row.scope_kind else None


def _drain(row: Row[Any]) -> Drain:
    return Drain(
        id=row.id,
        host=HostName(row.host),
        who=row.who,
        why=row.why,
        keep_shutoff=row.keep_shutoff,
        since=row.since,
        state=DrainState(row.state),
        holdouts=_HOLDOUTS.validate_json(row.holdouts),
    )

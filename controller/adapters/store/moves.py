"""Moves in the journal: the one table whose every step is checked. Functions of a connection; `journal` commits."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from controller.adapters.store.tables import epochs, moves
from controller.errors import InvariantError, RefusedError
from controller.model.ids import HostName, MoveId, RequestId, ServerId
from controller.model.migration import NEXT, OPEN_STATES, Entry, Intent, Outcome, State

_FAILURES = (State.FAILED, State.ABORTED, State.LOST)
_OPEN = sorted(state.value for state in OPEN_STATES)

_OPEN_ENTRIES = select(moves).where(moves.c.state.in_(_OPEN)).order_by(moves.c.created_at, moves.c.id)
_BEGUN_EPOCH = select(func.max(epochs.c.epoch))
_WRITTEN_EPOCH = select(func.max(moves.c.epoch))


def intend(connection: Connection, intent: Intent) -> None:
    """Inserts a new intent, refused where the epoch is old, the id is taken or the server has an open one."""
    newest = newest_epoch(connection)
    if intent.epoch < newest:
        raise RefusedError(
            f"epoch {intent.epoch} is over: a newer leader has epoch {newest}", rule="epoch", where=intent.id
        )
    held = _open_of(connection, intent.server_id)
    if held is not None:
        raise RefusedError(
            f"{intent.server_name} has an open move already: {held[0]}, {held[1]}",
            rule="open-intent",
            where=intent.id,
        )
    if entry(connection, intent.id) is not None:
        raise RefusedError("a move of this id was made before", rule="known-move", where=intent.id)
    connection.execute(insert(moves).values(_columns(intent)))


def advance(
    connection: Connection,
    move_id: MoveId,
    state: State,
    at: datetime,
    *,
    migration_id: int | None = None,
    request_id: RequestId | None = None,
) -> Entry:
    """Writes the next state and, where given, Nova's ids."""
    if state not in OPEN_STATES:
        raise InvariantError(f"{state} is an end and needs an outcome", where=move_id)
    values: dict[str, Any] = {"state": state.value, "changed_at": at}
    if migration_id is not None:
        values["migration_id"] = migration_id
    if request_id is not None:
        values["request_id"] = request_id
    return _step(connection, move_id, state, values)


def aborting(connection: Connection, move_id: MoveId, rule: str) -> None:
    """Writes why a move is to be aborted; nothing where it has ended."""
    wanted = update(moves).where(moves.c.id == move_id, moves.c.state.in_(_OPEN))
    connection.execute(wanted.values(abort_rule=rule))


def close(connection: Connection, move_id: MoveId, outcome: Outcome) -> Entry:
    """Writes the end of a move."""
    if outcome.state in OPEN_STATES:
        raise InvariantError(f"{outcome.state} is not an end", where=move_id)
    values = {
        "state": outcome.state.value,
        "changed_at": outcome.ended_at,
        "outcome_why": outcome.why,
        "outcome_rule": outcome.rule,
        "ended_at": outcome.ended_at,
        "seconds": outcome.seconds,
        "copied_bytes": outcome.copied_bytes,
        "blackout_s": _seconds(outcome.blackout_estimate),
    }
    return _step(connection, move_id, outcome.state, values)


def entry(connection: Connection, move_id: MoveId) -> Entry | None:
    row = connection.execute(select(moves).where(moves.c.id == move_id)).one_or_none()
    return None if row is None else _entry(row)


def open_entries(connection: Connection) -> tuple[Entry, ...]:
    return tuple(_entry(row) for row in connection.execute(_OPEN_ENTRIES))


def entries_since(connection: Connection, since: datetime) -> tuple[Entry, ...]:
    query = select(moves).where(moves.c.created_at >= since).order_by(moves.c.created_at, moves.c.id)
    return tuple(_entry(row) for row in connection.execute(query))


def failures_since(connection: Connection, since: datetime) -> tuple[Outcome, ...]:
    states = [state.value for state in _FAILURES]
    query = select(moves).where(moves.c.ended_at > since, moves.c.state.in_(states)).order_by(moves.c.ended_at)
    return tuple(_outcome(row) for row in connection.execute(query))


def newest_epoch(connection: Connection) -> int:
    """The greatest epoch that any leader began or wrote under, 0 for none."""
    begun = connection.execute(_BEGUN_EPOCH).scalar()
    written = connection.execute(_WRITTEN_EPOCH).scalar()
    return max(begun or 0, written or 0)


def open_epoch(connection: Connection, who: str, at: datetime) -> int:
    epoch = newest_epoch(connection) + 1
    connection.execute(insert(epochs).values(epoch=epoch, who=who, at=at))
    return epoch


def _step(connection: Connection, move_id: MoveId, state: State, values: dict[str, Any]) -> Entry:
    before = entry(connection, move_id)
    if before is None:
        raise InvariantError(f"no move of this id is in the journal, and it should become {state}", where=move_id)
    if state not in NEXT.get(before.state, frozenset()):
        raise InvariantError(f"a move that is {before.state} cannot become {state}", where=move_id)
    connection.execute(update(moves).where(moves.c.id == move_id).values(values))
    after = entry(connection, move_id)
    assert after is not None
    return after


def _open_of(connection: Connection, server_id: ServerId) -> tuple[str, str] | None:
    query = select(moves.c.id, moves.c.state).where(moves.c.server_id == server_id, moves.c.state.in_(_OPEN))
    row = connection.execute(query).first()
    return None if row is None else (row.id, row.state)


def _columns(intent: Intent) -> dict[str, Any]:
    return {
        "id": intent.id,
        "origin": intent.origin,
        "server_id": intent.server_id,
        "server_name": intent.server_name,
        "source": intent.source,
        "target": intent.target,
        "cold": intent.cold,
        "rule": intent.rule,
        "why": intent.why,
        "system": intent.system,
        "agency": intent.agency,
        "created_at": intent.created_at,
        "deadline": intent.deadline,
        "epoch": intent.epoch,
        "last_migration_id": intent.last_migration_id,
        "force_after_s": _seconds(intent.force_complete_after),
        "state": State.INTENDED.value,
        "changed_at": intent.created_at,
    }


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _entry(row: Row[Any]) -> Entry:
    state = State(row.state)
    return Entry(
        intent=_intent(row),
        state=state,
        changed_at=row.changed_at,
        migration_id=row.migration_id,
        request_id=row.request_id,
        abort_rule=row.abort_rule or "",
        outcome=None if state in OPEN_STATES else _outcome(row),
    )


def _intent(row: Row[Any]) -> Intent:
    return Intent(
        id=MoveId(row.id),
        origin=row.origin,
        server_id=ServerId(row.server_id),
        server_name=row.server_name,
        source=HostName(row.source),
        target=HostName(row.target),
        cold=row.cold,
        rule=row.rule,
        why=row.why,
        system=row.system,
        agency=row.agency,
        created_at=row.created_at,
        deadline=row.deadline,
        epoch=row.epoch,
        last_migration_id=row.last_migration_id,
        force_complete_after=None if row.force_after_s is None else timedelta(seconds=row.force_after_s),
    )


def _outcome(row: Row[Any]) -> Outcome:
    return Outcome(
        state=State(row.state),
        why=row.outcome_why,
        ended_at=row.ended_at,
        seconds=row.seconds,
        copied_bytes=row.copied_bytes,
        blackout_estimate=None if row.blackout_s is None else timedelta(seconds=row.blackout_s),
        rule=row.outcome_rule,
    )

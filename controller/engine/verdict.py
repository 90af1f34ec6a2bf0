"""What one look at a move under way means: wait, write the next state, act, or write the end. Pure.

The law: nothing is concluded from silence. An end is written only when Nova's own record has ended, or when the server
is gone, or when no request of ours can be on its way any more and Nova shows no trace of one. Where Nova contradicts
itself for too long the move is LOST: a person must look.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from controller.engine.copying import Copying
from controller.model.cloud import FAILED_MIGRATION_STATUSES, Migration, Port, Server
from controller.model.ids import HostName
from controller.model.migration import OPERATOR_ABORT, Entry, State
from controller.model.policy import MigrationPolicy

COMPLETED = frozenset({"completed", "confirmed"})
"""Record statuses of a migration that ended well, by its own word: live, cold."""
ENDED = COMPLETED | FAILED_MIGRATION_STATUSES | {"reverted"}
"""Record statuses that do not change any more."""
ABORTABLE = frozenset({"queued", "preparing", "running"})
"""Record statuses in which Nova aborts a live migration."""


class Wait(Enum):
    """Nothing to do before the next look."""

    WAIT = "wait"


class Act(Enum):
    """Something to ask of Nova; the next look tells whether it came of it."""

    ABORT = "abort"
    FORCE = "force"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next state to write, and Nova's record where it was found just now."""

    state: State
    migration_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The end to write. `rule` is empty for a success."""

    state: State
    rule: str
    why: str


Verdict = Wait | Act | Step | End

_ERROR_SHOWS_WITHIN = 2
"""Polls. Nova writes that a record is in error before it puts the server into ERROR, where it does so at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What Nova showed. `at` is when reading began, and the server was read before the record.

    `record` is the move's own; `later` says that the server has a newer one. `ports` are None where not read: before
    the move is verified, or by an account that may not.
    """

    at: datetime
    server: Server | None
    record: Migration | None
    later: bool = False
    ports: tuple[Port, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the looks so far add up to.

    `since`: the first look of this process, since the journal's own times may be from before a long stop.
    `copying`: how the memory comes along, None without counters; `copied_at`: when bytes were last seen to be copied.
    `ended_at`: the first look at which the record had ended. `abort_at`, `force_at`: when those were last asked for;
    `abort_rule`: why; `force_left`: the bytes that were left then; `failed_at`: when Nova could not be reached for it.
    """

    since: datetime
    copying: Copying | None = None
    processed_bytes: int | None = None
    ended_at: datetime | None = None
    abort_at: datetime | None = None
    abort_rule: str = ""
    force_at: datetime | None = None
    force_left: int | None = None
    failed_at: datetime | None = None
    copied_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forcing:
    """When a copy may be forced to its end: `stalled`, where its tier or agency allows that; `planned` so long after
    its intent was written, and until then it is not taken to be stalled as long as anything is copied: a link that
    carries nothing is no reason to pause a guest, or to send it over. None where it is not, or is barred by now.
    """

    stalled: bool = False
    planned: timedelta | None = None


def judge(entry: Entry, look: Look, watched: Watched, policy: MigrationPolicy, forcing: Forcing) -> Verdict:
    """The verdict on an open entry."""
    match entry.state:
        case State.INTENDED:
            return _judge_intended(entry, look, policy)
        case State.SENT:
            return _judge_sent(entry, look, watched, policy)
        case State.RUNNING:
            return _judge_running(entry, look, watched, policy, forcing)
        case _:
            return _judge_verifying(entry, look, watched, policy)


def abort_reason(entry: Entry, look: Look, watched: Watched, policy: MigrationPolicy) -> str | None:
    """The rule by which a migration that is still under way should be aborted, None where it should not."""
    if look.at - entry.intent.created_at > policy.give_up_after:
        return "too-long"
    return "stalled" if _stalled(look, watched, policy) else None


def _judge_intended(entry: Entry, look: Look, policy: MigrationPolicy) -> Verdict:
    """Was it sent? Only after every request has ended can "no trace" mean no."""
    intent, server = entry.intent, look.server
    if look.record is not None:
        return Step(state=State.RUNNING, migration_id=look.record.id)
    if look.at <= intent.deadline + policy.request_timeout:
        return Wait.WAIT
    if server is None:
        return End(state=State.NOT_SENT, rule="server-deleted", why=f"{intent.server_name} was deleted")
    if server.task_state is not None:
        return Wait.WAIT
    if server.host == intent.target:
        return _lost(entry, f"it stands on {server.host}, but Nova shows no migration that took it there")
    return End(
        state=State.NOT_SENT,
        rule="no-trace",
        why="its deadline and the request's timeout have passed, no task is under way and Nova has no record of it",
    )


def _judge_sent(entry: Entry, look: Look, watched: Watched, policy: MigrationPolicy) -> Verdict:
    """Nova took the request; its record appears when a conductor gets to it, and until then the task state stands."""
    intent, server = entry.intent, look.server
    if look.record is not None:
        return Step(state=State.RUNNING, migration_id=look.record.id)
    if server is None:
        return _failed("server-deleted", f"{intent.server_name} was deleted")
    if server.task_state is not None and look.at - watched.since > _patience(entry, policy):
        return _lost(entry, f"Nova took the request and shows task {server.task_state}, but no record of it")
    if server.task_state is not None or look.at - entry.changed_at <= policy.request_timeout:
        return Wait.WAIT
    if server.host == intent.target:
        return _lost(entry, f"it stands on {server.host}, but Nova shows no migration that took it there")
    return _failed("no-record", "Nova took the request, and then ended it without a record of a migration")


def _judge_running(entry: Entry, look: Look, watched: Watched, policy: MigrationPolicy, forcing: Forcing) -> Verdict:
    record, server = look.record, look.server
    if record is not None and record.status in COMPLETED:
        return Step(state=State.VERIFYING)
    if server is None:
        return _failed("server-deleted", f"{entry.intent.server_name} was deleted while it moved")
    if record is not None and record.status in ENDED:
        return _judge_failed(entry, look, server, watched, policy)
    if look.at - watched.since > _patience(entry, policy):
        status = "no record any more" if record is None else f"its record as {record.status}"
        return _lost(entry, f"after {_patience(entry, policy)} Nova still shows {status}")
    if entry.intent.cold:
        return _judge_cold(entry, record, server)
    return _judge_pace(entry, look, watched, policy, forcing)


def _judge_cold(entry: Entry, record: Migration | None, server: Server) -> Verdict:
    """A cold migration that has arrived waits for its confirmation, which gives the old host's room back."""
    finished = record is not None and record.status == "finished"
    arrived = server.status == "VERIFY_RESIZE" and server.host == entry.intent.target and server.task_state is None
    return Act.CONFIRM if finished and arrived else Wait.WAIT


def _judge_pace(entry: Entry, look: Look, watched: Watched, policy: MigrationPolicy, forcing: Forcing) -> Verdict:
    """Nothing is asked twice within `stall_after`: Nova gets time to do it, and may refuse it too."""
    record = look.record
    if record is None or record.status not in ABORTABLE:
        return Wait.WAIT
    if any(_recent(at, look, policy) for at in (watched.abort_at, watched.force_at, watched.failed_at)):
        return Wait.WAIT
    reason = watched.abort_rule or abort_reason(entry, look, watched, policy)
    forceable = record.status == "running" and _recent(watched.copied_at, look, policy) and watched.force_at is None
    if reason in {None, "stalled"} and forceable and forcing.planned is not None:
        return Act.FORCE if look.at - entry.intent.created_at >= forcing.planned else Wait.WAIT
    if reason is None:
        return Wait.WAIT
    if reason == "stalled" and forceable and forcing.stalled:
        return Act.FORCE
    return Act.ABORT


def _judge_failed(entry: Entry, look: Look, server: Server, watched: Watched, policy: MigrationPolicy) -> Verdict:
    """The record says it failed; the server must be seen at rest where it was before that is believed."""
    record, intent = look.record, entry.intent
    assert record is not None
    if server.status == "ERROR":
        what = f"its migration ended as {record.status} and left {intent.server_name} in ERROR on {server.host}"
        return _failed("server-error", f"{what}: somebody must repair it")
    rests_by = policy.verify_timeout if server.task_state is not None else timedelta(0)
    shows_by = _ERROR_SHOWS_WITHIN * policy.poll if record.status == "error" else timedelta(0)
    if max(rests_by, shows_by) and not _overdue(watched.ended_at, look, max(rests_by, shows_by)):
        return Wait.WAIT
    if server.host != intent.source and not look.later:
        return _lost(entry, f"its migration ended as {record.status}, yet it stands on {server.host}")
    if server.task_state is not None:
        return _failed("task-stuck", f"its migration ended as {record.status}, yet task {server.task_state} stands")
    if record.status == "cancelled":
        rule = watched.abort_rule or "cancelled"
        return End(state=State.ABORTED, rule=rule, why=f"{_ABORTED[rule]}; it stays on {server.host}")
    return _failed(f"migration-{record.status}", f"its migration ended as {record.status}; it stays on {server.host}")


_ABORTED = {
    "stalled": "aborted, since its memory was written faster than it was copied",
    "too-long": "aborted, since it took longer than a migration may",
    OPERATOR_ABORT: "aborted by an operator",
    "cancelled": "cancelled, not by this controller",
}


def _judge_verifying(entry: Entry, look: Look, watched: Watched, policy: MigrationPolicy) -> Verdict:
    """Success is: the host changed, no task is under way, the record completed, every port is bound there."""
    intent, server, record = entry.intent, look.server, look.record
    if server is None:
        return _failed("server-deleted", f"{intent.server_name} was deleted before its move could be verified")
    if look.later:
        why = f"Nova's record completed; since then it has been moved or resized again, and is on {server.host}"
        return End(state=State.SUCCEEDED, rule="", why=why)
    recorded = record is not None and record.status in COMPLETED
    settled = server.host == intent.target and server.task_state is None and server.status != "ERROR"
    if recorded and settled and _bound(look.ports, intent.target):
        return End(state=State.SUCCEEDED, rule="", why=f"on {intent.target}, its record completed, its ports bound")
    if look.at - max(entry.changed_at, watched.since) <= policy.verify_timeout:
        return Wait.WAIT
    return _unverified(entry, look, server)


def _unverified(entry: Entry, look: Look, server: Server) -> Verdict:
    intent = entry.intent
    if server.status == "ERROR":
        return _failed("server-error", f"{server.name} is in ERROR on {server.host}: somebody must repair it")
    if server.host == intent.source:
        return _failed("did-not-move", f"Nova says its migration completed, yet it is still on {intent.source}")
    if server.host != intent.target:
        return _lost(entry, f"it should be on {intent.target} and is on {server.host}")
    if server.task_state is not None:
        return _failed("task-stuck", f"it is on {intent.target}, but task {server.task_state} does not end")
    unbound = [port for port in look.ports or () if not port.bound_to(intent.target)]
    if unbound:
        wrong = ", ".join(f"{port.id} ({port.vif_type} on {port.host})" for port in unbound)
        return _failed("port-not-bound", f"it is on {intent.target}, but its ports are not bound there: {wrong}")
    unread = f"it is on {intent.target}, and whether its ports are bound there cannot be read"
    return _lost(entry, unread if look.ports is None else "its record went back on having completed")


def _bound(ports: tuple[Port, ...] | None, host: HostName) -> bool:
    return ports is not None and all(port.bound_to(host) for port in ports)


def _stalled(look: Look, watched: Watched, policy: MigrationPolicy) -> bool:
    """No counters at all is not a stall: what is not known is not zero."""
    if look.record is None or look.record.status != "running" or watched.copying is None:
        return False
    return _overdue(watched.copying.progress_at, look, policy.stall_after)


def _overdue(since: datetime | None, look: Look, length: timedelta) -> bool:
    return since is not None and look.at - since > length


def _recent(asked: datetime | None, look: Look, policy: MigrationPolicy) -> bool:
    return asked is not None and look.at - asked <= policy.stall_after


def _patience(entry: Entry, policy: MigrationPolicy) -> timedelta:
    return policy.patience(cold=entry.intent.cold)


def _failed(rule: str, why: str) -> End:
    return End(state=State.FAILED, rule=rule, why=why)


def _lost(entry: Entry, why: str) -> End:
    return End(state=State.LOST, rule="lost", why=f"{entry.intent.server_name}: {why}; a person must look")

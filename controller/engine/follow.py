"""Follows an intent from where it stands to its end: look, judge, write. The same after a send and after a restart."""

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from controller.engine import calendar, verdict
from controller.engine.copying import Copying
from controller.engine.places import Situation
from controller.engine.ports import Clock, Cloud, Journal
from controller.engine.verdict import Act, End, Forcing, Look, Step, Watched
from controller.errors import InvariantError, PermanentError, TransientError
from controller.model.cloud import Migration, Port
from controller.model.ids import MoveId
from controller.model.migration import OPERATOR_ABORT, Entry, Intent, Outcome, State
from controller.model.policy import MigrationPolicy, Policy
from controller.planner import precopy
from inventory.model import System

_log = logging.getLogger(__name__)

MIB = 1 << 20
_SLOWEST_POLL = timedelta(seconds=10)
"""How far the pace of looking slows down while Nova does not answer."""
_LOUD = frozenset({"server-error", "lost", "port-not-bound", "did-not-move", "task-stuck"})
"""Ends after which somebody must act: also told in the journal's notes."""


class Follower:
    """Watches moves. One per process: what it holds is what nobody else in this process follows.

    A call that fails while it watches changes nothing and concludes nothing; it looks again. What the journal cannot
    write is raised, and the entry stays open for adoption.
    """

    def __init__(
        self,
        cloud: Cloud,
        journal: Journal,
        clock: Clock,
        policy: Callable[[], Policy],
        situation: Callable[[], Situation],
    ) -> None:
        self._cloud = cloud
        self._journal = journal
        self._clock = clock
        self._policy = policy
        self._situation = situation
        self._held: set[MoveId] = set()
        self._to_abort: set[MoveId] = set()

    @property
    def held(self) -> frozenset[MoveId]:
        """Moves that are being made or followed now."""
        return frozenset(self._held)

    @contextmanager
    def hold(self, move_id: MoveId) -> Iterator[None]:
        """Claims a move for the caller; nobody adopts it meanwhile."""
        if move_id in self._held:
            raise InvariantError("this move is being followed already", where=move_id)
        self._held.add(move_id)
        try:
            yield
        finally:
            self._held.discard(move_id)
            self._to_abort.discard(move_id)

    def abort(self, move_id: MoveId) -> None:
        """Has a held move aborted at its next look, for an operator; by a later process, where this one ends first."""
        if move_id in self._held:
            self._journal.aborting(move_id, OPERATOR_ABORT)
            self._to_abort.add(move_id)

    async def follow(self, entry: Entry) -> Entry:
        """Returns the entry when it has ended. The caller holds it."""
        watched = Watched(since=self._clock.now(), abort_rule=entry.abort_rule)
        pause, said = timedelta(0), ""
        while entry.outcome is None:
            await self._clock.sleep(pause)
            policy = self._policy().migration
            try:
                look = await self._look(entry)
            except (TransientError, PermanentError) as error:
                pause = min(max(pause * 2, policy.poll, timedelta(seconds=_patience_s(error))), _SLOWEST_POLL)
                what = f"cannot look at move {entry.intent.id}, which goes on by itself: {error}"
                _log.warning(what)
                if isinstance(error, PermanentError) and what != said:
                    self._journal.note(self._clock.now(), "controller", what)
                    said = what
                continue
            watched = self._add(watched, look, entry)
            found = verdict.judge(entry, look, watched, policy, self._forcing(entry.intent, watched))
            pause = policy.poll
            match found:
                case Step(state=state, migration_id=migration_id):
                    entry = self._advance(entry, state, migration_id)
                    pause = timedelta(0)
                case End():
                    entry = self._close(entry, found, look, watched)
                case Act():
                    watched = await self._act(found, entry, look, watched)
        return entry

    async def _look(self, entry: Entry) -> Look:
        """Reads the server before its records: no task seen first, and no record after it, means there is none."""
        intent, at = entry.intent, self._clock.now()
        server = await self._cloud.server(intent.server_id)
        if entry.migration_id is None:
            record, later = own_record(await self._cloud.migrations_of(intent.server_id), intent), False
        else:
            record = await self._cloud.migration(intent.server_id, entry.migration_id)
            later = await self._has_later(entry, record)
        verifying = server is not None and entry.state is State.VERIFYING
        ports = await self._ports(intent) if verifying else None
        return Look(at=at, server=server, record=record, later=later, ports=ports)

    async def _ports(self, intent: Intent) -> tuple[Port, ...] | None:
        """None where this account may not read them, which no second look changes."""
        try:
            return await self._cloud.ports_of(intent.server_id)
        except PermanentError as error:
            _log.warning("cannot read the ports of move %s: %s", intent.id, error)
            return None

    async def _has_later(self, entry: Entry, record: Migration | None) -> bool:
        """Whether the server has moved on; asked only once its own record has ended."""
        if record is None or record.status not in verdict.ENDED or entry.migration_id is None:
            return False
        return any(found.id > entry.migration_id for found in await self._cloud.migrations_of(entry.intent.server_id))

    def _add(self, watched: Watched, look: Look, entry: Entry) -> Watched:
        if entry.intent.id in self._to_abort and not watched.abort_rule:
            watched = replace(watched, abort_rule=OPERATOR_ABORT)
        return watching(watched, look)

    def _forcing(self, intent: Intent, watched: Watched) -> Forcing:
        """By policy, inventory and what is left as they are now; the plan was made from what they were."""
        policy, estate = self._policy().migration, self._situation().estate
        system, pause_s = estate.systems.get(intent.system or ""), self._pause_s(intent, watched)
        by_tier = system is not None and system.tier in policy.force_complete_tiers
        by_agency = system is not None and self._agency_bears(system, pause_s)
        allowed = self._post_copy(intent) or (by_tier and pause_s <= policy.max_pause.total_seconds()) or by_agency
        return Forcing(stalled=by_tier or by_agency, planned=intent.force_complete_after if allowed else None)

    def _agency_bears(self, system: System, pause_s: float) -> bool:
        if system.pause is None or pause_s > system.pause.seconds:
            return False
        length, zone = timedelta(seconds=pause_s), self._situation().estate.timezone
        return calendar.bears_pause(system, self._clock.now(), length, zone)

    def _post_copy(self, intent: Intent) -> bool:
        return self._policy().migration.post_copy and self._situation().post_copy(intent.source)

    def _pause_s(self, intent: Intent, watched: Watched) -> float:
        """How long the guest would be paused if the copy were forced now; infinite where nobody knows."""
        link = self._situation().link_mib_s(intent.source, intent.target, self._policy().limits)
        return watched.copying.remaining / (link * MIB) if link and watched.copying else math.inf

    def _advance(self, entry: Entry, state: State, migration_id: int | None) -> Entry:
        _log.info("move %s of %s is %s", entry.intent.id, entry.intent.server_name, state)
        return self._journal.advance(entry.intent.id, state, self._clock.now(), migration_id=migration_id)

    async def _act(self, act: Act, entry: Entry, look: Look, watched: Watched) -> Watched:
        """Asks Nova; a lost answer is asked again later, for none of these starts a migration. So is an abort that was
        refused; what Nova does not force once, it is not asked to force again.
        """
        server_id, migration_id = entry.intent.server_id, entry.migration_id
        assert migration_id is not None
        asked = _asked(act, entry, look, watched, self._policy().migration)
        if act is Act.ABORT and asked.abort_rule != watched.abort_rule:
            self._journal.aborting(entry.intent.id, asked.abort_rule)
        try:
            match act:
                case Act.ABORT:
                    await self._cloud.abort_migration(server_id, migration_id)
                case Act.FORCE:
                    await self._cloud.force_complete(server_id, migration_id)
                case Act.CONFIRM:
                    await self._cloud.confirm_resize(server_id)
        except (TransientError, PermanentError) as error:
            _log.warning("%s of move %s: %s", act.value, entry.intent.id, error)
            if act is Act.FORCE:
                later = isinstance(error, TransientError)
                return replace(watched, failed_at=look.at) if later else replace(watched, force_at=look.at)
        return asked

    def _close(self, entry: Entry, end: End, look: Look, watched: Watched) -> Entry:
        """Writes the end. What it teaches is written first: a crash in between teaches it twice, never not at all."""
        intent, now = entry.intent, self._clock.now()
        if end.state in {State.FAILED, State.ABORTED, State.LOST} and end.rule != OPERATOR_ABORT:
            self._journal.learn(intent.server_id, intent.target, end.rule, now + self._memory())
        if end.rule in _LOUD:
            self._journal.note(now, "controller", f"move {intent.id} of {intent.server_name} {end.state}: {end.why}")
            _log.error("move %s of %s %s: %s", intent.id, intent.server_name, end.state, end.why)
        else:
            _log.info("move %s of %s %s: %s", intent.id, intent.server_name, end.state, end.why)
        return self._journal.close(intent.id, self._outcome(entry, end, look, watched))

    def _memory(self) -> timedelta:
        return self._policy().migration.refusal_memory

    def _outcome(self, entry: Entry, end: End, look: Look, watched: Watched) -> Outcome:
        intent, now = entry.intent, self._clock.now()
        record = look.record
        ended = record.updated_at if record is not None else None
        began = record.created_at if record is not None else intent.created_at
        moved = end.state is State.SUCCEEDED and not intent.cold
        return Outcome(
            state=end.state,
            why=end.why,
            rule=end.rule,
            ended_at=now,
            seconds=None if end.state is State.NOT_SENT else ((ended or now) - began).total_seconds(),
            copied_bytes=watched.processed_bytes,
            blackout_estimate=self._blackout(intent, watched) if moved else None,
        )

    def _blackout(self, intent: Intent, watched: Watched) -> timedelta | None:
        """By the copy's share of the link, the dirty rate and the last memory_remaining.

        A forced one sends it all, unless the guest runs on the target already (post-copy).
        """
        situation = self._situation()
        link = situation.link_mib_s(intent.source, intent.target, self._policy().limits)
        if not link or watched.copying is None:
            return None
        left, share = float(watched.copying.remaining), link * MIB
        if watched.force_left is not None:
            return timedelta(seconds=precopy.DOWNTIME_S if self._post_copy(intent) else watched.force_left / share)
        return timedelta(seconds=precopy.pause_s(left, situation.dirty_bytes_s(intent.server_id), share))


def watching(watched: Watched, look: Look) -> Watched:
    """What has been seen, with what this look's record adds to it."""
    record = look.record
    if record is None:
        return watched
    if record.status in verdict.ENDED and watched.ended_at is None:
        watched = replace(watched, ended_at=look.at)
    left, total, processed = record.memory_remaining_bytes, record.memory_total_bytes, record.memory_processed_bytes
    before = watched.copying.remaining if watched.copying else None
    if (processed or 0) > (watched.processed_bytes or 0) or left != before:
        watched = replace(watched, copied_at=look.at)
    if processed:
        watched = replace(watched, processed_bytes=processed)
    if left is None or record.status in verdict.ENDED or (watched.copying is None and not left and not total):
        return watched
    if watched.copying is None:
        return replace(watched, copying=Copying.begun(look.at, left, total))
    return replace(watched, copying=watched.copying.seen(look.at, left))


def own_record(records: tuple[Migration, ...], intent: Intent) -> Migration | None:
    """The record of this intent: newer than all that the server had, of its kind, from its source to its target.

    With two of them the older: an intent is sent once, and another's request came while ours was refused or after.
    """
    kind = "migration" if intent.cold else "live-migration"
    own = [
        record
        for record in records
        if record.id > intent.last_migration_id and record.type == kind
        if record.source == intent.source and record.target == intent.target
    ]
    return min(own, key=lambda record: record.id, default=None)


def _asked(act: Act, entry: Entry, look: Look, watched: Watched, policy: MigrationPolicy) -> Watched:
    match act:
        case Act.ABORT:
            rule = watched.abort_rule or verdict.abort_reason(entry, look, watched, policy) or "cancelled"
            return replace(watched, abort_at=look.at, abort_rule=rule)
        case Act.FORCE:
            copying = watched.copying
            return replace(
                watched,
                force_at=look.at,
                force_left=None if copying is None else copying.remaining,
                copying=None if copying is None else copying.forced(look.at),
            )
        case Act.CONFIRM:
            return watched


def _patience_s(error: TransientError | PermanentError) -> float:
    return error.retry_after_s if isinstance(error, TransientError) else 0.0

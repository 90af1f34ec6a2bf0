"""Makes one move, or a wave of them: read again, ask the guard, write the intent, ask Nova once, follow it.

Where a crash may fall, and what adoption makes of it:
before `intend`, nothing happened; until the answer of Nova is journaled as SENT, the entry is INTENDED and Nova's
records and task state tell whether the request arrived; from then on Nova's record is followed. No line here asks Nova
to start a migration twice for one intent, and an answer that was lost is treated as a crash.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from controller.engine import guard, recheck
from controller.engine.follow import Follower
from controller.engine.order import Order, Result
from controller.engine.places import Situation
from controller.engine.ports import Clock, Cloud, Journal
from controller.engine.recheck import Facts
from controller.engine.slots import SLOT_RULES
from controller.engine.tally import RefusalCount
from controller.errors import InvariantError, PermanentError, RefusedError, TransientError
from controller.model.cloud import Migration
from controller.model.ids import HostName, ServerId
from controller.model.migration import Entry, Intent, Outcome, State
from controller.model.policy import Policy, Scope

ACCOUNT_RULES = frozenset({"policy", "dry-run"})
"""Refusals that speak of whoever asks, not of the server or its target."""
UNLEARNED = frozenset(
    [(State.NOT_SENT, "deadline"), (State.NOT_SENT, "unreachable"), (State.REFUSED, "error")]
    + [(State.REFUSED, rule) for rule in ACCOUNT_RULES]
)
"""Ends that keep nobody from asking the same again."""

Unwanted = Callable[[], str | None]
"""Why moves of a plan or drain are wanted no more; None as long as they are."""


def _wanted() -> None: ...


class Migrator:
    """Executes orders. `policy` and `situation` are asked anew for each, so a reload or a new look takes hold at once.

    `epoch` is this leader's, from `Journal.open_epoch`.
    """

    def __init__(
        self,
        cloud: Cloud,
        journal: Journal,
        clock: Clock,
        *,
        policy: Callable[[], Policy],
        situation: Callable[[], Situation],
        follower: Follower,
        epoch: int,
    ) -> None:
        self._cloud = cloud
        self._journal = journal
        self._clock = clock
        self._policy = policy
        self._situation = situation
        self._follower = follower
        self._epoch = epoch
        self._not_before = datetime.min.replace(tzinfo=UTC)
        self._barred: dict[tuple[ServerId, HostName] | bool, tuple[datetime, RefusedError]] = {}
        self._refusals: Counter[tuple[str, str]] = Counter()

    def refusals(self) -> tuple[RefusalCount, ...]:
        """How many orders this process refused before it wrote or sent anything, by origin and rule."""
        return tuple(
            RefusalCount(origin=origin, rule=rule, count=count)
            for (origin, rule), count in sorted(self._refusals.items())
        )

    def under_way(self, running: tuple[Migration, ...]) -> tuple[Migration, ...]:
        """Those of the migrations that Nova shows which are not forgotten (`engine.forgotten`); all before a look."""
        try:
            return self._situation().under_way(running)
        except TransientError:
            return running

    async def run_waves(self, waves: Iterable[Sequence[Order]]) -> tuple[Result, ...]:
        """Runs waves in order; after one in which a move did not succeed, the later ones are left for a new plan."""
        results: list[Result] = []
        for wave in waves:
            done = await self.run_wave(wave)
            results += done
            if not all(succeeded(result) for result in done):
                break
        return tuple(results)

    async def run_wave(self, orders: Sequence[Order], unwanted: Unwanted = _wanted) -> tuple[Result, ...]:
        """Runs orders side by side, to the end of each; results in the order given.

        What only waits for a free slot is tried again when this wave's others have ended, as long as one of them moved.
        Errors of the journal are raised after every order has come to its end or stopped. `unwanted` is asked right
        before each intent is written: a reason bars the move (rule `unwanted`).
        """
        results: dict[int, Result] = {}
        try:
            await self._run_wave(orders, unwanted, results)
        finally:
            self._refusals.update((r.order.origin, r.refusal.rule) for r in results.values() if r.refusal is not None)
        return tuple(results[n] for n in range(len(orders)))

    async def _run_wave(self, orders: Sequence[Order], unwanted: Unwanted, results: dict[int, Result]) -> None:
        waiting = list(range(len(orders)))
        while waiting:
            ended = await asyncio.gather(*(self.execute(orders[n], unwanted) for n in waiting), return_exceptions=True)
            results |= {n: found for n, found in zip(waiting, ended, strict=True) if isinstance(found, Result)}
            for found in ended:
                if isinstance(found, BaseException):
                    raise found
            moved = any(succeeded(results[n]) for n in waiting)
            waiting = [n for n in waiting if moved and _waits_for_slot(results[n])]

    async def execute(self, order: Order, unwanted: Unwanted = _wanted) -> Result:
        """Makes one move, or says why not. Raises what the journal raises; an open entry is then adopted."""
        with self._follower.hold(order.id):
            try:
                self._be_patient(order)
                entry = self._intend(order, await self._facts(order), unwanted)
            except RefusedError as refused:
                self._remember(order, refused)
                return Result(order=order, refusal=refused)
            entry = await self._send(entry)
            return Result(order=order, entry=await self._follower.follow(entry))

    def abort_running(self, scope: Scope | None) -> tuple[Entry, ...]:
        """Has our live migrations in that scope (None: all) aborted; the entries concerned.

        Cold ones go on, and what has arrived is only verified.
        """
        situation = self._situation()
        found = tuple(
            entry
            for entry in self._journal.open_entries()
            if not entry.intent.cold and entry.state is not State.VERIFYING and entry.intent.id in self._follower.held
            if scope is None or scope in _scopes(entry.intent, situation)
        )
        for entry in found:
            self._follower.abort(entry.intent.id)
        return found

    def _be_patient(self, order: Order) -> None:
        """Raises `RefusedError`: rule `retry-after` as long as Nova has asked to be left alone (429, 503), and what it
        said of this account a while ago as long as that is remembered.
        """
        now = self._clock.now()
        left = (self._not_before - now).total_seconds()
        if left > 0:
            raise RefusedError(f"Nova asked for {left:.0f} s more of patience", rule="retry-after", where=order.id)
        for key in (order.cold, (order.server_id, order.target)):
            until, said = self._barred.get(key, (now, None))
            if said is not None and until > now:
                raise RefusedError(
                    f"not asked again before {until:%H:%M} UTC: {said.what}", rule=said.rule, where=order.id
                )

    async def _facts(self, order: Order) -> Facts:
        """The live facts. Raises `RefusedError` (rule `facts`) where they cannot be read: no move without them."""
        situation = self._situation()
        rules = [rule for rule in situation.groups.get(order.server_id, ()) if recheck.concerns(rule, order, situation)]
        try:
            facts = await recheck.read(self._cloud, order, rules)
            return replace(facts, running=self.under_way(facts.running))
        except (TransientError, PermanentError) as error:
            raise RefusedError(f"the facts could not be read: {error}", rule="facts", where=order.id) from error

    def _intend(self, order: Order, facts: Facts, unwanted: Unwanted) -> Entry:
        """Judges and writes with no await in between, so that no other move takes the same slot."""
        situation, policy, now = self._situation(), self._policy(), self._clock.now()
        reason = unwanted()
        if reason is not None:
            raise RefusedError(reason, rule="unwanted", where=order.id)
        view = guard.view(self._journal, policy, now)
        barred = recheck.bar(order, facts, situation, view.open_entries, view.recent)
        if barred is not None:
            raise barred
        assert facts.server is not None
        system = situation.system(facts.server.project_id)
        refused = guard.refusal(order, system, facts.running, situation=situation, policy=policy, journal=view, now=now)
        if refused is not None:
            raise refused
        intent = Intent(
            id=order.id,
            origin=order.origin,
            server_id=order.server_id,
            server_name=facts.server.name,
            source=order.source,
            target=order.target,
            cold=order.cold,
            rule=order.rule,
            why=order.why,
            system=None if system is None else system.name,
            agency=None if system is None else system.agency,
            created_at=now,
            deadline=now + policy.migration.intent_deadline,
            epoch=self._epoch,
            last_migration_id=facts.last_migration_id,
            force_complete_after=order.force_complete_after,
        )
        self._write(intent)
        return Entry(intent=intent, state=State.INTENDED, changed_at=now)

    def _write(self, intent: Intent) -> None:
        """Raises `InvariantError` where a newer leader began: then no move of this process may ever be sent."""
        try:
            self._journal.intend(intent)
        except RefusedError as refused:
            if refused.rule == "epoch":
                remedy = "restart this controller, or stop it where another should lead"
                raise InvariantError(refused.what, where=refused.where, remedy=remedy) from refused
            raise

    async def _send(self, entry: Entry) -> Entry:
        """Asks Nova, once. Returns the entry ended (never sent, or refused), SENT, or INTENDED where nobody knows."""
        intent = entry.intent
        if self._clock.now() >= intent.deadline:
            return self._end(entry, State.NOT_SENT, "deadline", "its deadline passed before it could be sent")
        start = self._cloud.cold_migrate if intent.cold else self._cloud.live_migrate
        try:
            request_id = await start(intent.server_id, intent.target, deadline=intent.deadline)
        except RefusedError as refused:
            self._learn(intent, refused)
            return self._end(entry, State.REFUSED, refused.rule, str(refused))
        except PermanentError as error:
            return self._end(entry, State.REFUSED, "error", str(error))
        except TransientError as error:
            wait = max(timedelta(seconds=error.retry_after_s), self._policy().migration.poll)
            self._not_before = max(self._not_before, self._clock.now() + wait)
            if error.sent:
                return entry
            late = self._clock.now() >= intent.deadline
            return self._end(entry, State.NOT_SENT, "deadline" if late else "unreachable", str(error))
        return self._journal.advance(intent.id, State.SENT, self._clock.now(), request_id=request_id)

    def _remember(self, order: Order, refused: RefusedError) -> None:
        """Has another target planned for a while where this one was barred; never shortens what was learned before."""
        if refused.rule not in recheck.TARGET_RULES:
            return
        now = self._clock.now()
        until = now + self._policy().migration.recheck_memory
        known = self._journal.refusals(now)
        if not any((s, t) == (order.server_id, order.target) and end >= until for s, t, _, end in known):
            self._journal.learn(order.server_id, order.target, refused.rule, until)

    def _learn(self, intent: Intent, refused: RefusedError) -> None:
        """Keeps this server from being sent there again for a while. Where the account was refused, no move of this
        kind is asked for until somebody may have mended that; in a dry run, which refuses all, not the same one again.
        """
        if refused.rule in ACCOUNT_RULES:
            key = (intent.server_id, intent.target) if refused.rule == "dry-run" else intent.cold
            self._barred[key] = (self._clock.now() + self._policy().migration.recheck_memory, refused)
        else:
            until = self._clock.now() + self._memory(intent, refused.rule)
            self._journal.learn(intent.server_id, intent.target, refused.rule, until)

    def _memory(self, intent: Intent, rule: str) -> timedelta:
        """The scheduler's no counts for long only when it is said again. It rests on lists of the hosts' servers, and
        Nova tells it of none that has left by live migration until the next `scheduler_instance_sync_interval` (120 s):
        of a pair that must stand apart, the one that has just moved on is in the other's way until then.
        """
        policy, now = self._policy().migration, self._clock.now()
        if rule != "no-valid-host":
            return policy.refusal_memory
        lately = self._journal.entries_since(now - policy.refusal_memory - policy.recheck_memory)
        again = any(
            (entry.intent.server_id, entry.intent.target) == (intent.server_id, intent.target)
            and entry.outcome is not None
            and entry.outcome.rule == rule
            for entry in lately
        )
        return policy.refusal_memory if again else policy.recheck_memory

    def _end(self, entry: Entry, state: State, rule: str, why: str) -> Entry:
        outcome = Outcome(state=state, why=why, rule=rule, ended_at=self._clock.now())
        return self._journal.close(entry.intent.id, outcome)


def succeeded(result: Result) -> bool:
    """Whether the order was carried out and verified."""
    return result.entry is not None and result.entry.state is State.SUCCEEDED


def _waits_for_slot(result: Result) -> bool:
    return result.refusal is not None and result.refusal.rule in SLOT_RULES


def _scopes(intent: Intent, situation: Situation) -> frozenset[Scope]:
    system = situation.estate.systems.get(intent.system or "")
    return situation.scopes(system, (intent.source, intent.target))

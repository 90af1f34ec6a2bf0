"""The turn: observe, trust, plan, and start what policy allows. One sentence a turn says what it did.

A plan runs beside the turns, one at a time (docs/decisions/0001). The one broad `except` of the daemon is here: what
nobody foresaw stops the controller's own moves, is told, and leaves the next turn to try again.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from controller.engine import complaints, emptying, execution, holding, reporting, scoping
from controller.engine import proposal as proposals
from controller.engine import status as words
from controller.engine.adopt import Adopter
from controller.engine.drain import Drainer
from controller.engine.execution import Ran
from controller.engine.migrate import Migrator, succeeded
from controller.engine.observe import Look, Observer
from controller.engine.places import Situation
from controller.engine.ports import Clock, Journal
from controller.engine.sighting import Seen, Sight
from controller.errors import GdccError, InvariantError, TransientError
from controller.model.cluster import Cluster
from controller.model.ids import HostName
from controller.model.migration import Entry, State
from controller.model.operation import Drain
from controller.model.plan import Concern, Plan
from controller.model.policy import Mode, Policy
from controller.planner import plan as planner
from inventory.model import Estate

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Memory:
    """What the turns hand on to each other.

    `stopped`: why own moves stopped until an operator resumes; `unable`: why the last turn could not decide. `own`:
    what the last turn of own moves said, said again by the turns in which drains that wait are looked at. `waits`: why
    those wait. `watched`: limits and breaches of the newest look, where something is under way and nothing is proposed;
    `urgent`: keys of those that are before a drain in policy's objective, and `vain` those for which the controller's
    own turn could do nothing, looked at again from `again_at` on. `still`: ids of the drains that the last step did not
    get on. `told`: which faults the log has named lately.
    """

    seen: Seen | None = None
    proposal: Plan | None = None
    recommended: Plan | None = None
    ran: Ran | None = None
    stopped: str | None = None
    unable: str | None = None
    own: str | None = None
    waits: tuple[str, ...] = ()
    watched: words.PlanSummary | None = None
    urgent: frozenset[str] = frozenset()
    vain: frozenset[str] = frozenset()
    again_at: datetime | None = None
    still: frozenset[str] = frozenset()
    told: complaints.Complaints = field(default_factory=complaints.Complaints)
    drains_turn: bool = False
    phases: dict[str, float] = field(default_factory=dict)


_ACTING = (Mode.APPROVE, Mode.AUTO)
_ADVISED = (Mode.RECOMMEND, *_ACTING)


class Loop:
    """Owns the turns. `publish` is given each turn's status; `wake` may be set by anyone to turn at once.

    `only_drains`: the hosts whose drains alone are carried on. In a dry run none is.
    """

    def __init__(
        self,
        *,
        observer: Observer,
        sight: Sight,
        migrator: Migrator,
        adopter: Adopter,
        drainer: Drainer,
        journal: Journal,
        clock: Clock,
        policy: Policy,
        interval: timedelta,
        status: words.Status,
        publish: Callable[[words.Published], None],
        dry_run: bool = False,
    ) -> None:
        self._observer = observer
        self.sight = sight
        self._migrator = migrator
        self._adopter = adopter
        self._drainer = drainer
        self._journal = journal
        self._clock = clock
        self.policy = policy
        self.interval = interval
        self.only_drains: frozenset[HostName] | None = None
        self._dry_run = dry_run
        self._publish = publish
        self.status = status
        self.memory = Memory()
        self.wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._plan_task: asyncio.Task[Ran] | None = None
        self._adoption: asyncio.Task[tuple[Entry, ...]] | None = None
        self._draining: asyncio.Task[emptying.Stepped] | None = None

    @property
    def running_plan(self) -> bool:
        """Whether a plan of the controller's own is under way."""
        return self._plan_task is not None and not self._plan_task.done()

    @property
    def stepping_drains(self) -> bool:
        """Whether drains are being stepped."""
        return self._draining is not None and not self._draining.done()

    def stop(self) -> None:
        """Ends the loop after the turn under way; running migrations are left to be adopted."""
        self._stopping.set()
        self.wake.set()

    def take_over(self, policy: Policy, estate: Estate, interval: timedelta) -> None:
        """Goes by a reloaded configuration from the next turn on; what runs is bound by the new policy at once."""
        self.policy = policy
        self.memory.recommended = None
        self.interval = interval
        self.sight.take_over(estate, interval)
        self.status = replace(self.status, estate=estate.name, interval=interval)
        self.wake.set()

    def seen(self) -> Seen:
        """The newest look and what it came to; raises TransientError before the first."""
        if self.memory.seen is None:
            raise TransientError("nothing has been seen yet", where="loop", remedy="wait for the first turn")
        return self.memory.seen

    def situation(self) -> Situation:
        """What the guard goes by; raises what `seen` raises."""
        return self.seen().situation

    async def run(self, turned: Callable[[], None]) -> None:
        """Turns until `stop`; `turned` is called after each turn (the watchdog's sign of life)."""
        while not self._stopping.is_set():
            began = self._clock.monotonic()
            await self.turn()
            turned()
            await self._rest(self.interval - timedelta(seconds=self._clock.monotonic() - began), turned)
        await self._leave()

    async def turn(self) -> None:
        """One turn. Never raises: what goes wrong is told in the status."""
        self.memory.phases, self.memory.unable = {}, None
        try:
            sentence = await self._turn()
        except InvariantError as error:
            self.memory.stopped = str(error)
            sentence = f"stopped: {error}"
            _log.critical("an invariant does not hold", extra={"error": str(error)})
        except GdccError as error:
            self.memory.unable = str(error)
            sentence = f"no decision this turn: {error}"
            _log.warning("the turn ended early", extra={"error": str(error)})
        except Exception as error:  # noqa: BLE001 - the only one; see the module's docstring
            self.memory.stopped = f"an error nobody foresaw: {error!r}"
            sentence = f"stopped: {self.memory.stopped}"
            _log.exception("the turn failed")
        self._tell(sentence)

    async def _turn(self) -> str:
        finished = self._finished()
        idle = self._plan_task is None and self._draining is None
        with self._phase("observe"):
            look = await self._observer.look()
        self._complain(look)
        with self._phase("judge"):
            seen = self.memory.seen = self.sight.judge(look, self.policy)
            self.status = reporting.with_seen(self.status, seen, self.policy)
        self._adopt()
        self.sight.remember(seen, self.policy)
        if not idle:
            await self._watch(seen)
            return f"{self._busy()} goes on."
        drains = self._drains()
        eager = emptying.going_on(drain for drain in drains if drain.id not in self.memory.still)
        if eager:
            await self._watch(seen)
        if drains and self._drain(drains, eager is not None, look.at):
            going_on = emptying.going_on(drains)
            doing = f"{going_on}." if going_on else self.memory.own or "Drains that wait are looked at."
            if not eager:
                await self._watch(seen)
            return self._said(finished, doing, *self.memory.waits)
        plan, superseded = await self._propose(seen, only_urgent=eager is not None)
        held = self._held_back(look.at)
        if held is None:
            held = await self._start(plan, seen, drains)
        if eager:
            self._gave_way(plan, look.at)
        recommended = await self._recommend(seen)
        self.memory.own = plan.sentence if self._plan_task is not None else self._said(plan.sentence, held)
        return self._said(finished, superseded, plan.sentence, held, recommended, *self.memory.waits)

    def _complain(self, look: Look) -> None:
        """Counts what could not be used, and names in the log what of it is news."""
        self.status = replace(self.status, faults=self.status.faults.add(look.faults))
        self.memory.told, news = complaints.news(self.memory.told, look.faults, look.at)
        for fault in news:
            _log.warning("a reading cannot be used", extra=asdict(fault))

    async def _watch(self, seen: Seen) -> None:
        """Judges limits and rules where nothing is proposed, so that what goes wrong meanwhile is told."""
        part = scoping.without_drains(seen.cluster)
        with self._phase("plan"):
            plan = await asyncio.to_thread(planner.plan, part, self.policy, seen.look.at, only=(), before=seen.tables)
        self.memory.watched = words.plan_summary(plan)
        found = (breach.key for breach in plan.breaches_before if self._is_urgent(breach.concern))
        self.memory.urgent = frozenset(found)

    def _is_urgent(self, concern: Concern) -> bool:
        return self.policy.rank(concern) < self.policy.rank(Concern.DRAIN)

    def _gave_way(self, plan: Plan, now: datetime) -> None:
        """Goes on with the drains at once where their turn was given away for nothing, and remembers for what."""
        if self._plan_task is None or not any(self._is_urgent(move.concern) for move in plan.moves):
            self.memory.vain, self.memory.again_at = self.memory.urgent, now + self.policy.migration.recheck_memory
        if self._plan_task is None:
            self.wake.set()

    @staticmethod
    def _said(*parts: str | None) -> str:
        return " ".join(f"{part[:1].upper()}{part[1:]}" for part in parts if part)

    def _busy(self) -> str:
        if self._plan_task is not None:
            return f"{self._plan_task.get_name()[:1].upper()}{self._plan_task.get_name()[1:]}"
        return "A drain"

    def _drains(self) -> tuple[Drain, ...]:
        """The open drains that are carried on, oldest first."""
        if self._dry_run or self._stopping.is_set():
            return ()
        wanted = (drain for drain in self._journal.drains() if drain.state in emptying.WORKING)
        return tuple(drain for drain in wanted if self.only_drains is None or drain.host in self.only_drains)

    def _drain(self, drains: tuple[Drain, ...], eager: bool, now: datetime) -> bool:
        """Starts a step of the open drains, and then no own plan, so that the two never run side by side.

        Drains share the turns with the controller's own moves, one by one, where none of them gets on, and where policy
        puts something that is wrong before them.
        """

        def yields() -> bool:
            again = self.memory.again_at is None or now >= self.memory.again_at
            urgent = self.memory.urgent - (frozenset() if again else self.memory.vain)
            return bool(urgent) and self._held_back(now) is None

        self.memory.drains_turn = (eager and not yields()) or not self.memory.drains_turn
        if self.memory.drains_turn:
            self.status = replace(self.status, drain_steps=self.status.drain_steps + 1)
            stepping = emptying.step_all(drains, self._journal, self._drainer, yields)
            self._draining = asyncio.create_task(stepping, name="drains")
            self._draining.add_done_callback(self._drains_stepped)
        return self.memory.drains_turn

    def _drains_stepped(self, task: asyncio.Task[emptying.Stepped]) -> None:
        """Turns at once where a drain got on; one that waits for somebody waits for the next turn."""
        if not task.cancelled() and (task.exception() is not None or task.result().progressed):
            self.wake.set()

    def _plan_ran(self, task: asyncio.Task[Ran]) -> None:
        """Turns at once where something moved; a plan that was refused waits for the next turn."""
        if not task.cancelled() and (task.exception() is not None or any(map(succeeded, task.result().results))):
            self.wake.set()

    async def _propose(self, seen: Seen, *, only_urgent: bool) -> tuple[Plan, str | None]:
        """The plan on the table, and what became of an approved one that it replaces.

        `only_urgent`: a drain gave this turn away, so of itself the controller makes nothing better, it only rights.
        """
        policy, before = self.policy, self.memory.proposal
        if only_urgent:
            policy = replace(policy, balance=False, consolidation=replace(policy.consolidation, enabled=False))
        self.memory.watched = None
        part = scoping.without_drains(self._restricted(seen, _ACTING) if policy.mode in _ACTING else seen.cluster)
        kept = before if policy.mode is not Mode.AUTO or proposals.awaits_approval(policy) else None
        approved = kept is not None and self._approved(kept)
        with self._phase("plan"):
            if policy.mode is Mode.OBSERVE:
                plan = await asyncio.to_thread(planner.plan, part, policy, seen.look.at, only=(), before=seen.tables)
            else:
                plan = await asyncio.to_thread(
                    proposals.newest, kept, part, policy, seen.look.at, seen.tables, approved=approved
                )
        if before is not None and before.id == plan.id:
            self.memory.proposal = plan
            return plan, None
        if plan.moves:
            self._journal.save_plan(plan)
        self.memory.proposal = plan
        if before is not None and before.moves and self._approved(before):
            same = before.objective == policy.objective
            became = "no longer fits what is seen" if same else "is of another policy.objective"
            return plan, f"Plan {before.id} was approved but {became}; it was not run."
        return plan, None

    async def _recommend(self, seen: Seen) -> str | None:
        """Plans for the scopes that are only recommended, the others with them; says what it would do there.

        After the plan that may run has been started, and without a say in it: what fails here is told and no more.
        """
        if not proposals.also_recommended(self.policy):
            self.memory.recommended = None
            return None
        part, acting = (self._restricted(seen, modes) for modes in (_ADVISED, _ACTING))
        part = scoping.without_drains(part)
        try:
            with self._phase("recommend"):
                plan = await asyncio.to_thread(planner.plan, part, self.policy, seen.look.at, before=seen.tables)
        except GdccError as error:
            self.memory.recommended = None
            _log.warning("no recommendation could be made", extra={"error": str(error)})
            return f"No recommendation could be made: {error}."
        self.memory.recommended = plan
        more = proposals.beyond(plan, acting)
        noun = "move" if more == 1 else "moves"
        return f"{more} more {noun} would be made in scopes of mode recommend." if more else None

    def _restricted(self, seen: Seen, modes: tuple[Mode, ...]) -> Cluster:
        return scoping.restricted(seen.cluster, seen.situation, self.policy, modes, self._journal.pauses())

    def _approved(self, plan: Plan) -> bool:
        return plan.id in {approval.plan_id for approval in self._journal.approvals()}

    def _held_back(self, now: datetime) -> str | None:
        """Why no plan is started now, whatever it says."""
        if self._stopping.is_set():
            return "Stopping."
        if self.memory.stopped is not None:
            return f"Own moves are stopped: {self.memory.stopped}."
        if any(entry.state is State.INTENDED for entry in self._journal.open_entries()):
            return "Of a move of an earlier process it is not known yet whether Nova was asked to make it."
        return holding.held_back(self._journal, self.policy, self.sight.estate.timezone, now)

    async def _start(self, proposal: Plan, seen: Seen, drains: tuple[Drain, ...]) -> str | None:
        """Starts the plan that may run now; says why not."""
        plan = await self._runnable(proposal, seen)
        if plan is None or not plan.moves:
            return f"Plan {proposal.id} waits for approval." if proposal.moves else None
        if plan.id != proposal.id:
            self._journal.save_plan(plan)
        _log.info("a plan starts", extra={"plan": plan.id, "moves": len(plan.moves)})
        beside = frozenset(drain.id for drain in drains)
        running = execution.run(
            plan, seen, self._migrator, lambda: self._interruption(beside), lambda: emptying.going_on(self._drains())
        )
        self._plan_task = asyncio.create_task(running, name=f"plan {plan.id}")
        self._plan_task.add_done_callback(self._plan_ran)
        return "It is started."

    async def _runnable(self, proposal: Plan, seen: Seen) -> Plan | None:
        """The approved proposal, else a plan of what mode auto covers; None where everything waits for approval."""
        if proposal.moves and self._approved(proposal):
            return proposal
        if self.policy.mode is not Mode.AUTO:
            return None
        if not proposals.awaits_approval(self.policy):
            return proposal
        part = scoping.without_drains(self._restricted(seen, (Mode.AUTO,)))
        return await asyncio.to_thread(planner.plan, part, self.policy, seen.look.at, before=seen.tables)

    def _interruption(self, beside: frozenset[str]) -> str | None:
        """Why a plan's next move is not to be made, which began with the drains `beside` it open."""
        if self._stopping.is_set():
            return "the controller is stopping"
        if self.memory.stopped is not None:
            return f"own moves are stopped: {self.memory.stopped}"
        cluster: Cluster | None = self.memory.seen.cluster if self.memory.seen else None
        if cluster is not None and cluster.freeze is not None:
            return f"frozen: {cluster.freeze}"
        return emptying.going_on(drain for drain in self._drains() if drain.id not in beside)

    def _finished(self) -> str:
        """Takes in a plan or drains that have ended; raises what ended them (the journal)."""
        if self._draining is not None and self._draining.done():
            done, self._draining = self._draining, None
            self.memory.waits = done.result().waits
            self.memory.still = done.result().still
        if not self._drains():
            self.memory.waits, self.memory.still = (), frozenset()
        task = self._plan_task
        if task is None or not task.done():
            return ""
        self._plan_task = None
        proposal, self.memory.proposal = self.memory.proposal, None
        self.memory.ran = task.result()
        if proposal is not None and proposal.id != self.memory.ran.plan.id:
            self.memory.proposal = proposal
        _log.info("a plan ended", extra={"plan": self.memory.ran.plan.id, "said": self.memory.ran.sentence})
        return f"Last: {self.memory.ran.sentence}."

    def _adopt(self) -> None:
        """Follows what an earlier process, or a failed write, left open."""
        if self._adoption is not None and self._adoption.done():
            done, self._adoption = self._adoption, None
            _log.info("adopted moves ended", extra={"moves": [entry.intent.id for entry in done.result()]})
        if self._adoption is None and self._adopter.orphans():
            self._adoption = asyncio.create_task(self._adopter.adopt(), name="adoption")
            self._adoption.add_done_callback(lambda _: self.wake.set())

    @contextlib.contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.memory.phases[name] = time.perf_counter() - began

    def _tell(self, sentence: str) -> None:
        now, seen, status = self._clock.now(), self.memory.seen, self.status
        with contextlib.suppress(GdccError):
            status = reporting.with_journal(status, self._journal, self.policy, seen, now)
        self.status = replace(
            status,
            mode=self.policy.mode,
            turned_at=now,
            sentence=sentence,
            seconds=dict(self.memory.phases),
            refusals=self._migrator.refusals(),
            turns=status.turns.add(self.memory.phases),
            stopped=self.memory.stopped or self.memory.unable,
            plan=words.going_on(
                words.plan_summary(self.memory.proposal) if self.memory.proposal else status.plan, self.memory.watched
            ),
        )
        _log.info("turn", extra={"said": sentence})
        self._publish(words.Published(status=self.status, cluster=seen.cluster if seen else None))

    async def _rest(self, length: timedelta, turned: Callable[[], None]) -> None:
        """Until the next turn is due, or somebody wakes the loop."""
        if length > timedelta(0) and not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), length.total_seconds())
        self.wake.clear()
        turned()

    async def _leave(self) -> None:
        """Lets go of what is under way; what the journal has of it is adopted at the next start."""
        tasks = [task for task in (self._plan_task, self._adoption, self._draining) if task is not None]
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                _log.warning("ended with an error", extra={"error": str(ended)})

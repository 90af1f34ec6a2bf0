"""The turn: observe, trust, plan, and start what policy allows. One sentence a turn says what it did.

A plan runs beside the turns, one at a time (docs/decisions/0001). The one broad `except` of the program is here: what
nobody foresaw stops the controller's own moves, is told, and leaves the next turn to try again.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controller.engine import emptying, execution, guard, reporting, scoping
from controller.engine import status as words
from controller.engine.adopt import Adopter
from controller.engine.drain import Drainer
from controller.engine.execution import Ran
from controller.engine.migrate import Migrator
from controller.engine.observe import Observer
from controller.engine.places import Situation
from controller.engine.ports import Clock, Journal
from controller.engine.sighting import Seen, Sight
from controller.errors import GdccError, InvariantError, TransientError
from controller.model.cluster import Cluster
from controller.model.migration import Entry
from controller.model.plan import Move, Plan
from controller.model.policy import Mode, Policy
from controller.planner import plan as planner

_log = logging.getLogger(__name__)

PROPOSAL_KEPT = timedelta(minutes=15)
"""A proposal whose moves stay the same keeps its id this long, so that a person can approve it."""


@dataclass(slots=True)
class Memory:
    """What the turns hand on to each other."""

    seen: Seen | None = None
    proposal: Plan | None = None
    ran: Ran | None = None
    stopped: str | None = None
    phases: dict[str, float] = field(default_factory=dict)


class Loop:
    """Owns the turns. `publish` is given each turn's status; `wake` may be set by anyone to turn at once."""

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
    ) -> None:
        self._observer = observer
        self.sight = sight
        self._migrator = migrator
        self._adopter = adopter
        self._drainer = drainer
        self._journal = journal
        self._clock = clock
        self.policy = policy
        self._interval = interval
        self._publish = publish
        self.status = status
        self.memory = Memory()
        self.wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._plan_task: asyncio.Task[Ran] | None = None
        self._adoption: asyncio.Task[tuple[Entry, ...]] | None = None
        self._draining: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Ends the loop after the turn under way; running migrations are left to be adopted."""
        self._stopping.set()
        self.wake.set()

    def situation(self) -> Situation:
        """What the guard goes by; raises TransientError before the first look."""
        if self.memory.seen is None:
            raise TransientError("nothing has been seen yet", where="loop", remedy="wait for the first turn")
        return self.memory.seen.situation

    async def run(self, turned: Callable[[], None]) -> None:
        """Turns until `stop`; `turned` is called after each turn (the watchdog's sign of life)."""
        while not self._stopping.is_set():
            began = self._clock.monotonic()
            await self.turn()
            turned()
            await self._rest(self._interval - timedelta(seconds=self._clock.monotonic() - began), turned)
        await self._leave()

    async def turn(self) -> None:
        """One turn. Never raises: what goes wrong is told in the status."""
        self.memory.phases = {}
        try:
            sentence = await self._turn()
        except InvariantError as error:
            self.memory.stopped = str(error)
            sentence = f"stopped: {error}"
            _log.critical("an invariant does not hold", extra={"error": str(error)})
        except GdccError as error:
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
        self.status = replace(self.status, faults=self.status.faults.add(look.faults))
        with self._phase("judge"):
            seen = self.memory.seen = self.sight.judge(look, self.policy)
        self._adopt()
        if not idle:
            return f"{self._busy()} goes on."
        if self._drain():
            return f"{finished} {emptying.going_on(self._journal)}.".strip()
        with self._phase("plan"):
            plan = self._proposed(await asyncio.to_thread(planner.plan, seen.cluster, self.policy, look.at))
        held = self._held_back(look.at)
        if held is None:
            held = await self._start(plan, seen)
        return " ".join(part for part in (finished, plan.sentence, held) if part)

    def _busy(self) -> str:
        if self._plan_task is not None:
            return f"{self._plan_task.get_name()[:1].upper()}{self._plan_task.get_name()[1:]}"
        return "A drain"

    def _drain(self) -> bool:
        """Starts a step of the open drains; whether one of them keeps own moves waiting."""
        if self._adoption is not None or self._stopping.is_set():
            return False
        if any(drain.state in emptying.WORKING for drain in self._journal.drains()):
            self._draining = asyncio.create_task(emptying.step_all(self._journal, self._drainer), name="drains")
            self._draining.add_done_callback(lambda _: self.wake.set())
        return emptying.going_on(self._journal) is not None

    def _proposed(self, plan: Plan) -> Plan:
        """The plan, or the one before it where the moves are the same and it is not too old to be approved."""
        before = self.memory.proposal
        same = before is not None and list(map(_essence, before.moves)) == list(map(_essence, plan.moves))
        if same and before is not None and plan.created_at - before.created_at < PROPOSAL_KEPT:
            self.memory.proposal = replace(
                plan, id=before.id, created_at=before.created_at, snapshot_at=before.snapshot_at
            )
            return self.memory.proposal
        if plan.moves:
            self._journal.save_plan(plan)
        self.memory.proposal = plan
        return plan

    def _held_back(self, now: datetime) -> str | None:
        """Why no plan is started now, whatever it says."""
        if self._stopping.is_set():
            return "Stopping."
        if self.memory.stopped is not None:
            return f"Own moves are stopped: {self.memory.stopped}."
        if self._adoption is not None:
            return "Moves of an earlier process are being followed to their end first."
        if self.policy.mode < Mode.APPROVE:
            return f"Mode {self.policy.mode.name.lower()}: nothing is moved."
        return guard.budget_spent(guard.view(self._journal, self.policy, now).failures, self.policy.error_budget)

    async def _start(self, proposal: Plan, seen: Seen) -> str | None:
        """Starts the plan that may run now; says why not."""
        plan = await self._runnable(proposal, seen)
        if plan is None:
            return f"Plan {proposal.id} waits for approval." if proposal.moves else None
        if not plan.moves:
            return None
        if plan.id != proposal.id:
            self._journal.save_plan(plan)
        _log.info("a plan starts", extra={"plan": plan.id, "moves": len(plan.moves)})
        running = execution.run(plan, seen, self._migrator, self._interruption)
        self._plan_task = asyncio.create_task(running, name=f"plan {plan.id}")
        self._plan_task.add_done_callback(lambda _: self.wake.set())
        return "It is started."

    async def _runnable(self, proposal: Plan, seen: Seen) -> Plan | None:
        """The approved proposal, else a plan of what mode auto covers; None where everything waits for approval."""
        if proposal.moves and proposal.id in {approval.plan_id for approval in self._journal.approvals()}:
            return proposal
        if self.policy.mode is not Mode.AUTO:
            return None
        part = scoping.restricted(seen.cluster, seen.situation, self.policy, (Mode.AUTO,))
        if part is seen.cluster:
            return proposal
        return await asyncio.to_thread(planner.plan, part, self.policy, seen.look.at)

    def _interruption(self) -> str | None:
        if self._stopping.is_set():
            return "the controller is stopping"
        cluster: Cluster | None = self.memory.seen.cluster if self.memory.seen else None
        if cluster is not None and cluster.freeze is not None:
            return f"frozen: {cluster.freeze}"
        return emptying.going_on(self._journal)

    def _finished(self) -> str:
        """Takes in a plan or drains that have ended; raises what ended them (the journal)."""
        if self._draining is not None and self._draining.done():
            done, self._draining = self._draining, None
            done.result()
        task = self._plan_task
        if task is None or not task.done():
            return ""
        self._plan_task = None
        self.memory.proposal = None
        self.memory.ran = task.result()
        _log.info("a plan ended", extra={"plan": self.memory.ran.plan.id, "said": self.memory.ran.sentence})
        return f"Last: {self.memory.ran.sentence}."

    def _adopt(self) -> None:
        """Follows what an earlier process, or a failed write, left open."""
        if self._adoption is not None and self._adoption.done():
            done, self._adoption = self._adoption, None
            _log.info("adopted moves ended", extra={"moves": [entry.intent.id for entry in done.result()]})
        if self._adoption is None and self._adopter.orphans():
            self._adoption = asyncio.create_task(self._adopter.adopt(), name="adoption")

    @contextlib.contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.memory.phases[name] = time.perf_counter() - began

    def _tell(self, sentence: str) -> None:
        now, seen = self._clock.now(), self.memory.seen
        status = self.status if seen is None else reporting.with_seen(self.status, seen)
        with contextlib.suppress(GdccError):
            status = reporting.with_journal(status, self._journal, self.policy, seen, now)
        self.status = replace(
            status,
            mode=self.policy.mode,
            turned_at=now,
            sentence=sentence,
            seconds=dict(self.memory.phases),
            turns=status.turns.add(self.memory.phases),
            stopped=self.memory.stopped,
            plan=words.plan_summary(self.memory.proposal) if self.memory.proposal else status.plan,
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
        for task in (self._plan_task, self._adoption, self._draining):
            if task is not None and not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


def _essence(move: Move) -> tuple[object, ...]:
    return move.wave, move.vm, move.source, move.target

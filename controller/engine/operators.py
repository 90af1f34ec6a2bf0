"""The desk of a running controller: what operators ask, done on the loop's own parts."""

import contextlib
from dataclasses import replace
from datetime import datetime

from controller.engine import confirmation, scoping, vacancy
from controller.engine.campaign import fleet
from controller.engine.campaign.ports import Records
from controller.engine.drain import Drainer
from controller.engine.loop import Loop
from controller.engine.migrate import Migrator
from controller.engine.ports import Clock, HostRuns, Journal
from controller.engine.sighting import LOOKS_APART
from controller.engine.status import Status
from controller.errors import GdccError, RefusedError, TransientError
from controller.model.cluster import Cluster
from controller.model.ids import HostName, PlanId
from controller.model.migration import Entry
from controller.model.operation import Approval, Drain, Pause
from controller.model.plan import Plan
from controller.model.policy import Mode, Scope


class Operators:
    """`desk.Desk` over a loop in this process. `campaigns` have their hosts for themselves.

    `dry_run`: the cloud is only pretended to be changed, so nothing is drained.
    """

    def __init__(
        self,
        loop: Loop,
        migrator: Migrator,
        drainer: Drainer,
        journal: Journal,
        clock: Clock,
        *,
        campaigns: Records,
        dry_run: bool = False,
    ) -> None:
        self._loop = loop
        self._drainer = drainer
        self._migrator = migrator
        self._journal = journal
        self._clock = clock
        self._campaigns = campaigns
        self._dry_run = dry_run

    def status(self) -> Status:
        """The newest turn's, with what the journal says now of pauses, drains and moves."""
        status = self._loop.status
        with contextlib.suppress(GdccError):
            now = self._journal
            status = replace(status, pauses=now.pauses(), drains=now.drains(), running=now.open_entries())
            status = replace(status, host_runs=now.host_runs.open_runs())
        return status

    def moves(self, since: datetime) -> tuple[Entry, ...]:
        return self._journal.entries_since(since)

    def plan(self, plan_id: PlanId | None) -> Plan | None:
        if plan_id is not None:
            return self._journal.plan(plan_id)
        return self._loop.memory.proposal or self._journal.newest_plan()

    def recommended(self) -> Plan | None:
        return self._loop.memory.recommended

    def snapshot(self) -> Cluster:
        seen = self._loop.seen()
        if self._clock.now() - seen.look.at > LOOKS_APART * self._loop.interval:
            raise TransientError(f"the newest look is of {seen.look.at:%Y-%m-%d %H:%M:%S} UTC", where="loop")
        return seen.cluster

    def drains(self) -> tuple[Drain, ...]:
        return self._journal.drains()

    def approve(self, plan_id: PlanId, who: str) -> str:
        mode = self._loop.policy.mode
        if mode < Mode.APPROVE:
            what = f"the mode is {mode.name.lower()}, in which nothing moves, approved or not"
            raise RefusedError(what, rule="mode", where=plan_id, remedy="set policy.mode and reload")
        proposal = self._loop.memory.proposal
        if proposal is None or proposal.id != plan_id or not proposal.moves:
            now = f"the newest is {proposal.id}" if proposal and proposal.moves else "nothing is proposed now"
            raise RefusedError("this plan is not proposed", rule="superseded", where=plan_id, remedy=now)
        self._journal.approve(Approval(plan_id=plan_id, who=who, at=self._clock.now()))
        self._journal.note(self._clock.now(), who, f"approved plan {plan_id}: {proposal.sentence}")
        self._loop.wake.set()
        return f"Plan {plan_id} is approved: {len(proposal.moves)} moves."

    async def pause(self, scope: Scope | None, who: str, why: str, *, abort: bool) -> str:
        self._known(scope)
        where = "everything" if scope is None else str(scope)
        self._journal.pause(Pause(scope=scope, who=who, why=why, since=self._clock.now()))
        self._journal.note(self._clock.now(), who, f"paused {where}: {why}")
        self._loop.wake.set()
        running = len(self._journal.open_entries())
        if not abort:
            return f"Paused {where}; {running} running moves go on."
        if running == 0:
            return f"Paused {where}; 0 running moves are being aborted."
        aborted = len(self._migrator.abort_running(scope))
        rest = f", {running - aborted} others go on" if running > aborted else ""
        return f"Paused {where}; {aborted} running moves are being aborted{rest}."

    def resume(self, scope: Scope | None, who: str) -> str:
        """Resuming everything also forgives the error budget, accepts a smaller estate and restarts a stopped loop."""
        where = "everything" if scope is None else str(scope)
        found = self._journal.resume(scope, who, self._clock.now())
        if scope is None:
            self._loop.sight.accept()
            self._loop.memory.stopped = None
        elif not found:
            raise RefusedError("this scope is not paused", rule="not-paused", where=where)
        self._journal.note(self._clock.now(), who, f"resumed {where}")
        self._loop.wake.set()
        return f"Resumed {where}."

    async def drain_unknowns(self, host: HostName) -> tuple[str, ...]:
        seen = self._loop.seen()
        remains, held = await self._drainer.look(host)
        return confirmation.unknowns(host, remains, held, seen.situation, seen.cluster)

    async def drain(self, host: HostName, who: str, why: str, *, keep_shutoff: bool) -> Drain:
        self._require_real(host)
        drain = await self._drainer.begin(host, who=who, why=why, keep_shutoff=keep_shutoff, require=self._require_free)
        self._loop.wake.set()
        return drain

    async def look(self, host: HostName) -> Drain:
        found = next((drain for drain in self._journal.drains() if drain.host == host), None)
        if found is None:
            raise RefusedError("it is not being drained", rule="no-drain", where=host)
        return await vacancy.looked_at(self._drainer, found)

    async def enable(self, host: HostName, who: str, *, force: bool) -> str:
        self._require_real(host)
        said = await self._drainer.enable(host, who=who, force=force, require=self._require_free)
        self._loop.wake.set()
        return said

    @property
    def host_runs(self) -> HostRuns:
        return self._journal.host_runs

    def _require_real(self, host: HostName) -> None:
        """The journal's drains are real: the first process that does not run dry carries them on."""
        if self._dry_run:
            what = "the controller runs dry, and drains and gives back no host"
            raise RefusedError(what, rule="dry-run", where=host, remedy="set dry_run to false and restart")

    def _require_free(self, host: HostName) -> None:
        fleet.require_free(self._campaigns, host)

    def _known(self, scope: Scope | None) -> None:
        if scope is not None and scoping.unknown((scope,), self._loop.sight.estate):
            raise RefusedError("there is no such thing in the inventory", rule="unknown-scope", where=str(scope))

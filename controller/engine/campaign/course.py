"""One host's way through its steps: out of service, changed, verified, back in service.

Where a process died, the steps that ended are not repeated and the open one is looked at: a drain by its own record in
the journal, a reboot by the boot id that was noted before it, the enabling by what Nova says. Only a work playbook
whose end was not recorded is run again; it must bear that. A host whose step fails stays drained and disabled.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controller.engine.campaign import work
from controller.engine.campaign.ports import Fleet, Records
from controller.engine.ports import Clock, Journal, Playbooks
from controller.errors import PermanentError, TransientError
from controller.model.campaign import Campaign, HostState, Member, Reboot, State, Step, StepRecord
from controller.model.ids import HostName
from controller.model.operation import Drain, DrainState, paused_everywhere

_log = logging.getLogger(__name__)

POLL = timedelta(seconds=2)
"""How often a drain is looked at."""

RETRY = timedelta(seconds=10)
"""How long is waited where Nova, the journal or a host that reboots does not answer."""

UNHEARD = timedelta(seconds=60)
"""A reboot that was asked for by a process that died is not asked for again before so long after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a course acts through. `doing` is told, for people, what a host is at."""

    records: Records
    journal: Journal
    fleet: Fleet
    playbooks: Playbooks
    clock: Clock
    doing: Callable[[HostName, str], None]


_DISTURBS = frozenset({Step.LOOK, Step.WORK, Step.REBOOT})
"""Begun only on a host that is empty."""


class _GivesUpError(Exception):
    """An abort met the host before anything was done to it: in its drain, or while its playbook waited for a place."""


def why(campaign_id: str) -> str:
    """The reason that a campaign's drains carry, by which they are known as its own."""
    return f"campaign {campaign_id}"


def own_drain(journal: Journal, member: Member) -> Drain | None:
    """The open drain that this campaign began of the host."""
    for drain in journal.drains():
        if drain.host == member.host and drain.why == why(member.campaign):
            return drain
    return None


async def is_out(journal: Journal, fleet: Fleet, member: Member) -> bool:
    """Whether the host is out of service on the campaign's account: by its drain, or since it could not be enabled."""
    drains = [drain for drain in journal.drains() if drain.host == member.host]
    if drains:
        return own_drain(journal, member) is not None
    return await fleet.holds(member.host, why(member.campaign))


class Course:
    """Takes one member from where the journal says it is to its end. One at a time for a host."""

    def __init__(self, parts: Parts, campaign: Campaign, member: Member) -> None:
        self._parts = parts
        self._campaign = campaign
        self._order = campaign.order
        self.member = member
        self._done: dict[Step, StepRecord] = {}
        self._end = HostState.DONE

    async def run(self) -> Member:
        """Goes on until the host is DONE, FAILED, UNTOUCHED or RETURNED; transient errors are waited out."""
        while True:
            try:
                return await self._run()
            except TransientError as error:
                self._parts.doing(self.member.host, f"waits: {error}")
                _log.warning("a host of a campaign waits", extra={"host": self.member.host, "error": str(error)})
                await self._parts.clock.sleep(RETRY)

    async def _run(self) -> Member:
        if self.member.state is not HostState.UNDER_WAY:
            return self.member
        self._done = {record.step: record for record in self._parts.records.steps_of(self.member)}
        try:
            return await self._steps()
        except _GivesUpError:
            return await self._give_back()

    async def _steps(self) -> Member:
        for step in Step:
            if not self._wanted(step):
                continue
            record = self._done.get(step)
            if record is None or record.ended_at is None:
                if self._aborting() and not self._worked_on():
                    return await self._give_back()
                if await self._take(step, record) is None:
                    return self.member
        return self.member

    def _wanted(self, step: Step) -> bool:
        if step is Step.WORK:
            return self._order.work.playbook is not None
        if step is Step.REBOOT and self._order.work.reboot is Reboot.IF_REQUIRED:
            worked = self._done.get(Step.WORK)
            return worked is not None and worked.reboot_required
        return step is not Step.REBOOT or self._order.work.reboot is Reboot.ALWAYS

    async def _take(self, step: Step, record: StepRecord | None) -> StepRecord | None:
        """Does a step; None where it failed, and then the member has FAILED. `record`: of a process that died in it.

        A step that disturbs the host is journaled only as its playbook begins, which may have to wait for a place.
        """
        self._parts.doing(self.member.host, step.value)
        try:
            if step in _DISTURBS:
                await self._until_empty(self._parts.clock.now())
            else:
                self._open(step)
            ended = await self._act(step, record)
        except PermanentError as error:
            ended = replace(self._open(step), succeeded=False, said=str(error))
        ended = replace(ended, ended_at=self._parts.clock.now())
        if not ended.succeeded:
            await self._failed(ended)
            return None
        if step is Step.ENABLE:
            self.member = replace(self.member, state=self._end, why="", ended_at=ended.ended_at)
        await self._recorded(ended, self.member if step is Step.ENABLE else None)
        self._done[step] = ended
        return ended

    async def _recorded(self, ended: StepRecord, member: Member | None) -> None:
        """Journals the end of a step, however long that takes: a step that was done must not be done again."""
        while True:
            try:
                return self._parts.records.end(ended, member)
            except TransientError as error:
                self._parts.doing(self.member.host, f"waits: {error}")
                await self._parts.clock.sleep(RETRY)

    def _open(self, step: Step) -> StepRecord:
        """The step's open record; it is begun where there is none."""
        if step in self._done:
            return self._done[step]
        member, now = self.member, self._parts.clock.now()
        record = StepRecord(campaign=member.campaign, host=member.host, attempt=member.attempt, step=step, began_at=now)
        self._parts.records.begin(record)
        self._done[step] = record
        return record

    async def _failed(self, record: StepRecord) -> None:
        said = f"{record.step}: {record.said}"
        self.member = replace(self.member, state=HostState.FAILED, why=said, ended_at=record.ended_at)
        await self._recorded(record, self.member)
        note = f"campaign {self.member.campaign}: {self.member.host} failed and stays out of service: {said}"
        self._parts.journal.note(self._parts.clock.now(), "controller", note)

    async def _act(self, step: Step, adopted: StepRecord | None) -> StepRecord:
        if step is Step.DRAIN:
            await self._drain(self._open(step))
            return replace(self._open(step), succeeded=True)
        if step is Step.ENABLE:
            said = await self._parts.fleet.enable(self.member.host, self._campaign.who, force=False)
            return replace(self._open(step), succeeded=True, said=said)
        if step is Step.REBOOT:
            await self._reboot(adopted)
            return replace(self._open(step), succeeded=True)
        facts = await self._play(step)
        record = self._open(step)
        if step is Step.LOOK and not facts.get("boot_id"):
            return replace(record, succeeded=False, said="the host did not tell its boot id")
        return replace(
            record,
            succeeded=True,
            boot_id=str(facts.get("boot_id") or ""),
            reboot_required=facts.get("reboot_required") is True,
        )

    async def _play(self, step: Step) -> work.Facts:
        looked = self._done.get(Step.LOOK)
        boot_id = looked.boot_id if looked is not None else ""
        run = work.asked(self.member, self._order, step, self._parts.clock.now(), boot_id)
        host = self.member.host
        doing = self._parts.doing

        async def ready() -> None:
            if step in _DISTURBS:
                await self._require_wanted()
                self._open(step)

        return await work.run(self._parts.playbooks, run, lambda task: doing(host, f"{step}: {task}"), ready)

    async def _drain(self, record: StepRecord) -> None:
        """Returns once the host is empty and verified to be."""
        member = self.member
        if own_drain(self._parts.journal, member) is None:
            await self._parts.fleet.drain(
                member.host, self._campaign.who, why(member.campaign), keep_shutoff=self._order.keep_shutoff
            )
        await self._until_empty(record.began_at)

    async def _until_empty(self, since: datetime) -> None:
        """Returns once the drain is EMPTY, by its record and by Nova right now; waits for both.

        Raises `TransientError` where Nova does not answer: nobody knows then, and nothing may be done to the host.
        """
        host, longest = self.member.host, timedelta(minutes=self._order.work.drain_minutes)
        while (drain := await self._looked_at()).state is not DrainState.EMPTY:
            if self._aborting() and not self._worked_on():
                raise _GivesUpError
            paused = paused_everywhere(self._parts.journal.pauses())
            self._parts.doing(host, f"drain: {paused or _holdouts(drain)}")
            if self._waited(since) > longest and not paused:
                raise work.HostFailedError(f"not empty after {longest}: {_holdouts(drain)}", where=host)
            await self._parts.clock.sleep(POLL)

    async def _looked_at(self) -> Drain:
        """Our drain as it is; where its record says EMPTY, as Nova shows the host."""
        drain = self._own()
        return await self._parts.fleet.look(drain) if drain.state is DrainState.EMPTY else drain

    async def _reboot(self, adopted: StepRecord | None) -> None:
        """Reboots once: the playbook compares the boot id first, and a host that is coming up is waited for."""
        clock = self._parts.clock
        if adopted is not None and clock.now() < adopted.began_at + UNHEARD:
            await clock.sleep(adopted.began_at + UNHEARD - clock.now())
            await self._until_empty(clock.now())
        until = clock.now() + timedelta(minutes=self._order.work.reboot_minutes)
        while True:
            try:
                await self._play(Step.REBOOT)
            except work.HostFailedError as error:
                if adopted is None or not (error.unreachable and clock.now() < until):
                    raise
                await clock.sleep(RETRY)
            else:
                return

    async def _give_back(self) -> Member:
        """Back into service on an abort: as it is where nothing was done to it, else only verified."""
        touched = self.member.attempt > 1
        self._end = HostState.RETURNED if touched else HostState.UNTOUCHED
        out = await is_out(self._parts.journal, self._parts.fleet, self.member)
        if not out and Step.ENABLE not in self._done:
            return self._left()
        for step in (Step.VERIFY, Step.ENABLE) if touched else (Step.ENABLE,):
            if not self._ended(step) and await self._take(step, self._done.get(step)) is None:
                break
        return self.member

    def _left(self) -> Member:
        """It is not out on our account: its drain was never begun, or an operator has ended it: the host is theirs."""
        self.member = replace(self.member, state=self._end, why=self._taken(), ended_at=self._parts.clock.now())
        self._parts.records.save_members((self.member,))
        return self.member

    def _taken(self) -> str:
        """By whom, of a host that was out of service on our account."""
        if self._end is HostState.UNTOUCHED:
            return ""
        others = [drain for drain in self._parts.journal.drains() if drain.host == self.member.host]
        return f"drained by {others[0].who} since: {others[0].why}" if others else "given back by an operator"

    async def _require_wanted(self) -> None:
        """Raises where its playbook, which may have waited long for its turn, must not be begun any more.

        `_GivesUpError` on an abort of a host that nothing was done to, `TransientError` where it is not empty any more.
        """
        if self._aborting() and not self._worked_on():
            raise _GivesUpError
        drain = await self._looked_at()
        if drain.state is not DrainState.EMPTY:
            raise TransientError(f"is not empty any more: {_holdouts(drain)}", where=self.member.host)

    def _own(self) -> Drain:
        drain = own_drain(self._parts.journal, self.member)
        if drain is None:
            raise work.HostFailedError("somebody else ended its drain", where=self.member.host)
        return drain

    def _worked_on(self) -> bool:
        """Whether anything of this attempt may have changed the host."""
        return Step.WORK in self._done or Step.REBOOT in self._done

    def _ended(self, step: Step) -> bool:
        record = self._done.get(step)
        return record is not None and record.ended_at is not None

    def _aborting(self) -> bool:
        now = self._parts.records.campaign(self._campaign.id)
        return now is not None and now.state is State.ABORTING

    def _waited(self, since: datetime) -> timedelta:
        """How long it was waited for an empty host, without the time in which everything was paused."""
        now = self._parts.clock.now()
        return now - since - self._parts.journal.paused(since, now)


def _holdouts(drain: Drain) -> str:
    if not drain.holdouts:
        return "servers are being moved off"
    first = drain.holdouts[0]
    more = f", and {len(drain.holdouts) - 1} more" if len(drain.holdouts) > 1 else ""
    return f"{first.server_name} stays ({first.why}; {first.who_must_act}){more}"

"""Carries the open campaign on, beside the loop: begins hosts, follows their courses, pauses on failures, aborts, ends.

Everything it must not forget is in the journal; what it keeps itself (tasks, what a host is at, why others wait) a new
process finds out again.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controller.engine.campaign import progress
from controller.engine.campaign.choosing import Chooser, Facts, next_again, outdated, taken_up
from controller.engine.campaign.course import Course, Parts, is_out, own_drain
from controller.engine.campaign.failures import stopped_by
from controller.engine.campaign.ports import Fleet, Records
from controller.engine.ports import Clock, Journal, Playbooks
from controller.engine.sighting import Seen
from controller.errors import GdccError
from controller.model.campaign import OPEN, UNFINISHED, Campaign, Held, HostState, Member, State, Step
from controller.model.ids import HostName
from controller.model.operation import paused_everywhere
from controller.model.policy import Policy

_log = logging.getLogger(__name__)

TICK = timedelta(seconds=5)

RUNS_DRY = "the controller runs dry: hosts would be worked on though nothing is drained"


@dataclass(slots=True)
class Memory:
    """What people may see between two turns. `doing`: what each host under way is at."""

    waits: str = ""
    held: tuple[Held, ...] = ()
    doing: dict[HostName, str] = field(default_factory=dict)


class Conductor:
    """One per process. `run` goes on until it is cancelled, which leaves every host to be continued."""

    def __init__(
        self,
        *,
        records: Records,
        journal: Journal,
        fleet: Fleet,
        playbooks: Playbooks,
        clock: Clock,
        seen: Callable[[], Seen | None],
        policy: Callable[[], Policy],
        dry_run: bool = False,
    ) -> None:
        self._records = records
        self._journal = journal
        self._clock = clock
        self._seen = seen
        self._policy = policy
        self._dry_run = dry_run
        self.memory = Memory()
        self._parts = Parts(
            records=records, journal=journal, fleet=fleet, playbooks=playbooks, clock=clock, doing=self._doing
        )
        self._courses: dict[HostName, asyncio.Task[Member]] = {}
        self._chooser = Chooser()
        self._fruitless: datetime | None = None

    async def run(self) -> None:
        """Turns for ever."""
        try:
            while True:
                await self.turn()
                await self._clock.sleep(TICK)
        finally:
            await self._leave()

    async def turn(self) -> None:
        """One turn; what goes wrong is told in `memory.waits`, and tried again at the next."""
        try:
            campaign = next((each for each in self._records.campaigns() if each.state in OPEN), None)
            if campaign is None:
                self.memory = Memory()
                return
            if self._dry_run:
                self.memory.waits = f"{RUNS_DRY}; set dry_run to false and restart"
            elif not self._bug(campaign):
                await self._carry_on(campaign)
        except GdccError as error:
            self.memory.waits = str(error)
            self._fruitless = None
            _log.warning("a campaign waits", extra={"error": str(error)})

    async def _carry_on(self, campaign: Campaign) -> None:
        members = self._adopted(campaign, self._records.members(campaign.id))
        if campaign.state is State.ABORTING:
            self._abort(campaign, members)
            return
        if campaign.state is State.PAUSED:
            self.memory.waits, self.memory.held = f"paused: {campaign.why}", ()
            self._fruitless = None
            return
        members = self._settled(members)
        again = [member for member in members if member.waits_again]
        out = [member for member in again if await is_out(self._journal, self._parts.fleet, member)]
        if again and self._went_on(campaign, members):
            return
        reason = stopped_by(campaign, members, out)
        if reason is not None:
            self._pause(campaign, reason)
        elif not any(member.state in UNFINISHED for member in members):
            self._end(campaign, State.DONE)
        elif out:
            self._begin_again(campaign, members, out)
        else:
            await self._begin_next(campaign, members)

    def _begin_again(self, campaign: Campaign, members: Sequence[Member], out: Sequence[Member]) -> None:
        """Begins hosts that are to be tried again and still `out`, within the limits.

        They are out anyway, so they wait for no window and no proof, and all others wait for them.
        """
        picked, waits = next_again(campaign, members, out, self._journal.host_runs.open_runs())
        paused = paused_everywhere(self._journal.pauses())
        self.memory.waits, self.memory.held = paused or waits, ()
        if picked and not paused:
            self._begin(campaign, picked)

    def _settled(self, members: Sequence[Member]) -> Sequence[Member]:
        """Failed hosts that the newest look shows in service again are RETURNED: an operator has enabled them.

        A canary stays failed, since what it was to show was not shown.
        """
        seen = self._seen()
        failed = [each for each in members if each.state is HostState.FAILED and not each.canary]
        if seen is None or not failed:
            return members
        hosts = seen.cluster.hosts
        serving = {name for name, enabled in zip(hosts.names, hosts.enabled, strict=True) if enabled}
        back = {
            each.host: replace(each, state=HostState.RETURNED, why=f"given back by an operator; it failed: {each.why}")
            for each in failed
            if each.host in serving
            and each.ended_at is not None
            and each.ended_at < seen.look.at
            and own_drain(self._journal, each) is None
        }
        if back:
            self._records.save_members(tuple(back.values()))
        return [back.get(each.host, each) for each in members]

    async def _begin_next(self, campaign: Campaign, members: Sequence[Member]) -> None:
        seen = self._seen()
        changed = max((at for member in members for at in (member.began_at, member.ended_at) if at), default=None)
        if seen is None or (changed is not None and seen.look.at <= changed):
            self.memory.waits = "the next look at the cloud"
            return
        if self._fruitless == seen.look.at:
            return
        facts = self._facts(seen, members)
        choice = await self._chooser.choose(campaign, members, facts)
        self.memory.waits, self.memory.held = choice.waits, choice.held
        self._fruitless = None if choice.hosts else seen.look.at
        if not choice.hosts:
            return
        if self._went_on(campaign, members):
            self.memory.waits = "the next look at the cloud, since a host ended or the campaign was changed meanwhile"
            return
        now = self._facts(self._seen() or seen, members)
        changed_since = outdated(campaign, choice.hosts, facts, now)
        if taken_up(facts, now):
            self.memory.waits = "the next look at the cloud, since operators acted meanwhile"
        elif changed_since is not None:
            self.memory.waits = f"another choice, since meanwhile {changed_since}"
        else:
            self._begin(campaign, choice.hosts)

    def _went_on(self, campaign: Campaign, members: Sequence[Member]) -> bool:
        """Whether what was decided on is no more as it was: courses and operators act while the planner proves."""
        now = self._records.campaign(campaign.id), self._records.members(campaign.id)
        return now != (campaign, tuple(members))

    def _facts(self, seen: Seen, members: Sequence[Member]) -> Facts:
        return Facts(
            now=self._clock.now(),
            seen=seen,
            policy=self._policy(),
            drains=self._journal.drains(),
            runs=self._journal.host_runs.open_runs(),
            pauses=self._journal.pauses(),
            host_time=progress.host_time(members) or progress.UNMEASURED,
        )

    def _begin(self, campaign: Campaign, hosts: Sequence[Member]) -> None:
        now = self._clock.now()
        begun = tuple(replace(each, state=HostState.UNDER_WAY, began_at=now, ended_at=None) for each in hosts)
        self._records.save_members(begun)
        names = ", ".join(member.host for member in begun)
        self._journal.note(now, "controller", f"campaign {campaign.id} begins {names}")
        for member in begun:
            self._follow(campaign, member)

    def _adopted(self, campaign: Campaign, members: Sequence[Member]) -> Sequence[Member]:
        """Follows hosts under way that nobody follows. One whose drain never began waits again, for a new proof."""
        current: list[Member] = []
        for found in members:
            member = found
            if member.state is HostState.UNDER_WAY and member.host not in self._courses:
                if campaign.state is not State.ABORTING and not self._drained(member):
                    member = replace(member, state=HostState.WAITING, began_at=None)
                    self._records.save_members((member,))
                else:
                    self._follow(campaign, member)
            current.append(member)
        return current

    def _drained(self, member: Member) -> bool:
        ended = any(each.step is Step.DRAIN and each.ended_at for each in self._records.steps_of(member))
        return ended or own_drain(self._journal, member) is not None

    def _follow(self, campaign: Campaign, member: Member) -> None:
        course = Course(self._parts, campaign, member)
        task = asyncio.create_task(course.run(), name=f"campaign {campaign.id}: {member.host}")
        self._courses[member.host] = task
        task.add_done_callback(lambda _: self.memory.doing.pop(member.host, None))

    def _bug(self, campaign: Campaign) -> bool:
        """Takes in the courses that ended; one that broke off pauses the campaign, and True is answered."""
        broken = ""
        for host, task in tuple(self._courses.items()):
            if task.done():
                error = task.exception()
                broken = broken if error is None else f"the course of {host} broke off: {error}"
                if error is None:
                    del self._courses[host]
        if broken and campaign.state is State.RUNNING:
            self._pause(campaign, broken)
        elif broken:
            self.memory.waits = f"{broken}; restart the controller once its cause is mended"
        return bool(broken)

    def _abort(self, campaign: Campaign, members: Sequence[Member]) -> None:
        """Hosts that wait stay untouched; those that failed before the abort are verified once more and given back."""
        asked_at = campaign.resumed_at or campaign.created_at
        waiting = [each for each in members if each.state is HostState.WAITING and not each.waits_again]
        untouched = tuple(replace(each, state=HostState.UNTOUCHED, ended_at=self._clock.now()) for each in waiting)
        failed = [
            each
            for each in members
            if each.waits_again or (each.state is HostState.FAILED and (each.ended_at or asked_at) <= asked_at)
        ]
        mended = {run.host: run for run in self._journal.host_runs.open_runs()}
        now = self._clock.now()
        again = tuple(
            replace(retried(each), state=HostState.UNDER_WAY, began_at=now)
            for each in failed
            if each.host not in mended
        )
        others = [f"gdcc host {mended[m.host].verb} of {m.host} to end" for m in failed if m.host in mended]
        if untouched or again:
            self._records.save_members((*untouched, *again))
        for member in again:
            self._follow(campaign, member)
        under_way = [each.host for each in members if each.state is HostState.UNDER_WAY] + [m.host for m in again]
        back = [f"hosts come back: {', '.join(under_way)}"] if under_way else []
        self.memory.waits, self.memory.held = "; ".join(back + others), ()
        if not under_way and not others:
            self._end(campaign, State.ABORTED)

    def _pause(self, campaign: Campaign, reason: str) -> None:
        now = self._clock.now()
        self._records.save(replace(campaign, state=State.PAUSED, why=reason))
        self._journal.note(now, "controller", f"campaign {campaign.id} pauses: {reason}")
        self.memory.waits, self.memory.held = f"paused: {reason}", ()
        _log.warning("a campaign pauses", extra={"campaign": campaign.id, "why": reason})

    def _end(self, campaign: Campaign, state: State) -> None:
        now = self._clock.now()
        self._records.save(replace(campaign, state=state, ended_at=now))
        self._journal.note(now, "controller", f"campaign {campaign.id} is {state}")
        self.memory = Memory()

    def _doing(self, host: HostName, what: str) -> None:
        self.memory.doing[host] = what

    async def _leave(self) -> None:
        tasks = tuple(self._courses.values())
        self._courses.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def retried(member: Member) -> Member:
    """The failed member as it waits for another attempt; one that does so already, as it is."""
    if member.waits_again:
        return member
    return replace(member, state=HostState.WAITING, attempt=member.attempt + 1, began_at=None, ended_at=None)

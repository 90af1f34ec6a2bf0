"""Which hosts of a running campaign go next, on fresh facts: the limits, the hosts themselves, and the proof.

The hosts that are chosen, those under way and those that failed are of one fault domain and at most `hosts_at_once`;
together they cost no group more than its rule, by the planner's own order; and it has shown where every server on them
goes.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from controller.engine import calendar, scoping
from controller.engine.campaign import failures, receivers
from controller.engine.sighting import Seen
from controller.model.campaign import Campaign, Held, HostState, Member
from controller.model.cluster import Cluster
from controller.model.host_run import HostRun
from controller.model.ids import HostName
from controller.model.operation import Drain, Pause, paused_everywhere
from controller.model.policy import Mode, Policy
from controller.planner.campaign import proof, schedule
from controller.planner.campaign.exposure import Exposure, exposure

PROOFS = 8
"""Proofs in one choice at most; what is left waits for the next."""

Prove = Callable[..., tuple[Held, ...]]

RECHECK = timedelta(minutes=1)
"""A host that could not be proved is left alone for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known now. `host_time`: how long a host is thought to take."""

    now: datetime
    seen: Seen
    policy: Policy
    drains: Sequence[Drain]
    runs: Sequence[HostRun]
    pauses: Sequence[Pause]
    host_time: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`hosts` to begin now, in no order; where there are none, `waits` says why. `held`: by host."""

    hosts: tuple[Member, ...] = ()
    held: tuple[Held, ...] = ()
    waits: str = ""


def braked(campaign: Campaign, facts: Facts) -> str | None:
    """Why no host at all is begun now; None where nothing speaks against it."""
    paused = paused_everywhere(facts.pauses)
    if paused:
        return paused
    if facts.seen.cluster.freeze is not None:
        return f"the controller does not trust what it sees: {facts.seen.cluster.freeze}"
    order, zone = campaign.order, facts.seen.situation.estate.timezone
    if not calendar.allows(order.windows, order.blackouts, facts.now, zone):
        return "its window is closed"
    if not calendar.allows_throughout(order.windows, order.blackouts, facts.now, facts.host_time, zone):
        return f"its window closes before a host is done (a host takes {_minutes(facts.host_time)})"
    return None


def taken_up(before: Facts, now: Facts) -> bool:
    """Whether operators drained, worked on or paused anything between two collections of facts."""
    return _operators(before) != _operators(now)


def outdated(campaign: Campaign, hosts: Sequence[Member], before: Facts, now: Facts) -> str | None:
    """What is otherwise than it was when these hosts were chosen, so that they must be chosen anew; None for nothing.

    A proof may take longer than a look. What servers do meanwhile does not count: a drain plans for them as they are.
    Hosts count that could receive them and cannot any more, or take less.
    """
    brake = braked(campaign, now)
    if brake is not None:
        return brake
    looked = _Looked(now)
    found = next((held for member in hosts if (held := looked.held(member.host)) is not None), None)
    if found is not None:
        return found.why
    return receivers.lost(before.seen.cluster, now.seen.cluster, {member.host for member in hosts})


def _operators(facts: Facts) -> tuple[object, ...]:
    return {drain.host for drain in facts.drains}, {run.host for run in facts.runs}, tuple(facts.pauses)


def turn_of(campaign: Campaign, members: Sequence[Member], now: datetime) -> tuple[tuple[Member, ...], str]:
    """The waiting members whose turn it is, and what the others wait for: canaries first, then the soak."""
    waiting = [member for member in members if member.state is HostState.WAITING]
    canaries = [member for member in members if member.canary]
    if all(member.state is HostState.DONE for member in canaries):
        ends = [member.ended_at for member in canaries if member.ended_at is not None]
        soaked = max(ends, default=now) + timedelta(minutes=campaign.order.canaries.soak_minutes)
        if canaries and now < soaked:
            return (), f"the canaries soak until {soaked:%Y-%m-%d %H:%M} UTC"
        return tuple(waiting), ""
    first = tuple(member for member in waiting if member.canary)
    return first, "" if first else "the canaries are not verified yet"


def next_again(
    campaign: Campaign, members: Sequence[Member], out: Sequence[Member], runs: Sequence[HostRun]
) -> tuple[tuple[Member, ...], str]:
    """Of the members that are `out` and wait for another attempt those to begin now, and what the others wait for.

    They are of the fault domain of the hosts under way, and together no more than may be.
    """
    worked_on = {run.host: run.verb for run in runs}
    under_way = [member for member in members if member.state is HostState.UNDER_WAY]
    free = [member for member in out if member.host not in worked_on]
    if not free and not under_way:
        return (), f"gdcc host {worked_on[out[0].host]} of {out[0].host} to end"
    places = campaign.order.limits.hosts_at_once - len(under_way)
    domain = (under_way or free)[0].domain
    return tuple(member for member in free if member.domain == domain)[: max(places, 0)], ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unproved:
    """A host that could not be proved by itself, beside those that were out then."""

    until: datetime
    beside: frozenset[HostName]
    held: Held


class Chooser:
    """Chooses, and remembers for a while which hosts could not be proved even by themselves.

    `prove` is `planner.campaign.proof.held`, or what stands for it.
    """

    def __init__(self, prove: Prove = proof.held) -> None:
        self._prove = prove
        self._unproved: dict[HostName, _Unproved] = {}

    async def choose(self, campaign: Campaign, members: Sequence[Member], facts: Facts) -> Choice:
        """The next hosts. Raises what the planner raises."""
        turn, waits = turn_of(campaign, members, facts.now)
        under_way = [member for member in members if member.state is HostState.UNDER_WAY]
        failed = failures.counted(campaign, members)
        beside = [*under_way, *failed]
        places = campaign.order.limits.hosts_at_once - len(beside)
        waits = waits or braked(campaign, facts) or ""
        domains, out = {member.domain for member in beside}, frozenset(member.host for member in beside)
        near = [member for member in turn if domains <= {member.domain}]
        if not waits and turn and not under_way:
            waits = _beside(campaign, failed, places, near)
        if waits or places <= 0 or not near:
            return Choice(waits=waits)
        able, held = self._able(near, facts, out)
        exposed = await asyncio.to_thread(exposure, facts.seen.cluster)
        tries = PROOFS
        for _, together in groupby(able, key=lambda member: member.domain):
            left = list(together)
            while left and tries > 0:
                wave = schedule.wave([member.host for member in left], places, exposed, out)
                of = {member.host: member for member in left}
                picked = [of[host] for host in wave]
                if not picked:
                    held += [Held(host=m.host, rule="group", why=_crowded(m, exposed)) for m in left]
                    break
                proved, refused, used = await self._proved(campaign, picked, facts, tries)
                if proved:
                    return Choice(hosts=proved, held=tuple(held))
                tries -= used
                if refused is not None:
                    held.append(refused)
                    self._unproved[refused.host] = _Unproved(until=facts.now + RECHECK, beside=out, held=refused)
                left.remove(picked[0])
        return Choice(held=tuple(held), waits=_waits(held, len(under_way)))

    def _able(
        self, members: Sequence[Member], facts: Facts, out: frozenset[HostName]
    ) -> tuple[list[Member], list[Held]]:
        able: list[Member] = []
        held: list[Held] = []
        looked = _Looked(facts)
        for member in members:
            before = self._unproved.get(member.host)
            lasts = before is not None and before.until > facts.now and before.beside <= out
            found = before.held if before is not None and lasts else looked.held(member.host)
            if found is None:
                able.append(member)
            else:
                held.append(found)
        return able, held

    async def _proved(
        self, campaign: Campaign, picked: Sequence[Member], facts: Facts, tries: int
    ) -> tuple[tuple[Member, ...], Held | None, int]:
        """Those of the picked that can go together, ever fewer of them; why not even the first alone; proofs made."""
        asked, used = tuple(picked), 0
        while used < tries:
            refused = await self._refused(campaign, asked, facts)
            used += 1
            if not refused:
                return asked, None, used
            if len(asked) == 1:
                return (), refused[asked[0].host], used
            fewer = tuple(member for member in asked if member.host not in refused)
            asked = fewer if picked[0] in fewer else asked[: len(asked) // 2]
        return (), None, used

    async def _refused(self, campaign: Campaign, picked: Collection[Member], facts: Facts) -> Mapping[HostName, Held]:
        hosts, seen, policy = [member.host for member in picked], facts.seen, facts.policy
        part = scoping.restricted(seen.cluster, seen.situation, policy, tuple(Mode), facts.pauses)
        held = await asyncio.to_thread(
            self._prove, part, policy, seen.look.at, hosts, keep_shutoff=campaign.order.keep_shutoff
        )
        return {each.host: each for each in held}


class _Looked:
    """What the newest look and the operators say of a host by itself."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        cluster: Cluster = facts.seen.cluster
        self._rows = {name: row for row, name in enumerate(cluster.hosts.names)}
        self._draining = {drain.host for drain in facts.drains}
        self._worked_on = {run.host: run.verb for run in facts.runs}
        self._paused = {pause.scope for pause in facts.pauses if pause.scope is not None}

    def held(self, host: HostName) -> Held | None:
        rule, reason = self._rule(host)
        return Held(host=host, rule=rule, why=f"{host} {reason}") if rule else None

    def _rule(self, host: HostName) -> tuple[str, str]:
        hosts, row = self._facts.seen.cluster.hosts, self._rows.get(host)
        if row is None:
            return "unknown-host", "is not in Nova"
        rules = (
            ("already-draining", host in self._draining, "is being drained for somebody else"),
            ("host-run", host in self._worked_on, f"is worked on by gdcc host {self._worked_on.get(host)}"),
            ("disabled", not hosts.enabled[row], "was disabled by somebody else"),
            ("down", not hosts.up[row], "is down, so nothing can be moved off it"),
            ("paused", self._in_a_pause(host), "is in a scope that an operator paused"),
        )
        return next(((rule, reason) for rule, holds, reason in rules if holds), ("", ""))

    def _in_a_pause(self, host: HostName) -> bool:
        return bool(self._paused & self._facts.seen.situation.scopes(None, (host,)))


def _crowded(member: Member, exposed: Exposure) -> str:
    names = ", ".join(sorted(exposed.names[number] for number in exposed.of(member.host)))
    return f"{member.host} waits for others that carry members of the same group ({names})"


def _beside(campaign: Campaign, failed: Sequence[Member], places: int, near: Sequence[Member]) -> str:
    """What those whose turn it is wait for beside the failed hosts; empty where some may go."""
    if places <= 0:
        return f"a place: {failures.are_out(failed)}, and {campaign.order.limits.hosts_at_once} may be out together"
    if near:
        return ""
    domains = ", ".join(sorted({member.domain for member in failed}))
    return f"a host in {domains}: {failures.are_out(failed)} there, and all others that are left stand elsewhere"


def _waits(held: Sequence[Held], under_way: int) -> str:
    if under_way:
        return ""
    if not held:
        return f"hosts that can be proved together: {PROOFS} proofs of ever fewer did not find them on this look"
    first = held[0]
    more = f"; {len(held) - 1} more hosts are held" if len(held) > 1 else ""
    return f"no host can be begun: {first.why} ({first.rule}){more}"


def _minutes(length: timedelta) -> str:
    return f"{length.total_seconds() / 60:.0f} min"

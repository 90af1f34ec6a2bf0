"""How far a campaign is, from its own records: what each step takes, and when it will have ended."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import fmean

from controller.engine import calendar
from controller.model.campaign import Campaign, HostState, Member, Order, State, Step, StepRecord
from controller.planner.campaign import schedule

UNMEASURED = timedelta(minutes=30)
"""What a host is thought to take before one of this campaign has been done."""


def host_time(members: Iterable[Member]) -> timedelta | None:
    """The mean of the hosts that are done; None before the first."""
    took = [
        (member.ended_at - member.began_at).total_seconds()
        for member in members
        if member.state is HostState.DONE and member.began_at is not None and member.ended_at is not None
    ]
    return timedelta(seconds=fmean(took)) if took else None


def seconds(records: Iterable[StepRecord]) -> Mapping[Step, float]:
    """The mean of each step that succeeded."""
    took: dict[Step, list[float]] = {}
    for record in records:
        if record.succeeded and record.ended_at is not None:
            took.setdefault(record.step, []).append((record.ended_at - record.began_at).total_seconds())
    return {step: fmean(took[step]) for step in Step if step in took}


def waves_left(campaign: Campaign, members: Sequence[Member]) -> int:
    """The fewest waves that the limits allow for those that wait, and one for those under way."""
    waiting = [member for member in members if member.state is HostState.WAITING]
    under_way = any(member.state is HostState.UNDER_WAY for member in members)
    return schedule.fewest(waiting, campaign.order.limits) + under_way


def ends_at(campaign: Campaign, members: Sequence[Member], now: datetime, timezone: str) -> datetime | None:
    """When the last wave ends if each takes as long as hosts took so far, in open windows, after the soak.

    None where nothing is measured yet, the campaign does not go on, or its blackouts leave none of its windows.
    """
    each = host_time(members)
    if each is None or campaign.state is not State.RUNNING:
        return None
    order, at = campaign.order, now
    canaries = [member for member in members if member.canary]
    ended = [member.ended_at for member in canaries if member.ended_at is not None]
    if canaries and any(not member.canary and member.state is HostState.WAITING for member in members):
        at = max(at, max(ended, default=now) + timedelta(minutes=order.canaries.soak_minutes))
    return _after(waves_left(campaign, members), each, at, order, timezone)


def _after(waves: int, each: timedelta, at: datetime, order: Order, timezone: str) -> datetime | None:
    """When so many waves have ended that begin in open windows only; from window to window, not from wave to wave."""
    while waves:
        if not calendar.allows(order.windows, order.blackouts, at, timezone):
            opens = calendar.next_change(order.windows, order.blackouts, at, timezone)
            if opens is None:
                return None
            at = opens
        shuts = calendar.next_change(order.windows, order.blackouts, at, timezone)
        fit = waves if shuts is None else min(waves, _begun_within(shuts - at, each))
        at, waves = at + fit * each, waves - fit
    return at


def _begun_within(span: timedelta, each: timedelta) -> int:
    """How many follow each other that begin before it is over."""
    return math.ceil(span / max(each, timedelta(seconds=1)))

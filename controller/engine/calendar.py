"""Times of the week: whether moving is allowed now. Days and minutes are the local wall clock's."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from inventory.model import System, Window

_DAY_MINUTES = 24 * 60
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_LOOKED_AT_DAYS = 16
"""Weeks repeat, and a clock that changes can take one day of one week out: what does not change by then never does."""


def allows(windows: Sequence[Window], blackouts: Sequence[Window], now: datetime, timezone: str) -> bool:
    """Whether `now` (aware) lies in a window and in no blackout; no windows at all means any time."""
    local = now.astimezone(ZoneInfo(timezone))
    if any(_holds(blackout, local) for blackout in blackouts):
        return False
    return not windows or any(_holds(window, local) for window in windows)


def allows_throughout(
    windows: Sequence[Window], blackouts: Sequence[Window], start: datetime, length: timedelta, timezone: str
) -> bool:
    """Whether it is allowed at `start` and stays so up to and with `start + length`."""
    if not allows(windows, blackouts, start, timezone):
        return False
    change = next_change(windows, blackouts, start, timezone)
    return change is None or change > start + length


def bears_pause(system: System, start: datetime, length: timedelta, timezone: str) -> bool:
    """Whether a system's agency lets a server be paused by what begins at `start` and may take `length`."""
    if system.pause is None:
        return False
    both = (system.pause.windows, system.windows)
    return all(allows_throughout(windows, system.blackouts, start, length, timezone) for windows in both)


def next_change(
    windows: Sequence[Window], blackouts: Sequence[Window], after: datetime, timezone: str
) -> datetime | None:
    """The first time after `after` (aware) at which `allows` answers otherwise than then; None where it never does."""
    now, zone, times = allows(windows, blackouts, after, timezone), ZoneInfo(timezone), (*windows, *blackouts)
    yesterday = after.astimezone(zone).date() - _DAY
    for day in (yesterday + n * _DAY for n in range(_LOOKED_AT_DAYS)):
        for edge in sorted(_edges(times, day, zone)):
            if edge > after and allows(windows, blackouts, edge, timezone) is not now:
                return edge
    return None


def _edges(times: Sequence[Window], day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """When each begins or ends on this day, and when the clock changes; UTC. Twice where the clock shows it twice."""
    midnight = datetime.combine(day, time())
    minutes = {minute for window in times for minute in _minutes(window, day.weekday())}
    for local in (midnight + minute * _MINUTE for minute in minutes):
        for fold in (0, 1):
            yield local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    begin, end = (each.replace(tzinfo=zone).astimezone(UTC) for each in (midnight, midnight + _DAY))
    if begin.astimezone(zone).utcoffset() != end.astimezone(zone).utcoffset():
        yield _clock_change(begin, end, zone)


def _minutes(window: Window, weekday: int) -> Iterator[int]:
    """The minutes of such a day at which it begins or ends."""
    end = _end(window)
    if weekday in window.days:
        yield from (window.start_minute, min(end, _DAY_MINUTES))
    if (weekday - 1) % 7 in window.days and end > _DAY_MINUTES:
        yield end - _DAY_MINUTES


def _clock_change(begin: datetime, end: datetime, zone: ZoneInfo) -> datetime:
    """The first minute of the new offset, between two times (UTC) of different offsets."""
    old = begin.astimezone(zone).utcoffset()
    while end - begin > _MINUTE:
        middle = begin + (end - begin) // (2 * _MINUTE) * _MINUTE
        if middle.astimezone(zone).utcoffset() == old:
            begin = middle
        else:
            end = middle
    return end


def _holds(window: Window, local: datetime) -> bool:
    """Start counts, end does not. An end at or before the start lies on the next day; `days` name the day it starts."""
    minute = local.hour * 60 + local.minute
    today, yesterday = local.weekday(), (local.weekday() - 1) % 7
    end = _end(window)
    return (today in window.days and window.start_minute <= minute < end) or (
        yesterday in window.days and minute < end - _DAY_MINUTES
    )


def _end(window: Window) -> int:
    """Minutes from the midnight before its start; more than a day's where it ends on the next."""
    return window.start_minute + ((window.end_minute - window.start_minute) % _DAY_MINUTES or _DAY_MINUTES)

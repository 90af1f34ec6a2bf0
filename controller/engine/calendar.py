"""Times of the week: whether moving is allowed now. Days and minutes are the local wall clock's."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from inventory.model import Window

_DAY_MINUTES = 24 * 60
_MINUTE = timedelta(minutes=1)


def allows(windows: Sequence[Window], blackouts: Sequence[Window], now: datetime, timezone: str) -> bool:
    """Whether `now` (aware) lies in a window and in no blackout; no windows at all means any time."""
    local = now.astimezone(ZoneInfo(timezone))
    if any(_holds(blackout, local) for blackout in blackouts):
        return False
    return not windows or any(_holds(window, local) for window in windows)


def allows_throughout(
    windows: Sequence[Window], blackouts: Sequence[Window], start: datetime, length: timedelta, timezone: str
) -> bool:
    """Whether every minute from `start` to `start + length` is allowed."""
    minutes = range(int(length / _MINUTE) + 1)
    times = (*(start + n * _MINUTE for n in minutes), start + length)
    return all(allows(windows, blackouts, at, timezone) for at in times)


def _holds(window: Window, local: datetime) -> bool:
    """Start counts, end does not. An end at or before the start lies on the next day; `days` name the day it starts."""
    minute = local.hour * 60 + local.minute
    today, yesterday = local.weekday(), (local.weekday() - 1) % 7
    length = (window.end_minute - window.start_minute) % _DAY_MINUTES or _DAY_MINUTES
    end = window.start_minute + length
    return (today in window.days and window.start_minute <= minute < end) or (
        yesterday in window.days and minute < end - _DAY_MINUTES
    )

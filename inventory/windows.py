"""Times of the week as people write them: `Mon-Fri 22:00-05:00`, `Sat,Sun 00:00-24:00`, `22:00-05:00` for every day."""

import re

from inventory.model import Window

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = f"(?:{'|'.join(DAYS)})"
PATTERN = rf"^(?:{_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)* )?[0-2]\d:[0-5]\d-[0-2]\d:[0-5]\d$"
"""The whole form, also for the JSON Schema; hours past 24:00 are refused by `window`."""

_WHOLE_DAY = 24 * 60


def window(text: str) -> Window:
    """Reads one window; an end before its start lies on the next day. Raises `ValueError` saying what is wrong."""
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text!r} is not a time of the week (write it like 'Mon-Fri 22:00-05:00')")
    days, _, hours = text.rpartition(" ")
    start, end = (_minute(part) for part in hours.split("-"))
    if start in {_WHOLE_DAY, end}:
        raise ValueError(f"{text!r} begins and ends at once (a whole day is 'Mon 00:00-24:00')")
    return Window(days=_days(days or "Mon-Sun"), start_minute=start, end_minute=end)


def text_of(value: Window) -> str:
    """The window as `window` reads it."""
    days = ",".join(_runs(sorted(value.days)))
    return f"{days} {_clock(value.start_minute)}-{_clock(value.end_minute)}"


def _minute(clock: str) -> int:
    hours, minutes = (int(part) for part in clock.split(":"))
    if hours * 60 + minutes > _WHOLE_DAY:
        raise ValueError(f"{clock!r} is past 24:00 (a day ends at 24:00; an earlier end lies on the next day)")
    return hours * 60 + minutes


def _days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        days.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(days)


def _runs(days: list[int]) -> list[str]:
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}" for run in runs]


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"

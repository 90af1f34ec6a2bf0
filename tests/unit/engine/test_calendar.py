from datetime import UTC, datetime

import pytest

from controller.engine import calendar
from inventory.model import Window

BANGKOK = "Asia/Bangkok"  # UTC+7 all year
FRIDAY, SATURDAY = 4, 5
NIGHT = Window(days=frozenset({FRIDAY}), start_minute=22 * 60, end_minute=5 * 60)


def bangkok(day: int, hour: int, minute: int = 0) -> datetime:
    """A local time of November 2026 (the 20th is a Friday) as UTC."""
    local_minutes = day * 24 * 60 + hour * 60 + minute - 7 * 60
    return datetime(2026, 11, local_minutes // 1440, local_minutes % 1440 // 60, local_minutes % 60, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        (bangkok(20, 21, 59), False),
        (bangkok(20, 22), True),
        (bangkok(20, 23, 59), True),
        (bangkok(21, 0), True),
        (bangkok(21, 4, 59), True),
        (bangkok(21, 5), False),
        (bangkok(21, 23), False),
        (bangkok(20, 4), False),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_starts(now: datetime, is_open: bool) -> None:
    assert calendar.allows([NIGHT], [], now, BANGKOK) is is_open


def test_a_whole_day_ends_at_midnight() -> None:
    saturday = Window(days=frozenset({SATURDAY}), start_minute=0, end_minute=24 * 60)
    assert calendar.allows([saturday], [], bangkok(21, 0), BANGKOK)
    assert calendar.allows([saturday], [], bangkok(21, 23, 59), BANGKOK)
    assert not calendar.allows([saturday], [], bangkok(22, 0), BANGKOK)
    assert not calendar.allows([saturday], [], bangkok(20, 23, 59), BANGKOK)


def test_a_week_begins_again_after_sunday() -> None:
    sunday_night = Window(days=frozenset({6}), start_minute=23 * 60, end_minute=60)
    assert calendar.allows([sunday_night], [], bangkok(23, 0, 30), BANGKOK)


def test_no_window_means_any_time_and_a_blackout_closes_it() -> None:
    assert calendar.allows([], [], bangkok(20, 23), BANGKOK)
    assert not calendar.allows([], [NIGHT], bangkok(20, 23), BANGKOK)
    assert not calendar.allows([NIGHT], [NIGHT], bangkok(20, 23), BANGKOK)


def test_the_wall_clock_counts_where_the_clock_changes() -> None:
    morning = Window(days=frozenset({6}), start_minute=8 * 60, end_minute=9 * 60)
    in_winter, in_summer = datetime(2026, 11, 22, 7, 30, tzinfo=UTC), datetime(2026, 7, 19, 6, 30, tzinfo=UTC)
    assert calendar.allows([morning], [], in_winter, "Europe/Berlin")
    assert calendar.allows([morning], [], in_summer, "Europe/Berlin")

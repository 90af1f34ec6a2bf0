from datetime import UTC, datetime, timedelta

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


@pytest.mark.parametrize("zone", [BANGKOK, "Europe/Berlin"])
@pytest.mark.parametrize(
    ("windows", "blackouts"),
    [
        ([NIGHT], []),
        ([], [NIGHT]),
        ([NIGHT], [Window(days=frozenset({FRIDAY, SATURDAY}), start_minute=23 * 60, end_minute=2 * 60 + 30)]),
        ([Window(days=frozenset(range(7)), start_minute=2 * 60 + 30, end_minute=4 * 60)], []),
        ([Window(days=frozenset({6}), start_minute=60, end_minute=2 * 60 + 30)], []),
        ([Window(days=frozenset({6}), start_minute=0, end_minute=24 * 60)], []),
    ],
)
@pytest.mark.parametrize("sunday", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_every_change_is_found_as_a_walk_by_minutes_finds_it(
    zone: str, windows: list[Window], blackouts: list[Window], sunday: datetime
) -> None:
    """Around the Sundays on which Berlin's clock changes."""
    at, end = sunday - timedelta(days=3), sunday + timedelta(days=3)
    walked = []
    before = calendar.allows(windows, blackouts, at, zone)
    for minute in (at + timedelta(minutes=n) for n in range(1, 6 * 24 * 60)):
        now = calendar.allows(windows, blackouts, minute, zone)
        if now is not before:
            walked.append(minute)
        before = now
    found = []
    change = calendar.next_change(windows, blackouts, at, zone)
    while change is not None and change < end:
        found.append(change)
        change = calendar.next_change(windows, blackouts, change, zone)
    assert found == walked


def test_what_is_always_allowed_and_what_never_is_do_not_change() -> None:
    every_day = Window(days=frozenset(range(7)), start_minute=0, end_minute=24 * 60)
    for windows, blackouts in ([], []), ([every_day], []), ([NIGHT], [NIGHT]), ([], [every_day]):
        assert calendar.next_change(windows, blackouts, bangkok(20, 21), BANGKOK) is None


def test_what_goes_on_beyond_a_windows_end_or_over_a_gap_is_not_allowed_throughout() -> None:
    start = bangkok(20, 22)
    assert calendar.allows_throughout([NIGHT], [], start, timedelta(hours=6, minutes=59), BANGKOK)
    assert not calendar.allows_throughout([NIGHT], [], start, timedelta(hours=7), BANGKOK)
    assert not calendar.allows_throughout([NIGHT], [], start - timedelta(minutes=1), timedelta(minutes=5), BANGKOK)

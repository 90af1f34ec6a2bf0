import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory import windows
from inventory.model import Window


def test_a_range_of_days_with_a_night_over_midnight_is_read() -> None:
    assert windows.window("Mon-Fri 22:00-05:00") == Window(
        days=frozenset({0, 1, 2, 3, 4}), start_minute=22 * 60, end_minute=5 * 60
    )


def test_a_list_of_days_and_a_range_over_sunday_are_read() -> None:
    assert windows.window("Wed,Fri 00:00-24:00").days == {2, 4}
    assert windows.window("Sat-Mon 08:30-09:00").days == {5, 6, 0}


def test_hours_without_days_are_every_days() -> None:
    assert windows.window("22:00-05:00") == windows.window("Mon-Sun 22:00-05:00")


@pytest.mark.parametrize("text", ["", "Mon", "mon 01:00-02:00", "Mon 1:00-2:00", "Mon 01:60-02:00", "Mon 24:01-02:00"])
def test_what_is_no_window_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"\("):
        windows.window(text)


@given(
    days=st.frozensets(st.integers(0, 6), min_size=1),
    start=st.integers(0, 1439),
    end=st.integers(0, 1440),
)
def test_a_window_written_is_the_window_read(days: frozenset[int], start: int, end: int) -> None:
    value = Window(days=days, start_minute=start, end_minute=end if end != start else 1440)
    assert windows.window(windows.text_of(value)) == value

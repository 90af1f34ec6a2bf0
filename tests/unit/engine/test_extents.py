"""What there was in the last good hour is compared with, step by step and over restarts, until it is accepted."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.engine import extents
from controller.errors import RefusedError
from controller.model.extent import Extent, Peak
from controller.model.ids import ServerId
from controller.model.policy import Mode, Scope, ScopeKind
from tests.fakes.journals import START
from tests.fakes.turning import INTERVAL, Turning

HOUR = timedelta(hours=1)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Turning]:
    made = Turning(tmp_path, servers=20)
    made.change_policy(mode=Mode.OBSERVE)
    yield made
    made.rig.journal.close_store()


def deleted(site: Turning, *numbers: int) -> str | None:
    """The freeze after a turn without these servers."""
    for number in numbers:
        del site.cloud.servers[ServerId(f"vm-{number}")]
    asyncio.run(site.turns(1))
    return site.loop.status.freeze


def test_a_cloud_that_shrinks_by_small_steps_freezes_the_loop(site: Turning) -> None:
    assert deleted(site) is None
    assert deleted(site, 1) is None
    assert deleted(site, 2) is None
    frozen = deleted(site, 3)
    assert frozen is not None
    assert "VMs that the cloud shows shrank from 20 to 17, by 15% where policy allows 10% within 60 minutes" in frozen


def test_what_there_was_is_compared_with_after_a_restart_and_a_long_stop(site: Turning) -> None:
    assert deleted(site) is None
    site.restart()
    site.rig.clock.advance(timedelta(days=2))
    frozen = deleted(site, 1, 2, 3)
    assert frozen is not None and "shrank from 20 to 17" in frozen


def test_a_freeze_for_what_shrank_outlasts_the_hour_and_a_restart_until_an_operator_resumes(site: Turning) -> None:
    assert deleted(site) is None
    assert deleted(site, 1, 2, 3) is not None
    site.rig.clock.advance(3 * HOUR)
    assert deleted(site) is not None
    site.restart()
    assert deleted(site) is not None
    site.desk.resume(None, "malee")
    assert deleted(site) is None
    site.restart()
    assert deleted(site) is None


def test_an_end_of_one_pause_accepts_nothing(site: Turning) -> None:
    asyncio.run(site.turns(1))
    assert deleted(site, 1, 2, 3) is not None
    with pytest.raises(RefusedError, match="not paused"):
        site.desk.resume(Scope(kind=ScopeKind.HOST, name="c1"), "malee")
    assert deleted(site) is not None


def test_what_goes_over_hours_is_the_way_of_the_world(site: Turning) -> None:
    for number in range(1, 5):  # a fifth of all, twice what one hour may take
        for _ in range(7):
            site.rig.clock.advance(timedelta(minutes=10) - INTERVAL)
            assert deleted(site) is None
        assert deleted(site, number) is None


def test_a_journal_that_cannot_keep_what_there_is_ends_the_turn_and_says_so(site: Turning) -> None:
    site.journal.full = {"save_peaks"}
    asyncio.run(site.turns(1))
    assert "the disk under the journal is full" in site.loop.status.sentence
    assert site.loop.status.vms.total == 20


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30)), min_size=1, max_size=60))
def test_the_peaks_hold_the_most_of_the_hour_and_of_little_more(steps: list[tuple[int, int]]) -> None:
    at, peaks, looks = START, (), []  # type: ignore[var-annotated]
    for minutes, vms in steps:
        at += timedelta(minutes=minutes)
        looks.append((at, vms))
        peaks = extents.noted(peaks, Extent(expected_hosts=1, hosts=2, vms=vms), at, HOUR)
        most = extents.most(peaks)
        assert most is not None
        assert max(n for then, n in looks if then >= at - HOUR) <= most.vms
        assert most.vms <= max(n for then, n in looks if then >= at - HOUR - HOUR / extents.PARTS)
        assert len(peaks) <= extents.PARTS + 2


def test_a_clock_that_goes_back_loses_no_peak() -> None:
    first = extents.noted((), Extent(expected_hosts=1, hosts=1, vms=9), START, HOUR)
    back = extents.noted(first, Extent(expected_hosts=2, hosts=1, vms=3), START - 5 * HOUR, HOUR)
    assert back == (Peak(since=START - 5 * HOUR, extent=Extent(expected_hosts=2, hosts=1, vms=9)),)


def test_a_peak_of_a_clock_that_ran_ahead_is_not_compared_with_until_that_time_comes() -> None:
    peaks = extents.noted((), Extent(expected_hosts=1, hosts=1, vms=9), START + 1000 * HOUR, HOUR)
    for minutes in range(0, 80, 5):
        peaks = extents.noted(peaks, Extent(expected_hosts=1, hosts=1, vms=3), START + timedelta(minutes=minutes), HOUR)
    assert extents.most(peaks) == Extent(expected_hosts=1, hosts=1, vms=3)

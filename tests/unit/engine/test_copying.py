"""Pre-copy rounds as a hypervisor counts them, looked at once a second: which of them count as stalled, and when."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from controller.engine import verdict
from controller.engine.follow import watching
from controller.engine.verdict import Look, Watched
from controller.model.cloud import Migration
from controller.model.ids import HostName, MoveId, ServerId
from controller.model.migration import Entry, Intent, State
from controller.model.policy import MigrationPolicy

GIB = 1 << 30
START = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = MigrationPolicy(stall_after=timedelta(seconds=30), give_up_after=timedelta(hours=1))


def precopy(memory: float, dirty: float, link: float, written: float | None = None) -> Iterator[tuple[float, float]]:
    """(remaining, processed) in GiB at each second, until what is left takes less than half a second.

    `written` is how much of its memory the guest writes to, all of it by default.
    """
    second, began, peak, copied = 0, 0.0, memory, 0.0
    while peak > link / 2:
        ends = began + peak / link
        while second < ends:
            yield peak - (second - began) * link, copied + (second - began) * link
            second += 1
        copied, began, peak = copied + peak, ends, min(memory if written is None else written, peak / link * dirty)


def stalled_at(counts: Iterator[tuple[float, float]], *, total: float, skip: int = 0) -> int | None:
    """The second in which the copy is found stalled; None where it arrives."""
    watched, entry = Watched(since=START), running()
    for second, (remaining, processed) in enumerate(counts):
        if second < skip:
            continue
        look = Look(at=START + timedelta(seconds=second), server=None, record=record(remaining, processed, total))
        watched = watching(watched, look)
        if verdict.abort_reason(entry, look, watched, POLICY) == "stalled":
            return second
        assert second < 2000, "it neither ends nor stalls"
    return None


def record(remaining: float, processed: float, total: float) -> Migration:
    return Migration(
        id=1,
        uuid="m",
        server_id=ServerId("vm"),
        type="live-migration",
        status="running",
        source=HostName("c1"),
        target=HostName("c2"),
        created_at=START,
        memory_total_bytes=int(total * GIB),
        memory_remaining_bytes=int(remaining * GIB),
        memory_processed_bytes=int(processed * GIB),
    )


def running() -> Entry:
    intent = Intent(
        id=MoveId("m"),
        origin="plan",
        server_id=ServerId("vm"),
        server_name="vm",
        source=HostName("c1"),
        target=HostName("c2"),
        cold=False,
        rule="cpu",
        why="hot",
        system=None,
        agency=None,
        created_at=START,
        deadline=START,
        epoch=1,
        last_migration_id=0,
    )
    return Entry(intent=intent, state=State.RUNNING, changed_at=START, migration_id=1)


@pytest.mark.parametrize(
    ("memory", "dirty"), [(64, 0.5), (256, 0.5), (64, 0.0), (4, 0.5), (1, 0.9), (64, 0.9), (256, 0.8)]
)
def test_a_copy_that_converges_is_not_stalled(memory: float, dirty: float) -> None:
    assert stalled_at(precopy(memory, dirty, 1.1), total=memory) is None


@pytest.mark.parametrize("skip", [50, 57, 60, 80])
def test_a_converging_copy_that_is_first_seen_in_the_middle_is_not_stalled(skip: int) -> None:
    assert stalled_at(precopy(64, 0.5, 1.1), total=64, skip=skip) is None


def test_a_guest_that_writes_faster_than_the_link_is_stalled_in_its_second_round() -> None:
    found = stalled_at(precopy(64, 1.2, 1.1), total=64)
    assert found is not None
    assert 58 + 30 <= found <= 58 + 33


def test_a_guest_that_writes_to_a_part_of_its_memory_for_ever_is_stalled_when_that_part_is_copied_again() -> None:
    found = stalled_at(precopy(64, 1.2, 1.1, written=20), total=64)
    assert found is not None
    assert 58 + 18 + 30 <= found <= 58 + 18 + 33


@pytest.mark.parametrize("memory", [1, 2.5, 7])
def test_a_small_guest_whose_rounds_are_shorter_than_a_few_looks_is_stalled_too(memory: float) -> None:
    found = stalled_at(precopy(memory, 1.2, 1.1), total=memory)
    assert found is not None
    assert found <= 120


def test_a_counter_that_stands_still_is_stalled_after_its_time() -> None:
    assert stalled_at(((40.0, 24.0) for _ in range(100)), total=64) == 31


def test_counters_that_still_show_nothing_are_no_start_to_measure_from() -> None:
    def counts() -> Iterator[tuple[float, float]]:
        yield 0, 0
        yield from precopy(64, 0.5, 1.1)

    seconds = iter(counts())
    watched = Watched(since=START)
    look = Look(at=START, server=None, record=record(*next(seconds), total=0))
    assert watching(watched, look).copying is None

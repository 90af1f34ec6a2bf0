"""Another process holds the journal's database: nothing moves, the loop says why, and goes on when it is free."""

import asyncio
import contextlib
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.exposition.registry import registry
from controller.adapters.store import engine
from controller.adapters.store.journal import SqlJournal
from controller.model.migration import State
from tests.fakes import journals
from tests.fakes.turning import Turning

HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held(journal: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the database exclusively, until it is killed."""
    command = [sys.executable, "-c", HOLD, str(journal)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Turning]:
    """Two servers on c1, whose memory fails; a journal that waits for a lock no longer than 20 ms."""
    made = Turning(tmp_path)
    made.sensors.failing = {"c1"}
    made.rig.journal.close_store()
    impatient = engine.open_engine(engine.journal_url(journals.address(tmp_path)), busy=timedelta(milliseconds=20))
    made.rig.journal = SqlJournal(impatient, str(tmp_path / "journal.db"))
    made.wire()
    yield made
    made.rig.journal.close_store()


def stopped_metric(site: Turning) -> float | None:
    value: float | None = registry(lambda: site.published[-1]).get_sample_value("gdcc_loop_stopped")
    return value


def test_nothing_is_moved_and_status_metric_and_log_say_why(
    site: Turning, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with held(tmp_path / "journal.db"), caplog.at_level(logging.WARNING):
        asyncio.run(site.turns(3))
    assert site.started() == []
    assert "the journal is locked by another process" in (site.loop.status.stopped or "")
    assert "the journal is locked by another process" in site.loop.status.sentence
    assert stopped_metric(site) == 1
    assert any("locked by another process" in str(record.__dict__.get("error")) for record in caplog.records)


def test_when_the_holder_is_gone_the_loop_goes_on_by_itself(site: Turning, tmp_path: Path) -> None:
    with held(tmp_path / "journal.db"):
        asyncio.run(site.turns(2))
    asyncio.run(site.turns(8))
    assert {site.host_of("vm-1"), site.host_of("vm-2")}.isdisjoint({"c1"})
    assert site.loop.status.stopped is None and stopped_metric(site) == 0


def test_a_lock_while_a_move_runs_leaves_it_to_be_adopted_and_repeats_nothing(site: Turning, tmp_path: Path) -> None:
    async def run() -> None:
        await site.loop.turn()
        await site.settle(timedelta(seconds=2))
        begun = site.started()
        assert len(begun) == 1
        with held(tmp_path / "journal.db"):
            await site.turns(4)
            assert site.started() == begun
        await site.turns(8)

    asyncio.run(run())
    assert len({server for server, _ in site.started()}) == len(site.started()) == 2
    entries = site.rig.journal.entries_since(journals.START - timedelta(days=1))
    assert [entry.state for entry in entries] == [State.SUCCEEDED, State.SUCCEEDED]

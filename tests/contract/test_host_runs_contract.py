"""Runs of `gdcc host` in the journal, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.store import journal
from controller.errors import RefusedError
from controller.model.host_run import HostRunId, HostRunState, HostStep, HostVerb
from tests.fakes import journals
from tests.fakes.host_work import host_run
from tests.fakes.journals import START
from tests.fakes.postgres import Postgres


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.lab)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return journals.address(tmp_path)
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_journal()


@pytest.fixture
def store(address: str) -> Iterator[journal.SqlJournal]:
    with journal.open_journal(address) as opened:
        yield opened


def test_an_open_run_is_there_after_a_restart_with_its_step(store: journal.SqlJournal, address: str) -> None:
    run = host_run()
    store.host_runs.begin(run)
    further = replace(run, step=HostStep.REBOOT, boot_id="b-1", drained=True, changed_at=START + timedelta(minutes=1))
    store.host_runs.save(further)
    with journal.open_journal(address) as again:
        assert again.host_runs.open_runs() == (further,)


def test_a_host_has_one_open_run_and_a_new_one_once_it_has_ended(store: journal.SqlJournal) -> None:
    run = host_run()
    store.host_runs.begin(run)
    second = replace(run, id=HostRunId("second"), verb=HostVerb.PATCH)
    with pytest.raises(RefusedError, match=r"c1: run first of this host is open"):
        store.host_runs.begin(second)
    store.host_runs.save(replace(run, state=HostRunState.DONE, said="c1 is rebooted."))
    store.host_runs.begin(second)
    assert store.host_runs.open_runs() == (second,)
    assert [each.id for each in store.host_runs.runs_since(START)] == ["first", "second"]


def test_a_run_that_is_not_there_cannot_be_saved(store: journal.SqlJournal) -> None:
    with pytest.raises(RefusedError, match="no run of this id"):
        store.host_runs.save(host_run())

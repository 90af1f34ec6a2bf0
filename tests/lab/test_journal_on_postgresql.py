"""A running loop whose journal is on a real PostgreSQL: what a lost lock and a lost server do to it."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.exposition.registry import registry
from controller.adapters.store import engine, journal, lock, schema
from controller.adapters.store.server_lock import ServerLock
from controller.errors import InputError, PermanentError, RefusedError, TransientError
from controller.model.migration import State
from tests.fakes.journals import START, intent
from tests.fakes.postgres import Postgres
from tests.fakes.turning import Turning

SOON = timedelta(milliseconds=500)
"""Much longer than this server takes for a statement."""


@pytest.fixture
def address(postgres: Postgres) -> str:
    return postgres.new_journal()


@contextlib.contextmanager
def running(folder: Path, address: str) -> Iterator[Turning]:
    """Two servers on c1, whose memory fails; mode auto; the journal locked as the daemon does."""
    with (
        lock.take(address, purpose="gdcc run", now=START) as held,
        journal.open_journal(address, lock=held) as store,
    ):
        yield turning_on(store, folder)


def turning_on(store: journal.SqlJournal, folder: Path) -> Turning:
    made = Turning(folder)
    made.sensors.failing = {"c1"}
    made.rig.journal.close_store()
    made.rig.journal = store
    made.wire()
    return made


def terminated(postgres: Postgres, purpose: str) -> None:
    """Ends the sessions of that name, as an administrator or a failing network does."""
    postgres.sql(
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE '{purpose}%'"
    )


def assert_every_start_is_journaled(site: Turning) -> None:
    entries = site.rig.journal.entries_since(START - timedelta(days=1))
    assert sorted(site.started()) == sorted((entry.intent.server_id, entry.intent.target) for entry in entries)


def test_a_failing_host_is_emptied_and_every_move_is_journaled(address: str, tmp_path: Path) -> None:
    with running(tmp_path, address) as site:
        asyncio.run(site.turns(8))
        assert {site.host_of("vm-1"), site.host_of("vm-2")}.isdisjoint({"c1"})
        assert_every_start_is_journaled(site)


def test_a_lost_lock_stops_the_loop_which_says_so_and_goes_on_when_it_is_held_again(
    postgres: Postgres, address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path, address) as site, caplog.at_level(logging.WARNING):

        async def run() -> None:
            terminated(postgres, "gdcc run")
            await site.loop.turn()
            assert site.started() == []
            assert "the journal's lock was lost with its session" in (site.loop.status.stopped or "")
            assert registry(lambda: site.published[-1]).get_sample_value("gdcc_loop_stopped") == 1
            await site.turns(8)

        asyncio.run(run())
        assert "lock is held again" in caplog.text
        assert site.loop.status.stopped is None
        assert len(site.started()) == 2
        assert_every_start_is_journaled(site)


def test_while_another_controller_leads_the_loop_moves_nothing_and_names_it(
    postgres: Postgres, address: str, tmp_path: Path
) -> None:
    with running(tmp_path, address) as site:
        terminated(postgres, "gdcc run")
        with pytest.raises(TransientError):
            site.rig.journal.open_entries()
        with lock.take(address, purpose="gdcc drain", now=START) as other:
            asyncio.run(site.turns(3))
            assert site.started() == []
            assert "the journal is in use: gdcc drain on" in (site.loop.status.stopped or "")
            with journal.open_journal(address, lock=other) as theirs:
                theirs.open_epoch("another", START)
        said = asyncio.run(site.turns(3))
        assert site.started() == []
        assert "a newer leader has epoch 2" in said


def test_a_server_that_goes_stops_the_loop_until_it_is_back(postgres: Postgres, address: str, tmp_path: Path) -> None:
    with running(tmp_path, address) as site:

        async def run() -> None:
            await site.loop.turn()
            await site.settle(timedelta(seconds=2))
            begun = site.started()
            assert len(begun) == 1
            postgres.stop()
            try:
                await site.turns(3)
                assert site.started() == begun
                assert "the journal's database failed" in (site.loop.status.stopped or "")
            finally:
                postgres.start()
            await site.turns(10)

        asyncio.run(run())
        assert site.loop.status.stopped is None
        assert len({server for server, _ in site.started()}) == len(site.started()) == 2
        entries = site.rig.journal.entries_since(START - timedelta(days=1))
        assert [entry.state for entry in entries] == [State.SUCCEEDED, State.SUCCEEDED]


def test_a_server_that_hangs_stops_the_loop_which_says_so_until_it_answers_again(
    postgres: Postgres, address: str, tmp_path: Path
) -> None:
    where, limits = engine.journal_url(address), engine.ServerLimits(busy=SOON, unreached=SOON)
    with (
        ServerLock(where, "gdcc run", limits) as held,
        journal.SqlJournal(engine.open_engine(where, busy=SOON, unreached=SOON), "db", held.require) as store,
    ):
        site = turning_on(store, tmp_path)

        async def run() -> None:
            await site.loop.turn()
            await site.settle(timedelta(seconds=2))
            begun = site.started()
            assert len(begun) == 1
            with postgres.hanging():
                await site.turns(1)
                assert site.started() == begun
                assert "the server did not answer within" in (site.loop.status.stopped or "")
            await site.turns(10)

        asyncio.run(run())
        assert site.loop.status.stopped is None
        assert len({server for server, _ in site.started()}) == len(site.started()) == 2
        assert_every_start_is_journaled(site)


def test_what_another_session_holds_is_not_waited_for_long(postgres: Postgres, address: str) -> None:
    with lock.take(address, purpose="gdcc run", now=START) as held, journal.open_journal(address, lock=held) as store:
        with (
            postgres.held("moves", address),
            pytest.raises(TransientError, match="the journal's database took too long"),
        ):
            store.intend(intent())
        assert store.open_entries() == ()
        store.intend(intent())


def test_a_role_that_may_not_write_and_a_database_that_is_not_there_are_told(postgres: Postgres, address: str) -> None:
    postgres.sql("DROP ROLE IF EXISTS reader")
    postgres.sql("CREATE ROLE reader LOGIN")
    postgres.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", postgres.name(address))
    with (
        journal.open_journal(address.replace("gdcc@", "reader@")) as store,
        pytest.raises(PermanentError, match="grant"),
    ):
        store.intend(intent())
    with pytest.raises((PermanentError, TransientError), match="nowhere"):
        lock.take(postgres.url("nowhere"), purpose="gdcc run", now=START)


def test_a_journal_that_nobody_began_is_empty_and_not_created_by_a_look(postgres: Postgres) -> None:
    postgres.sql("CREATE DATABASE bare")
    assert not schema.begun(postgres.url("bare"))
    assert postgres.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "bare") == "0"


def test_no_password_is_in_any_message(postgres: Postgres) -> None:
    address = postgres.url("bare").replace("gdcc@", "gdcc:hush-hush@")
    postgres.stop()
    try:
        with pytest.raises((TransientError, PermanentError, InputError, RefusedError)) as refused:
            lock.take(address, purpose="gdcc run", now=START)
    finally:
        postgres.start()
    assert "hush-hush" not in str(refused.value)

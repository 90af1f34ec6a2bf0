"""The journal on SQLite: what is written is there after a restart, and what may not be written is refused."""

import logging
import os
import sqlite3
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.store import engine, journal, lock, schema
from controller.errors import InputError, PermanentError, RefusedError, TransientError
from controller.model.ids import MoveId
from tests.fakes import journals
from tests.fakes.journals import START, intent

MINUTE = timedelta(minutes=1)


def test_an_upgraded_journal_is_private_and_upgrading_again_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/j.db"
    schema.upgrade(url)
    with journal.open_journal(url) as store:
        store.intend(intent())
        schema.upgrade(url)
        assert store.entry(MoveId("p1-1")) is not None
    assert stat.S_IMODE((tmp_path / "j.db").stat().st_mode) == 0o600


def test_others_rights_on_the_file_are_taken_away(tmp_path: Path) -> None:
    url = journals.address(tmp_path)
    (tmp_path / "journal.db").chmod(0o664)
    journal.open_journal(url).close_store()
    assert stat.S_IMODE((tmp_path / "journal.db").stat().st_mode) == 0o600


def test_a_journal_of_the_first_version_is_brought_up_to_date_and_keeps_what_it_holds(tmp_path: Path) -> None:
    address = journals.address(tmp_path)
    with journal.open_journal(address) as store:
        store.intend(intent())
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        for later in ("campaign_steps", "campaign_hosts", "campaigns", "host_runs", "extents"):
            raw.execute(f"drop table {later}")
        for column in ("force_after_s", "abort_rule"):
            raw.execute(f"alter table moves drop column {column}")
        raw.execute("update alembic_version set version_num = '0001'")
    raw.close()
    with pytest.raises(PermanentError, match="schema is 0001"):
        journal.open_journal(address)
    schema.upgrade(address)
    with journal.open_journal(address) as store:
        assert store.entry(MoveId("p1-1")) is not None
        assert store.peaks() == ()


def test_a_journal_that_was_never_upgraded_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="schema is empty"):
        journal.open_journal(f"sqlite:///{tmp_path}/empty.db")


@pytest.mark.parametrize(
    ("url", "what"), [("sqlite://", "forgets"), ("mysql://h/d", "mysql cannot"), ("journal.db", "not a database")]
)
def test_an_address_that_cannot_keep_a_journal_is_bad_input(url: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        journal.open_journal(url)


def test_the_statements_of_one_journal_are_not_compiled_again_for_the_next(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sqlalchemy.engine.Engine")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        with journals.opened(tmp_path / name) as store:
            caplog.clear()
            store.intend(intent())
            assert [entry.intent for entry in store.open_entries()] == [intent()]
    told = [line for line in caplog.messages if line.startswith(("[generated in", "[cached since"))]
    assert len(told) > 4
    assert [line for line in told if not line.startswith("[cached since")] == []


def test_a_missing_folder_says_which(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"none/j\.db.*folder exists"):
        schema.upgrade(f"sqlite:///{tmp_path}/none/j.db")


def test_a_full_disk_stops_the_intent_and_nothing_is_written(tmp_path: Path) -> None:
    database = engine.open_engine(engine.journal_url(journals.address(tmp_path)))
    with database.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with journal.SqlJournal(database, "/var/journal.db") as store:
        with pytest.raises(TransientError, match=r"/var/journal.db: the disk under the journal is full \(free space"):
            store.intend(intent(why="x" * 100_000))
        assert store.open_entries() == ()
        store.intend(intent())


def test_a_locked_journal_is_an_error_to_try_again(tmp_path: Path) -> None:
    database = engine.open_engine(engine.journal_url(journals.address(tmp_path)), busy=timedelta(0))
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    with journal.SqlJournal(database, "journal.db") as store:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientError, match="locked by another process"):
            store.intend(intent())
        other.execute("ROLLBACK")
        store.intend(intent())
    other.close()


def test_a_file_that_is_no_database_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_text("not a database" * 100)
    with pytest.raises(PermanentError, match="not a journal"):
        journal.open_journal(journals.address(tmp_path))


def test_a_damaged_journal_is_told_as_such(tmp_path: Path) -> None:
    url = journals.address(tmp_path)
    content = bytearray((tmp_path / "journal.db").read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    (tmp_path / "journal.db").write_bytes(content)
    with pytest.raises(PermanentError, match="corrupted"), journal.open_journal(url) as store:
        store.intend(intent())


def test_the_second_holder_is_told_who_the_first_is(tmp_path: Path) -> None:
    path = lock.lock_path(journals.address(tmp_path))
    assert path == tmp_path / "journal.db.lock"
    with lock.acquire(path, purpose="gdcc run", now=START):
        with pytest.raises(RefusedError) as refused:
            lock.acquire(path, purpose="gdcc drain", now=START)
        assert refused.value.rule == "journal-locked"
        assert f"gdcc run, process {os.getpid()}, since 2026-11-02T03:00:00+00:00" in str(refused.value)
    lock.acquire(path, purpose="gdcc drain", now=START).release()


def test_a_dead_holders_lock_is_free(tmp_path: Path) -> None:
    path = tmp_path / "journal.db.lock"
    code = (
        "import os, sys, datetime, pathlib; from controller.adapters.store import lock;"
        "lock.acquire(pathlib.Path(sys.argv[1]), purpose='x', now=datetime.datetime.now(datetime.UTC)); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 9
    lock.acquire(path, purpose="gdcc run", now=START).release()
    assert str(os.getpid()) in path.read_text()


def test_a_lock_in_a_missing_folder_says_which(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="none/j"):
        lock.acquire(tmp_path / "none" / "j.lock", purpose="gdcc run", now=START)

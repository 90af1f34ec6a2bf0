"""A database server that is connected and does not answer: the journal says so instead of waiting for ever."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from controller.adapters.store import engine
from controller.adapters.store.journal import SqlJournal
from controller.adapters.store.server_lock import ServerLock
from controller.errors import TransientError
from tests.fakes.journals import intent
from tests.fakes.silent_postgres import silent_postgres

SOON = timedelta(milliseconds=50)
SAID = r"the server did not answer within 0\.1 s"


@pytest.fixture
def address() -> Iterator[str]:
    with silent_postgres() as server:
        yield server


def test_a_server_that_hangs_is_given_up_and_told_for_what_it_is(address: str) -> None:
    hanging = engine.open_engine(engine.journal_url(address), busy=SOON, unreached=SOON)
    with SqlJournal(hanging, "db.example") as journal:
        for _ in range(2):
            with pytest.raises(TransientError, match=SAID) as told:
                journal.intend(intent())
            assert "check that the database runs and answers" in str(told.value)


def test_its_lock_is_not_held_and_not_waited_for(address: str) -> None:
    limits = engine.ServerLimits(busy=SOON, unreached=SOON)
    with pytest.raises(TransientError, match=SAID):
        ServerLock(engine.journal_url(address), "gdcc run", limits)

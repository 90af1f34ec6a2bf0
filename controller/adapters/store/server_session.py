"""Sessions with a PostgreSQL server that no wait outlives: psycopg's own, but each wait for the server has an end.

The server's own limits (`statement_timeout`) and TCP's do not end a wait for a server that is connected and hangs.
"""

import time
from collections.abc import Generator
from datetime import timedelta
from typing import Any, NoReturn, TypeVar

import psycopg

Waited = TypeVar("Waited")


class Session(psycopg.Connection[Any]):
    """A connection that is closed where the server does not answer within `answer_within`."""

    answer_within: timedelta

    def wait(self, gen: Generator[Any, Any, Waited], *args: Any, **kwargs: Any) -> Waited:
        """Every statement and every commit waits here. Raises `psycopg.OperationalError` for a silent server."""
        return super().wait(self._with_an_end(gen), *args, **kwargs)

    def _with_an_end(self, gen: Generator[Any, Any, Waited]) -> Generator[Any, Any, Waited]:
        """psycopg resumes it several times a second, with nothing where nothing came."""
        end = time.monotonic() + self.answer_within.total_seconds()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() >= end:
                    self._give_up()
                wanted = gen.send(ready)
        except StopIteration as done:
            answer: Waited = done.value
            return answer

    def _give_up(self) -> NoReturn:
        self.close()
        raise psycopg.OperationalError(f"the server did not answer within {self.answer_within.total_seconds():g} s")


def connect(
    answer_within: timedelta, _dialect: object, _record: object, address: list[str], arguments: dict[str, Any]
) -> Session:
    """What SQLAlchemy's event `do_connect` asks for."""
    session = Session.connect(*address, **arguments)
    session.answer_within = answer_within
    return session

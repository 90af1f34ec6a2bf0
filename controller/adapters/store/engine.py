"""Database engines for the journal: the only place that knows which database it is."""

import importlib.util
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.util import LRUCache

from controller.errors import InputError, PermanentError

BUSY = timedelta(seconds=2)
"""How long a write waits for another's lock; well inside an intent's 10 s."""

UNREACHED = timedelta(seconds=5)
"""After so long without a sign of life a database server's connection is given up."""


class _Compiled(LRUCache[Any, Any]):
    """Statements as SQL, compiled once a process and not once a journal.

    SQLAlchemy's keys begin with the dialect, and each engine has one of its own; those of SQLite are all alike.
    """

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: tuple[Any, ...], value: Any) -> None:
        super().__setitem__(key[1:], value)


_COMPILED = _Compiled(500)


def journal_url(url: str) -> URL:
    """Reads a journal's address. Raises `InputError` for one that cannot keep a journal."""
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise InputError(
            "not a database address", where="journal", remedy="write sqlite:////path/journal.db"
        ) from error
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise InputError(f"{parsed.get_backend_name()} cannot keep a journal", remedy="use sqlite or postgresql")
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise InputError("a journal in memory forgets its moves", remedy="name a file: sqlite:////path/journal.db")
    if parsed.get_backend_name() == "postgresql" and importlib.util.find_spec("psycopg") is None:
        raise InputError(
            "a journal on PostgreSQL needs psycopg", where="journal", remedy="pip install gdcc-control[postgresql]"
        )
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def place(url: URL) -> str:
    """Where the journal is, for messages: a file's path, or the address without its password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.render_as_string(hide_password=True)


def open_engine(
    url: URL, *, read_only: bool = False, busy: timedelta = BUSY, unreached: timedelta = UNREACHED
) -> Engine:
    """An engine that commits durably: SQLite in WAL with synchronous FULL, PostgreSQL serializable."""
    if url.get_backend_name() == "postgresql":
        level = "REPEATABLE READ" if read_only else "SERIALIZABLE"
        limits = ServerLimits(busy=busy, unreached=unreached)
        settings = {"default_transaction_read_only": read_only}
        return server_engine(url, limits, settings, isolation_level=level, pool_pre_ping=True)
    path = Path(str(url.database))
    if not read_only:
        _make_private(path)
    address = f"file:{path.absolute()}?mode={'ro' if read_only else 'rwc'}"
    once = {"compiled_cache": _COMPILED}
    engine = create_engine(url.set(database=address, query={"uri": "true"}), execution_options=once)
    event.listen(engine, "connect", partial(_read_settings if read_only else _write_settings, busy))
    event.listen(engine, "begin", _begin_read if read_only else _begin_write)
    return engine


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """How long a server works on a statement (`busy`), and without a sign of life of it (`unreached`)."""

    busy: timedelta = BUSY
    unreached: timedelta = UNREACHED


LIMITS = ServerLimits()


def server_engine(url: URL, limits: ServerLimits, settings: Mapping[str, object], **options: Any) -> Engine:
    """An engine that never waits long for a server, with these settings of each session; `options` are SQLAlchemy's."""
    from controller.adapters.store import server_session  # noqa: PLC0415 - psycopg is an extra

    words = {"statement_timeout": limits.busy, **settings}
    seconds = max(1, int(limits.unreached.total_seconds()))
    arguments = {
        "connect_timeout": seconds,
        "keepalives_idle": seconds,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "tcp_user_timeout": seconds * 1000,
        "options": " ".join(f"-c {name}={_setting(value)}" for name, value in words.items()),
    }
    engine = create_engine(url, connect_args=arguments, **options)
    event.listen(engine, "do_connect", partial(server_session.connect, limits.busy + limits.unreached))
    return engine


def _setting(value: object) -> str:
    if isinstance(value, timedelta):
        return f"{int(value.total_seconds() * 1000)}ms"
    return str(value).lower()


def _make_private(path: Path) -> None:
    """Creates the file for its owner only, or takes others' rights away from one that is there."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise PermanentError(
            f"the journal cannot be opened: {error.strerror}",
            where=str(path),
            remedy="check that its folder exists and who may write there",
        ) from error


def _write_settings(busy: timedelta, connection: sqlite3.Connection, _record: object) -> None:
    _run(connection, busy, "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON")


def _read_settings(busy: timedelta, connection: sqlite3.Connection, _record: object) -> None:
    _run(connection, busy, "PRAGMA query_only = ON")


def _run(connection: sqlite3.Connection, busy: timedelta, *statements: str) -> None:
    connection.isolation_level = None
    for statement in (f"PRAGMA busy_timeout = {int(busy.total_seconds() * 1000)}", *statements):
        connection.execute(statement).close()


def _begin_write(connection: Connection) -> None:
    """Takes the write lock at once, so that what a transaction read still holds when it writes."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_read(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")

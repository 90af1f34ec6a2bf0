"""What a database's failure means to the loop: which error of ours, which file, what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from controller.errors import GdccError, PermanentError, TransientError

_TRANSIENT = {
    "SQLITE_BUSY": ("the journal is locked by another process", "find who holds it: fuser FILE"),
    "SQLITE_LOCKED": ("the journal is locked by another connection", "try again"),
    "SQLITE_FULL": ("the disk under the journal is full", "free space; no move is made until it can be written"),
    "SQLITE_IOERR": ("the journal's disk failed to read or write", "look at the disk and its file system"),
}
_PERMANENT = {
    "SQLITE_READONLY": ("the journal cannot be written", "check the file's owner, mode and mount"),
    "SQLITE_PERM": ("the journal cannot be written", "check the file's owner, mode and mount"),
    "SQLITE_CANTOPEN": ("the journal cannot be opened", "check that its folder exists and who may write there"),
    "SQLITE_CORRUPT": (
        "the journal is corrupted",
        "stop, keep a copy, restore it, and compare open moves with Nova's migrations before starting again",
    ),
    "SQLITE_NOTADB": ("the file is not a journal", "name another file, or restore this one"),
}

_SERVER_TRANSIENT = {
    "53100": _TRANSIENT["SQLITE_FULL"],
    "55P03": ("the journal is locked by another session", "look at pg_stat_activity and pg_locks"),
    "57014": ("the journal's database took too long", "look at pg_stat_activity and pg_locks"),
    "40001": ("the journal was changed at the same time by another session", "try again"),
    "40P01": ("the journal was changed at the same time by another session", "try again"),
}
_SERVER_PERMANENT = {
    "25006": ("the journal cannot be written", "is the server a standby, or the journal opened to be read?"),
    "42501": ("the journal cannot be written", "grant the role its tables"),
    "28P01": ("the journal's server does not take the password", "look at passfile and pg_hba.conf"),
    "28000": ("the journal's server does not let this role in", "look at pg_hba.conf"),
    "3D000": ("the journal's database is not there", "create it"),
}
"""By SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html"""


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Raises this program's errors for the database's, chained. `where` names the file or server, with no password."""
    try:
        yield
    except exc.DBAPIError as error:
        raise meaning(error, where) from error
    except exc.TimeoutError as error:
        raise TransientError("no free connection to the journal", where=where) from error


def meaning(error: exc.DBAPIError, where: str) -> GdccError:
    """The error of ours that a database error stands for."""
    name = _sqlite_name(error.orig)
    for code, (what, remedy) in _TRANSIENT.items():
        if name.startswith(code):
            return TransientError(what, where=where, remedy=remedy)
    for code, (what, remedy) in _PERMANENT.items():
        if name.startswith(code):
            return PermanentError(what, where=where, remedy=remedy)
    state = getattr(error.orig, "sqlstate", None)
    if state in _SERVER_TRANSIENT:
        what, remedy = _SERVER_TRANSIENT[state]
        return TransientError(what, where=where, remedy=remedy)
    if state in _SERVER_PERMANENT:
        what, remedy = _SERVER_PERMANENT[state]
        return PermanentError(what, where=where, remedy=remedy)
    what = f"the journal's database failed: {' '.join(str(error.orig).split())}"
    if isinstance(error, exc.OperationalError):
        return TransientError(what, where=where, remedy="check that the database runs and answers")
    return PermanentError(what, where=where)


def _sqlite_name(error: BaseException | None) -> str:
    return getattr(error, "sqlite_errorname", "") if isinstance(error, sqlite3.Error) else ""

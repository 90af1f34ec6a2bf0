"""One writer at a time for a journal on PostgreSQL: an advisory lock of a session that is kept open.

The server gives a lock back when its session ends, whatever ended it; so whether the session still answers is whether
the lock is held. The address must lead to the server itself: a pooler that shares sessions would share the lock.
"""

import logging
import os
import socket
from contextlib import ExitStack
from typing import Self

from sqlalchemy import URL, Connection, NullPool, exc, text

from controller.adapters.store import failures
from controller.adapters.store.engine import LIMITS, ServerLimits, place, server_engine
from controller.errors import RefusedError, TransientError

_log = logging.getLogger(__name__)

KEY = int.from_bytes(b"gdcc")
"""The lock's number; advisory locks are each database's own."""

_TAKE = text("SELECT pg_try_advisory_lock(:key)")
_HOLDER = text(
    "SELECT application_name, backend_start FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory'"
    " AND granted AND classid = 0 AND objid = :key AND database = (SELECT oid FROM pg_database WHERE"
    " datname = current_database())"
)
_ALIVE = text("SELECT 1")


class ServerLock:
    """Held from its making to `release`. Lost with its session, it is taken again by the `require` after the next.

    Nobody can have led in between unseen: every leader opens an epoch, and an intent of an older one is refused.
    """

    def __init__(self, address: URL, purpose: str, limits: ServerLimits = LIMITS) -> None:
        """Raises `RefusedError` (rule `journal-locked`) that names the holder, and what `failures` raises."""
        self._where = place(address)
        name = f"{purpose} on {socket.gethostname()}, process {os.getpid()}"[:63]
        named = address.update_query_dict({"application_name": name})
        self._engine = server_engine(named, limits, {}, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._session: Connection | None = self._taken()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def require(self) -> None:
        """Raises `TransientError` once where the session is lost, then what taking the lock anew raises."""
        if self._session is None:
            self._session = self._taken()
            _log.warning("the journal's lock is held again", extra={"journal": self._where})
            return
        try:
            self._session.execute(_ALIVE).close()
        except exc.DBAPIError as error:
            self.release()
            raise TransientError(
                f"the journal's lock was lost with its session: {' '.join(str(error.orig).split())}",
                where=self._where,
                remedy="nothing is moved before it is held again; look at the server's log",
            ) from error

    def release(self) -> None:
        """Ends the session, and the lock with it."""
        session, self._session = self._session, None
        if session is not None:
            session.invalidate()
            session.close()

    def _taken(self) -> Connection:
        with failures.translated(self._where), ExitStack() as unless_taken:
            session = unless_taken.enter_context(self._engine.connect())
            if session.execute(_TAKE, {"key": KEY}).scalar():
                unless_taken.pop_all()
                return session
            holder = session.execute(_HOLDER, {"key": KEY}).first()
        told = (
            "by a session that has just ended"
            if holder is None
            else f"{holder[0]}, since {holder[1]:%Y-%m-%d %H:%M %Z}"
        )
        raise RefusedError(
            f"the journal is in use: {told}",
            rule="journal-locked",
            where=self._where,
            remedy="talk to that process instead, or stop it first",
        )

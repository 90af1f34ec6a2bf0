"""One writer at a time: an exclusive lock beside the journal, which says who holds it.

Beside a SQLite file it is a locked file, on a server an advisory lock (`server_lock`).
"""

import fcntl
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Protocol, Self

from controller.adapters.store import server_lock
from controller.adapters.store.engine import journal_url
from controller.errors import InputError, PermanentError, RefusedError


class Lock(Protocol):
    """Held from its making to `release`, or until the process ends."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def require(self) -> None:
        """Raises `TransientError` or `RefusedError` (rule `journal-locked`) where it is not held any more."""
        ...

    def release(self) -> None:
        """Lets go."""
        ...


def take(url: str, *, purpose: str, now: datetime) -> Lock:
    """Takes a journal's lock at once or raises `RefusedError` (rule `journal-locked`) that names its holder.

    `purpose` is what the holder does, for the message (`gdcc run`).
    """
    address = journal_url(url)
    if address.get_backend_name() == "sqlite":
        return acquire(lock_path(url), purpose=purpose, now=now)
    return server_lock.ServerLock(address, purpose)


def lock_path(url: str) -> Path:
    """Where a SQLite journal's lock is: `{journal}.lock`. Raises `InputError` for a journal that is not a file."""
    address = journal_url(url)
    if address.get_backend_name() != "sqlite":
        raise InputError("a journal on a server has no lock file", where="journal")
    return Path(f"{address.database}.lock")


class JournalLock:
    """Held from `acquire` to `release`, or until the process ends: the kernel gives a dead holder's lock back."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def require(self) -> None:
        """Nothing: nobody takes it while the process lives."""

    def release(self) -> None:
        """Lets go. The file stays, so that two processes never lock two files of one name."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def acquire(path: Path, *, purpose: str, now: datetime) -> JournalLock:
    """Takes the lock at once or raises `RefusedError` (rule `journal-locked`) that names its holder.

    `purpose` is what the holder does, for the message (`gdcc run`). Raises `PermanentError` where it cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise PermanentError(
            f"the journal's lock cannot be opened: {error.strerror}", where=str(path), remedy="check its folder"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        holder = json.dumps({"pid": os.getpid(), "purpose": purpose, "since": now.isoformat(timespec="seconds")})
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode(), 0)
    except BlockingIOError as error:
        told = _holder(descriptor)
        os.close(descriptor)
        raise RefusedError(
            f"the journal is in use: {told}",
            rule="journal-locked",
            where=str(path),
            remedy="talk to that process instead, or stop it first",
        ) from error
    except OSError as error:
        os.close(descriptor)
        raise PermanentError(f"the journal's lock cannot be taken: {error.strerror}", where=str(path)) from error
    return JournalLock(descriptor)


def _holder(descriptor: int) -> str:
    try:
        told = json.loads(os.pread(descriptor, 4096, 0))
        return f"{told['purpose']}, process {told['pid']}, since {told['since']}"
    except (ValueError, KeyError, TypeError):
        return "by a process that has just started"

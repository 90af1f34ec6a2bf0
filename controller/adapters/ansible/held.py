"""One process at a time works on a host: a lock for each, which the kernel gives back when its holder dies."""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from controller.adapters.ansible import shared
from controller.errors import PermanentError, RefusedError
from controller.model.ids import HostName

FOLDER = ".hosts"


@contextlib.contextmanager
def hosts(artifacts: Path, names: Sequence[HostName]) -> Iterator[None]:
    """Holds them all while the block runs.

    Raises `RefusedError` (rule `host-in-work`) where another process of this machine holds one.
    """
    home = artifacts / FOLDER
    with contextlib.ExitStack() as held:
        try:
            shared.folder(artifacts, there=True)
            shared.folder(home, there=True)
            for name in sorted(names):
                lock = shared.lock(home / name)
                held.callback(os.close, lock)
                _take(lock, name)
        except OSError as error:
            what = f"hosts cannot be locked: {error.strerror}"
            raise PermanentError(what, where=str(home), remedy="see ansible.artifacts") from error
        yield


def _take(lock: int, name: HostName) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"process {os.getpid()}".encode(), 0)
    except BlockingIOError as error:
        holder = os.pread(lock, 100, 0).decode(errors="replace") or "another process"
        raise RefusedError(
            f"{holder} works on it", rule="host-in-work", where=name, remedy="wait for it, or end it first"
        ) from error

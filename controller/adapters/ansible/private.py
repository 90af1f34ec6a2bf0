"""A run's own folder: in memory where the system allows, open to nobody else, gone with the run.

What a killed process left behind is swept when the next run begins, Ansible's processes among it: they do not notice.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from controller.adapters.ansible import processes
from controller.adapters.ansible.site import mark
from controller.errors import PermanentError

_PREFIX = "gdcc-run-"
_LOCK = "lock"
MEMORY = Path("/dev/shm")  # noqa: S108 - the folders in it are made by mkdtemp


@contextlib.contextmanager
def folder(run: str) -> Iterator[Path]:
    """A folder for the run with this id. Raises `PermanentError` where none can be made."""
    where = home()
    sweep(where)
    try:
        made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=where))
    except OSError as error:
        raise PermanentError(f"no folder can be made for a run: {error.strerror}", where=str(where)) from error
    lock = os.open(made / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.pwrite(lock, mark(run, made).encode(), 0)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(lock)


def home() -> Path:
    """Where runs have their folders."""
    return MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())


def sweep(where: Path) -> None:
    """Ends what is left of runs whose own process is gone; another user's stay."""
    for left in where.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            lock = os.open(left / _LOCK, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # One without a mark may be another process's that has just made it and waits for the lock.
                if marked := os.pread(lock, 1000, 0).decode():
                    processes.end(marked)
                    shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(lock)

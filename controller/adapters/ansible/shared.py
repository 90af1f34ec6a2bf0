"""What the group of the folder above may use, whoever makes it and with whatever umask.

So the daemon's own account and operators of its group work with the same locks and artifacts, as with its socket.
"""

import contextlib
import os
from pathlib import Path

_FOLDER, _LOCK, _WRITTEN = 0o770, 0o660, 0o640


def folder(path: Path, *, there: bool = False) -> None:
    """Makes it, and what is missing above it. Raises `FileExistsError` unless it may be `there`, as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir()
    except FileExistsError:
        if not there:
            raise
    else:
        _give(path, _FOLDER)


def lock(path: Path) -> int:
    """The open descriptor of a file that everybody in the group may lock and write, made where there is none."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _LOCK)
    except FileExistsError:
        return os.open(path, os.O_RDWR)
    _give(path, _LOCK)
    return descriptor


def written(path: Path) -> None:
    """Makes an empty file that only this process's account writes and the group reads."""
    path.touch(mode=_WRITTEN)
    _give(path, _WRITTEN)


def _give(path: Path, mode: int) -> None:
    """Somebody who is not of that group keeps it in their own."""
    group = path.parent.stat().st_gid
    if path.stat().st_gid != group:
        with contextlib.suppress(PermissionError):
            os.chown(path, -1, group)
    path.chmod(mode)

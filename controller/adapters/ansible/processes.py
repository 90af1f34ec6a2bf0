"""The processes of a run, found by the mark in their environment: Ansible's workers leave its process group."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from controller.adapters.ansible.site import MARK


def of(prefix: str) -> Iterator[int]:
    """The ids of this user's processes whose mark begins so, this one not among them."""
    wanted = f"{MARK}={prefix}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            given = (entry / "environ").read_bytes().split(b"\0")
            if any(each.startswith(wanted) for each in given):
                yield int(entry.name)


def end(prefix: str) -> None:
    """Kills them all, those too that are born meanwhile: of one run by its whole mark, of several by how ids begin."""
    while found := list(of(prefix)):
        for process in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

"""The processes of a run, found by the mark in their environment: Ansible's workers leave its process group."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from controller.adapters.ansible.site import MARK


def of(mark: str) -> Iterator[int]:
    """The ids of this user's processes that carry the mark, this one not among them."""
    wanted = f"{MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                yield int(entry.name)


def end(mark: str) -> None:
    """Kills them all, those too that are born meanwhile."""
    while found := list(of(mark)):
        for process in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

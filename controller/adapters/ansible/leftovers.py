"""What a process of the controller that was killed may have left running."""

import contextlib
import os
import signal
from pathlib import Path

from controller.adapters.ansible.site import MARK


def end(prefix: str) -> None:
    """Kills this user's processes of every run whose id begins so; for runs that nobody follows any more."""
    wanted = f"{MARK}={prefix}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                given = (entry / "environ").read_bytes().split(b"\0")
                if any(each.startswith(wanted) for each in given):
                    os.kill(int(entry.name), signal.SIGKILL)

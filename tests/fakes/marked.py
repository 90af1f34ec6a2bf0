"""Processes that bear a playbook run's mark."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from controller.adapters.ansible.site import MARK

PROGRAM = "import os, sys; os.setsid(); print(flush=True); sys.stdin.read()"


@contextlib.contextmanager
def process(mark: str) -> Iterator["subprocess.Popen[bytes]"]:
    """One of that run, in a group of its own; killed in the end."""
    command, pipe = [sys.executable, "-c", PROGRAM], subprocess.PIPE
    with subprocess.Popen(command, env={**os.environ, MARK: mark}, stdin=pipe, stdout=pipe) as started:
        assert started.stdout is not None
        started.stdout.readline()
        try:
            yield started
        finally:
            started.kill()

"""The lab's host with a kernel of its own, for what a container cannot show of the roles."""

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.fixtures import RECIPE
from tests.lab.host_fixtures import Played, begun, played

NAME = "vm1"
ESTATE = RECIPE.parent / "estate-vm"
DIRECTORY = Path(os.environ.get("VM_LAB", "/tmp/gdcc-vm"))
WAIT_S = 600.0


class Vm:
    """The host. What is done to it here, its administrator does by hand."""

    def command(self, command: str) -> str:
        """What a shell command prints. Raises `CalledProcessError` where it fails."""
        return self._asked(command, check=True).stdout

    def says(self, command: str) -> str:
        """The same, and what there was where the host does not answer or the command fails."""
        return self._asked(command, check=False).stdout.strip()

    def boot_id(self) -> str:
        """Which boot of the host this is; empty while it does not answer."""
        return self.says("cat /proc/sys/kernel/random/boot_id")

    def await_that(self, holds: Callable[[], bool], what: str) -> None:
        """Until a condition holds."""
        end = time.monotonic() + WAIT_S
        while not holds():
            assert time.monotonic() < end, f"waited in vain: {what}"
            time.sleep(0.5)

    def play(self, playbook: str, *options: str, **variables: object) -> Played:
        """Runs a playbook with these variables."""
        return played(self.begin(playbook, *options, **variables))

    def begin(self, playbook: str, *options: str, **variables: object) -> subprocess.Popen[str]:
        return begun(ESTATE / "gdcc.yml", playbook, "-e", json.dumps(variables), *options)

    def verify(self, role: str, **variables: object) -> Played:
        return self.play("host-verify", "--tags", role, **variables)

    def _asked(self, command: str, *, check: bool) -> subprocess.CompletedProcess[str]:
        return subprocess.run([RECIPE, "vm", "ssh", command], check=check, capture_output=True, text=True)


@pytest.fixture(scope="session")
def standing_vm() -> Iterator[Vm]:
    """The host, up, for one session of tests at a time: another one waits."""
    subprocess.run([RECIPE, "vm", "up"], check=True)
    with (DIRECTORY / "tests.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        yield Vm()


@pytest.fixture(scope="module")
def bare_vm(standing_vm: Vm) -> Vm:
    """It as its base left it, once for each module."""
    subprocess.run([RECIPE, "vm", "fresh"], check=True)
    return standing_vm

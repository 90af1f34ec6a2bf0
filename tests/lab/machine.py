"""A Debian machine with a systemd of its own, for what the operators' own machine must do: start, watch, stop."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.fixtures import RECIPE

REPOSITORY = RECIPE.parents[2]
CHECKOUT = Path("/opt/gdcc")
"""Where the machine has the repository, with its environment, read-only."""
BOOTED = frozenset({"running", "degraded"})
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Machine:
    """`init`: its process 1, as this machine counts processes."""

    init: int

    def does(self, command: str, *, ok: int | None = 0) -> str:
        """What a shell command there prints. Raises `AssertionError` where it ends with another status than `ok`."""
        words = ["nsenter", "--target", str(self.init), "--mount", "--uts", "--ipc", "--net", "--pid"]
        done = subprocess.run([*words, "sh", "-c", command], capture_output=True, text=True, check=False)
        assert ok is None or done.returncode == ok, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        words = ["nsenter", "--target", str(self.init), "--mount", "tee", path]
        subprocess.run(words, input=text, text=True, check=True, stdout=subprocess.DEVNULL)

    def shows(self, unit: str) -> Mapping[str, str]:
        """The unit's properties."""
        return dict(line.partition("=")[::2] for line in self.does(f"systemctl show {unit}").splitlines())

    def awaits(self, what: str, command: str, *among: str) -> None:
        """Until the command prints one of these. Raises `AssertionError` where that takes too long."""
        end = time.monotonic() + PATIENCE_S
        while (said := self.does(command, ok=None)) not in among:
            assert time.monotonic() < end, f"{what}: {said}"
            time.sleep(0.2)


@contextlib.contextmanager
def booted() -> Iterator[Machine]:
    """One for as long as the block runs: nothing of it is kept, and it sees no network but its own loopback."""
    base = subprocess.run([RECIPE, "hosts", "base"], check=True, capture_output=True, text=True).stdout.strip()
    boot = [
        RECIPE.parent / "hosts" / "boot", base, "operators", "--volatile=overlay", "--private-network",
        f"--bind-ro={REPOSITORY}:{CHECKOUT}",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(boot, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
        try:
            machine = Machine(_init(process))
            machine.awaits("it boots", "systemctl is-system-running", *BOOTED)
            yield machine
        except AssertionError:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))
            raise
        finally:
            _end(process)


def _end(boot: subprocess.Popen[bytes]) -> None:
    """In order, or where that takes too long at once: nspawn ends with the machine's process 1."""
    os.killpg(boot.pid, signal.SIGTERM)
    try:
        boot.wait(PATIENCE_S / 3)
    except subprocess.TimeoutExpired:
        for child in [child for nspawn in _children(boot.pid) for child in _children(nspawn)]:
            os.kill(child, signal.SIGKILL)
        boot.wait(PATIENCE_S / 3)


def _init(boot: subprocess.Popen[bytes]) -> int:
    """Process 1 of a namespace of its own among nspawn's children; one before it is still on this machine."""
    end = time.monotonic() + PATIENCE_S
    while boot.poll() is None and time.monotonic() < end:
        for nspawn in _children(boot.pid):
            for child in _children(nspawn):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    status = Path(f"/proc/{child}/status").read_text()
                    if re.search(r"^NSpid:\t\d+\t1$", status, re.MULTILINE):
                        return child
        time.sleep(0.05)
    raise AssertionError(f"nspawn began nothing; it ended with {boot.returncode}")


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []

"""What systemd hears, over a real socket."""

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.systemd import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A bound socket, and what NOTIFY_SOCKET says of it."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@gdcc-test-{os.getpid()}-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        bound.settimeout(5)
        yield bound, name


def test_each_step_is_told_as_systemd_expects_it(manager: tuple[socket.socket, str]) -> None:
    bound, name = manager
    notifier = Notifier({"NOTIFY_SOCKET": name})
    notifier.ready("3 of 3 hosts\ntrusted")
    notifier.status("no move is worth its cost")
    notifier.alive()
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notifier.reloading()
    notifier.stopping("SIGTERM")
    notifier.close()
    heard = [bound.recv(4096).decode() for _ in range(5)]
    assert heard[:3] == ["READY=1\nSTATUS=3 of 3 hosts trusted", "STATUS=no move is worth its cost", "WATCHDOG=1"]
    reloading, monotonic = heard[3].split("\n")
    assert reloading == "RELOADING=1"
    assert int(monotonic.removeprefix("MONOTONIC_USEC=")) >= before
    assert heard[4] == "STOPPING=1\nSTATUS=SIGTERM"


@pytest.mark.parametrize("name", ["", "@", "relative", "vsock:2:1234"])
def test_without_a_unix_socket_nothing_is_sent_and_nothing_fails(name: str) -> None:
    opened = _sockets()
    notifier = Notifier({"NOTIFY_SOCKET": name})
    notifier.ready("")
    assert _sockets() == opened
    notifier.close()


def _sockets() -> int:
    """How many sockets this process holds."""
    descriptors = (each for each in Path("/proc/self/fd").iterdir() if each.is_symlink())
    return sum(str(each.readlink()).startswith("socket:") for each in descriptors)


def test_a_manager_that_is_gone_or_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    notifier = Notifier({"NOTIFY_SOCKET": address})
    notifier.ready("")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(address)
        for _ in range(5000):
            notifier.alive()
        deaf.setblocking(False)
        heard = 0
        with contextlib.suppress(BlockingIOError):
            while deaf.recv(64) == b"WATCHDOG=1":
                heard += 1
    notifier.close()
    assert 0 < heard < 5000


def test_the_watchdogs_time_is_read_where_it_is_meant_for_this_process() -> None:
    mine = {"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}
    assert Notifier(mine).watchdog == timedelta(seconds=60)
    assert Notifier({"WATCHDOG_USEC": "60000000"}).watchdog == timedelta(seconds=60)
    assert Notifier(mine | {"WATCHDOG_PID": "1"}).watchdog is None
    assert Notifier({"WATCHDOG_USEC": "soon"}).watchdog is None
    assert Notifier({}).watchdog is None

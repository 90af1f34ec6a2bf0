"""The daemon as its users run it: a process of its own with a configuration file, against the lab's cloud."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Set
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from controller.adapters.store.journal import open_journal
from controller.api import client
from controller.errors import GdccError
from controller.model.campaign import Step
from controller.model.migration import Entry, State

ESTATE = Path(__file__).parent / "estate"
PATIENCE_S = 300.0
POLICY: dict[str, Any] = {
    "mode": "auto",
    "sustained": "1s",
    "balance": False,
    "migration": {
        "intent_deadline": "5s",
        "request_timeout": "10s",
        "poll": "1s",
        "settle": "5s",
        "cooldown": "5m",
        "stall_after": "4s",
        "verify_timeout": "20s",
    },
}
SNMP: dict[str, Any] = {
    "interval": "2s",
    "credentials": {
        "bmc-v3": {
            "version": "3",
            "user": "gdcc",
            "auth": "lab-auth-secret",
            "priv": "lab-priv-secret",
        },
        "pdu-v2c": {"version": "2c", "community": "lab-community"},
        "ups-v2c": {"version": "2c", "community": "lab-community"},
    },
}


class Daemon:
    """One `gdcc run` on a state directory; may be killed and started again on the same one."""

    def __init__(self, folder: Path, policy: Mapping[str, Any] | None = None, **settings: Any) -> None:
        self.folder = folder
        self.socket = folder / "gdcc.sock"
        self.config = folder / "controller.yaml"
        self.log = folder / "log"
        self.config.write_text(
            yaml.safe_dump(
                {
                    "version": 1,
                    "estate": str(ESTATE),
                    "state_dir": str(folder / "state"),
                    "socket": {"path": str(self.socket)},
                    "http": {"port": 0},
                    "interval": "2s",
                    "scrape_interval": "2s",
                    "snmp": SNMP,
                    "policy": {**POLICY, **(policy or {})},
                    **settings,
                }
            )
        )
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Begins the process, and waits for nothing."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "controller", "run", "--config", str(self.config)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def start(self) -> None:
        self.launch()
        self.until(lambda: self.status()["turned_at"], "a first turn")

    def kill(self) -> None:
        """As a crash does: no handler runs."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """As systemd does; its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def gdcc(self, *words: str, ok: int = 0) -> str:
        """Runs a verb against this daemon; its standard output."""
        done = self._verb(*words)
        assert done.returncode == ok, f"gdcc {' '.join(words)} ended with {done.returncode}: {done.stderr}{done.stdout}"
        return done.stdout

    def refused(self, *words: str) -> str:
        """Runs a verb that must be refused with status 1; what it said on standard error."""
        done = self._verb(*words)
        assert done.returncode == 1, f"gdcc {' '.join(words)} ended with {done.returncode}: {done.stderr}"
        return done.stderr

    def _verb(self, *words: str) -> "subprocess.CompletedProcess[str]":
        env = {**os.environ, "GDCC_SOCKET": str(self.socket), "COLUMNS": "200"}
        command = [sys.executable, "-m", "controller", *words]
        return subprocess.run(command, capture_output=True, text=True, env=env, check=False)

    def status(self) -> Any:
        return client.call(self.socket, "GET", "/status")

    def entries(self) -> tuple[Entry, ...]:
        """Everything in the journal, read from the file itself."""
        with open_journal(f"sqlite:///{self.folder / 'state' / 'journal.db'}", read_only=True) as journal:
            return journal.entries_since(datetime.min.replace(tzinfo=UTC))

    def kill_at(self, wanted: Set[tuple[State, bool]]) -> tuple[State, bool]:
        """Kills the daemon in the moment in which a move is in one of these states (and cold or not); which it was."""
        found = self._kill_when("select state, cold from moves where ended_at is null", wanted, PATIENCE_S)
        return State(found[0]), bool(found[1])

    def kill_at_step(self, host: str, step: Step, seconds: float) -> None:
        """Kills the daemon in the moment in which a host is at a step of its campaign."""
        self._kill_when("select host, step from campaign_steps where ended_at is null", {(host, step)}, seconds)

    def _kill_when(self, query: str, wanted: Set[tuple[Any, ...]], seconds: float) -> tuple[Any, ...]:
        """Kills the daemon once its journal answers with a row that is wanted; that row.

        The journal's write lock is held from the look to the death, so nothing else is written in between.
        """
        path, end = self.folder / "state" / "journal.db", time.monotonic() + seconds
        pause = threading.Event()
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            while True:
                if wanted & set(connection.execute(query)):
                    connection.execute("begin immediate")
                    for found in wanted & set(connection.execute(query)):
                        self.kill()
                        return found
                    connection.execute("rollback")
                assert self.process is not None and self.process.poll() is None, f"the daemon ended: {self.tail()}"
                assert time.monotonic() < end, f"the journal said none of {sorted(wanted)}: {self.tail()}"
                pause.wait(0.001)  # or it would take the processor from the cloud that it waits for

    def reload(self, policy: Mapping[str, Any]) -> None:
        """Another policy, by SIGHUP."""
        assert self.process is not None
        settings = yaml.safe_load(self.config.read_text())
        self.config.write_text(yaml.safe_dump(settings | {"policy": {**POLICY, **policy}}))
        self.process.send_signal(signal.SIGHUP)

    def until(self, truth: Callable[[], Any], what: str, seconds: float = PATIENCE_S) -> Any:
        """Waits for what a daemon comes to in its own time. A dear look is taken less often: the cloud, which works
        for the daemon too, has to answer it.
        """
        end = time.monotonic() + seconds
        pause = threading.Event()
        while True:
            began = time.monotonic()
            try:
                found = truth()
            except GdccError:
                found = None
            if found:
                return found
            assert self.process is None or self.process.poll() is None, f"the daemon ended: {self.tail()}"
            assert time.monotonic() < end, f"waited in vain for {what}: {self.tail()}"
            pause.wait(max(0.2, 4 * (time.monotonic() - began)))

    def tail(self) -> str:
        """The log's last lines; what is said over and over stands where it was said last, with its first time."""
        said = {line.partition('"level"')[2] or line: line for line in reversed(self.log.read_text().splitlines())}
        return "\n".join([*said.values()][::-1])[-6000:]

"""One process of the CLI. It writes to files, in a session of its own: it outlives this process and its terminal.

A pipe would not do: when its reader dies, the next line of output kills the CLI in the middle of an update.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

LOOK_EVERY_S = 0.1
EVENTS = "events"
DEBUG = b'"severity":"debug"'
"""In each debug line of an event log. The SDK's own hold what it sends to the engine, secrets in clear."""
_UNCLEANED = "uncleaned"
"""Stands beside an event log that may still have debug lines."""


@dataclass(slots=True, kw_only=True)
class Child:
    """One call of the CLI whose events are followed while it runs. `folder` holds all it wrote, for later reading."""

    argv: Sequence[str]
    root: Path
    env: Mapping[str, str]
    folder: Path
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _interrupts: int = field(default=0, init=False)

    @property
    def output(self) -> Path:
        """Its standard output."""
        return self.folder / "output"

    @property
    def errors(self) -> Path:
        """Its standard error."""
        return self.folder / "errors"

    @property
    def event_log(self) -> Path:
        """The engine's events, one JSON document a line."""
        return self.folder / EVENTS

    @property
    def pid(self) -> int | None:
        """Its process, None before it started."""
        return None if self._process is None else self._process.pid

    async def run(self, on_line: Callable[[bytes], None]) -> int:
        """Runs it to its end and gives its exit status; `on_line` sees each event as it is written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in (self.output, self.errors, self.event_log, self.folder / _UNCLEANED):
            path.write_bytes(b"")
        with self.output.open("wb") as output, self.errors.open("wb") as errors, self.event_log.open("rb") as events:
            self._process = await asyncio.create_subprocess_exec(
                *self.argv,
                *("--event-log", str(self.event_log)),
                cwd=self.root,
                env=dict(self.env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
            if self._interrupts:
                self._process.send_signal(signal.SIGINT)
            try:
                return await self._followed(self._process, events, on_line)
            finally:
                if self._process.returncode is not None:
                    _drop_debug_lines(self.folder)

    async def _followed(
        self, process: asyncio.subprocess.Process, events: BinaryIO, on_line: Callable[[bytes], None]
    ) -> int:
        ended = asyncio.ensure_future(process.wait())
        rest = b""
        while True:
            await asyncio.wait([ended], timeout=LOOK_EVERY_S)
            over = ended.done()
            *lines, rest = (rest + events.read()).split(b"\n")
            for line in lines:
                on_line(line)
            if over:
                return ended.result()

    def interrupt(self) -> None:
        """The first: end after what is under way. A second: end at once, with what was under way left unknown."""
        self._interrupts += 1
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)


def uncleaned(folder: Path) -> bool:
    """Whether a call under this folder goes on or was followed by nobody to its end, as a killed run's."""
    return any(folder.rglob(_UNCLEANED))


def clean(folder: Path) -> None:
    """Drops the debug lines of the calls under this folder that have ended with nobody to do it, where it can."""
    for left in folder.rglob(_UNCLEANED):
        with contextlib.suppress(OSError):
            _drop_debug_lines(left.parent)


def _drop_debug_lines(folder: Path) -> None:
    """And a last line that is not whole: what kind it is stands at its end."""
    log = folder / EVENTS
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(line for line in lines if DEBUG not in line and line.endswith(b"\n")))
    (folder / _UNCLEANED).unlink(missing_ok=True)

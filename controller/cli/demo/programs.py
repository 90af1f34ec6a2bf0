"""The two programs of the demonstration, each with its output in a file, ended in order whatever happens."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from controller.errors import PermanentError

TAIL_LINES = 15
PATIENCE_S = 15.0
"""How long a program may take to end after SIGTERM."""


class Program:
    """A running `gdcc` verb. It stands in a session of its own, so that Ctrl-C reaches the demonstration alone."""

    def __init__(self, name: str, arguments: list[str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - this program itself
                [sys.executable, "-m", "controller", *arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def check(self) -> None:
        """Raises PermanentError, with the end of its output, where it has ended."""
        status = self._process.poll()
        if status is not None:
            raise PermanentError(f"it ended with status {status}; the end of its log:\n{self.tail()}", where=self.name)

    def said(self, text: str) -> bool:
        """Whether its output holds the text by now."""
        return text in self.log.read_text(errors="replace")

    def tail(self) -> str:
        """The last lines of its output."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return "\n".join(f"  {line}" for line in lines[-TAIL_LINES:])

    def first_line(self) -> str:
        """What it said first."""
        return self.log.read_text(errors="replace").partition("\n")[0].strip()

    def end(self) -> None:
        """SIGTERM, and SIGKILL where that takes too long."""
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait_for(self, text: str, seconds: float) -> None:
        """Until its output holds the text. Raises PermanentError where it ends or takes longer."""
        end = time.monotonic() + seconds
        while not self.said(text):
            self.check()
            if time.monotonic() > end:
                raise PermanentError(
                    f"it was not ready after {seconds:.0f} s; the end of its log:\n{self.tail()}", where=self.name
                )
            time.sleep(0.2)


@contextlib.contextmanager
def running(name: str, arguments: list[str], log: Path) -> Iterator[Program]:
    """A program that runs while the block does."""
    program = Program(name, arguments, log)
    try:
        yield program
    finally:
        program.end()

"""A person's terminal: a program in it, its keys, and what can be read on it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

PATIENCE_S = 60.0
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[a-zA-Z]|\][^\x07]*\x07|[=>])")


class Terminal:
    """Use it as a context. `shown` is everything that was written, without colours and movements of the cursor."""

    def __init__(self, argv, env, columns=160, rows=40):
        self.shown = ""
        self._status = None
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            os.execve(argv[0], argv, {**env, "TERM": "xterm"})
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """A program that a failed test left in it is ended."""
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._screen)

    def type(self, keys):
        os.write(self._screen, keys)

    def until(self, text):
        """Reads until that text was shown, and gives what came with it."""
        begun, end = len(self.shown), time.monotonic() + PATIENCE_S
        while text not in self.shown[begun:]:
            assert time.monotonic() < end and self._read(), f"{text!r} was not shown in: {self.shown}"
        return self.shown[begun:]

    def ended(self):
        """Reads to the end of the program and gives its exit status."""
        while self._read():
            pass
        self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._status

    def _read(self):
        if not select.select([self._screen], [], [], PATIENCE_S)[0]:
            return False
        try:
            read = os.read(self._screen, 65536)
        except OSError:  # how Linux tells that nobody has the other side any more
            return False
        self.shown += _ESCAPES.sub("", read.decode(errors="replace"))
        return bool(read)

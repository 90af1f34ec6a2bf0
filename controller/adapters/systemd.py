"""systemd's notification protocol: ready, status, watchdog, reloading, stopping, over the socket in NOTIFY_SOCKET.

sd_notify(3): datagrams of `NAME=value` lines; an address that begins with `@` is an abstract one. Where no socket is
named, nothing is sent. A manager that does not read must not hold the loop, so nothing here waits.
"""

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from datetime import timedelta


class Notifier:
    """Tells systemd how the daemon fares. Every call is harmless outside of systemd."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        """Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID."""
        environ = os.environ if environ is None else environ
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if self._address else None
        if self._socket is not None:
            self._socket.setblocking(False)
        self.watchdog = _watchdog(environ)
        """Without a sign of life for this long systemd kills the daemon; None where it does not watch."""

    def ready(self, status: str) -> None:
        """Started, or done with a reload."""
        self._send("READY=1", f"STATUS={_line(status)}")

    def status(self, status: str) -> None:
        """One sentence for `systemctl status`."""
        self._send(f"STATUS={_line(status)}")

    def alive(self) -> None:
        """A sign of life for the watchdog; to be sent by what must not hang, at least twice in `watchdog`."""
        self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """A reload began (SIGHUP, Type=notify-reload); `ready` ends it."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={now}")

    def stopping(self, status: str) -> None:
        """The daemon is on its way out."""
        self._send("STOPPING=1", f"STATUS={_line(status)}")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, *lines: str) -> None:
        if self._socket is not None and self._address is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto("\n".join(lines).encode(), self._address)


def _address(text: str) -> str | None:
    """The socket's address; None for none, or one that is not a Unix socket's (vsock is for virtual machines)."""
    if text.startswith("/"):
        return text
    return f"\0{text[1:]}" if text.startswith("@") and len(text) > 1 else None


def _watchdog(environ: Mapping[str, str]) -> timedelta | None:
    microseconds, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or int(microseconds) == 0 or pid not in {"", str(os.getpid())}:
        return None
    return timedelta(microseconds=int(microseconds))


def _line(text: str) -> str:
    return " ".join(text.split())

"""Ports for servers that tests start.

Each process of a test run has its own share of them, all below those that the kernel lends to whoever names none: what
is free now is then still free when the server begins to listen.
"""

import itertools
import os
import socket

FIRST, A_SHARE = 13_000, 6_000
THOUSAND = 1_000

_share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 3
_candidates = itertools.cycle(range(FIRST + _share * A_SHARE, FIRST + (_share + 1) * A_SHARE))


def free_port(ending: int | None = None) -> int:
    """One that nobody listens on, by TCP or UDP, and that is not given again soon; with these last three digits."""
    for port in itertools.islice(_candidates, 2 * A_SHARE):
        if ending in {None, port % THOUSAND} and _free(port):
            return port
    raise AssertionError("no port is free")


def _free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as sock:
            try:
                sock.bind(("", port))
            except OSError:
                return False
    return True

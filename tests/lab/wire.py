"""The lab's APIs at the end of a long or broken wire: the same ports at 127.0.0.2, each answer later, or 500.

`python -m tests.lab.wire --delay 0.1` delays every request by that many seconds. `--fail 'POST /v2.0/subnets'` answers
500 to requests whose method and path begin so, `--times` of them. It prints "ready" when it listens; OS_AUTH_URL is
then http://127.0.0.2:5000/v3, and Keystone's catalog says 127.0.0.2 as well.
"""

import argparse
import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

LISTEN, BEHIND = "127.0.0.2", "127.0.0.1"
PORTS = (5000, 8774, 8776, 8080, 9292, 9696)
HOP_BY_HOP = frozenset({"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"})


@dataclass(slots=True)
class Wire:
    """Passes requests on. `fail` is a method and the beginning of a path; `left` counts the failures still to come."""

    delay_s: float
    fail: str
    left: int
    session: aiohttp.ClientSession

    async def handle(self, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(self.delay_s)
        if self.left > 0 and self.fail and f"{request.method} {request.path}".startswith(self.fail):
            self.left -= 1
            return web.Response(status=500, text="broken wire")
        url = f"http://{BEHIND}:{request.url.port}{request.raw_path}"
        headers = {key: value for key, value in request.headers.items() if key.lower() not in HOP_BY_HOP}
        sent = await request.read()
        async with self.session.request(
            request.method, url, headers=headers, data=sent or None, allow_redirects=False
        ) as answer:
            body = (await answer.read()).replace(f"//{BEHIND}:".encode(), f"//{LISTEN}:".encode())
            kept = [(key, value) for key, value in answer.headers.items() if key.lower() not in HOP_BY_HOP]
            return web.Response(status=answer.status, headers=kept, body=body)


async def serve(delay_s: float, fail: str, times: int) -> None:
    """Until it is cancelled."""
    async with aiohttp.ClientSession(skip_auto_headers=["Content-Type"]) as session:
        wire = Wire(delay_s=delay_s, fail=fail, left=times, session=session)
        server = web.Server(wire.handle)
        runner = web.ServerRunner(server)
        await runner.setup()
        for port in PORTS:
            await web.TCPSite(runner, LISTEN, port).start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


@contextlib.contextmanager
def laid(*options: str) -> Iterator[dict[str, str]]:
    """The wire in a process of its own, which ends with the block; what the environment must say to go by it."""
    command = [sys.executable, "-m", __name__, *options]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            yield {"OS_AUTH_URL": f"http://{LISTEN}:5000/v3"}
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--fail", default="")
    parser.add_argument("--times", type=int, default=1)
    given = parser.parse_args()
    asyncio.run(serve(given.delay, given.fail, given.times))


if __name__ == "__main__":
    main()

"""Metrics and health over HTTP, for machines: `/metrics`, `/healthz` (the loop turns), `/readyz` (it has seen all)."""

import asyncio
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from controller.errors import InputError

Check = Callable[[], str | None]
"""None when well, else one sentence."""


async def serve(
    registry: CollectorRegistry,
    healthy: Check,
    ready: Check,
    address: tuple[str, int],
    *,
    look: Callable[[], None] = lambda: None,
) -> web.AppRunner:
    """Listens on a host and port (0: any free one). Raises InputError when that is taken.

    The registry is collected in a thread: what it shows must not change while it is read, and asks nothing of the
    journal. `look` is called before, in the event loop.
    """
    host, port = address

    one_at_a_time = asyncio.Lock()

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        async with one_at_a_time:  # 5,000 hosts are half a second's work, for which nothing else shall wait
            look()
            body = await asyncio.to_thread(encode, registry)
        return web.Response(body=body, headers={"Content-Type": content_type})

    def answer(check: Check) -> Callable[[web.Request], web.Response]:
        async def handler(request: web.Request) -> web.Response:
            said = check()
            return web.Response(text=f"{said or 'ok'}\n", status=503 if said else 200)

        return handler  # type: ignore[return-value]

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", answer(healthy))  # type: ignore[arg-type]
    app.router.add_get("/readyz", answer(ready))  # type: ignore[arg-type]
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except (OSError, ValueError) as error:
        await runner.cleanup()
        raise InputError(
            f"cannot listen: {getattr(error, 'strerror', None) or error}", where=f"http {host}:{port}"
        ) from error
    return runner

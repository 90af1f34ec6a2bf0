"""Exporters that misbehave on the wire."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from controller.adapters.exporters.fetch import HttpFetch
from controller.adapters.exporters.textformat import PageError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RELEASED = web.AppKey("released", asyncio.Event)
SOON = timedelta(milliseconds=150)


async def _cut_short(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"node_memory_MemTotal_bytes 1\n")
    assert request.transport is not None
    request.transport.close()
    return response


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b"x" * 65536)
    except ConnectionError:
        return response


async def _trickling(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"node_memory_MemTotal_bytes 1\n")
    await request.app[RELEASED].wait()
    return response


async def _redirecting(request: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})


async def _forbidding(request: web.Request) -> web.StreamResponse:
    return web.Response(status=401)


async def _well(request: web.Request) -> web.StreamResponse:
    return web.Response(text="node_memory_MemTotal_bytes 1\n")


@pytest.fixture
async def fetch() -> AsyncIterator[HttpFetch]:
    fetch = HttpFetch(max_body_bytes=1 << 20)
    await fetch.open()
    yield fetch
    await fetch.close()


async def _fetched(fetch: HttpFetch, handler: Handler) -> bytes:
    app = web.Application()
    app.router.add_get("/metrics", handler)
    app[RELEASED] = asyncio.Event()
    server = TestServer(app)
    await server.start_server()
    try:
        return await fetch.page(f"{server.host}:{server.port}", SOON)
    finally:
        app[RELEASED].set()
        await server.close()


async def test_a_page_is_fetched_whole(fetch: HttpFetch) -> None:
    assert await _fetched(fetch, _well) == b"node_memory_MemTotal_bytes 1\n"


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (_cut_short, "truncated"),
        (_endless, "truncated"),
        (_trickling, "timeout"),
        (_redirecting, "http"),
        (_forbidding, "auth"),
    ],
)
async def test_a_bad_page_is_refused_with_its_reason(fetch: HttpFetch, handler: Handler, reason: str) -> None:
    with pytest.raises(PageError) as refused:
        await _fetched(fetch, handler)
    assert refused.value.reason == reason


@pytest.mark.parametrize("address", ["127.0.0.1:1", "not an address", "127.0.0.1:99999"])
async def test_an_exporter_that_is_not_there_is_refused(fetch: HttpFetch, address: str) -> None:
    with pytest.raises(PageError) as refused:
        await fetch.page(address, SOON)
    assert refused.value.reason == "http"

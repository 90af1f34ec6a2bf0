"""Fetches one page over HTTP, with a time limit and a bound on its size."""

import asyncio
from datetime import timedelta
from typing import Protocol

import aiohttp

from controller.adapters.exporters.textformat import PageError

_HEADERS = {"Accept": "text/plain;version=0.0.4", "Accept-Encoding": "identity"}


class Fetch(Protocol):
    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def page(self, address: str, within: timedelta) -> bytes:
        """The body of the exporter's page. Raises PageError."""
        ...


class HttpFetch:
    """`address` is host:port, read at /metrics. No limit on connections: dead exporters must not hold live ones' slots.

    A page past `max_body_bytes` is not read.
    """

    def __init__(self, max_body_bytes: int = 32 << 20) -> None:
        self._max_body_bytes = max_body_bytes
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=_HEADERS)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def page(self, address: str, within: timedelta) -> bytes:
        assert self._session is not None, "open() comes first"
        seconds = within.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                async with self._session.get(f"http://{address}/metrics", allow_redirects=False) as response:
                    if response.status != 200:
                        raise PageError("auth" if response.status in {401, 403} else "http", f"HTTP {response.status}")
                    return await self._body(response)
        except TimeoutError as error:
            raise PageError("timeout", f"no whole page within {seconds:g} s") from error
        except aiohttp.ClientPayloadError as error:
            raise PageError("truncated", "the connection ended before the page did") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise PageError("http", f"{type(error).__name__}: {error}") from error

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._max_body_bytes:
                raise PageError("truncated", f"the page is larger than {self._max_body_bytes} bytes")
        return bytes(body)

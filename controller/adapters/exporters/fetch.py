"""Fetches one page over HTTP or HTTPS, with a time limit and a bound on its size."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import aiohttp

from controller.adapters.exporters.textformat import PageError
from controller.errors import GdccError, InputError

_HEADERS = {"Accept": "text/plain;version=0.0.4", "Accept-Encoding": "identity"}


class Fetch(Protocol):
    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def page(self, address: str, within: timedelta) -> bytes:
        """The body of the exporter's page. Raises PageError."""
        ...


class HttpFetch:
    """`address` is host:port, read at /metrics. No limit on connections: dead exporters must not hold live ones' slots.

    `tls` reads over HTTPS, `ca_file` for a private authority. `authorization` gives that header's value, None for
    none; it is asked at each page, so that a rotated secret counts at once. A page past `max_body_bytes` is not read.
    """

    def __init__(
        self,
        *,
        tls: bool = False,
        ca_file: Path | None = None,
        authorization: Callable[[], str | None] = lambda: None,
        max_body_bytes: int = 32 << 20,
    ) -> None:
        self._scheme = "https" if tls else "http"
        self._ca_file = ca_file
        self._authorization = authorization
        self._max_body_bytes = max_body_bytes
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Raises InputError for a CA file that cannot be read."""
        context: ssl.SSLContext | bool = True
        if self._ca_file is not None:
            try:
                context = ssl.create_default_context(cafile=str(self._ca_file))
            except (OSError, ssl.SSLError) as error:
                raise InputError(f"the CA file cannot be read: {error}", where=str(self._ca_file)) from error
        connector = aiohttp.TCPConnector(limit=0, ssl=context)
        self._session = aiohttp.ClientSession(connector=connector, headers=_HEADERS)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def page(self, address: str, within: timedelta) -> bytes:
        assert self._session is not None, "open() comes first"
        seconds, url = within.total_seconds(), f"{self._scheme}://{address}/metrics"
        headers = self._credentials()
        try:
            async with asyncio.timeout(seconds):
                async with self._session.get(url, headers=headers, allow_redirects=False) as response:
                    if response.status != 200:
                        raise PageError("auth" if response.status in {401, 403} else "http", f"HTTP {response.status}")
                    return await self._body(response)
        except TimeoutError as error:
            raise PageError("timeout", f"no whole page within {seconds:g} s") from error
        except aiohttp.ClientPayloadError as error:
            raise PageError("truncated", "the connection ended before the page did") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise PageError("http", f"{type(error).__name__}: {error}") from error

    def _credentials(self) -> dict[str, str]:
        try:
            value = self._authorization()
        except GdccError as error:
            raise PageError("auth", str(error)) from error
        return {} if value is None else {"Authorization": value}

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._max_body_bytes:
                raise PageError("truncated", f"the page is larger than {self._max_body_bytes} bytes")
        return bytes(body)

"""Asks Prometheus, all queries side by side, each with a deadline. What fails is a fault; nothing is raised.

Answers are read in threads: one quantity of 100,000 VMs (two answers of 9 MB) takes half a second or more, and the loop
stands still for 20 to 30 ms of it, where it stood for 460 (benchmarks/prometheus.py).
"""

import asyncio
import base64
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from controller.adapters.prometheus.answer import UnusableError, Vector, refusal, vector
from controller.adapters.prometheus.joined import SOURCE, HostLabels, fault, joined
from controller.adapters.prometheus.query import Query
from controller.errors import GdccError, InputError
from controller.model.sample import Batch, Fault

Reveal = Callable[[], str]
"""Reads a secret when it is needed, so that a rotated file counts at once."""

_CONNECTIONS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where Prometheus is and how to speak to it. `url` is what stands before /api/v1.

    `token`, or `username` and `password`; `ca_file` for a private authority. A body past `max_body_bytes` is not read.
    """

    url: str
    timeout: timedelta = timedelta(seconds=10)
    token: Reveal | None = field(default=None, repr=False)
    username: str | None = None
    password: Reveal | None = field(default=None, repr=False)
    ca_file: Path | None = None
    max_body_bytes: int = 64 << 20

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            known = parts.port != 0
        except ValueError:
            known = False
        if not known or parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InputError("the URL of Prometheus is no http or https URL", where="prometheus.url")
        if parts.username is not None or parts.password is not None:
            raise InputError(
                "the URL of Prometheus holds a password", where="prometheus.url", remedy="use username and password"
            )


class PrometheusCollector:
    """A `ports.Collector` that reads on demand."""

    name = SOURCE

    def __init__(self, server: Server, queries: Sequence[Query], labels: HostLabels) -> None:
        self._server = server
        self._queries = tuple(queries)
        self._labels = labels
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Opens the session. Raises InputError for a CA file that cannot be read."""
        context: ssl.SSLContext | bool = True
        if self._server.ca_file is not None:
            try:
                context = ssl.create_default_context(cafile=str(self._server.ca_file))
            except (OSError, ssl.SSLError) as error:
                raise InputError(f"the CA file cannot be read: {error}", where=str(self._server.ca_file)) from error
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=context)
        self._session = aiohttp.ClientSession(connector=connector, trust_env=False)

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def collect(self, deadline: timedelta) -> tuple[Sequence[Batch], Sequence[Fault]]:
        """The answers to all queries that came within the server's time-out and `deadline`."""
        seconds = min(self._server.timeout, deadline).total_seconds()
        times = {q.age: asyncio.ensure_future(self._ask(q.age, q.label, seconds)) for q in self._queries}
        try:
            read = await asyncio.gather(*(self._read(query, times[query.age], seconds) for query in self._queries))
        finally:
            for task in times.values():
                task.cancel()
            await asyncio.gather(*times.values(), return_exceptions=True)
        batches = [batch for batch, _ in read if batch is not None]
        return batches, [one for _, faults in read for one in faults]

    async def _read(
        self, query: Query, times: "asyncio.Future[Vector]", seconds: float
    ) -> tuple[Batch | None, list[Fault]]:
        """Times first, then values: a scrape between the two makes a value newer than its time, never older."""
        try:
            async with asyncio.timeout(seconds):
                asked = await asyncio.shield(times)
                values = await self._ask(query.promql, query.label, seconds)
        except TimeoutError:
            return None, [fault(query, "timeout", f"no answer within {seconds:g} s")]
        except UnusableError as error:
            return None, [fault(query, error.reason, error.detail)]
        return await asyncio.to_thread(joined, query, values, asked, self._labels)

    async def _ask(self, promql: str, label: str, seconds: float) -> Vector:
        if self._session is None:
            raise UnusableError("http", "the collector was not started")
        form = {"query": promql, "timeout": f"{max(1, int(seconds * 1000))}ms"}
        url = self._server.url.rstrip("/") + "/api/v1/query"
        try:
            async with self._session.post(url, data=form, headers=self._headers(), allow_redirects=False) as response:
                body = await self._body(response)
                if response.status != 200:
                    raise refusal(response.status, body)
        except aiohttp.ClientPayloadError as error:
            raise UnusableError("truncated", "the connection ended before the answer did") from error
        except TimeoutError as error:
            raise UnusableError("timeout", "the connection timed out") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise UnusableError("http", f"{type(error).__name__}: {error}") from error
        return await asyncio.to_thread(vector, body, label)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._server.max_body_bytes:
                raise UnusableError("truncated", f"the answer is larger than {self._server.max_body_bytes} bytes")
        return bytes(body)

    def _headers(self) -> Mapping[str, str]:
        headers = {"Accept": "application/json"}
        try:
            if self._server.token is not None:
                headers["Authorization"] = f"Bearer {self._server.token()}"
            elif self._server.username is not None and self._server.password is not None:
                pair = f"{self._server.username}:{self._server.password()}"
                headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        except GdccError as error:
            raise UnusableError("auth", str(error)) from error
        return headers

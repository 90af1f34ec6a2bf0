"""The only place that sends a request: keystoneauth's session, in a few threads.

A read is repeated on 429, 5xx, a lost connection and a broken answer, not before Retry-After, while its deadline
allows. A write is sent exactly once: on a connection of its own, with no retry and no redirect. The one exception is a
401, which the API's own middleware answers before the service sees the request: then a new token is fetched and the
write sent again, once. A time-out or a lost answer is a `TransientError` with `sent` True.
Writes have threads of their own, so none waits behind reads; one that has a deadline looks at it right before each
sending, when discovery and the token are behind it.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from keystoneauth1 import exceptions as ksa

from controller.adapters.openstack import answers, session
from controller.errors import PermanentError, RefusedError, TransientError
from controller.model.ids import RequestId

_log = logging.getLogger(__name__)

T = TypeVar("T")
Params = Mapping[str, str]

_PAGED_WHERE_ASKED = frozenset({("identity", "/projects"), ("identity", "/users"), ("identity", "/groups")})
"""Listings that Keystone (27, 2025.1, and newer) ends after `max_db_limit` rows, 1,000 where nobody set it. A link to
the rest is there only for who names a limit; an older Keystone takes no notice of it.
"""
_PAGE = "1000"


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to a service: the path below its endpoint, and the microversion where it is not the agreed one.

    Past its `deadline` it is not sent. `account` is the project whose part of the service is meant, where the service's
    URL names one: the object store's.
    """

    service: str
    method: str
    path: str
    params: Params = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    version: session.Version | None = None
    deadline: datetime | None = None
    account: str | None = None

    @property
    def write(self) -> bool:
        return self.method != "GET"

    @property
    def target(self) -> str:
        """The path with its query."""
        return self.path + (f"?{urlencode(self.params)}" if self.params else "")

    def __str__(self) -> str:
        return f"{self.method} {self.service} {self.target}"


class Rest:
    """Requests to one cloud. `pauses_s` are the waits between the attempts of a read; the last one goes on.

    `concurrency` and `writers` are how many reads and how many writes go on at once; `now` tells whether a
    deadline has passed.
    """

    def __init__(
        self,
        connection: session.Connection,
        *,
        concurrency: int = 8,
        writers: int = 8,
        read_deadline_s: float = 60.0,
        pauses_s: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 5.0),
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._connection = connection
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="openstack")
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="openstack-write")
        self._read_deadline_s = read_deadline_s
        self._pauses_s = pauses_s
        self._now = now

    async def version(self, service: str) -> session.Version | None:
        """The microversion agreed with a service, asked of it at the first call."""
        call = Call(service=service, method="GET", path="/")
        found = await self._repeated(lambda: self._endpoint(call), call)
        return found.version

    async def offers(self, service: str) -> bool:
        """Whether the cloud's catalog has this service."""
        call = Call(service=service, method="GET", path="/")
        return await self._repeated(lambda: self._offers(call), call)

    async def get(
        self, service: str, path: str, params: Params | None = None, *, version: session.Version | None = None
    ) -> dict[str, Any]:
        """One JSON object. Raises `RefusedError` (rule `not-found` for a 404), `PermanentError` or `TransientError`."""
        call = Call(service=service, method="GET", path=path, params=params or {}, version=version)
        return await self._repeated(lambda: self._exchange(call).body(), call)

    async def find(self, service: str, path: str, params: Params | None = None) -> dict[str, Any] | None:
        """One JSON object, None where there is none (404)."""
        try:
            return await self.get(service, path, params)
        except RefusedError as error:
            if error.rule == "not-found":
                return None
            raise

    async def pages(
        self, service: str, path: str, table: str, params: Params, *, version: session.Version | None = None
    ) -> AsyncGenerator[list[dict[str, Any]], None]:
        """The pages of a listing, following the marker of its `next` link.

        Raises `TransientError` where the markers go in a circle, `PermanentError` where the service cuts the listing
        off and says of no way to the rest.
        """
        markers: set[str] = set()
        if (service, path) in _PAGED_WHERE_ASKED:
            params = {"limit": _PAGE, **params}
        while True:
            body = await self.get(service, path, params, version=version)
            yield listing(body, table, f"GET {service} {path}")
            marker = marker_after(body, table)
            if marker is None:
                _require_whole(body, f"GET {service} {path}")
                return
            if marker in markers:
                raise TransientError(f"its pages go in a circle at {marker}", where=f"GET {service} {path}")
            markers.add(marker)
            params = {**params, "marker": marker}

    async def rows(
        self,
        service: str,
        path: str,
        table: str,
        params: Params | None = None,
        *,
        key: str = "id",
        version: session.Version | None = None,
    ) -> list[dict[str, Any]]:
        """All rows of a paged listing, each once by `key`: one that moved between two pages is kept as last read.

        Raises `TransientError` where a page says nothing that the pages before did not say.
        """
        found: dict[object, dict[str, Any]] = {}
        async for page in self.pages(service, path, table, params or {}, version=version):
            keys = [row.get(key, id(row)) for row in page]
            if page and all(one in found for one in keys):
                raise TransientError("a page came twice", where=f"GET {service} {path}")
            found.update(zip(keys, page, strict=True))
        return list(found.values())

    async def containers(self, project: str) -> list[dict[str, Any]]:
        """The containers of a project's account in the object store; none where there is no such account.

        Raises `RefusedError` (rule `policy`) where they are not ours to see, `PermanentError` where the cloud has no
        object store, its URL names no account, or it takes no notice of where a page is to begin.
        """
        found: dict[str, dict[str, Any]] = {}
        while True:
            after = {"marker": next(reversed(found))} if found else {}
            page = await self._of_account(project, {"format": "json", **after})
            if not page:
                return list(found.values())
            if any(str(row["name"]) in found for row in page):
                raise PermanentError("a page of containers came twice", where="GET object-store")
            found |= {str(row["name"]): row for row in page}

    async def _of_account(self, project: str, params: Params) -> list[dict[str, Any]]:
        call = Call(service="object-store", method="GET", path="", params=params, account=project)
        try:
            return await self._repeated(lambda: self._exchange(call).rows(), call)
        except RefusedError as error:
            if error.rule == "not-found":
                return []
            raise

    async def write(
        self,
        service: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        version: session.Version | None = None,
        deadline: datetime | None = None,
    ) -> RequestId:
        """Sends a change once; past its deadline never, which is a `TransientError` with `sent` False.

        Raises `RefusedError` where it was refused, `TransientError` with `sent` True where nobody can say.
        """
        call = Call(service=service, method=method, path=path, body=body, version=version, deadline=deadline)
        answer = await asyncio.get_running_loop().run_in_executor(self._writers, self._exchange, call)
        _log.info("%s", answer.where, extra={"request_id": answer.request_id})
        return RequestId(answer.request_id)

    async def close(self) -> None:
        """Lets requests under way end, drops those that wait for a thread, and closes the connections."""
        for threads in (self._writers, self._threads):
            await asyncio.to_thread(threads.shutdown, cancel_futures=True)
        self._connection.close()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _repeated(self, work: Callable[[], T], call: Call) -> T:
        ends = time.monotonic() + self._read_deadline_s
        attempt = 0
        while True:
            try:
                return await self._in_thread(work)
            except TransientError as error:
                pause = max(error.retry_after_s, self._pauses_s[min(attempt, len(self._pauses_s) - 1)])
                if time.monotonic() + pause > ends:
                    raise
                _log.info("%s: again in %.1f s: %s", call, pause, error)
                await asyncio.sleep(pause)
                attempt += 1

    def _exchange(self, call: Call) -> answers.Answer:
        """Sends and receives, in a thread; with a new token where the old one was refused."""
        endpoint, token = self._endpoint(call), self._token(call)
        answer = self._send(call, endpoint, token)
        if answer.status == 401:
            self._renew(call, token)
            answer = self._send(call, endpoint, self._token(call))
        error = answers.error_of(answer, write=call.write)
        if error is not None:
            raise error
        return answer

    def _endpoint(self, call: Call) -> session.Endpoint:
        try:
            return self._connection.endpoint(call.service)
        except ksa.ClientException as error:
            raise answers.error_before_sending(error, str(call)) from error

    def _offers(self, call: Call) -> bool:
        try:
            return self._connection.offers(call.service)
        except ksa.ClientException as error:
            raise answers.error_before_sending(error, str(call)) from error

    def _token(self, call: Call) -> dict[str, str]:
        try:
            return self._connection.auth_headers()
        except ksa.ClientException as error:
            raise answers.error_before_sending(error, str(call)) from error

    def _renew(self, call: Call, refused: Mapping[str, str]) -> None:
        try:
            self._connection.renew(refused)
        except ksa.ClientException as error:
            raise answers.error_before_sending(error, str(call)) from error

    def _url(self, call: Call, endpoint: session.Endpoint) -> str:
        if call.account is None:
            return endpoint.url
        above, _, own = endpoint.url.rpartition("/")
        project = self._connection.project_id()
        if not project or project not in own:
            raise PermanentError("its URL in the catalog names no account, so no other's can be asked", where=str(call))
        return f"{above}/{own.replace(project, call.account)}"

    def _in_time(self, call: Call) -> None:
        late = None if call.deadline is None else self._now() - call.deadline
        if late is not None and late >= timedelta(0):
            raise TransientError(f"not sent: its deadline passed {late.total_seconds():.1f} s ago", where=str(call))

    def _send(self, call: Call, endpoint: session.Endpoint, token: Mapping[str, str]) -> answers.Answer:
        self._in_time(call)
        ours = f"req-{uuid.uuid4()}"
        named = f"{call} (ours: {ours})" if call.write else str(call)
        headers = {**token, **endpoint.headers(call.version), "X-OpenStack-Request-ID": ours}
        sender = self._connection.fresh_session() if call.write else self._connection.session
        try:
            response = sender.request(
                self._url(call, endpoint) + call.target,
                call.method,
                json=call.body,
                headers={**headers, "Accept": "application/json"},
                authenticated=False,
                raise_exc=False,
                redirect=not call.write,
                connect_retries=0,
                status_code_retries=0,
                timeout=self._connection.timeout,
                log=False,
            )
            return answers.Answer(
                status=response.status_code, text=response.text, headers=_lower(response.headers), call=named
            )
        except ksa.ClientException as error:
            raise answers.error_without_answer(error, named, write=call.write) from error
        finally:
            if call.write and sender.session is not None:
                sender.session.close()


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def listing(body: Mapping[str, Any], table: str, where: str) -> list[dict[str, Any]]:
    """The rows of a listing; `TransientError` where the answer has no such table."""
    rows = body.get(table)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TransientError(f"the answer has no list of {table}", where=where)
    return rows


def _require_whole(body: Mapping[str, Any], where: str) -> None:
    """Keystone says `truncated` of a listing that its `list_limit` cuts off."""
    if body.get("truncated") is True:
        raise PermanentError(
            "the listing is cut off, without a link to the rest",
            where=where,
            remedy="raise list_limit in keystone.conf above what there is",
        )


def marker_after(body: Mapping[str, Any], table: str) -> str | None:
    """The marker of the page after this one; Glance's link stands by itself, Keystone's in a table, without a list."""
    links = body.get("links")
    alone = links.get("next") if isinstance(links, dict) else body.get("next")
    return next_marker(body.get(f"{table}_links") or [{"rel": "next", "href": alone or ""}])


def next_marker(links: object) -> str | None:
    """The marker of the `next` link; its host and scheme may be wrong behind a proxy, so only the marker is used."""
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("rel") == "next":
            found = parse_qs(urlsplit(str(link.get("href", ""))).query).get("marker")
            return found[0] if found else None
    return None

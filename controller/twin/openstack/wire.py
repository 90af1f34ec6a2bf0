"""How OpenStack writes things: times, pages, JSON and errors."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from aiohttp import web

from controller.twin.orders import RefusalError

MAX_LIMIT = 1000
"""Rows in one answer at most, Nova's `osapi_max_limit`."""

Row = TypeVar("Row")

_NOVA_FAULTS = {
    400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
    409: "conflictingRequest", 413: "overLimit", 429: "overLimit", 503: "serviceUnavailable",
}  # fmt: skip
_TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable", 409: "Conflict", 429: "Too Many Requests", 500: "Internal Server Error",
    502: "Bad Gateway", 503: "Service Unavailable",
}  # fmt: skip


def zulu(at: float) -> str:
    """`2026-11-21T04:35:56Z`, as servers carry it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro(at: float) -> str:
    """`2026-11-21T04:35:56.000000`, as services and migrations carry it: whole seconds, no zone."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000")


def epoch(text: str) -> float:
    """Seconds since the epoch of what `changes-since` and `changes-before` say. Raises RefusalError (400)."""
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise RefusalError(400, f"Invalid input for query parameters changes-since. Value: {text}.") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(
        body=json.dumps(body).encode(), status=status, content_type="application/json", headers=dict(headers or {})
    )


async def body_of(request: web.Request) -> dict[str, Any]:
    """The request's JSON object. Raises RefusalError (400)."""
    try:
        given = json.loads(await request.read())
    except ValueError as error:
        raise RefusalError(400, "Malformed request body") from error
    if not isinstance(given, dict):
        raise RefusalError(400, "Malformed request body")
    return given


def error(service: str, status: int, message: str, request_id: str) -> web.Response:
    """An error in the words of the service that answers it."""
    title = _TITLES.get(status, "Error")
    if service == "compute":
        return answer({_NOVA_FAULTS.get(status, "computeFault"): {"code": status, "message": message}}, status)
    if service == "placement":
        detail = {"status": status, "title": title, "detail": message, "code": "placement.undefined_code"}
        return answer({"errors": [{**detail, "request_id": request_id}]}, status)
    if service == "network":
        kind = f"{message.split(maxsplit=1)[0]}NotFound" if status == 404 else title.replace(" ", "")
        return answer({"NeutronError": {"type": kind, "message": message, "detail": ""}}, status)
    return answer({"error": {"code": status, "message": message, "title": title}}, status)


def page(
    request: web.Request, rows: Sequence[Row], ids: Sequence[str], name: str, base: str
) -> tuple[Sequence[Row], dict[str, Any]]:
    """The rows after `marker`, at most `limit`, and the `next` link where there may be more.

    Raises RefusalError (400) for a marker that is not there and for a limit that is no number.
    """
    marker, limit = request.query.get("marker"), _limit(request)
    start = 0
    if marker is not None:
        if marker not in ids:
            raise RefusalError(400, f"marker [{marker}] not found")
        start = ids.index(marker) + 1
    chosen = rows[start : start + limit]
    if len(chosen) < limit or not chosen:
        return chosen, {}
    query = [(k, v) for k, v in request.query.items() if k != "marker"] + [("marker", ids[start + limit - 1])]
    return chosen, {f"{name}_links": [{"rel": "next", "href": f"{base}?{urlencode(query)}"}]}


def _limit(request: web.Request) -> int:
    given = request.query.get("limit", str(MAX_LIMIT))
    if not given.isdigit():
        raise RefusalError(400, f"Invalid input for query parameters limit. Value: {given}.")
    return min(int(given), MAX_LIMIT) or MAX_LIMIT

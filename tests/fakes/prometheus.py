"""Prometheus's query API as a state machine: what each query answers, and how it misbehaves just now."""

import asyncio
import json
from collections import defaultdict
from enum import StrEnum, auto

from aiohttp import web
from aiohttp.test_utils import TestServer


class Mood(StrEnum):
    WELL = auto()
    SILENT = auto()
    """Accepts the request and never answers."""
    HANGS_UP = auto()
    CUT_SHORT = auto()
    """Half of the body, then the connection ends, as when the server is killed."""
    HALF_JSON = auto()
    """Half of the JSON in a whole HTTP answer, as from a proxy."""
    NOT_JSON = auto()
    FAILS = auto()
    EXECUTION_TIMEOUT = auto()
    FORBIDS = auto()
    REDIRECTS = auto()
    WARNS = auto()
    MATRIX = auto()
    HUGE = auto()


class FakePrometheus:
    """Answers `POST /api/v1/query`. `series[promql]` is a list of (labels, value text); a query not there is empty."""

    def __init__(self) -> None:
        self.mood = Mood.WELL
        self.moods: dict[str, Mood] = {}
        self.series: dict[str, list[tuple[dict[str, str], str]]] = defaultdict(list)
        self.asked: list[str] = []
        self.authorization: list[str] = []
        self.released = asyncio.Event()
        app = web.Application()
        app.router.add_post("/api/v1/query", self._query)
        self.server = TestServer(app)

    async def __aenter__(self) -> "FakePrometheus":
        await self.server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.released.set()
        await self.server.close()

    @property
    def url(self) -> str:
        return f"http://{self.server.host}:{self.server.port}"

    def knows(self, promql: str, label: str, **values: object) -> None:
        """The query answers these values by name."""
        self.series[promql] = [({label: name}, str(value)) for name, value in values.items()]

    async def _query(self, request: web.Request) -> web.StreamResponse:
        promql = str((await request.post())["query"])
        self.asked.append(promql)
        self.authorization.append(request.headers.get("Authorization", ""))
        return await self._answer(request, promql, self.moods.get(promql, self.mood))

    async def _answer(self, request: web.Request, promql: str, mood: Mood) -> web.StreamResponse:
        whole = self._document(promql, mood)
        match mood:
            case Mood.SILENT:
                await self.released.wait()
            case Mood.HANGS_UP:
                assert request.transport is not None
                request.transport.close()
            case Mood.CUT_SHORT:
                return await self._cut(request, whole)
            case Mood.HALF_JSON:
                return web.Response(body=whole[: len(whole) // 2], content_type="application/json")
            case Mood.NOT_JSON:
                return web.Response(text="<html>a proxy's login page</html>", content_type="text/html")
            case Mood.FAILS:
                return web.Response(status=503, body=_error("unavailable", "out of memory"))
            case Mood.EXECUTION_TIMEOUT:
                return web.Response(status=503, body=_error("timeout", "query timed out in expression evaluation"))
            case Mood.FORBIDS:
                return web.Response(status=401, text="Unauthorized")
            case Mood.REDIRECTS:
                return web.Response(status=302, headers={"Location": "http://127.0.0.1:1/elsewhere"})
        return web.Response(body=whole, content_type="application/json")

    def _document(self, promql: str, mood: Mood) -> bytes:
        result = [{"metric": labels, "value": [1.7e9, text]} for labels, text in self.series[promql]]
        if mood is Mood.HUGE:
            result = result * 200
        kind = "matrix" if mood is Mood.MATRIX else "vector"
        document: dict[str, object] = {"status": "success", "data": {"resultType": kind, "result": result}}
        if mood is Mood.WARNS:
            document["warnings"] = ["remote storage: one store did not answer"]
        return json.dumps(document).encode()

    @staticmethod
    async def _cut(request: web.Request, whole: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(whole))})
        await response.prepare(request)
        await response.write(whole[: len(whole) // 2])
        assert request.transport is not None
        request.transport.close()
        return response


def _error(kind: str, text: str) -> bytes:
    return json.dumps({"status": "error", "errorType": kind, "error": text}).encode()

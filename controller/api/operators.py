"""The operators' API: HTTP and JSON on a local socket that only its owner's group can open.

Who asks is told by the kernel (SO_PEERCRED), not by the request.
"""

import asyncio
import grp
import logging
import os
import pwd
import socket
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from controller.api import campaigns, host_runs
from controller.api.wire import http_status, problem, to_json
from controller.engine.campaign.desk import CampaignDesk
from controller.engine.desk import Desk
from controller.errors import GdccError, InputError
from controller.model.cluster import Cluster
from controller.model.ids import HostName, PlanId
from controller.model.policy import Scope, ScopeKind

_log = logging.getLogger(__name__)

DESK = web.AppKey("desk", Desk)

Bound = Callable[..., AbstractContextManager[None]]
"""Opens the context that every log line of a request carries; its keywords are the context's fields."""

BOUND: web.AppKey[Bound] = web.AppKey("bound")


Written = Callable[[Cluster], bytes]
"""A snapshot as `gdcc snapshot` writes it."""

WRITTEN: web.AppKey[Written] = web.AppKey("written")
ONE_AT_A_TIME: web.AppKey[asyncio.Lock] = web.AppKey("one_at_a_time")


def _unbound(**_: object) -> AbstractContextManager[None]:
    return nullcontext()


class Ask(BaseModel):
    """What any request may carry; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")

    scope: str | None = None
    why: str = Field(default="", max_length=500)
    abort: bool = False
    keep_shutoff: bool = False
    confirmed: bool = False
    force: bool = False


def application(
    desk: Desk,
    of_campaigns: CampaignDesk | None = None,
    bound: Bound = _unbound,
    *,
    written: Written | None = None,
) -> web.Application:
    """The API over one desk; with `of_campaigns` also over that of campaigns, and with `written` giving snapshots."""
    app = web.Application(middlewares=[_errors])
    app[DESK], app[BOUND] = desk, bound
    app.add_routes(
        [
            web.get("/status", _status),
            web.get("/moves", _moves),
            web.get("/plan", _plan),
            web.get("/drains", _drains),
            web.post("/plans/{plan}/approve", _approve),
            web.post("/pause", _pause),
            web.post("/resume", _resume),
            web.get("/hosts/{host}/drain", _look),
            web.post("/hosts/{host}/drain", _drain),
            web.post("/hosts/{host}/enable", _enable),
            web.get("/host-runs", _host_runs),
            web.post("/host-runs", _begin_host_run),
            web.post("/host-runs/{run}", _save_host_run),
        ]
    )
    if of_campaigns is not None:
        app.add_routes(campaigns.routes(of_campaigns, _who))
    if written is not None:
        app[WRITTEN], app[ONE_AT_A_TIME] = written, asyncio.Lock()
        app.add_routes([web.get("/snapshot", _snapshot)])
    return app


async def serve(
    desk: Desk,
    path: Path,
    group: str | None,
    of_campaigns: CampaignDesk | None = None,
    bound: Bound = _unbound,
    *,
    written: Written | None = None,
) -> web.AppRunner:
    """Listens on `path`, mode 0660. Raises InputError when the group or the folder is not there.

    A socket file left behind is replaced: the journal's lock has already said that no other daemon runs.
    """
    try:
        gid = grp.getgrnam(group).gr_gid if group else os.getgid()
        _clear(path)
        listener = _listener(path, gid)
    except KeyError as error:
        raise InputError(f"there is no group {group}", where="socket.group") from error
    except OSError as error:
        raise InputError(f"the socket cannot be made: {error.strerror or error}", where=str(path)) from error
    runner = web.AppRunner(application(desk, of_campaigns, bound, written=written), access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return runner


def _clear(path: Path) -> None:
    """Removes a socket left behind, and nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_socket():
        path.unlink()
    elif path.exists():
        raise InputError("something that is no socket stands here", where=str(path), remedy="name another socket.path")


def _listener(path: Path, gid: int) -> socket.socket:
    """A listening socket that nobody else can open, not even before its group is set."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
        os.chown(path, -1, gid)
        path.chmod(0o660)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener


def _who(request: web.Request) -> str:
    """The login name at the other end."""
    assert request.transport is not None
    peer = request.transport.get_extra_info("socket")
    _, uid, _ = struct.unpack("iII", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


@web.middleware
async def _errors(request: web.Request, handler: Any) -> web.StreamResponse:
    with request.app[BOUND](request=uuid4().hex[:12], path=request.path):
        try:
            if request.method != "GET":
                _log.info("an operator asks", extra={"who": _who(request)})
            response: web.StreamResponse = await handler(request)
        except GdccError as error:
            _log.info("an operator is refused", extra={"error": str(error)})
            return web.json_response(problem(error), status=http_status(error))
        return response


async def _ask(request: web.Request) -> Ask:
    try:
        return Ask.model_validate_json(await request.read() or b"{}")
    except ValidationError as error:
        flaw = error.errors()[0]
        name = ".".join(map(str, flaw["loc"]))
        raise InputError(f"the request is not understood: {name} {flaw['msg']}", where=request.path) from error


def _scope(text: str | None) -> Scope | None:
    if text is None:
        return None
    kind, _, name = text.partition(":")
    if kind not in set(ScopeKind) or not name:
        raise InputError(f"{text!r} is not a scope", remedy=f"one of {', '.join(ScopeKind)} and a name: rack:r07")
    return Scope(kind=ScopeKind(kind), name=name)


async def _status(request: web.Request) -> web.Response:
    return web.json_response(to_json(request.app[DESK].status()))


async def _moves(request: web.Request) -> web.Response:
    try:
        hours = float(request.query.get("hours", "24"))
        since = datetime.now(UTC) - timedelta(hours=hours)
    except (ValueError, OverflowError) as error:
        raise InputError("hours is a number", where="/moves") from error
    return web.json_response([to_json(entry) for entry in request.app[DESK].moves(since)])


async def _plan(request: web.Request) -> web.Response:
    wanted, desk = request.query.get("id"), request.app[DESK]
    plan = desk.recommended() if "recommended" in request.query else desk.plan(PlanId(wanted) if wanted else None)
    return web.json_response(None if plan is None else to_json(plan))


async def _snapshot(request: web.Request) -> web.Response:
    async with request.app[ONE_AT_A_TIME]:
        cluster = request.app[DESK].snapshot()
        body = await asyncio.to_thread(request.app[WRITTEN], cluster)  # 100,000 VMs are seconds of work
    return web.Response(body=body, content_type="application/json")


async def _drains(request: web.Request) -> web.Response:
    return web.json_response([to_json(drain) for drain in request.app[DESK].drains()])


async def _approve(request: web.Request) -> web.Response:
    said = request.app[DESK].approve(PlanId(request.match_info["plan"]), _who(request))
    return web.json_response({"said": said})


async def _pause(request: web.Request) -> web.Response:
    ask = await _ask(request)
    said = await request.app[DESK].pause(_scope(ask.scope), _who(request), ask.why, abort=ask.abort)
    return web.json_response({"said": said})


async def _resume(request: web.Request) -> web.Response:
    ask = await _ask(request)
    return web.json_response({"said": request.app[DESK].resume(_scope(ask.scope), _who(request))})


async def _drain(request: web.Request) -> web.Response:
    """Without `confirmed`, answers with what is not known; the caller asks a person and comes again."""
    desk, ask, host = request.app[DESK], await _ask(request), HostName(request.match_info["host"])
    if not ask.confirmed:
        return web.json_response({"unknowns": await desk.drain_unknowns(host)})
    drain = await desk.drain(host, _who(request), ask.why, keep_shutoff=ask.keep_shutoff)
    return web.json_response({"drain": to_json(drain)})


async def _look(request: web.Request) -> web.Response:
    """The host's drain as Nova shows the host now, and not as the journal knows it."""
    return web.json_response(to_json(await request.app[DESK].look(HostName(request.match_info["host"]))))


async def _enable(request: web.Request) -> web.Response:
    ask, host = await _ask(request), HostName(request.match_info["host"])
    return web.json_response({"said": await request.app[DESK].enable(host, _who(request), force=ask.force)})


async def _host_runs(request: web.Request) -> web.Response:
    return host_runs.listed(request.app[DESK].host_runs)


async def _begin_host_run(request: web.Request) -> web.Response:
    return await host_runs.begun(request.app[DESK].host_runs, request, _who(request))


async def _save_host_run(request: web.Request) -> web.Response:
    return await host_runs.saved(request.app[DESK].host_runs, request)

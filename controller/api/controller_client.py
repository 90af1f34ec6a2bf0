"""The controller for `gdcc host`, over the daemon's socket: `engine.host_work.controller.Controller`."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from controller.api import client
from controller.engine.host_work.controller import Emptying
from controller.model.host_run import HostRun, HostRunState, HostStep, HostVerb
from controller.model.ids import HostName
from controller.model.operation import Drain, Pause, paused_everywhere

_RUN, _RUNS = TypeAdapter(HostRun), TypeAdapter(tuple[HostRun, ...])
_PAUSES = TypeAdapter(tuple[Pause, ...])
_DRAIN, _DRAINS = TypeAdapter(Drain), TypeAdapter(tuple[Drain, ...])


class SocketController:
    """Raises what `client.call` raises."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def _call(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        return await asyncio.to_thread(client.call, self._socket, method, path, body)

    async def open_runs(self) -> tuple[HostRun, ...]:
        runs = await self.runs()
        return tuple(run for run in runs if run.state is HostRunState.OPEN)

    async def runs(self) -> tuple[HostRun, ...]:
        """The open ones, and those of the last day."""
        return _RUNS.validate_python(await self._call("GET", "/host-runs"))

    async def begin(self, host: HostName, verb: HostVerb, step: HostStep) -> HostRun:
        asked: dict[str, object] = {"host": host, "verb": verb, "step": step}
        return _RUN.validate_python(await self._call("POST", "/host-runs", asked))

    async def save(self, run: HostRun) -> None:
        names = ("step", "state", "drained", "boot_id", "said", "artifacts")
        await self._call("POST", client.path("host-runs", run.id), {name: getattr(run, name) for name in names})

    async def drains(self) -> tuple[Drain, ...]:
        return _DRAINS.validate_python(await self._call("GET", "/drains"))

    async def unknowns(self, host: HostName) -> tuple[str, ...]:
        return tuple((await self._call("POST", client.path("hosts", host, "drain"), {}))["unknowns"])

    async def drain(self, host: HostName, why: str, *, keep_shutoff: bool) -> Drain:
        asked = {"why": why, "keep_shutoff": keep_shutoff, "confirmed": True}
        return _DRAIN.validate_python((await self._call("POST", client.path("hosts", host, "drain"), asked))["drain"])

    async def emptying(self, drain: Drain) -> Emptying:
        found = next((one for one in await self.drains() if one.id == drain.id), None)
        hours = 1 + (datetime.now(UTC) - drain.since) / timedelta(hours=1)
        entries = await self._call("GET", f"/moves?hours={hours}")
        own = [entry for entry in entries if entry["intent"]["id"].startswith(f"{drain.id}-")]
        moving = any(one["outcome"] is None for one in own)
        status = await self._call("GET", "/status")
        paused = paused_everywhere(_PAUSES.validate_python(status["pauses"]))
        return Emptying(drain=found, moves=len(own), moving=moving, steps=client.drain_steps(status), paused=paused)

    async def look(self, drain: Drain) -> Drain:
        return _DRAIN.validate_python(await self._call("GET", client.path("hosts", drain.host, "drain")))

    async def enable(self, host: HostName) -> str:
        return str((await self._call("POST", client.path("hosts", host, "enable"), {"force": False}))["said"])

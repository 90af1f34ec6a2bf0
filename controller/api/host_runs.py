"""The operators' API for what they do to hosts by playbooks: begun before the first step, saved at each."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from controller.api.wire import to_json
from controller.engine.ports import HostRuns
from controller.errors import InputError, RefusedError
from controller.model.host_run import LONGEST_SAID, HostRun, HostRunId, HostRunState, HostStep, HostVerb
from controller.model.ids import HostName

SHOWN = timedelta(hours=24)

Kind = TypeVar("Kind", bound=BaseModel)


class Begin(BaseModel):
    """A verb that is about to be done to a host."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field(min_length=1, max_length=255)
    verb: HostVerb
    step: HostStep


class Save(BaseModel):
    """What has changed; what is not named stays."""

    model_config = ConfigDict(extra="forbid")

    step: HostStep | None = None
    state: HostRunState | None = None
    drained: bool | None = None
    boot_id: str | None = Field(default=None, max_length=64)
    said: str | None = Field(default=None, max_length=LONGEST_SAID)
    artifacts: str | None = Field(default=None, max_length=1000)


def new(host: HostName, verb: HostVerb, step: HostStep, *, who: str, now: datetime) -> HostRun:
    """A run that was just asked for."""
    return HostRun(
        id=HostRunId(f"{verb}-{host}-{now:%Y%m%d%H%M%S%f}"),
        host=host,
        verb=verb,
        who=who,
        since=now,
        step=step,
        state=HostRunState.OPEN,
        changed_at=now,
    )


def shown(runs: HostRuns, now: datetime) -> Sequence[HostRun]:
    """The open ones, and those of the last day."""
    newest = runs.runs_since(now - SHOWN)
    return sorted({*runs.open_runs(), *newest}, key=lambda run: (run.since, run.id))


def listed(runs: HostRuns) -> web.Response:
    """Answers with `shown`."""
    return web.json_response([to_json(run) for run in shown(runs, datetime.now(UTC))])


async def begun(runs: HostRuns, request: web.Request, who: str) -> web.Response:
    """Journals a new run, and answers with it."""
    ask = await _read(Begin, request)
    run = new(HostName(ask.host), ask.verb, ask.step, who=who, now=datetime.now(UTC))
    runs.begin(run)
    return web.json_response(to_json(run))


async def saved(runs: HostRuns, request: web.Request) -> web.Response:
    """Journals how far an open run is, or its end, and answers with it."""
    ask, run_id = await _read(Save, request), request.match_info["run"]
    found = next((run for run in runs.open_runs() if run.id == run_id), None)
    if found is None:
        raise RefusedError("no run of this id is open", rule="unknown-host-run", where=run_id)
    changes = {name: value for name, value in ask if value is not None}
    run = replace(found, **changes, changed_at=datetime.now(UTC))
    runs.save(run)
    return web.json_response(to_json(run))


async def _read(kind: type[Kind], request: web.Request) -> Kind:
    try:
        return kind.model_validate_json(await request.read() or b"{}")
    except ValidationError as error:
        flaw = error.errors()[0]
        name = ".".join(map(str, flaw["loc"]))
        raise InputError(f"the request is not understood: {name} {flaw['msg']}", where=request.path) from error

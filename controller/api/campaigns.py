"""The operators' API for campaigns: made whole from an order, shown at a glance, started, paused, resumed, aborted."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from controller.api.wire import to_json
from controller.engine.campaign.desk import CampaignDesk
from controller.engine.campaign.orders import NEWEST
from controller.errors import InputError
from controller.model.campaign import Order

Who = Callable[[web.Request], str]
"""The login name at the other end."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# One-element tuples, since pydantic takes a config for dataclasses only from what holds them.
_ORDER = TypeAdapter(tuple[Order], config=ConfigDict(extra="forbid"))


class Ask(BaseModel):
    """What a verb may carry; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field(default="", max_length=500)
    retry: bool = False


def routes(desk: CampaignDesk, who: Who) -> list[web.RouteDef]:
    """Every address below /campaigns."""
    return [
        web.get("/campaigns", _listed(desk)),
        web.get(f"/campaigns/{NEWEST}", _shown(desk)),
        web.get("/campaigns/{campaign}", _shown(desk)),
        web.post("/campaigns", _made(desk, who)),
        web.post("/campaigns/{campaign}/{verb:start|pause|resume|abort}", _done(desk, who)),
    ]


def _listed(desk: CampaignDesk) -> _Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response([to_json(campaign) for campaign in desk.all()])

    return handler


def _shown(desk: CampaignDesk) -> _Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        found = desk.progress(request.match_info.get("campaign"))
        return web.json_response(None if found is None else to_json(found))

    return handler


def _made(desk: CampaignDesk, who: Who) -> _Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            (order,) = _ORDER.validate_json(b"[%b]" % await request.read())
        except ValidationError as error:
            raise _not_understood(error, request) from error
        return web.json_response({"said": desk.new(order, who(request)), "id": order.name})

    return handler


def _done(desk: CampaignDesk, who: Who) -> _Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            ask = Ask.model_validate_json(await request.read() or b"{}")
        except ValidationError as error:
            raise _not_understood(error, request) from error
        verb, campaign = request.match_info["verb"], request.match_info["campaign"]
        return web.json_response({"said": _do(desk, verb, campaign, who(request), ask)})

    return handler


def _do(desk: CampaignDesk, verb: str, campaign: str, who: str, ask: Ask) -> str:
    if verb == "start":
        return desk.start(campaign, who)
    if verb == "pause":
        return desk.pause(campaign, who, ask.why)
    if verb == "resume":
        return desk.resume(campaign, who, retry=ask.retry)
    return desk.abort(campaign, who, ask.why)


def _not_understood(error: ValidationError, request: web.Request) -> InputError:
    flaw = error.errors()[0]
    name = ".".join(map(str, flaw["loc"]))
    return InputError(f"the request is not understood: {name} {flaw['msg']}", where=request.path)

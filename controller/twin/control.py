"""The twin's own interface for tests: `GET /twin/truth`, `GET|POST /twin/faults`, `DELETE /twin/faults/{number}`."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from controller.errors import InputError
from controller.twin import truth
from controller.twin.events import Happening, Timeline
from controller.twin.faults.catalogue import AnyFault
from controller.twin.openstack import wire
from controller.twin.openstack.cloud import Cloud


class _Asked(BaseModel):
    """A fault to befall the twin now; `seconds` until it is lifted."""

    model_config = ConfigDict(extra="forbid")

    fault: AnyFault
    seconds: float | None = Field(default=None, gt=0)


class Control:
    """The handlers of `/twin`. It needs no token: it listens on loopback alone."""

    def __init__(self, cloud: Cloud, timeline: Timeline) -> None:
        self._cloud = cloud
        self._timeline = timeline

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/twin/truth", self.truth),
            web.get("/twin/faults", self.faults),
            web.post("/twin/faults", self.begin),
            web.delete("/twin/faults/{number}", self.end),
        ]

    async def truth(self, request: web.Request) -> web.Response:
        return wire.answer(truth.told(self._cloud))

    async def faults(self, request: web.Request) -> web.Response:
        rows = [_shown(each) for each in self._timeline.happenings.values()]
        return wire.answer({"faults": rows, "errors": self._timeline.errors})

    async def begin(self, request: web.Request) -> web.Response:
        """Takes `{"fault": "health", "host": …, "seconds": 30}`; 400 says what is wrong with it."""
        given = await wire.body_of(request)
        seconds = given.pop("seconds", None)
        try:
            asked = _Asked.model_validate({"fault": given, "seconds": seconds})
            happening = self._timeline.begin(asked.fault, asked.seconds)
        except ValidationError as error:
            return wire.answer({"errors": [_sentence(each) for each in error.errors()]}, 400)
        except InputError as error:
            return wire.answer({"errors": [str(error)]}, 400)
        return wire.answer(_shown(happening), 201)

    async def end(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        if not number.isdigit() or not self._timeline.end(int(number)):
            return wire.answer({"errors": [f"there is no fault {number}"]}, 404)
        return web.Response(status=204)


def _shown(happening: Happening) -> dict[str, Any]:
    fault = happening.fault.model_dump(mode="json")
    return {"number": happening.number, **fault, "began": happening.began, "until": happening.until}


def _sentence(error: Any) -> str:
    return f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"

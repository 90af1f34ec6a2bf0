"""What stands before every call: troubles, tokens, microversions, request ids and the translation of refusals."""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from controller.twin.openstack import wire
from controller.twin.openstack.cloud import PREFIXES, Cloud, Trouble
from controller.twin.orders import RefusalError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Version = tuple[int, int]

NOVA_VERSIONS: tuple[Version, Version] = ((2, 1), (2, 96))
PLACEMENT_VERSIONS: tuple[Version, Version] = ((1, 0), (1, 39))
VERSION: web.RequestKey[Version] = web.RequestKey("version", tuple)
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)

_OPEN = re.compile(
    r"/identity(/v3)?/?|/identity/v3/auth/tokens|/compute(/v2\.1)?/?|/placement/?|/networking/?|/image(/v2)?/?"
)
_RANGES = {"compute": NOVA_VERSIONS, "placement": PLACEMENT_VERSIONS}
_UNAUTHORIZED = "The request you have made requires authentication."


def gate(cloud: Cloud) -> Middleware:
    """The middleware of one cloud."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        service = service_of(request.path)
        if not service:
            return await handler(request)
        request[REQUEST_ID] = f"req-{uuid.uuid4()}"
        trouble = _strike(cloud, service, request)
        if trouble is not None and not trouble.after:
            response = await _suffer(trouble, service, request)
            if response is not None:
                return response
        answer = await _answer(cloud, service, request, handler)
        if trouble is not None and trouble.after:
            return await _suffer(trouble, service, request) or answer
        return answer

    return middleware


def service_of(path: str) -> str:
    """The service that answers a path; empty for none."""
    return next((name for name, prefix in PREFIXES.items() if path == prefix or path.startswith(prefix + "/")), "")


async def _answer(cloud: Cloud, service: str, request: web.Request, handler: Handler) -> web.StreamResponse:
    request_id = request[REQUEST_ID]
    try:
        if not _admitted(cloud, request):
            response: web.StreamResponse = wire.error(service, 401, _UNAUTHORIZED, request_id)
            response.headers["WWW-Authenticate"] = f'Keystone uri="{cloud.url("identity", "/v3")}"'
        else:
            request[VERSION] = _version(service, request)
            response = await handler(request)
    except RefusalError as refusal:
        response = wire.error(service, refusal.status, refusal.what, request_id)
    except web.HTTPException as error:
        response = wire.error(service, error.status, "The resource could not be found.", request_id)
    _sign(service, request, response)
    return response


def _admitted(cloud: Cloud, request: web.Request) -> bool:
    if _OPEN.fullmatch(request.path):
        return True
    return cloud.tokens.valid(request.headers.get("X-Auth-Token"), cloud.world.now) is not None


def _version(service: str, request: web.Request) -> Version:
    """The microversion asked for, the oldest where none was. Raises RefusalError (406, 400)."""
    if service not in _RANGES:
        return (0, 0)
    oldest, newest = _RANGES[service]
    asked = dict(
        part.strip().split(" ", 1)
        for part in request.headers.get("OpenStack-API-Version", "").split(",")
        if " " in part.strip()
    ).get(service)
    if asked is None and service == "compute":
        asked = request.headers.get("X-OpenStack-Nova-API-Version")
    if asked is None:
        return oldest
    if asked.strip() == "latest":
        return newest
    match = re.fullmatch(r"(\d+)\.(\d+)", asked.strip())
    if match is None:
        raise RefusalError(
            400, f"API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum."
        )
    version = (int(match[1]), int(match[2]))
    if not oldest <= version <= newest:
        low, high = _dotted(oldest), _dotted(newest)
        raise RefusalError(406, f"Version {asked} is not supported by the API. Minimum is {low} and maximum is {high}.")
    return version


def _sign(service: str, request: web.Request, response: web.StreamResponse) -> None:
    response.headers["x-openstack-request-id"] = request[REQUEST_ID]
    version = request.get(VERSION)
    if service == "compute":
        response.headers["x-compute-request-id"] = request[REQUEST_ID]
        if version:
            response.headers["OpenStack-API-Version"] = f"compute {_dotted(version)}"
            response.headers["X-OpenStack-Nova-API-Version"] = _dotted(version)
            response.headers["Vary"] = "OpenStack-API-Version, X-OpenStack-Nova-API-Version"
    elif service == "placement" and version:
        response.headers["openstack-api-version"] = f"placement {_dotted(version)}"
        response.headers["vary"] = "openstack-api-version"
    elif service == "identity":
        response.headers["Vary"] = "X-Auth-Token"


def _strike(cloud: Cloud, service: str, request: web.Request) -> Trouble | None:
    for trouble in cloud.troubles:
        if trouble.service not in {service, "any"} or trouble.method not in {None, request.method}:
            continue
        if trouble.path and not re.search(trouble.path, request.path):
            continue
        if trouble.times is not None:
            trouble.times -= 1
            cloud.troubles[:] = [each for each in cloud.troubles if each.times is None or each.times > 0]
        return trouble
    return None


async def _suffer(trouble: Trouble, service: str, request: web.Request) -> web.StreamResponse | None:
    if trouble.delay_s:
        await asyncio.sleep(trouble.delay_s)
    if trouble.reset:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the twin was told to reset this connection")
    if trouble.status is None:
        return None
    message = "The server has either erred or is incapable of performing the requested operation."
    response = wire.error(service, trouble.status, message, request[REQUEST_ID])
    if trouble.retry_after_s is not None:
        response.headers["Retry-After"] = f"{trouble.retry_after_s:g}"
    _sign(service, request, response)
    return response


def _dotted(version: Version) -> str:
    return f"{version[0]}.{version[1]}"

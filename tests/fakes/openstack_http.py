"""A Keystone, Nova, Placement and Neutron on one port of loopback that answers what a test scripts, and counts.

It is a real HTTP server: what is scripted may also be a connection that is reset, or an answer that is cut short. What
is not scripted is an empty listing. Tokens expire when the test says so.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

PREFIXES = {
    "identity": "/identity/v3", "compute": "/compute/v2.1", "placement": "/placement", "network": "/network",
    "image": "/image/v2", "block-storage": "/volume/v3", "object-store": "/swift/v1",
}  # fmt: skip
BELOW = {"object-store": "/AUTH_p"}
"""What a service's URL in the catalog has after its prefix."""
RANGES = {"compute": ("2.1", "2.104"), "placement": ("1.0", "1.39")}
LISTINGS = {
    "/servers/detail": "servers",
    "/os-services": "services",
    "/os-hypervisors/detail": "hypervisors",
    "/os-aggregates": "aggregates",
    "/os-server-groups": "server_groups",
    "/os-migrations": "migrations",
    "/resource_providers": "resource_providers",
    "/projects": "projects",
    "/ports": "ports",
}


@dataclass(frozen=True, slots=True)
class Gate:
    """Tells that a request has come, and holds its answer back until it is opened."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """One answer. `cut`: only half of the body comes. `reset`: the connection ends without an answer.

    `gate`: what the answer waits at.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    reset: bool = False
    delay_s: float = 0.0
    gate: Gate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as it came: `path` below the service's prefix, `body` None where there was none."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


class OpenStackHttp:
    """`script` answers by method and path, each in its turn and the last one for ever; `seen` is what was asked.

    `gates`: what the versions of a service wait at.
    """

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.tokens = 0
        self.refuses_passwords = False
        self.ranges = dict(RANGES)
        self.gates: dict[str, Gate] = {}
        self._valid: set[str] = set()
        self._scripts: dict[tuple[str, str], deque[Scripted]] = {}
        self.url = ""
        self.stop: Callable[[], Awaitable[None]]

    def script(self, method: str, path: str, *answers: Scripted) -> None:
        self._scripts[method, path] = deque(answers)

    def expire_tokens(self) -> None:
        self._valid.clear()

    def asked(self, method: str, path: str) -> list[Seen]:
        return [one for one in self.seen if (one.method, one.path) == (method, path)]

    def clouds_yaml(self, directory: Path) -> Path:
        """A clouds.yaml with the cloud `fake`."""
        auth = {
            "auth_url": self.url + PREFIXES["identity"],
            "username": "admin",
            "password": "secret-word",
            "project_name": "admin",
            "user_domain_id": "default",
            "project_domain_id": "default",
        }
        file = directory / "clouds.yaml"
        file.write_text(yaml.safe_dump({"clouds": {"fake": {"auth": auth, "region_name": "RegionOne"}}}))
        return file

    async def handle(self, request: web.Request) -> web.StreamResponse:
        service = next(name for name, prefix in PREFIXES.items() if request.path.startswith(prefix))
        path = request.path.removeprefix(PREFIXES[service]).rstrip("/")
        if service == "identity" and path == "/auth/tokens":
            return self._token()
        if path == "":
            if gate := self.gates.get(service):
                gate.reached.set()
                await gate.opened.wait()
            return self._versions(service)
        text = await request.text()
        body = json.loads(text) if text else None
        self.seen.append(
            Seen(method=request.method, path=path, query=dict(request.query), headers=dict(request.headers), body=body)
        )
        if request.headers.get("X-Auth-Token") not in self._valid:
            return web.json_response({"error": {"message": "The request requires authentication."}}, status=401)
        return await self._answer(request, path)

    async def _answer(self, request: web.Request, path: str) -> web.StreamResponse:
        script = self._scripts.get((request.method, path))
        if script is None:
            return web.json_response({LISTINGS[path]: []} if path in LISTINGS else {}, status=200)
        answer = script.popleft() if len(script) > 1 else script[0]
        await asyncio.sleep(answer.delay_s)
        if answer.gate is not None:
            answer.gate.reached.set()
            await answer.gate.opened.wait()
        assert request.transport is not None
        if answer.reset:
            request.transport.abort()
            return web.Response()
        headers = {"x-openstack-request-id": f"req-{len(self.seen)}", **answer.headers}
        if not answer.cut:
            return web.json_response(answer.body, status=answer.status, headers=headers)
        whole = json.dumps(answer.body).encode()
        half = web.StreamResponse(headers={**headers, "Content-Length": str(len(whole))})
        await half.prepare(request)
        await half.write(whole[: len(whole) // 2])
        request.transport.close()
        return half

    def _token(self) -> web.Response:
        if self.refuses_passwords:
            return web.json_response({"error": {"message": "Invalid username or password", "code": 401}}, status=401)
        self.tokens += 1
        self._valid.add(f"token-{self.tokens}")
        catalog = [
            {
                "type": name,
                "name": name,
                "endpoints": [{"interface": "public", "region_id": "RegionOne", "region": "RegionOne", "url": url}],
            }
            for name, url in ((each, self.url + prefix + BELOW.get(each, "")) for each, prefix in PREFIXES.items())
        ]
        token = {
            "methods": ["password"],
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "user": {"id": "u", "name": "admin", "domain": {"id": "default", "name": "Default"}},
            "project": {"id": "p", "name": "admin", "domain": {"id": "default", "name": "Default"}},
            "roles": [{"id": "r", "name": "admin"}],
            "catalog": catalog,
        }
        return web.json_response({"token": token}, status=201, headers={"X-Subject-Token": f"token-{self.tokens}"})

    def _versions(self, service: str) -> web.Response:
        link = {"links": [{"rel": "self", "href": self.url + PREFIXES[service] + "/"}], "status": "CURRENT"}
        if service == "identity":
            return web.json_response({"version": {"id": "v3.14", **link, "status": "stable"}})
        if service == "network":
            return web.json_response({"versions": [{"id": "v2.0", **link}]})
        if service in {"image", "block-storage"}:
            return web.json_response({"version": {"id": {"image": "v2.17", "block-storage": "v3.0"}[service], **link}})
        least, most = self.ranges[service]
        if service == "placement":
            return web.json_response({"versions": [{"id": "v1.0", "min_version": least, "max_version": most, **link}]})
        return web.json_response({"version": {"id": "v2.1", "min_version": least, "version": most, **link}})


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[OpenStackHttp]:
    """The server, while the block runs or until it is told to `stop`."""
    fake = OpenStackHttp()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.stop = runner.cleanup
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()


def server_row(server_id: str, **changes: Any) -> dict[str, Any]:
    """A server as Nova 2.96 lists it."""
    row = {
        "id": server_id,
        "name": f"name-{server_id}",
        "tenant_id": "p",
        "status": "ACTIVE",
        "OS-EXT-STS:task_state": None,
        "OS-EXT-SRV-ATTR:host": "c1",
        "OS-EXT-AZ:availability_zone": "az1",
        "pinned_availability_zone": None,
        "locked": False,
        "image": {"id": "i"},
        "updated": "2026-01-01T00:00:00Z",
        "flavor": {
            "original_name": "m1", "vcpus": 2, "ram": 2048, "disk": 10, "ephemeral": 0, "swap": 0, "extra_specs": {},
        },
    }  # fmt: skip
    return row | changes


def migration_row(number: int, **changes: Any) -> dict[str, Any]:
    """A migration as /os-migrations lists it."""
    row = {
        "id": number,
        "uuid": f"m-{number}",
        "instance_uuid": "s1",
        "migration_type": "live-migration",
        "status": "running",
        "source_compute": "c1",
        "dest_compute": "c2",
        "created_at": "2026-01-01T00:00:00.000000",
        "updated_at": None,
    }
    return row | changes

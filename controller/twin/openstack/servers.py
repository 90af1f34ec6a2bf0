"""Nova's servers: lists, one server, actions, and each server's own migrations."""

import hashlib
from collections.abc import Callable
from typing import Any

from aiohttp import web

from controller.twin.machines import Server
from controller.twin.openstack import migrations, wire
from controller.twin.openstack.cloud import Cloud
from controller.twin.openstack.gate import VERSION, Version
from controller.twin.orders import IN_PROGRESS, LIVE, RefusalError

ROOT = "/compute/v2.1/servers"


class Servers:
    """The handlers of `/servers`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._flavors: dict[str, dict[str, Any]] = {}
        self._order: tuple[int, list[str]] = (-1, [])

    def routes(self) -> list[web.RouteDef]:
        one = f"{ROOT}/{{id}}"
        return [
            web.get(ROOT, self.index),
            web.get(f"{ROOT}/detail", self.detail),
            web.get(one, self.show),
            web.delete(one, self.delete),
            web.post(f"{one}/action", self.action),
            web.get(f"{one}/topology", self.topology),
            web.get(f"{one}/migrations", self.migrations),
            web.get(f"{one}/migrations/{{number}}", self.migration),
            web.delete(f"{one}/migrations/{{number}}", self.abort),
            web.post(f"{one}/migrations/{{number}}/action", self.force),
        ]

    async def index(self, request: web.Request) -> web.Response:
        rows, links = self._page(request, "")
        body = [{"id": s.id, "name": s.name, "links": self._links(s)} for s in rows]
        return wire.answer({"servers": body, **links})

    async def detail(self, request: web.Request) -> web.Response:
        rows, links = self._page(request, "/detail")
        version = request[VERSION]
        return wire.answer({"servers": [self._view(server, version, listed=True) for server in rows], **links})

    async def show(self, request: web.Request) -> web.Response:
        server = self._cloud.server(request.match_info["id"])
        return wire.answer({"server": self._view(server, request[VERSION], listed=False)})

    async def topology(self, request: web.Request) -> web.Response:
        """The guest's NUMA cells, since 2.78."""
        server = self._cloud.server(request.match_info["id"])
        if request[VERSION] < (2, 78):
            raise RefusalError(404, "The resource could not be found.")
        asked = server.flavor.nova_extra_specs
        pinned = asked.get("hw:cpu_policy") == "dedicated" or "hw:mem_page_size" in asked
        count = int(asked.get("hw:numa_nodes", "1" if pinned else "0"))
        each = server.flavor.memory_mib // max(count, 1)
        nodes = [
            {"vcpu_set": list(range(n, server.flavor.vcpus, count)), "siblings": [], "memory_mb": each, "host_node": n,
             "cpu_pinning": {}} for n in range(count)
        ]  # fmt: skip
        return wire.answer({"nodes": nodes, "pagesize_kb": None})

    async def delete(self, request: web.Request) -> web.Response:
        server = self._cloud.server(request.match_info["id"])
        self._cloud.orders.forget(server)
        self._cloud.world.remove_server(server)
        return web.Response(status=204)

    async def action(self, request: web.Request) -> web.Response:
        """Runs the one action that the body names."""
        server = self._cloud.server(request.match_info["id"])
        given = await wire.body_of(request)
        name = next(iter(given), "")
        actions: dict[str, Callable[[web.Request, Server, Any], int]] = {
            "os-migrateLive": self._live_migrate,
            "migrate": self._cold_migrate,
            "confirmResize": self._confirm,
            "lock": self._lock,
            "unlock": self._unlock,
        }
        if len(given) == 1 and name in actions:
            return web.Response(status=actions[name](request, server, given[name]))
        if len(given) == 1 and name in _TURNS:
            return web.Response(status=self._turn(server, name))
        raise RefusalError(400, f"There is no such action: {name}")

    async def migrations(self, request: web.Request) -> web.Response:
        """Live migrations of a server in progress."""
        server = self._cloud.server(request.match_info["id"])
        rows = [r for r in self._cloud.orders.records.values() if r.server_id == server.id and r.kind == LIVE]
        version = request[VERSION]
        body = [migrations.progress(self._cloud, r, version) for r in rows if r.status in IN_PROGRESS]
        return wire.answer({"migrations": body})

    async def migration(self, request: web.Request) -> web.Response:
        server, number = self._cloud.server(request.match_info["id"]), self._number(request)
        record = self._cloud.orders.records.get(number)
        if record is None or record.server_id != server.id:
            raise RefusalError(404, f"In-progress live migration {number} is not found for server {server.id}.")
        if record.kind != LIVE:
            raise RefusalError(404, f"Migration {number} for server {server.id} is not live-migration.")
        if record.status not in IN_PROGRESS:
            raise RefusalError(404, f"Live migration {number} for server {server.id} is not in progress.")
        return wire.answer({"migration": migrations.progress(self._cloud, record, request[VERSION])})

    async def abort(self, request: web.Request) -> web.Response:
        server = self._cloud.server(request.match_info["id"])
        self._cloud.orders.abort(server, self._number(request), queued_too=request[VERSION] >= (2, 65))
        return web.Response(status=202)

    async def force(self, request: web.Request) -> web.Response:
        server = self._cloud.server(request.match_info["id"])
        if "force_complete" not in await wire.body_of(request):
            raise RefusalError(400, "There is no such action")
        self._cloud.orders.force_complete(server, self._number(request))
        return web.Response(status=202)

    def _live_migrate(self, request: web.Request, server: Server, given: Any) -> int:
        if not isinstance(given, dict) or not {"host", "block_migration"} <= set(given):
            raise RefusalError(400, "Invalid input for field/attribute os-migrateLive.")
        if "force" in given and not (2, 30) <= request[VERSION] < (2, 68):
            raise RefusalError(400, "Additional properties are not allowed ('force' was unexpected)")
        self._cloud.orders.live_migrate(server, given["host"], at_once=request[VERSION] < (2, 34))
        return 202

    def _cold_migrate(self, request: web.Request, server: Server, given: Any) -> int:
        host = given.get("host") if isinstance(given, dict) else None
        if host is not None and request[VERSION] < (2, 56):
            raise RefusalError(400, "Additional properties are not allowed ('host' was unexpected)")
        self._cloud.orders.cold_migrate(server, host)
        return 202

    def _confirm(self, request: web.Request, server: Server, given: Any) -> int:
        self._cloud.orders.confirm_resize(server)
        return 204

    def _lock(self, request: web.Request, server: Server, given: Any) -> int:
        server.locked = True
        self._cloud.world.touch(server)
        return 202

    def _unlock(self, request: web.Request, server: Server, given: Any) -> int:
        server.locked = False
        self._cloud.world.touch(server)
        return 202

    def _turn(self, server: Server, action: str) -> int:
        """A change of state that the twin makes at once."""
        before, after = _TURNS[action]
        if server.task_state is not None:
            raise RefusalError(
                409, f"Cannot '{action}' instance {server.id} while it is in task_state {server.task_state}"
            )
        if server.vm_state != before:
            raise RefusalError(409, f"Cannot '{action}' instance {server.id} while it is in vm_state {server.vm_state}")
        server.vm_state = after
        self._cloud.world.touch(server)
        return 202

    def _number(self, request: web.Request) -> int:
        number = request.match_info["number"]
        if not number.isdigit():
            raise RefusalError(404, f"Migration {number} could not be found.")
        return int(number)

    def _page(self, request: web.Request, path: str) -> tuple[list[Server], dict[str, Any]]:
        ids = self._ids(request)
        chosen, links = wire.page(request, ids, ids, "servers", self._cloud.url("compute", f"/v2.1/servers{path}"))
        world = self._cloud.world
        rows = [world.servers.get(each) or world.deleted[each] for each in chosen]
        if "changes-since" in request.query and "deleted" not in request.query:
            return rows, links
        deleted = request.query.get("deleted", "").lower() in _TRUE
        return [row for row in rows if (row.vm_state == "soft-delete") == deleted], links

    def _ids(self, request: web.Request) -> list[str]:
        """Ids newest first, as Nova sorts them, after the query's filters."""
        world = self._cloud.world
        if self._order[0] != world.churned:
            order = sorted(world.servers.values(), key=lambda s: (s.created, s.id), reverse=True)
            self._order = (world.churned, [server.id for server in order])
        kept = {name: request.query[name] for name in ("host", "project_id", "status", "name") if name in request.query}
        if request.query.get("all_tenants", "").lower() not in _TRUE:
            kept["project_id"] = self._token_project(request)
        since = request.query.get("changes-since")
        if since is not None:
            return [server.id for server in self._changed(wire.epoch(since)) if self._matches(server, kept)]
        if not kept:
            return self._order[1]
        return [each for each in self._order[1] if self._matches(world.servers[each], kept)]

    def _changed(self, since: float) -> list[Server]:
        """Those that were written since then, deleted ones too, newest first."""
        world = self._cloud.world
        written = (s for table in (world.servers, world.deleted) for s in table.values() if int(s.updated) >= since)
        return sorted(written, key=lambda s: (s.created, s.id), reverse=True)

    def _matches(self, server: Server, kept: dict[str, str]) -> bool:
        shown = {
            "host": self._cloud.world.topology.hosts[server.host],
            "project_id": server.project_id,
            "status": server.status,
            "name": server.name,
        }
        wanted = {**kept, "status": kept["status"].upper()} if "status" in kept else kept
        return all(shown[name] == value for name, value in wanted.items())

    def _token_project(self, request: web.Request) -> str:
        token = self._cloud.tokens.valid(request.headers.get("X-Auth-Token"), self._cloud.world.now)
        return (token.project if token else None) or ""

    def _links(self, server: Server) -> list[dict[str, str]]:
        return [
            {"rel": "self", "href": self._cloud.url("compute", f"/v2.1/servers/{server.id}")},
            {"rel": "bookmark", "href": self._cloud.url("compute", f"/servers/{server.id}")},
        ]

    def _view(self, server: Server, version: Version, *, listed: bool) -> dict[str, Any]:
        world = self._cloud.world
        host = world.topology.hosts[server.host]
        launched = wire.micro(server.created)
        view: dict[str, Any] = {
            "id": server.id, "name": server.name, "status": server.status, "tenant_id": server.project_id,
            "user_id": _USER, "metadata": {},
            "hostId": hashlib.sha224((server.project_id + host).encode()).hexdigest(),
            "image": {"id": IMAGE, "links": []}, "flavor": self._flavor(server, version),
            "created": wire.zulu(server.created), "updated": wire.zulu(server.updated), "addresses": {},
            "accessIPv4": "", "accessIPv6": "", "links": self._links(server), "OS-DCF:diskConfig": "MANUAL",
            "OS-EXT-AZ:availability_zone": self._cloud.zone_of(server.host), "config_drive": "", "key_name": None,
            "OS-SRV-USG:launched_at": launched, "OS-SRV-USG:terminated_at": None,
            "OS-EXT-SRV-ATTR:host": host, "OS-EXT-SRV-ATTR:instance_name": instance_name(server),
            "OS-EXT-SRV-ATTR:hypervisor_hostname": host, "OS-EXT-STS:task_state": server.task_state,
            "OS-EXT-STS:vm_state": server.vm_state, "OS-EXT-STS:power_state": server.power_state,
            "os-extended-volumes:volumes_attached": [], "security_groups": [{"name": "default"}],
        }  # fmt: skip
        if server.status == "ERROR" and server.fault is not None:
            code, message, at = server.fault
            view["fault"] = {"code": code, "message": message, "created": wire.zulu(at)}
        if server.status in {"ACTIVE", "RESIZE", "MIGRATING", "VERIFY_RESIZE"}:
            view["progress"] = 0
        return view | self._newer(server, version, listed=listed)

    def _newer(self, server: Server, version: Version, *, listed: bool) -> dict[str, Any]:
        """What later microversions added."""
        service = self._cloud.world.services[server.host]
        state = (
            ("UP" if service.enabled else "MAINTENANCE") if service.up else "DOWN" if service.forced_down else "UNKNOWN"
        )
        added: dict[str, Any] = {}
        if version >= (2, 3):
            added |= {
                "OS-EXT-SRV-ATTR:hostname": server.name, "OS-EXT-SRV-ATTR:kernel_id": "",
                "OS-EXT-SRV-ATTR:launch_index": 0, "OS-EXT-SRV-ATTR:ramdisk_id": "",
                "OS-EXT-SRV-ATTR:reservation_id": "r-" + server.id[:8],
                "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda", "OS-EXT-SRV-ATTR:user_data": None,
            }  # fmt: skip
        since: list[tuple[Version, str, object]] = [
            ((2, 9), "locked", server.locked),
            ((2, 16), "host_status", state),
            ((2, 19), "description", None),
            ((2, 26), "tags", []),
            ((2, 63), "trusted_image_certificates", None),
            ((2, 73), "locked_reason", None),
            ((2, 96), "pinned_availability_zone", server.pinned_zone),
        ]
        if not listed:
            since.append(((2, 71), "server_groups", [server.group] if server.group else []))
        return added | {name: value for first, name, value in since if version >= first}

    def _flavor(self, server: Server, version: Version) -> dict[str, Any]:
        flavor = server.flavor
        if version < (2, 47):
            return {"id": self._cloud.flavor_id(flavor), "links": []}
        return self._flavors.setdefault(
            flavor.name,
            {
                "vcpus": flavor.vcpus, "ram": flavor.memory_mib, "disk": flavor.disk_gib, "ephemeral": 0, "swap": 0,
                "original_name": flavor.name, "extra_specs": dict(flavor.nova_extra_specs),
            },
        )  # fmt: skip


def instance_name(server: Server) -> str:
    """Libvirt's name of the guest."""
    return f"instance-{server.row + 1:08x}"


_TRUE = frozenset({"1", "true", "yes", "on"})
_USER = "5ae624a709504a42ae9937b5a4f5449b"
IMAGE = "0c9f0c5e-6b0e-4f6e-9a53-0a4b7f6f3c11"
_TURNS = {
    "os-stop": ("active", "stopped"),
    "os-start": ("stopped", "active"),
    "pause": ("active", "paused"),
    "unpause": ("paused", "active"),
    "suspend": ("active", "suspended"),
    "resume": ("suspended", "active"),
}

"""Nova's view of its hosts: services, hypervisors, aggregates, availability zones and server groups."""

import uuid
from typing import Any

from aiohttp import web

from controller.twin.machines import Group
from controller.twin.openstack import wire
from controller.twin.openstack.cloud import Cloud
from controller.twin.openstack.gate import VERSION, Version
from controller.twin.orders import RefusalError
from controller.twin.world import named_id
from inventory.model import Aggregate

ROOT = "/compute/v2.1"
_USER = "5ae624a709504a42ae9937b5a4f5449b"


class Hosts:
    """The handlers of `/os-services`, `/os-hypervisors`, `/os-aggregates`, `/os-server-groups` and their like."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._rows = [int(row) for row in cloud.world.topology.in_nova.nonzero()[0]]

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{ROOT}/os-services", self.services),
            web.put(f"{ROOT}/os-services/{{id}}", self.update_service),
            web.get(f"{ROOT}/os-hypervisors", self.hypervisors),
            web.get(f"{ROOT}/os-hypervisors/detail", self.hypervisors_detail),
            web.get(f"{ROOT}/os-hypervisors/{{id}}", self.hypervisor),
            web.get(f"{ROOT}/os-aggregates", self.aggregates),
            web.get(f"{ROOT}/os-availability-zone/detail", self.zones),
            web.get(f"{ROOT}/os-server-groups", self.groups),
            web.get(f"{ROOT}/os-server-groups/{{id}}", self.group),
        ]

    async def services(self, request: web.Request) -> web.Response:
        names = self._cloud.world.topology.hosts
        wanted, binary = request.query.get("host"), request.query.get("binary", "nova-compute")
        rows = [row for row in self._rows if wanted in {None, names[row]} and binary == "nova-compute"]
        return wire.answer({"services": [self._service(row, request[VERSION]) for row in rows]})

    async def update_service(self, request: web.Request) -> web.Response:
        """Enables, disables or forces down, as microversion 2.53 and later do it."""
        service_id, given = request.match_info["id"], await wire.body_of(request)
        row = self._service_row(service_id)
        service = self._cloud.world.services[row]
        if not {"status", "forced_down"} & set(given):
            message = "No updates were requested. Fields 'status' or 'forced_down' should be specified."
            raise RefusalError(400, message)
        if given.get("status") == "enabled":
            if given.get("disabled_reason"):
                raise RefusalError(400, "Specifying 'disabled_reason' with status 'enabled' is invalid.")
            service.enabled, service.disabled_reason = True, None
        elif given.get("status") == "disabled":
            service.enabled, service.disabled_reason = False, given.get("disabled_reason")
        if "forced_down" in given:
            service.forced_down = bool(given["forced_down"])
        return wire.answer({"service": self._service(row, request[VERSION])})

    async def hypervisors(self, request: web.Request) -> web.Response:
        rows, links = self._page(request, "")
        brief = [{k: v for k, v in self._hypervisor(row).items() if k in _BRIEF} for row in rows]
        return wire.answer({"hypervisors": brief, **links})

    async def hypervisors_detail(self, request: web.Request) -> web.Response:
        rows, links = self._page(request, "/detail")
        return wire.answer({"hypervisors": [self._hypervisor(row) for row in rows], **links})

    async def hypervisor(self, request: web.Request) -> web.Response:
        wanted, ids = request.match_info["id"], self._cloud.world.node_ids
        row = next((row for row in self._rows if ids[row] == wanted), None)
        if row is None:
            raise RefusalError(404, f"Hypervisor with ID '{wanted}' could not be found.")
        return wire.answer({"hypervisor": self._hypervisor(row)})

    async def aggregates(self, request: web.Request) -> web.Response:
        tables = enumerate(self._cloud.world.estate.aggregates.values(), 1)
        return wire.answer({"aggregates": [self._aggregate(n, each, request[VERSION]) for n, each in tables]})

    async def zones(self, request: web.Request) -> web.Response:
        names, found = self._cloud.world.topology.hosts, dict[str, dict[str, Any]]()
        for row in self._rows:
            service = self._cloud.world.services[row]
            state = {"available": service.enabled, "active": service.up, "updated_at": self._heartbeat(row)}
            found.setdefault(self._cloud.zone_of(row), {})[names[row]] = {"nova-compute": state}
        info = [{"zoneName": z, "zoneState": {"available": True}, "hosts": hosts} for z, hosts in found.items()]
        return wire.answer({"availabilityZoneInfo": info})

    async def groups(self, request: web.Request) -> web.Response:
        groups = list(self._cloud.world.groups.values())
        if "all_projects" not in request.query:
            groups = []
        offset, limit = (int(request.query.get(k, d)) for k, d in (("offset", "0"), ("limit", str(wire.MAX_LIMIT))))
        chosen = groups[offset : offset + min(limit, wire.MAX_LIMIT)]
        return wire.answer({"server_groups": [_group(group, request[VERSION]) for group in chosen]})

    async def group(self, request: web.Request) -> web.Response:
        group = self._cloud.world.groups.get(request.match_info["id"])
        if group is None:
            raise RefusalError(404, f"Instance group {request.match_info['id']} could not be found.")
        return wire.answer({"server_group": _group(group, request[VERSION])})

    def _service_row(self, service_id: str) -> int:
        try:
            uuid.UUID(service_id)
        except ValueError as error:
            raise RefusalError(400, f"Invalid uuid {service_id}") from error
        row = next((row for row in self._rows if self._cloud.world.services[row].id == service_id), None)
        if row is None:
            raise RefusalError(404, f"Service {service_id} could not be found.")
        return row

    def _service(self, row: int, version: Version) -> dict[str, Any]:
        service = self._cloud.world.services[row]
        view = {
            "binary": "nova-compute", "host": self._cloud.world.topology.hosts[row],
            "id": service.id if version >= (2, 53) else row + 1, "zone": self._cloud.zone_of(row),
            "status": "enabled" if service.enabled else "disabled", "state": "up" if service.up else "down",
            "updated_at": self._heartbeat(row), "disabled_reason": service.disabled_reason,
        }  # fmt: skip
        return view | ({"forced_down": service.forced_down} if version >= (2, 11) else {})

    def _heartbeat(self, row: int) -> str:
        """When the service last reported: every 10 s while it runs."""
        world = self._cloud.world
        service = world.services[row]
        if service.running:
            service.updated = world.now - (world.now + row) % 10.0
        return wire.micro(service.updated)

    def _page(self, request: web.Request, path: str) -> tuple[list[int], dict[str, Any]]:
        names, ids = self._cloud.world.topology.hosts, self._cloud.world.node_ids
        pattern = request.query.get("hypervisor_hostname_pattern", "")
        rows = [row for row in self._rows if pattern in names[row]]
        here = self._cloud.url("compute", f"/v2.1/os-hypervisors{path}")
        chosen, links = wire.page(request, rows, [ids[row] for row in rows], "hypervisors", here)
        return list(chosen), links

    def _hypervisor(self, row: int) -> dict[str, Any]:
        world = self._cloud.world
        service, name = world.services[row], world.topology.hosts[row]
        return {
            "id": world.node_ids[row], "hypervisor_hostname": name, "state": "up" if service.up else "down",
            "status": "enabled" if service.enabled else "disabled", "hypervisor_type": "QEMU",
            "hypervisor_version": 8002002, "host_ip": "127.0.0.1",
            "service": {"id": service.id, "host": name, "disabled_reason": service.disabled_reason}, "uptime": None,
        }  # fmt: skip

    def _aggregate(self, number: int, aggregate: Aggregate, version: Version) -> dict[str, Any]:
        world = self._cloud.world
        metadata = {
            key: world.projects[value].id if key.startswith("filter_tenant_id") and value in world.projects else value
            for key, value in aggregate.metadata.items()
        }
        if aggregate.availability_zone is not None:
            metadata["availability_zone"] = aggregate.availability_zone
        view: dict[str, Any] = {
            "name": aggregate.name, "hosts": list(aggregate.hosts), "availability_zone": aggregate.availability_zone,
            "metadata": metadata, "id": number, "created_at": wire.micro(world.began), "updated_at": None,
            "deleted": False, "deleted_at": None,
        }  # fmt: skip
        return view | ({"uuid": named_id("aggregate", aggregate.name)} if version >= (2, 41) else {})


def _group(group: Group, version: Version) -> dict[str, Any]:
    view: dict[str, Any] = {"id": group.id, "name": group.name, "members": list(group.members)}
    if version >= (2, 64):
        rules = {"max_server_per_host": group.max_server_per_host} if group.policy == "anti-affinity" else {}
        view |= {"policy": group.policy, "rules": rules}
    else:
        view |= {"policies": [group.policy], "metadata": {}}
    return view | ({"project_id": group.project_id, "user_id": _USER} if version >= (2, 13) else {})


_BRIEF = frozenset({"id", "hypervisor_hostname", "state", "status"})

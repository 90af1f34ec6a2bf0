"""Neutron: networks of the estate and one port a server, bound where the server runs."""

from typing import Any

from aiohttp import web

from controller.twin.machines import Server
from controller.twin.openstack import wire
from controller.twin.openstack.cloud import Cloud
from controller.twin.orders import RefusalError
from controller.twin.world import named_id

ROOT = "/networking"


class Neutron:
    """The handlers of `/networking`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(ROOT, self.versions),
            web.get(f"{ROOT}/", self.versions),
            web.get(f"{ROOT}/v2.0", self.resources),
            web.get(f"{ROOT}/v2.0/", self.resources),
            web.get(f"{ROOT}/v2.0/ports", self.ports),
            web.get(f"{ROOT}/v2.0/ports/{{id}}", self.port),
            web.get(f"{ROOT}/v2.0/networks", self.networks),
        ]

    async def versions(self, request: web.Request) -> web.Response:
        link = {"rel": "self", "href": self._cloud.url("network", "/v2.0/")}
        return wire.answer({"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]})

    async def resources(self, request: web.Request) -> web.Response:
        rows = [
            {
                "name": one,
                "collection": many,
                "links": [{"rel": "self", "href": self._cloud.url("network", f"/v2.0/{many}")}],
            }
            for one, many in (("network", "networks"), ("port", "ports"))
        ]
        return wire.answer({"resources": rows})

    async def ports(self, request: web.Request) -> web.Response:
        servers = self._wanted(request)
        rows = [self._port(server) for server in servers]
        host = request.query.get("binding:host_id")
        rows = [row for row in rows if host in {None, row["binding:host_id"]}]
        if "limit" not in request.query:
            return wire.answer({"ports": [_chosen(row, request) for row in rows]})
        here = self._cloud.url("network", "/v2.0/ports")
        chosen, links = wire.page(request, rows, [row["id"] for row in rows], "ports", here)
        return wire.answer({"ports": [_chosen(row, request) for row in chosen], **links})

    async def port(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        server = next((s for s in self._cloud.world.servers.values() if port_id(s) == wanted), None)
        if server is None:
            raise RefusalError(404, f"Port {wanted} could not be found.")
        return wire.answer({"port": self._port(server)})

    async def networks(self, request: web.Request) -> web.Response:
        rows: list[dict[str, Any]] = [
            {
                "id": named_id("network", each.name), "name": each.name, "tenant_id": "", "project_id": "",
                "admin_state_up": True, "status": "ACTIVE", "mtu": 1500, "shared": True, "router:external": False,
                "provider:network_type": "flat" if each.vlan is None else "vlan",
                "provider:physical_network": each.physical_network, "provider:segmentation_id": each.vlan,
                "subnets": [], "description": "", "availability_zones": [], "tags": [],
            }
            for each in self._cloud.world.estate.networks.values()
        ]  # fmt: skip
        return wire.answer({"networks": rows})

    def _wanted(self, request: web.Request) -> list[Server]:
        servers = self._cloud.world.servers
        if "device_id" in request.query:
            return [servers[each] for each in request.query.getall("device_id") if each in servers]
        return list(servers.values())

    def _port(self, server: Server) -> dict[str, Any]:
        bound = server.id not in self._cloud.orders.unbound
        there = named_id("subnet", server.project_id)
        n = server.row + 1
        return {
            "id": port_id(server), "name": "", "network_id": named_id("network", server.project_id),
            "tenant_id": server.project_id, "project_id": server.project_id, "admin_state_up": True,
            "mac_address": f"fa:16:3e:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}",
            "status": "ACTIVE" if bound else "DOWN", "device_id": server.id, "device_owner": "compute:nova",
            "fixed_ips": [{"subnet_id": there, "ip_address": f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"}],
            "security_groups": [], "allowed_address_pairs": [], "extra_dhcp_opts": [], "description": "", "tags": [],
            "binding:vnic_type": "normal", "binding:host_id": self._cloud.world.topology.hosts[server.host],
            "binding:vif_type": "ovs" if bound else "binding_failed", "binding:vif_details": _VIF if bound else {},
            "binding:profile": {}, "port_security_enabled": True, "qos_policy_id": None, "revision_number": 2,
            "qos_network_policy_id": None, "ip_allocation": "immediate", "resource_request": None,
            "created_at": wire.zulu(server.created), "updated_at": wire.zulu(server.updated),
        }  # fmt: skip


def port_id(server: Server) -> str:
    """The id of a server's one port."""
    return named_id("port", server.id)


_VIF = {"connectivity": "l2", "port_filter": True, "datapath_type": "system", "bound_drivers": {"0": "openvswitch"}}


def _chosen(row: dict[str, Any], request: web.Request) -> dict[str, Any]:
    fields = [name for value in request.query.getall("fields", []) for name in value.split(",")]
    return {name: row[name] for name in fields if name in row} if fields else row

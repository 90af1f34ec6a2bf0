"""Nova's roots and definitions: versions, flavors and limits."""

from typing import Any

from aiohttp import web

from controller.twin.openstack import wire
from controller.twin.openstack.cloud import Cloud
from controller.twin.openstack.gate import NOVA_VERSIONS, VERSION, Version
from controller.twin.orders import RefusalError
from inventory.model import Flavor

ROOT = "/compute"


class Definitions:
    """The handlers of `/compute`, `/flavors` and `/limits`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(ROOT, self.versions),
            web.get(f"{ROOT}/", self.versions),
            web.get(f"{ROOT}/v2.1", self.version),
            web.get(f"{ROOT}/v2.1/", self.version),
            web.get(f"{ROOT}/v2.1/flavors", self.flavors),
            web.get(f"{ROOT}/v2.1/flavors/detail", self.flavors),
            web.get(f"{ROOT}/v2.1/flavors/{{id}}", self.flavor),
            web.get(f"{ROOT}/v2.1/flavors/{{id}}/os-extra_specs", self.extra_specs),
            web.get(f"{ROOT}/v2.1/limits", self.limits),
        ]

    async def versions(self, request: web.Request) -> web.Response:
        return wire.answer({"versions": [self._version()]})

    async def version(self, request: web.Request) -> web.Response:
        media = {"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}
        return wire.answer({"version": self._version() | {"media-types": [media]}})

    async def flavors(self, request: web.Request) -> web.Response:
        rows = sorted(self._cloud.world.estate.flavors.values(), key=lambda each: each.name)
        here = self._cloud.url("compute", request.path.removeprefix(ROOT))
        chosen, links = wire.page(request, rows, [self._cloud.flavor_id(row) for row in rows], "flavors", here)
        return wire.answer({"flavors": [self._view(row, request[VERSION]) for row in chosen], **links})

    async def flavor(self, request: web.Request) -> web.Response:
        return wire.answer({"flavor": self._view(self._named(request), request[VERSION])})

    async def extra_specs(self, request: web.Request) -> web.Response:
        return wire.answer({"extra_specs": dict(self._named(request).nova_extra_specs)})

    async def limits(self, request: web.Request) -> web.Response:
        absolute = {
            "maxTotalCores": -1, "maxTotalInstances": -1, "maxTotalKeypairs": 100, "maxServerMeta": 128,
            "maxTotalRAMSize": -1, "maxServerGroups": -1, "maxServerGroupMembers": -1, "totalRAMUsed": 0,
            "totalCoresUsed": 0, "totalInstancesUsed": 0, "totalServerGroupsUsed": 0,
        }  # fmt: skip
        return wire.answer({"limits": {"rate": [], "absolute": absolute}})

    def _named(self, request: web.Request) -> Flavor:
        wanted = request.match_info["id"]
        for flavor in self._cloud.world.estate.flavors.values():
            if wanted in {flavor.name, self._cloud.flavor_id(flavor)}:
                return flavor
        raise RefusalError(404, f"Flavor {wanted} could not be found.")

    def _view(self, flavor: Flavor, version: Version) -> dict[str, Any]:
        each_id = self._cloud.flavor_id(flavor)
        view: dict[str, Any] = {
            "id": each_id, "name": flavor.name, "ram": flavor.memory_mib, "disk": flavor.disk_gib, "swap": 0,
            "OS-FLV-EXT-DATA:ephemeral": 0, "OS-FLV-DISABLED:disabled": False, "vcpus": flavor.vcpus,
            "os-flavor-access:is_public": False, "rxtx_factor": 1.0,
            "links": [{"rel": "self", "href": self._cloud.url("compute", f"/v2.1/flavors/{each_id}")}],
        }  # fmt: skip
        if version >= (2, 55):
            view["description"] = None
        if version >= (2, 61):
            view["extra_specs"] = dict(flavor.nova_extra_specs)
        return view

    def _version(self) -> dict[str, Any]:
        (low, high) = (f"{major}.{minor}" for major, minor in NOVA_VERSIONS)
        return {
            "id": "v2.1", "status": "CURRENT", "version": high, "min_version": low,
            "updated": "2013-07-23T11:33:21Z",
            "links": [{"rel": "self", "href": self._cloud.url("compute", "/v2.1/")}],
        }  # fmt: skip

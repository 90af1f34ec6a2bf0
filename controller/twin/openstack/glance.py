"""Glance: the one image from which the twin's servers are made."""

from aiohttp import web

from controller.twin.openstack import wire
from controller.twin.openstack.cloud import Cloud
from controller.twin.openstack.servers import IMAGE
from controller.twin.orders import RefusalError

ROOT = "/image"


class Glance:
    """The handlers of `/image`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[web.RouteDef]:
        roots = [web.get(path, self.versions) for path in (ROOT, f"{ROOT}/", f"{ROOT}/v2", f"{ROOT}/v2/")]
        return [*roots, web.get(f"{ROOT}/v2/images/{{id}}", self.image)]

    async def versions(self, request: web.Request) -> web.Response:
        link = {"rel": "self", "href": self._cloud.url("image", "/v2/")}
        return wire.answer({"versions": [{"id": "v2.17", "status": "CURRENT", "links": [link]}]})

    async def image(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        if wanted != IMAGE:
            raise RefusalError(404, f"Failed to find image {wanted} to show")
        return wire.answer(
            {
                "id": IMAGE, "name": "twin", "status": "active", "visibility": "public", "disk_format": "raw",
                "container_format": "bare", "min_ram": 0, "min_disk": 0, "protected": False, "tags": [],
                **self._cloud.image_properties,
            }
        )  # fmt: skip

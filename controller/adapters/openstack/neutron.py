"""Neutron: where a server's ports are bound, and the networks there are."""

from typing import Any

from controller.adapters.openstack import parse
from controller.adapters.openstack.rest import Rest
from controller.model import cloud
from controller.model.ids import ServerId

_PAGE = "500"


class Neutron:
    """The network API, as an administrator."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def ports_of(self, server_id: ServerId) -> tuple[cloud.Port, ...]:
        """The ports of one server, with their bindings."""
        rows = await self._rest.rows("network", "/ports", "ports", {"device_id": server_id, "limit": _PAGE})
        return parse.whole("port", rows, parse.port)

    async def networks(self) -> list[dict[str, Any]]:
        """Networks of all projects, as Neutron's rows."""
        return await self._rest.rows("network", "/networks", "networks", {"limit": _PAGE})

    async def subnets(self) -> list[dict[str, Any]]:
        """Subnets of all projects, as Neutron's rows."""
        return await self._rest.rows("network", "/subnets", "subnets", {"limit": _PAGE})

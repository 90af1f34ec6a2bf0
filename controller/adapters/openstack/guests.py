"""What Nova's list of servers leaves out of one: its NUMA topology, and what its image asks of a host.

Read right before a move, and shown from then on at every look, so that a plan knows it too. Sources: the topology call
(microversion 2.78; no nodes where the guest is neither pinned nor bound to cells or huge pages), the image's own
properties at Glance, and for a server that boots from a volume those that Cinder keeps with it. Nova keeps the
properties of the day it was built, which only its database shows: an image changed since may say otherwise.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from controller.adapters.openstack import cinder
from controller.adapters.openstack.rest import Rest
from controller.errors import RefusedError, TransientError
from controller.model import cloud
from controller.model.ids import ServerId
from inventory.model import NumaCell

IMAGES = "image"

KEPT_S = 3600.0
"""After this long a guest counts as not read, and an image or a volume is read anew."""

MOST_KEPT = 10_000
"""Images and volumes remembered at once; the oldest goes first."""

_ASKING = ("hw_", "trait:")
"""How the properties begin by which an image asks something of a host."""

Properties = Mapping[str, str] | None


class Guests:
    """Reads guests one by one and remembers them."""

    def __init__(self, rest: Rest, now: Callable[[], float] = time.monotonic, most_kept: int = MOST_KEPT) -> None:
        self._rest = rest
        self._most_kept = most_kept
        self._now = now
        self._guests: dict[ServerId, tuple[float, tuple[str | None, str], cloud.Guest]] = {}
        self._properties: dict[str, tuple[float, Properties]] = {}

    async def read(self, server: cloud.Server) -> cloud.Guest:
        """The guest now. Raises `TransientError` where Nova does not answer.

        Where Glance or Cinder does not, the image's demands are not known, and that is not remembered.
        """
        numa = await self._numa(server.id)
        try:
            properties = await self._properties_of(server)
        except TransientError:
            return cloud.Guest(numa=numa, image_properties=None)
        guest = cloud.Guest(numa=numa, image_properties=properties)
        self._guests[server.id] = (self._now() + KEPT_S, _kind(server), guest)
        return guest

    def shown(self, servers: Iterable[cloud.Server]) -> tuple[cloud.Server, ...]:
        """All servers, each with what is remembered of it; servers that are gone are forgotten."""
        found = tuple(servers)
        there = {server.id for server in found}
        self._guests = {key: kept for key, kept in self._guests.items() if key in there}
        return tuple(self._with(server) for server in found)

    def _with(self, server: cloud.Server) -> cloud.Server:
        until, kind, guest = self._guests.get(server.id, (0.0, None, None))
        return replace(server, guest=guest) if kind == _kind(server) and self._now() < until else server

    async def _numa(self, server_id: ServerId) -> tuple[NumaCell, ...] | None:
        nodes = (await self._found("compute", f"/servers/{server_id}/topology")).get("nodes")
        try:
            return tuple(_cell(node) for node in nodes) if isinstance(nodes, list) else None
        except (KeyError, TypeError, ValueError):
            return None

    async def _properties_of(self, server: cloud.Server) -> Properties:
        if server.image_id is not None:
            return await self._kept(IMAGES, f"/images/{server.image_id}", _of_image)
        volumes = [self._kept(cinder.SERVICE, f"/volumes/{one}", _of_volume) for one in server.volume_ids]
        read = await asyncio.gather(*volumes)
        known = [properties for properties in read if properties is not None]
        if not known or len(known) < len(read):
            return None
        return {key: value for one in known for key, value in one.items()}

    async def _kept(self, service: str, path: str, read: Callable[[Mapping[str, Any]], Properties]) -> Properties:
        until, properties = self._properties.get(path, (0.0, None))
        if self._now() >= until:
            properties = read(await self._found(service, path)) if await self._rest.offers(service) else None
            self._properties.pop(path, None)
            self._properties[path] = (self._now() + KEPT_S, properties)
            while len(self._properties) > self._most_kept:
                del self._properties[next(iter(self._properties))]
        return properties

    async def _found(self, service: str, path: str) -> Mapping[str, Any]:
        """The answer's object; an empty one where there is none or it may not be read."""
        try:
            return await self._rest.get(service, path)
        except RefusedError:
            return {}


def _kind(server: cloud.Server) -> tuple[str | None, str]:
    """A rebuild changes the image, a resize the flavor: then what was read is another server's."""
    return server.image_id, server.flavor_name


def _cell(node: Mapping[str, Any]) -> NumaCell:
    return NumaCell(vcpus=len(node["vcpu_set"]), memory_mib=int(node["memory_mb"]))


def _of_image(image: Mapping[str, Any]) -> Properties:
    return _asking(image) if "id" in image else None


def _of_volume(body: Mapping[str, Any]) -> Properties:
    volume = body.get("volume")
    return _asking(volume.get("volume_image_metadata") or {}) if isinstance(volume, dict) else None


def _asking(properties: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in properties.items() if key.startswith(_ASKING) and value is not None}

"""Edits of the estate that `gdcc estate` proposes where Nova's hosts or Glance's images are otherwise."""

import asyncio

from controller.adapters.pulumi import hosts, images
from controller.adapters.pulumi.finding import Row
from controller.adapters.pulumi.stacks import FOUNDATION
from controller.bootstrap import estate as wiring
from controller.cli.estate.select import Selection
from controller.errors import GdccError
from inventory import load
from inventory.model import Estate


def sentences(chosen: Selection) -> list[str]:
    """A sentence for each host and image that does not fit what the cloud has; one where it could not be asked."""
    cloud = wiring.living(chosen.tool.root)
    if FOUNDATION not in chosen.stacks or not cloud.named:
        return []
    try:
        listed, found = asyncio.run(_looked(cloud, chosen.estate))
    except GdccError as error:
        return [f"Nova and Glance were not asked which hosts and images they have: {error}"]
    folder = chosen.tool.root / chosen.estate_path
    return [
        *hosts.proposals(chosen.estate, listed, lambda name: load.place(folder, "hosts", name, "lifecycle")),
        *images.proposals(chosen.estate, found, lambda name: load.place(folder, "images", name, "classification")),
    ]


async def _looked(living: wiring.LivingCloud, estate: Estate) -> tuple[frozenset[str], dict[str, Row | None]]:
    async with living.opened() as cloud:
        return await hosts.listed(cloud), await images.found(cloud, estate)

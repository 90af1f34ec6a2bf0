"""Edits that `gdcc estate` proposes: of the estate where Nova's hosts or Glance's images are otherwise, and of the
cloud where something that no stack can close is open to every project.
"""

import asyncio

from controller.adapters.pulumi import hosts, images, leftovers
from controller.adapters.pulumi.finding import Row
from controller.adapters.pulumi.stacks import FOUNDATION
from controller.bootstrap import estate as wiring
from controller.cli.estate.select import Selection
from controller.errors import GdccError
from inventory import load
from inventory.model import Estate


def sentences(chosen: Selection) -> list[str]:
    """A sentence for each host and image that does not fit what the cloud has, and for what is open to every project.

    One where it could not be asked.
    """
    cloud = wiring.living(chosen.tool.root)
    if FOUNDATION not in chosen.stacks or not cloud.named:
        return []
    try:
        listed, found, open_ = asyncio.run(_looked(cloud, chosen.estate))
    except GdccError as error:
        return [f"the cloud was not asked which hosts and images it has, and what is open to all: {error}"]
    folder = chosen.tool.root / chosen.estate_path
    return [
        *hosts.proposals(chosen.estate, listed, lambda name: load.place(folder, "hosts", name, "lifecycle")),
        *images.proposals(chosen.estate, found, lambda name: load.place(folder, "images", name, "classification")),
        *leftovers.proposals(open_),
    ]


def open_to_all(chosen: Selection) -> list[str]:
    """A sentence for each kind of what is open to every project; one where it could not be asked."""
    cloud = wiring.living(chosen.tool.root)
    if not cloud.named:
        return []
    try:
        return list(leftovers.warnings(asyncio.run(_left(cloud))))
    except GdccError as error:
        return [f"the cloud was not asked what is open to every project: {error}"]


async def _looked(
    living: wiring.LivingCloud, estate: Estate
) -> tuple[frozenset[str], dict[str, Row | None], leftovers.Leftovers]:
    async with living.opened() as cloud:
        return await hosts.listed(cloud), await images.found(cloud, estate), await leftovers.found(cloud)


async def _left(living: wiring.LivingCloud) -> leftovers.Leftovers:
    async with living.opened() as cloud:
        return await leftovers.found(cloud)

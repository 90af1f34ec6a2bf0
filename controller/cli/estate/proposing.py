"""Edits of the estate that `gdcc estate` proposes once Nova lists a host, or does not: the foundation's business."""

import asyncio

from controller.adapters.pulumi import hosts
from controller.adapters.pulumi.stacks import FOUNDATION
from controller.bootstrap import estate as wiring
from controller.cli.estate.select import Selection
from controller.errors import GdccError
from inventory import load


def sentences(chosen: Selection) -> list[str]:
    """A sentence for each host whose lifecycle does not fit what Nova lists; one where Nova could not be asked."""
    if FOUNDATION not in chosen.stacks or not wiring.named():
        return []
    try:
        listed = asyncio.run(_listed())
    except GdccError as error:
        return [f"Nova was not asked which hosts it lists: {error}"]
    folder = chosen.tool.root / chosen.estate_path
    return list(hosts.proposals(chosen.estate, listed, lambda name: load.place(folder, "hosts", name, "lifecycle")))


async def _listed() -> frozenset[str]:
    async with wiring.cloud() as cloud:
        return await hosts.listed(cloud)

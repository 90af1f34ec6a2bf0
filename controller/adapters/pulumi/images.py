"""What the estate says of its images against Glance: edits for people to make, and none made here."""

from collections.abc import Callable, Iterator, Mapping

from controller.adapters.pulumi.finding import Cloud, Row
from inventory.model import Classification, Estate

_SEEN_BY_ALL = frozenset({"public", "community"})


async def found(cloud: Cloud, estate: Estate) -> dict[str, Row | None]:
    """Glance's rows of the estate's images, by the estate's name; None for one that it does not have."""
    return {each.name: await cloud.rows.find("image", f"/images/{each.id}") for each in estate.images.values()}


def proposals(estate: Estate, rows: Mapping[str, Row | None], where: Callable[[str], str]) -> Iterator[str]:
    """A sentence for each image that Glance lacks, or shows to everybody though it is not open."""
    for name, row in sorted(rows.items()):
        image = estate.images[name]
        level = image.classification.name.lower()
        if row is None:
            yield f"image {name} is no image of Glance by its id in {where(name)}: correct the id, or leave it out"
        elif image.classification > Classification.OPEN and row.get("visibility") in _SEEN_BY_ALL:
            said = f"image {name} is {level} in {where(name)} and {row['visibility']} in Glance"
            yield f"{said}: make it shared, and name the projects of its level or above as its members"

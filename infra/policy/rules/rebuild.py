"""A changed image rebuilds the server: its disk is written anew, and the preview calls that an update."""

from collections.abc import Iterator

from infra.policy import kinds
from infra.policy.declared import Resource
from infra.policy.rule import ResourceRule


def broken(resource: Resource) -> Iterator[str]:
    """An image by name, and one by id whose changes are not ignored."""
    if resource.inputs.get("imageName") is not None:
        yield "imageName finds another image once one of that name is uploaded (name it by imageId)"
    if resource.inputs.get("imageId") is not None and "imageId" not in resource.ignored_changes:
        yield "a change of imageId would rebuild the server (ignore_changes=['imageId'], or boot from a volume)"


RULE = ResourceRule(
    name="no-rebuild",
    description="No change of an image can rebuild a server.",
    kinds=frozenset({kinds.INSTANCE}),
    broken=broken,
)

"""What a server or volume is made from flows into it: an image of its project's level or a lower one."""

from collections.abc import Iterator

from infra.policy import kinds, levels
from infra.policy.declared import Resource, Stack
from infra.policy.rule import StackRule, Violation
from inventory.model import Classification


def broken(stack: Stack) -> Iterator[Violation]:
    """Servers and volumes from an image above their project, or of a level that nothing tells."""
    for each in stack.of_kind(kinds.INSTANCE, kinds.VOLUME):
        project = _project(stack, each)
        for key, identity in _images(each):
            data = _level(stack, each, key, identity)
            if data is None or project is None:
                whose = "the image it is made from" if data is None else "its project"
                what = f"nothing tells the level of {whose} (tell it by Meanings, or tag it)"
                yield Violation(urn=each.urn, what=what)
            elif data > project:
                what = f"a {levels.word(project)} project would hold an image of {levels.word(data)} data"
                yield Violation(urn=each.urn, what=what)


def _images(resource: Resource) -> Iterator[tuple[str, object]]:
    """The inputs that name an image, and its id as far as it is known."""
    if resource.inputs.get("imageId") is not None:
        yield "imageId", resource.inputs["imageId"]
    devices = resource.inputs.get("blockDevices")
    for device in devices if isinstance(devices, list) else ():
        if isinstance(device, dict) and device.get("sourceType") == "image":
            yield "blockDevices", device.get("uuid")


def _level(stack: Stack, resource: Resource, key: str, identity: object) -> Classification | None:
    """The image's; the highest of those that the input is made from."""
    found = [levels.level_of(stack, each) for each in stack.referred(resource, key, kinds.IMAGE)]
    known = [each for each in found or [levels.named_level(stack, identity)] if each is not None]
    return max(known) if known and len(known) == max(1, len(found)) else None


def _project(stack: Stack, resource: Resource) -> Classification | None:
    """Such a thing lands in the project that its provider is logged in to."""
    provider = stack.resources.get(resource.provider)
    return None if provider is None else levels.level_at(stack, provider, "tenantId", kinds.PROJECT)


RULE = StackRule(
    name="images-cleared-for-project",
    description="A server or volume is made from an image of its project's classification or a lower one.",
    broken=broken,
)

"""An image may hold what its level allows: everybody sees open ones, named projects the others."""

from collections.abc import Iterator

from infra.policy import kinds, levels
from infra.policy.declared import Resource, Stack
from infra.policy.rule import StackRule, Violation
from inventory.model import Classification

VISIBLE_TO_ALL = frozenset({"public", "community"})


def broken(stack: Stack) -> Iterator[Violation]:
    """Images that everybody sees above open, and members below an image's level."""
    for image in stack.of_kind(kinds.IMAGE):
        level = levels.level_of(stack, image)
        if image.inputs.get("visibility") in VISIBLE_TO_ALL and level is not Classification.OPEN:
            yield Violation(urn=image.urn, what=f"{image.text('visibility')}, but not open (make it shared)")
    for each in stack.of_kind(kinds.IMAGE_ACCESS):
        yield from (Violation(urn=each.urn, what=what) for what in _refusals(stack, each))


def _refusals(stack: Stack, member: Resource) -> Iterator[str]:
    data = levels.level_at(stack, member, "imageId", kinds.IMAGE)
    reader = levels.level_at(stack, member, "memberId", kinds.PROJECT)
    if data is None or reader is None:
        yield f"nothing tells the level of its {'image' if data is None else 'project'} (tell it by Meanings)"
    elif reader < data:
        yield f"shares an image of {levels.word(data)} data with a project of level {levels.word(reader)}"


RULE = StackRule(
    name="images-shared-upwards",
    description="Only open images are public; others are shared with projects of their level or a higher one.",
    broken=broken,
)

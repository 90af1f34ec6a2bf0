"""A volume type stands for the storage that keeps the data: a lower one is not cleared for it."""

from collections.abc import Iterator

from infra.policy import access, kinds
from infra.policy.declared import Stack
from infra.policy.rule import StackRule, Violation


def broken(stack: Stack) -> Iterator[Violation]:
    """Accesses of a project to volume types below its level."""
    for each in stack.of_kind(kinds.VOLUME_TYPE_ACCESS):
        yield from access.below_project(stack, each, ("a volume type", "volumeTypeId", kinds.VOLUME_TYPE), "projectId")


RULE = StackRule(
    name="volume-types-cleared-for-project",
    description="A project gets access to volume types of its own classification or a higher one only.",
    broken=broken,
)

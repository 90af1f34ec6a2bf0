"""A flavor requires its level's trait of the host: a lower one would put the project's servers on lower hosts."""

from collections.abc import Iterator

from infra.policy import access, kinds
from infra.policy.declared import Stack
from infra.policy.rule import StackRule, Violation


def broken(stack: Stack) -> Iterator[Violation]:
    """Accesses of a project to flavors below its level."""
    for each in stack.of_kind(kinds.FLAVOR_ACCESS):
        yield from access.below_project(stack, each, ("a flavor", "flavorId", kinds.FLAVOR), "tenantId")


RULE = StackRule(
    name="flavors-cleared-for-project",
    description="A project gets access to flavors of its own classification or a higher one only.",
    broken=broken,
)

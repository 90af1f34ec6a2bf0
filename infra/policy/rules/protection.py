"""Pulumi itself refuses to delete what is protected. A stack made to be destroyed again says `gdcc:protect: false`."""

from collections.abc import Iterator

from infra.policy import kinds
from infra.policy.declared import Resource
from infra.policy.rule import ResourceRule


def broken(resource: Resource) -> Iterator[str]:
    """Something of a protected kind that is not protected."""
    if not resource.protect:
        yield "not protected: a mistake in the program could delete it (gdcc:protect: true, but for trials)"


RULE = ResourceRule(
    name="protect-is-on",
    description="What is of a protected kind is protected.",
    kinds=kinds.PROTECTED,
    broken=broken,
    advisory=True,
)

"""A public flavor or volume type is open to every project, whatever its level."""

from collections.abc import Iterator

from infra.policy import kinds
from infra.policy.declared import Resource
from infra.policy.rule import ResourceRule


def broken(resource: Resource) -> Iterator[str]:
    """A flavor or volume type that does not say it is private: Cinder's default is public."""
    if resource.inputs.get("isPublic") is not False:
        yield "public (isPublic=False; agencies' stacks grant the access)"


RULE = ResourceRule(
    name="no-public-types",
    description="No flavor or volume type is public.",
    kinds=frozenset({kinds.FLAVOR, kinds.VOLUME_TYPE}),
    broken=broken,
)

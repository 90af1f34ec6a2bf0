"""Tenants' servers are in no stack: they come and go with their agencies' tools, and there are 100,000 of them."""

from collections.abc import Iterator

from infra import naming
from infra.policy import kinds
from infra.policy.declared import Resource, stack_name
from infra.policy.rule import ResourceRule


def broken(resource: Resource) -> Iterator[str]:
    """The resource itself, in any stack but the foundation."""
    if stack_name(resource.urn) != naming.FOUNDATION:
        yield "a server stands in an agency's stack (agencies boot theirs with their own application credential)"


RULE = ResourceRule(
    name="no-tenant-servers",
    description="Only the foundation, whose control servers are the cloud's own, declares servers.",
    kinds=frozenset({kinds.INSTANCE}),
    broken=broken,
)

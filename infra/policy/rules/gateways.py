"""A router's gateway is where a project's packets leave: onto a network cleared for them."""

from collections.abc import Iterator

from infra.policy import access, kinds
from infra.policy.declared import Stack
from infra.policy.rule import StackRule, Violation


def broken(stack: Stack) -> Iterator[Violation]:
    """Routers whose external network is below their project's level."""
    for each in stack.of_kind(kinds.ROUTER):
        if each.inputs.get("externalNetworkId") is not None:
            thing = ("an external network", "externalNetworkId", kinds.NETWORK)
            yield from access.below_project(stack, each, thing, "tenantId")


RULE = StackRule(
    name="gateways-cleared-for-project",
    description="A router's external network is of its project's classification or a higher one.",
    broken=broken,
)

"""A shared network shows its owner's data to those it is shared with: nobody below its level."""

from collections.abc import Iterator

from infra.policy import access, kinds, levels
from infra.policy.declared import Resource, Stack
from infra.policy.rule import StackRule, Violation
from inventory.model import Classification

EVERYBODY = "*"
AS_EXTERNAL = "access_as_external"
"""RBAC that lets a project put its router's gateway on a network, and see nothing else of it."""


def broken(stack: Stack) -> Iterator[Violation]:
    """Networks shared with everybody above open or external, and RBAC policies that share one with a lower project."""
    for network in stack.of_kind(kinds.NETWORK):
        if network.inputs.get("external"):
            what = "external, which lets every project plug its router in (open it by RBAC, project by project)"
            yield Violation(urn=network.urn, what=what)
        if network.inputs.get("shared") and levels.level_of(stack, network) is not Classification.OPEN:
            yield Violation(urn=network.urn, what="shared with every project (share it with named ones)")
    for policy in stack.of_kind(kinds.RBAC_POLICY):
        if policy.inputs.get("objectType") == "network":
            yield from _refusals(stack, policy)


def _refusals(stack: Stack, policy: Resource) -> Iterator[Violation]:
    if policy.inputs.get("action") == AS_EXTERNAL:
        if not _is_owners(stack, policy):
            thing = ("an external network", "objectId", kinds.NETWORK)
            yield from access.below_project(stack, policy, thing, "targetTenant")
        return
    what = _shown_down(stack, policy)
    if what is not None:
        yield Violation(urn=policy.urn, what=what)


def _is_owners(stack: Stack, policy: Resource) -> bool:
    """Whether it opens the network to the project that the network belongs to."""
    networks = stack.referred(policy, "objectId", kinds.NETWORK)
    owners = [owner for each in networks for owner in stack.referred(each, "tenantId", kinds.PROJECT)]
    return len(owners) == 1 and owners == list(stack.referred(policy, "targetTenant", kinds.PROJECT))


def _shown_down(stack: Stack, policy: Resource) -> str | None:
    data = levels.level_at(stack, policy, "objectId", kinds.NETWORK)
    if data is None:
        return "nothing tells the level of the network it shares (tag it)"
    if policy.inputs.get("targetTenant") == EVERYBODY:
        shared_up = data is Classification.OPEN
        return None if shared_up else f"shares a network of {levels.word(data)} data with every project (name one)"
    reader = levels.level_at(stack, policy, "targetTenant", kinds.PROJECT)
    if reader is None:
        return "nothing tells the level of the project it shares a network with (tell it by Meanings)"
    return f"shares {levels.word(data)} data with a project of level {levels.word(reader)}" if reader < data else None


RULE = StackRule(
    name="networks-shared-upwards",
    description="A network is shared with projects of its own classification or a higher one only.",
    broken=broken,
)

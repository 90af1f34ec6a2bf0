"""What an agency holds is its own: in a project of its stack, not in that of Pulumi's administrator.

Address pools are the exception: they are the operators', who alone may take addresses away (decision 0007).
"""

from collections.abc import Iterator

from infra import naming
from infra.policy import kinds
from infra.policy.declared import Resource, Stack, kind_of, stack_name
from infra.policy.rule import StackRule, Violation

OWNED_BY_THEIR_MAKER = (
    kinds.APPLICATION_CREDENTIAL,
    kinds.CONTAINER,
    kinds.CONTAINER_OBJECT,
    kinds.KEYPAIR,
    kinds.KEY_CONTAINER,
    kinds.KEY_SECRET,
    kinds.SERVER_GROUP,
    kinds.VOLUME,
)
"""Kinds that name no project: they land in the one that their provider is logged in to, and belong to its user."""

IN_A_PROJECT = (
    kinds.ADDRESS_GROUP,
    kinds.FLOATING_IP,
    kinds.LOAD_BALANCER,
    kinds.NETWORK,
    kinds.PORT,
    kinds.ROUTER,
    kinds.SECURITY_GROUP,
    kinds.SUBNET,
)
"""Kinds that may name their project, and land in their provider's where they do not."""

PROJECT_INPUTS = ("tenantId", "projectId")

USER_INPUTS = ("userId", "userName")


def broken(stack: Stack) -> Iterator[Violation]:
    """Such things of an agency that are not in a project of its own stack, or not made by a user of it."""
    for each in stack.of_kind(*OWNED_BY_THEIR_MAKER, *IN_A_PROJECT):
        if naming.agency_of(stack_name(each.urn)) is None:
            continue
        provider = stack.resources.get(each.provider)
        if provider is not None and _acts_for_agency(stack, provider):
            continue
        if kind_of(each.urn) not in IN_A_PROJECT:
            what = "would belong to Pulumi's own user (make it by a provider of the system's service user and project)"
            yield Violation(urn=each.urn, what=what)
        elif not any(stack.referred(each, key, kinds.PROJECT) for key in PROJECT_INPUTS):
            what = "would stand in the project of Pulumi's own user (give it the tenantId of a project of this stack)"
            yield Violation(urn=each.urn, what=what)


def _acts_for_agency(stack: Stack, provider: Resource) -> bool:
    users = [user for key in USER_INPUTS for user in stack.referred(provider, key, kinds.USER)]
    return bool(users) and bool(stack.referred(provider, "tenantId", kinds.PROJECT))


RULE = StackRule(
    name="agencies-own-their-things",
    description="What an agency holds is in a project of its stack, or made by its own service user.",
    broken=broken,
)

"""What an agency holds is its own: made in its project by its own user, not by Pulumi's administrator."""

from collections.abc import Iterator

from infra import naming
from infra.policy import kinds
from infra.policy.declared import Resource, Stack, stack_name
from infra.policy.rule import StackRule, Violation

OWNED_BY_THEIR_MAKER = (
    kinds.APPLICATION_CREDENTIAL,
    kinds.CONTAINER,
    kinds.CONTAINER_OBJECT,
    kinds.KEYPAIR,
    kinds.KEY_CONTAINER,
    kinds.KEY_SECRET,
    kinds.SERVER_GROUP,
)
"""Kinds that name no project: they land in the one that their provider is logged in to, and belong to its user."""

USER_INPUTS = ("userId", "userName")


def broken(stack: Stack) -> Iterator[Violation]:
    """Such things of an agency that are not made by a user and in a project of its own stack."""
    for each in stack.of_kind(*OWNED_BY_THEIR_MAKER):
        if naming.agency_of(stack_name(each.urn)) is None:
            continue
        provider = stack.resources.get(each.provider)
        if provider is None or not _acts_for_agency(stack, provider):
            what = "would belong to Pulumi's own user (make it by a provider of the system's service user and project)"
            yield Violation(urn=each.urn, what=what)


def _acts_for_agency(stack: Stack, provider: Resource) -> bool:
    users = [user for key in USER_INPUTS for user in stack.referred(provider, key, kinds.USER)]
    return bool(users) and bool(stack.referred(provider, "tenantId", kinds.PROJECT))


RULE = StackRule(
    name="agencies-own-their-things",
    description="Server groups, containers, keys and credentials are made by the agency's own service user.",
    broken=broken,
)

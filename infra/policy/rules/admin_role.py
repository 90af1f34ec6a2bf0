"""Nothing an agency holds is an administrator: to OpenStack, `admin` on one project is admin of the whole cloud."""

from collections.abc import Iterator

from infra import naming
from infra.policy import kinds, levels
from infra.policy.declared import Stack, stack_name
from infra.policy.rule import StackRule, Violation

AGENCY_ROLES = frozenset({"member", "reader"})
"""What an agency's people and tools may be in their projects."""


def broken(stack: Stack) -> Iterator[Violation]:
    """Assignments of roles that nothing names, of any but an agency's in its stack, and of `admin` to a user."""
    for each in stack.of_kind(kinds.ROLE_ASSIGNMENT, kinds.INHERITED_ROLE):
        name = levels.role_name(stack, each, "roleId")
        if name is None:
            what = f"nothing names role {each.text('roleId') or 'it assigns'} (tell it by Meanings)"
            yield Violation(urn=each.urn, what=what)
        elif naming.agency_of(stack_name(each.urn)) is not None:
            if name not in AGENCY_ROLES:
                yield Violation(urn=each.urn, what=f"assigns role {name} ({' | '.join(sorted(AGENCY_ROLES))})")
        elif _is_admin(name) and not stack.referred(each, "groupId", kinds.GROUP):
            what = f"assigns role {name} to what is no group of this stack (only its groups of operators hold it)"
            yield Violation(urn=each.urn, what=what)
    for role in stack.of_kind(kinds.ROLE):
        if _is_admin(role.text("name")):
            yield Violation(
                urn=role.urn, what=f"declares role {role.text('name')} (the cloud's own is not managed here)"
            )


def _is_admin(name: str) -> bool:
    return name.lower() == "admin"


RULE = StackRule(
    name="no-admin-role",
    description="Nothing an agency holds carries a role but member and reader, and no user carries admin.",
    broken=broken,
)

"""Only open data answers the world, and only open data is sent to it.

What leaves is judged in agencies' stacks alone: no range is too wide for the control VMs, which hold no agency's data
and fetch from mirrors and BMCs wherever these stand.
"""

from collections.abc import Iterator

from infra import naming
from infra.policy import kinds, levels, world
from infra.policy.declared import Resource, Stack, stack_name
from infra.policy.rule import StackRule, Violation
from inventory.model import Classification


def broken(stack: Stack) -> Iterator[Violation]:
    """Rules between the world and a project above open, and address groups that hide the world."""
    for group in stack.of_kind(kinds.ADDRESS_GROUP):
        for prefix in group.values("addresses"):
            if isinstance(prefix, str) and world.is_world(prefix):
                yield Violation(urn=group.urn, what=f"{prefix} is the world (name the addresses)")
    for rule in stack.of_kind(kinds.SECURITY_RULE):
        comes, goes = world.lets_in(rule), world.lets_out(rule) and naming.agency_of(stack_name(rule.urn)) is not None
        level = _level(stack, rule) if comes or goes else Classification.OPEN
        if level is not Classification.OPEN:
            whose = "a project whose level nothing tells" if level is None else f"{levels.word(level)} data"
            what = f"{world.peer(rule)} {'reaches' if comes else 'is sent'} {whose}"
            yield Violation(urn=rule.urn, what=f"{what} (name the addresses that need it)")


def _level(stack: Stack, rule: Resource) -> Classification | None:
    """The level of the rule's group: whoever makes a rule, that group's VMs are what it opens."""
    return levels.level_at(stack, rule, "securityGroupId", kinds.SECURITY_GROUP)


RULE = StackRule(
    name="no-world-above-open",
    description="No rule lets the world in to a project above open, or an agency's data above open out to it.",
    broken=broken,
)

"""Whom a system's VMs may speak with: what is of their level or a higher one, as the stack says it.

Whatever a rule lets in or out, data flows by it: a connection carries answers. A range is of the level of the subnets
that it is made from, or of the provider network that holds it; a whole pool is of none.
"""

import ipaddress
from collections.abc import Iterator

from infra import naming
from infra.policy import kinds, levels, world
from infra.policy.declared import Resource, Stack, stack_name
from infra.policy.rule import StackRule, Violation
from inventory.model import Classification

LINK_LOCAL = ipaddress.ip_network("169.254.0.0/16")
"""Where each host answers its own VMs (the metadata service); nothing of it leaves the host."""


def broken(stack: Stack) -> Iterator[Violation]:
    """Rules of agencies' groups above open whose peer is of a lower level, or of one that nothing tells."""
    for rule in stack.of_kind(kinds.SECURITY_RULE):
        level = levels.level_at(stack, rule, "securityGroupId", kinds.SECURITY_GROUP)
        if naming.agency_of(stack_name(rule.urn)) is not None and level not in (None, Classification.OPEN):
            for whose, peer in _peers(stack, rule):
                if peer is None:
                    what = f"nothing tells the level of {whose} (name subnets of the stack, or a provider network)"
                    yield Violation(urn=rule.urn, what=what)
                elif peer < level:
                    what = f"{levels.word(level)} data is shared with {whose} of level {levels.word(peer)}"
                    yield Violation(urn=rule.urn, what=what)


def _peers(stack: Stack, rule: Resource) -> Iterator[tuple[str, Classification | None]]:
    """Who a rule's peers are, in words, and their levels. No peer at all is the world, which another rule judges."""
    if rule.inputs.get("remoteGroupId") is not None:
        yield "its remote group", levels.level_at(stack, rule, "remoteGroupId", kinds.SECURITY_GROUP)
    if rule.inputs.get("remoteAddressGroupId") is not None:
        groups = stack.referred(rule, "remoteAddressGroupId", kinds.ADDRESS_GROUP)
        yield from ([("its address group", None)] if not groups else [])
        for group in groups:
            yield from _ranges(stack, group, "addresses", list(group.values("addresses")))
    prefix = rule.inputs.get("remoteIpPrefix")
    if prefix:
        yield from _ranges(stack, rule, "remoteIpPrefix", [prefix])


def _ranges(
    stack: Stack, resource: Resource, key: str, addresses: list[object]
) -> Iterator[tuple[str, Classification | None]]:
    """The subnets that an input is made from; each address, where it is made from none or holds more than they give."""
    subnets = stack.referred(resource, key, kinds.SUBNET)
    for subnet in subnets:
        yield f"subnet {subnet.text('name')}", levels.level_of(stack, subnet)
    if len(addresses) > len(subnets) or not subnets:
        for address in addresses:
            if isinstance(address, str) and not _is_link_local(address):
                yield address, levels.range_level(stack, address)
        if not subnets and not any(isinstance(address, str) for address in addresses):
            yield f"what its {key} is made from", None


def _is_link_local(address: str) -> bool:
    try:
        return world.holds(LINK_LOCAL, ipaddress.ip_network(address, strict=False))
    except ValueError:
        return False


RULE = StackRule(
    name="filters-within-the-lattice",
    description="A rule of a system above open names peers of its own classification or a higher one only.",
    broken=broken,
)

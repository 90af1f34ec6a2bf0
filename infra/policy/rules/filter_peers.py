"""Whom a system's VMs may speak with: what is of their level or a higher one, as the stack says it.

Whatever a rule lets in or out, data flows by it: a connection carries answers. A range is of the level of the subnets
that it is made from or reaches, or of the provider network that holds it. A pool's subnets lie anywhere in it, as
Neutron alone chose where: a range in the pool reaches them all.
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

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


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
    if rule.inputs.get("remoteGroupId"):
        yield "its remote group", levels.level_at(stack, rule, "remoteGroupId", kinds.SECURITY_GROUP)
    prefix = rule.inputs.get("remoteIpPrefix")
    if not prefix:
        return
    subnets = stack.referred(rule, "remoteIpPrefix", kinds.SUBNET)
    for subnet in subnets:
        yield f"subnet {subnet.text('name')}", levels.level_of(stack, subnet)
    if isinstance(prefix, str):
        yield from _reached(stack, prefix, subnets)
    elif not subnets:
        yield "what its remoteIpPrefix is made from", None


def _reached(stack: Stack, prefix: str, named: tuple[Resource, ...]) -> Iterator[tuple[str, Classification | None]]:
    """The stack's subnets that a range reaches beside those that it is made from; the range itself, where none told."""
    asked = _range(prefix)
    if asked is None:
        yield prefix, None
        return
    if world.holds(LINK_LOCAL, asked):
        return
    pools = {each.urn: _ranges(each) for each in stack.of_kind(kinds.SUBNET_POOL)}
    for subnet in stack.of_kind(kinds.SUBNET):
        if subnet not in named and _reaches(stack, asked, subnet, pools, made_from_subnets=bool(named)):
            yield f"subnet {subnet.text('name')} in {prefix}", levels.level_of(stack, subnet)
    known = [*(each for ranges in pools.values() for each in ranges), *map(_own, stack.of_kind(kinds.SUBNET))]
    if not named and not any(each is not None and world.holds(each, asked) for each in known):
        yield prefix, levels.range_level(stack, prefix)


def _reaches(
    stack: Stack, asked: _Network, subnet: Resource, pools: dict[str, list[_Network]], *, made_from_subnets: bool
) -> bool:
    """Whether a range may hold addresses of a subnet.

    One that is made from other subnets, and is less than their pool, is taken for what it is made from.
    """
    own = _own(subnet)
    if own is not None:
        return _overlap(asked, own)
    of = [pools[each.urn] for each in stack.referred(subnet, "subnetpoolId", kinds.SUBNET_POOL)] or pools.values()
    return any(
        world.holds(asked, each) if made_from_subnets else _overlap(asked, each) for ranges in of for each in ranges
    )


def _own(subnet: Resource) -> _Network | None:
    return _range(subnet.text("cidr"))


def _ranges(pool: Resource) -> list[_Network]:
    found = (_range(each) for each in pool.values("prefixes") if isinstance(each, str))
    return [each for each in found if each is not None]


def _overlap(one: _Network, other: _Network) -> bool:
    """Of two ranges, one is within the other or they share nothing."""
    return world.holds(one, other) or world.holds(other, one)


def _range(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


RULE = StackRule(
    name="filters-within-the-lattice",
    description="A rule of a system above open names peers of its own classification or a higher one only.",
    broken=broken,
)

"""Which addresses are the world: anything so wide that nobody can name who is in it."""

import ipaddress

from infra.policy.declared import UNKNOWN, Resource

WIDEST_PREFIX_LENGTHS = {4: 8, 6: 16}
"""The shortest prefix that still names somebody, by IP version: 10.0.0.0/8 does, 0.0.0.0/1 and 2000::/3 do not."""


def is_world(prefix: str) -> bool:
    """Whether a range of addresses is so wide."""
    network = ipaddress.ip_network(prefix, strict=False)
    return network.prefixlen < WIDEST_PREFIX_LENGTHS[network.version]


def lets_in(rule: Resource) -> bool:
    """Whether a security group's rule lets the world in: by its range, or because it names no peer at all."""
    if rule.text("direction").lower() != "ingress":
        return False
    prefix = rule.inputs.get("remoteIpPrefix")
    if prefix is UNKNOWN:
        return False
    if prefix:
        return is_world(prefix)
    return not rule.inputs.get("remoteGroupId") and not rule.inputs.get("remoteAddressGroupId")


def peer(rule: Resource) -> str:
    """The range of a rule as a sentence names it."""
    return rule.text("remoteIpPrefix") or "any address"

"""Which addresses are the world: any range of public ones so wide that nobody can name who is in it."""

import ipaddress

from infra.policy.declared import UNKNOWN, Resource

NARROWEST_WORLD = {4: 15, 6: 31}
"""The longest prefix of public addresses that still counts as the world, by IP version.

A /16 of IPv4 or a /32 of IPv6 is what a registry gives one organisation at once: whoever writes it can name whose it
is. 8.0.0.0/8, 0.0.0.0/1 and 2000::/3 are many organisations' and nobody's choice; so are both halves of the world.
"""

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NOT_PUBLIC: tuple[_Network, ...] = tuple(
    ipaddress.ip_network(each)
    for each in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # RFC 1918
        "100.64.0.0/10",  # RFC 6598: behind a carrier's NAT, ours at most
        *("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10"),  # this machine, this link
        "fc00::/7",  # RFC 4193
    )
)
"""Ranges that no packet from outside comes from: of any width, they name one organisation's own."""


def is_world(prefix: str) -> bool:
    """Whether a range of addresses is so wide; one that reaches beyond a private range counts whole.

    What is no range of addresses counts too, as nobody can say who is in it.
    """
    try:
        network = ipaddress.ip_network(prefix, strict=False)
    except ValueError:
        return True
    return network.prefixlen <= NARROWEST_WORLD[network.version] and not any(holds(own, network) for own in NOT_PUBLIC)


def holds(own: _Network, network: _Network) -> bool:
    """Whether a range is wholly within another."""
    return own.version == network.version and int(own[0]) <= int(network[0]) and int(network[-1]) <= int(own[-1])


def lets_in(rule: Resource) -> bool:
    """Whether a security group's rule lets the world in."""
    return _names_world(rule, "ingress")


def lets_out(rule: Resource) -> bool:
    """Whether a security group's rule lets data out to the world."""
    return _names_world(rule, "egress")


def _names_world(rule: Resource, direction: str) -> bool:
    """By its range, or because it names no peer at all.

    An address group is none: Neutron's firewalls took no notice of it for years (iptables until 2024, OVN until 2025).
    """
    if rule.text("direction").lower() != direction:
        return False
    prefix = rule.inputs.get("remoteIpPrefix")
    if prefix is UNKNOWN:
        return False
    if prefix:
        return is_world(prefix)
    return not rule.inputs.get("remoteGroupId")


def peer(rule: Resource) -> str:
    """The range of a rule as a sentence names it."""
    if rule.inputs.get("remoteAddressGroupId") and not rule.inputs.get("remoteIpPrefix"):
        return "any address (its address group, of which older firewalls take no notice)"
    return rule.text("remoteIpPrefix") or "any address"

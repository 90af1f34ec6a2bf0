"""Every packet passes the rules that a stack declares: nothing stands beside them, and nothing goes round them."""

import ipaddress
from collections.abc import Iterator, Mapping

from infra.policy import kinds
from infra.policy.declared import UNKNOWN, Resource
from infra.policy.rule import ResourceRule


def broken(resource: Resource) -> Iterator[str]:
    """Rules that Neutron would add by itself, ports without a filter, and ports that may bear any address."""
    if resource.kind == kinds.SECURITY_GROUP and resource.inputs.get("deleteDefaultRules") not in (True, UNKNOWN):
        yield "Neutron adds rules that let everything out (deleteDefaultRules: true)"
    if resource.inputs.get("portSecurityEnabled") is False:
        yield "portSecurityEnabled is off, so no security group filters what passes (leave it on)"
    if resource.inputs.get("noSecurityGroups"):
        yield "noSecurityGroups leaves the port without a filter (name its groups)"
    for pair in resource.values("allowedAddressPairs"):
        address = pair.get("ipAddress") if isinstance(pair, Mapping) else None
        if isinstance(address, str) and not _is_one(address):
            yield f"allowedAddressPairs lets it bear any address of {address} (name single addresses)"


def _is_one(address: str) -> bool:
    try:
        network = ipaddress.ip_network(address, strict=False)
    except ValueError:
        return False
    return network.prefixlen == network.max_prefixlen


RULE = ResourceRule(
    name="every-packet-is-filtered",
    description="No packet goes round the security groups' declared rules.",
    kinds=frozenset({kinds.NETWORK, kinds.PORT, kinds.SECURITY_GROUP}),
    broken=broken,
)

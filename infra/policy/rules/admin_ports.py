"""Administration ports are never open to the world, whatever the data."""

from collections.abc import Iterator, Mapping

from infra.policy import kinds, world
from infra.policy.declared import UNKNOWN, Resource
from infra.policy.rule import ResourceRule

PORTS: Mapping[int, str] = {
    22: "SSH",
    23: "Telnet",
    111: "rpcbind",
    135: "RPC",
    137: "NetBIOS",
    139: "NetBIOS",
    161: "SNMP",
    162: "SNMP traps",
    389: "LDAP",
    445: "SMB",
    514: "syslog",
    623: "IPMI",
    636: "LDAPS",
    1433: "SQL Server",
    1521: "Oracle",
    2049: "NFS",
    2375: "Docker",
    2376: "Docker",
    2379: "etcd",
    3306: "MySQL",
    3389: "RDP",
    5432: "PostgreSQL",
    5672: "RabbitMQ",
    5985: "WinRM",
    5986: "WinRM",
    6379: "Redis",
    6443: "Kubernetes",
    9042: "Cassandra",
    9200: "Elasticsearch",
    11211: "memcached",
    15672: "RabbitMQ's console",
    16509: "libvirt",
    27017: "MongoDB",
    **dict.fromkeys(range(5900, 6000), "a server's console (VNC)"),
}
"""Ports that administer machines or hold data, by IANA's names: nobody outside needs them."""

PORTLESS_PROTOCOLS = frozenset({"icmp", "icmpv6", "ipv6-icmp", "1", "58", "ah", "esp", "51", "50", "vrrp", "112"})
"""Protocols whose rules name no ports and reach none."""


def broken(resource: Resource) -> Iterator[str]:
    """The administration ports that the rule opens to the world; one sentence for all of them."""
    if not world.lets_in(resource) or resource.text("protocol").lower() in PORTLESS_PROTOCOLS:
        return
    first, last = (resource.inputs.get(key) for key in ("portRangeMin", "portRangeMax"))
    if UNKNOWN in (first, last):
        return
    low, high = int(first or 0) or 1, int(last or 0) or 65535
    reached = [port for port in PORTS if low <= port <= high]
    if reached:
        shown = ", ".join(f"{port} ({PORTS[port]})" for port in reached[:3])
        more = f" and {len(reached) - 3} more" if len(reached) > 3 else ""
        yield f"{shown}{more} open to {world.peer(resource)} (name the addresses that administer)"


RULE = ResourceRule(
    name="no-world-to-administration",
    description="No rule lets the world reach an administration port.",
    kinds=frozenset({kinds.SECURITY_RULE}),
    broken=broken,
)

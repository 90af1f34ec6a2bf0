"""How hosts are wired: their network ports, and the networks that they themselves stand on."""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache


class HostNetworkUse(StrEnum):
    """What a network is to the hosts on it. On a provider network VMs have addresses, and hosts have none."""

    MANAGEMENT = "management"
    MIGRATION = "migration"
    STORAGE = "storage"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nic:
    """A network port by the name that Linux gives it, and the bond it is enslaved to."""

    name: str
    bond: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostNetwork:
    """A network that the hosts themselves stand on; `vlan` is None where it is untagged, `mtu` is in bytes.

    `cidr` is None for a provider network, which every host carries and none has an address on.
    """

    name: str
    use: HostNetworkUse
    cidr: str | None = None
    vlan: int | None = None
    mtu: int = 1500

    def holds(self, address: str) -> bool:
        """Whether an address can be a host's on this network: inside its range, and not the range's first or last."""
        return self.cidr is not None and _can_hold(self.cidr, address)


def _can_hold(cidr: str, address: str) -> bool:
    found = parsed(address)
    try:
        first, last, version = _ends(cidr)
    except ValueError:
        return False
    if found is None or found.version != version:
        return False
    return first < int(found) < last if last - first > 1 else first <= int(found) <= last


@lru_cache(maxsize=1 << 15)
def parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a text is, or None; a host's stand in several places."""
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


@cache
def _ends(cidr: str) -> tuple[int, int, int]:
    network = ipaddress.ip_network(cidr)
    return int(network.network_address), int(network.broadcast_address), network.version

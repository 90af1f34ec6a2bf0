"""What a system's tiers may say to whom, as Neutron's rules allow it. Purely computational.

Only open systems answer the world, and then on the web's ports alone; nobody reaches an administration port from
outside the agency's own subnets. Within the agency data flows as networks are shared: to its own level or a higher one,
so systems speak with each other where they are of one level. What is not allowed here is denied: the groups are made
without default rules.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from inventory import neighbours
from inventory.model import Agency, Classification, Estate, NetworkUse, System
from inventory.neighbours import Neighbours

WORLD = "0.0.0.0/0"
METADATA_SERVICE = "169.254.169.254/32"
SSH_PORT = 22
_HTTP_PORT = 80

_Peer = Mapping[str, Any]
"""A rule's peer, by the rule's own fields."""


class Direction(StrEnum):
    INGRESS = "ingress"
    EGRESS = "egress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a tier's group. The peer is a range of addresses, another tier, or the subnet of a neighbour.

    No port means every port, no protocol every protocol. A neighbour goes by its first name, as its rules would be
    made anew by another one, which Neutron refuses beside the old ones.
    """

    direction: Direction
    protocol: str | None = None
    port: int | None = None
    cidr: str | None = None
    tier: str | None = None
    neighbour: str | None = None

    @property
    def name(self) -> str:
        """Its name within its group: `ingress-tcp-443-0.0.0.0/0`."""
        peer = self.cidr or self.tier or self.neighbour
        return f"{self.direction}-{self.protocol or 'any'}-{self.port or 'any'}-{peer}"

    @property
    def prefix(self) -> str | None:
        """Neutron's range: none for whatever leaves to the world, as Neutron itself writes that rule in new groups."""
        return None if self.direction is Direction.EGRESS and self.cidr == WORLD else self.cidr

    @property
    def ethertype(self) -> str:
        """IPv6 only where its range is one."""
        return "IPv6" if self.cidr is not None and ipaddress.ip_network(self.cidr).version == 6 else "IPv4"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listening:
    """What a tier listens on, and which tiers call it; the clients of the system where `clients`."""

    ports: tuple[int, ...]
    callers: tuple[str, ...] = ()
    clients: bool = False


_LISTENING: Mapping[str, _Listening] = {
    "web": _Listening(ports=(80, 443), clients=True),
    "app": _Listening(ports=(8080, 8443), callers=("web",)),
    "db": _Listening(ports=(3306, 5432), callers=("app", "batch")),
}


def by_tier(estate: Estate, agency: Agency, system: System) -> Mapping[str, tuple[Rule, ...]]:
    """The rules of each of the system's tiers; a tier is a role of its VM sets."""
    tiers = tuple(dict.fromkeys(vm_set.role for vm_set in system.vm_sets))
    near = tuple(_near(neighbours.of(agency, system, estate.systems.values())))
    peers = tuple(_peers(estate, system, near))
    return {
        tier: tuple(dict.fromkeys([*_ingress(tier, tiers, near, peers), *_egress(system, peers)])) for tier in tiers
    }


def _near(found: Neighbours) -> Iterator[_Peer]:
    if found.pool is not None:
        yield {"cidr": found.pool}
    for each in found.systems:
        yield {"neighbour": each.first_name}


def _peers(estate: Estate, system: System, near: Iterable[_Peer]) -> Iterator[_Peer]:
    """Whom a system serves and calls: an open one the world, others neighbours and provider networks of their level."""
    if system.classification is Classification.OPEN:
        yield {"cidr": WORLD}
        return
    yield from near
    provider = (
        each.cidr
        for each in estate.networks.values()
        if each.use is NetworkUse.EXTERNAL and each.classification is system.classification
    )
    for cidr in sorted(provider):
        yield {"cidr": cidr}


def _ingress(tier: str, tiers: Iterable[str], near: Iterable[_Peer], peers: Iterable[_Peer]) -> Iterator[Rule]:
    listening = _LISTENING.get(tier, _Listening(ports=()))
    for port in listening.ports:
        for peer in peers if listening.clients else ():
            yield Rule(direction=Direction.INGRESS, protocol="tcp", port=port, **peer)
        for caller in listening.callers:
            if caller in tiers:
                yield Rule(direction=Direction.INGRESS, protocol="tcp", port=port, tier=caller)
    for peer in near:
        yield Rule(direction=Direction.INGRESS, protocol="tcp", port=SSH_PORT, **peer)
        yield Rule(direction=Direction.INGRESS, protocol="icmp", **peer)


def _egress(system: System, peers: Iterable[_Peer]) -> Iterator[Rule]:
    for peer in peers:
        yield Rule(direction=Direction.EGRESS, **peer)
    if system.classification is Classification.OPEN:
        return
    yield Rule(direction=Direction.EGRESS, protocol="tcp", port=_HTTP_PORT, cidr=METADATA_SERVICE)

"""What a system's tiers may say to whom, as Neutron's rules allow it. Purely computational.

Only open systems answer the world, and then on the web's ports alone; nobody reaches an administration port from
outside the agency's own pool. What is not allowed here is denied: the groups are made without default rules.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from inventory.model import Agency, Classification, Estate, NetworkUse, System

WORLD = "0.0.0.0/0"
METADATA_SERVICE = "169.254.169.254/32"
SSH_PORT = 22
_HTTP_PORT = 80


class Direction(StrEnum):
    INGRESS = "ingress"
    EGRESS = "egress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a tier's group. The peer is a range of addresses or another tier; no port means every port.

    `protocol` none means every protocol.
    """

    direction: Direction
    protocol: str | None = None
    port: int | None = None
    cidr: str | None = None
    tier: str | None = None

    @property
    def name(self) -> str:
        """Its name within its group: `ingress-tcp-443-0.0.0.0/0`."""
        return f"{self.direction}-{self.protocol or 'any'}-{self.port or 'any'}-{self.cidr or self.tier}"

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
    neighbours = _neighbours(estate, agency, system)
    return {
        tier: tuple(dict.fromkeys([*_ingress(tier, tiers, agency, system, neighbours), *_egress(system, neighbours)]))
        for tier in tiers
    }


def _neighbours(estate: Estate, agency: Agency, system: System) -> tuple[str, ...]:
    """The ranges a system above open may speak with: its agency's own, and the provider networks of its level."""
    provider = (
        each.cidr
        for each in estate.networks.values()
        if each.use is NetworkUse.EXTERNAL and each.classification is system.classification
    )
    return tuple(([agency.pool] if agency.pool else []) + sorted(provider))


def _ingress(
    tier: str, tiers: Iterable[str], agency: Agency, system: System, neighbours: Iterable[str]
) -> Iterator[Rule]:
    listening = _LISTENING.get(tier, _Listening(ports=()))
    clients = [WORLD] if system.classification is Classification.OPEN else list(neighbours)
    for port in listening.ports:
        for cidr in clients if listening.clients else ():
            yield Rule(direction=Direction.INGRESS, protocol="tcp", port=port, cidr=cidr)
        for caller in listening.callers:
            if caller in tiers:
                yield Rule(direction=Direction.INGRESS, protocol="tcp", port=port, tier=caller)
    if agency.pool is not None:
        yield Rule(direction=Direction.INGRESS, protocol="tcp", port=SSH_PORT, cidr=agency.pool)
        yield Rule(direction=Direction.INGRESS, protocol="icmp", cidr=agency.pool)


def _egress(system: System, neighbours: Iterable[str]) -> Iterator[Rule]:
    if system.classification is Classification.OPEN:
        yield Rule(direction=Direction.EGRESS, cidr=WORLD)
        return
    for cidr in neighbours:
        yield Rule(direction=Direction.EGRESS, cidr=cidr)
    yield Rule(direction=Direction.EGRESS, protocol="tcp", port=_HTTP_PORT, cidr=METADATA_SERVICE)

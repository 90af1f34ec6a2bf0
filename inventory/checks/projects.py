"""A system's project: its storage, subnet, and the systems that its network is shared with."""

import ipaddress
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from inventory.checks.case import Case
from inventory.model import Estate, NetworkUse, Problem, System

_RESERVED_ADDRESSES = 5
"""Of a subnet: its network and broadcast address, the router's and two DHCP ports."""


def check(case: Case) -> Iterator[Problem]:
    """Problems of what a system's project is given."""
    for system in case.estate.systems.values():
        yield from _storage(case, system)
        yield from _sharing(case, system)
        yield from _subnet(case, system)
    yield from _pools(case)
    yield from _subnets(case)
    if case.whole:
        yield from _external_networks(case)


def _storage(case: Case, system: System) -> Iterator[Problem]:
    seen: set[str] = set()
    for each in system.storage:
        volume_type = case.estate.volume_types.get(each.volume_type)
        if volume_type is not None and volume_type.classification < system.classification:
            what = (
                f"is {system.classification.name.lower()}, its volume type {volume_type.name} only "
                f"{volume_type.classification.name.lower()} (use a type of its level)"
            )
            yield case.problem("systems", system.name, what, "storage")
        if each.volume_type in seen:
            what = f"asks twice for storage of type {each.volume_type} (write the sum once)"
            yield case.problem("systems", system.name, what, "storage")
        seen.add(each.volume_type)


def _sharing(case: Case, system: System) -> Iterator[Problem]:
    for name in dict.fromkeys(system.share_network_with):
        other = case.estate.systems.get(name)
        if name == system.name:
            what = "shares its network with itself (leave it out)"
            yield case.problem("systems", system.name, what, "share_network_with")
        elif other is not None and other.classification < system.classification:
            what = (
                f"shares its {system.classification.name.lower()} network with {name}, which is only "
                f"{other.classification.name.lower()} (data flows to its own level or above)"
            )
            yield case.problem("systems", system.name, what, "share_network_with")
    agency = case.estate.agencies.get(system.agency)
    if system.share_network_with and agency is not None and agency.pool is None:
        what = f"shares a network, its agency {agency.name} has no pool to take one from (give the agency a pool)"
        yield case.problem("systems", system.name, what, "share_network_with")


def _subnet(case: Case, system: System) -> Iterator[Problem]:
    agency = case.estate.agencies.get(system.agency)
    own = _range(system.subnet)
    prefix, field = (system.subnet_prefix, "subnet_prefix") if own is None else (own.prefixlen, "subnet")
    vms, room = sum(each.count for each in system.vm_sets), 2 ** (32 - prefix) - _RESERVED_ADDRESSES
    if agency is not None and agency.pool is not None and vms > room:
        what = f"its {vms} VMs do not fit into a /{prefix} subnet, which takes {room} (widen it)"
        yield case.problem("systems", system.name, what, field)


def _subnets(case: Case) -> Iterator[Problem]:
    """Subnets that were there before the estate: of IPv4, and of no pool, provider network or other system."""
    estate = case.estate
    for system in estate.systems.values():
        if system.subnet is None:
            continue
        agency = estate.agencies.get(system.agency)
        if _range(system.subnet) is None:
            what = f"subnet {system.subnet!r} is no range of IPv4 (write it like 10.20.0.0/24)"
            yield case.problem("systems", system.name, what, "subnet")
        elif agency is not None and agency.pool is None:
            what = f"has a subnet, its agency {agency.name} no pool (give the agency a pool that does not hold it)"
            yield case.problem("systems", system.name, what, "subnet")
    if any(system.subnet is not None for system in estate.systems.values()):
        yield from _overlapping(case)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A range of addresses and whose it is: `system` has it as its subnet, "" for a pool or a provider network's."""

    first: int
    last: int
    number: int
    whose: str
    system: str = ""


def _overlapping(case: Case) -> Iterator[Problem]:
    """Of ranges in the order of their addresses, one that overlaps with any before it does so with the widest."""
    widest: _Taken | None = None
    for each in sorted(_taken(case.estate), key=lambda each: (each.first, -each.last, each.number)):
        if widest is not None and each.first <= widest.last and (each.system or widest.system):
            either = sorted((each, widest), key=lambda one: (bool(one.system), one.number))
            what = f"{either[1].whose.partition(' of ')[0]} overlaps with {either[0].whose} (correct one of them)"
            yield case.problem("systems", either[1].system, what, "subnet")
        if widest is None or each.last > widest.last:
            widest = each


def _taken(estate: Estate) -> Iterator[_Taken]:
    texts = [(f"pool {each.pool} of {each.name}", each.pool, "") for each in estate.agencies.values()]
    texts += [(f"{each.cidr} of network {each.name}", each.cidr, "") for each in estate.networks.values()]
    texts += [(f"subnet {each.subnet} of {each.name}", each.subnet, each.name) for each in estate.systems.values()]
    for number, (whose, text, system) in enumerate(texts):
        own = _range(text)
        if own is not None:
            first, last = int(own.network_address), int(own.broadcast_address)
            yield _Taken(first=first, last=last, number=number, whose=whose, system=system)


def _range(text: str | None) -> ipaddress.IPv4Network | None:
    """A range of IPv4, None for anything else."""
    try:
        return None if text is None else ipaddress.IPv4Network(text)
    except ValueError:
        return None


def _pools(case: Case) -> Iterator[Problem]:
    asked: defaultdict[str, int] = defaultdict(int)
    for system in case.estate.systems.values():
        asked[system.agency] += 2 ** (32 - system.subnet_prefix) if system.subnet is None else 0
    for agency in case.estate.agencies.values():
        try:
            pool = ipaddress.ip_network(agency.pool) if agency.pool is not None else None
        except ValueError:
            continue
        if pool is not None and pool.version != 4:
            what = f"pool {agency.pool} is not of IPv4, as its systems' subnets are (write it like 10.128.0.0/20)"
            yield case.problem("agencies", agency.name, what, "pool")
        elif pool is not None and asked[agency.name] > pool.num_addresses:
            what = (
                f"pool {agency.pool} holds {pool.num_addresses} addresses, its systems' subnets take "
                f"{asked[agency.name]} (widen it)"
            )
            yield case.problem("agencies", agency.name, what, "pool")


def _external_networks(case: Case) -> Iterator[Problem]:
    """A system with a network of its own needs an external network of its level for its router."""
    estate = case.estate
    levels = {each.classification for each in estate.networks.values() if each.use is NetworkUse.EXTERNAL}
    for system in estate.systems.values():
        if estate.agencies[system.agency].pool is not None and system.classification not in levels:
            level = system.classification.name.lower()
            what = f"is {level}, no external network is (declare one, or take the pool from its agency)"
            yield case.problem("systems", system.name, what, "classification")

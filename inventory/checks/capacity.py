"""Quotas and storage against what the foundation has: hosts, storage backends, external networks.

No project's stated quota is above it; quotas together may be, for not all of them are used up at once. What is asked
for is held in sum: storage here, VM sets in `tenants`.
"""

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inventory import quotas
from inventory.checks.case import Case
from inventory.model import IN_NOVA, Classification, Estate, HostType, NetworkUse, Problem, System
from inventory.quotas import Limits

_RESERVED_ADDRESSES = 3
"""Of an external network: its network and broadcast address, and its gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _WayOut:
    """The external network of a level: the addresses it has, and the routers that take one each."""

    network: str
    addresses: int
    routers: int


def check(case: Case) -> Iterator[Problem]:
    """Problems of what is promised; only where the estate is whole."""
    if not case.whole:
        return
    yield from _storage(case)
    ways_out = dict(_ways_out(case.estate))
    yield from _routers(case, ways_out.values())
    for system in case.estate.systems.values():
        if system.quota is not None:
            given = quotas.limits(case.estate, system)
            yield from _on_hosts(case, system, given)
            yield from _on_backends(case, system, system.quota.volume_gib)
            yield from _addresses(case, system, given, ways_out.get(system.classification))


def _storage(case: Case) -> Iterator[Problem]:
    asked: defaultdict[str, int] = defaultdict(int)
    for system in case.estate.systems.values():
        for each in system.storage:
            asked[case.estate.volume_types[each.volume_type].backend] += each.size_gib
    for backend in case.estate.storage_backends.values():
        if asked[backend.name] > backend.capacity_gib:
            what = (
                f"holds {backend.capacity_gib} GiB, systems ask for {asked[backend.name]} of the volume types on it "
                "(add storage, or lower what they ask for)"
            )
            yield case.problem("storage_backends", backend.name, what, "capacity_gib")


def _ways_out(estate: Estate) -> Iterator[tuple[Classification, _WayOut]]:
    networked = Counter(
        each.classification for each in estate.systems.values() if estate.agencies[each.agency].pool is not None
    )
    for network in estate.networks.values():
        try:
            cidr = ipaddress.ip_network(network.cidr)
        except ValueError:
            continue  # `addresses` says so
        if network.use is NetworkUse.EXTERNAL and cidr.version == 4:
            yield (
                network.classification,
                _WayOut(
                    network=network.name,
                    addresses=max(0, cidr.num_addresses - _RESERVED_ADDRESSES),
                    routers=networked[network.classification],
                ),
            )


def _routers(case: Case, ways_out: Iterable[_WayOut]) -> Iterator[Problem]:
    for each in ways_out:
        if each.routers > each.addresses:
            what = f"has {each.addresses} addresses, the routers of {each.routers} systems take one each (widen it)"
            yield case.problem("networks", each.network, what, "cidr")


def _on_hosts(case: Case, system: System, given: Limits) -> Iterator[Problem]:
    cleared = list(_cleared(case.estate, system.classification))
    cores = sum((each.vcpus - each.reserved_vcpus) * each.cpu_ratio for each in cleared)
    memory_mib = sum((each.memory_mib - each.reserved_memory_mib) * each.memory_ratio for each in cleared)
    offered = [each for each in case.estate.flavors.values() if each.classification >= system.classification]
    held = {"vCPUs": (given.cores, cores), "MiB of memory": (given.memory_mib, memory_mib)}
    if offered:
        smallest_vcpus, smallest_mib = min(each.vcpus for each in offered), min(each.memory_mib for each in offered)
        held["instances"] = (given.instances, min(cores // smallest_vcpus, memory_mib // smallest_mib))
    for noun, (asked, there) in held.items():
        if asked > there:
            what = (
                f"its quota of {asked} {noun} is above the {there:.0f} that all hosts cleared for "
                f"{system.classification.name.lower()} hold (lower it, or add or clear hosts)"
            )
            yield case.problem("systems", system.name, what, "quota")


def _on_backends(case: Case, system: System, stated_gib: int | None) -> Iterator[Problem]:
    """The sum of its volumes against the backends of its volume types; it has no room in any other type."""
    estate = case.estate
    names = sorted({estate.volume_types[each.volume_type].backend for each in system.storage})
    if stated_gib is None or not names or not estate.storage_backends:
        return
    held = sum(estate.storage_backends[name].capacity_gib for name in names)
    if stated_gib > held:
        what = f"its quota of {stated_gib} GiB of volumes is above the {held} that {', '.join(names)} hold (lower it)"
        yield case.problem("systems", system.name, what, "quota")


def _addresses(case: Case, system: System, given: Limits, way_out: _WayOut | None) -> Iterator[Problem]:
    left = 0 if way_out is None else max(0, way_out.addresses - way_out.routers)
    if way_out is not None and given.floating_ips > left:
        what = (
            f"its quota of {given.floating_ips} floating addresses is above the {left} that {way_out.network} has "
            "beside those of routers (lower it, or widen the network)"
        )
        yield case.problem("systems", system.name, what, "quota")


def _cleared(estate: Estate, level: Classification) -> Iterator[HostType]:
    for host in estate.hosts.values():
        if host.lifecycle in IN_NOVA and host.clearance >= level:
            yield estate.host_types[host.type]

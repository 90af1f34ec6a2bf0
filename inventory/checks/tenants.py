"""Systems and data sets against the lattice, the fault domains and the capacity of the hosts."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from inventory.checks.case import Case
from inventory.model import (
    IN_NOVA,
    Classification,
    DataSet,
    Domain,
    Estate,
    Flavor,
    Host,
    HostType,
    Problem,
    System,
    VmSet,
    host_feeds,
)

Demand = tuple[System, VmSet, Flavor]


def check(case: Case) -> Iterator[Problem]:
    """Problems of what tenants ask for."""
    yield from _systems(case)
    yield from _projects(case)
    yield from _data_sets(case)
    if case.whole:
        yield from _clearances(case)
        yield from _spreads(case)
        yield from _rooms(case)
        yield from _capacity(case)


def _systems(case: Case) -> Iterator[Problem]:
    for system in case.estate.systems.values():
        roles: set[str] = set()
        for vm_set in system.vm_sets:
            if vm_set.role in roles:
                what = f"has two VM sets of role {vm_set.role!r} (their VMs would bear the same names)"
                yield case.problem("systems", system.name, what, "vm_sets")
            roles.add(vm_set.role)
            flavor = case.estate.flavors.get(vm_set.flavor)
            if flavor is not None and flavor.classification < system.classification:
                what = (
                    f"is {_level(system.classification)}, flavor {flavor.name} of its {vm_set.role} VMs only "
                    f"{_level(flavor.classification)} (use a flavor of its level)"
                )
                yield case.problem("systems", system.name, what, "vm_sets")


def _projects(case: Case) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for system in case.estate.systems.values():
        other = owners.setdefault(system.project, system.name)
        if other != system.name:
            what = f"project {system.project!r} is also that of system {other} (a system is one project)"
            yield case.problem("systems", system.name, what, "project")


def _data_sets(case: Case) -> Iterator[Problem]:
    for data_set in case.estate.data_sets.values():
        system = case.estate.systems.get(data_set.system)
        if system is not None and data_set.classification > system.classification:
            what = (
                f"is {_level(data_set.classification)}, its system {system.name} only "
                f"{_level(system.classification)} (raise the system, or move the data)"
            )
            yield case.problem("data_sets", data_set.name, what, "classification")
        yield from _readers(case, data_set)
        if data_set.public and data_set.classification > Classification.OPEN:
            what = f"is public but {_level(data_set.classification)} (only open data may be public)"
            yield case.problem("data_sets", data_set.name, what, "public")


def _readers(case: Case, data_set: DataSet) -> Iterator[Problem]:
    """A reader whose systems are all below the data: the agreement would stand, and nobody could read."""
    for reader in sorted(case.estate.agencies.keys() & set(data_set.readers)):
        levels = [each.classification for each in case.estate.systems.values() if each.agency == reader]
        if levels and max(levels) < data_set.classification:
            what = f"is {_level(data_set.classification)}, and {reader} has no system of that level that could read it"
            yield case.problem("data_sets", data_set.name, what, "readers")


def _clearances(case: Case) -> Iterator[Problem]:
    hosts = _usable(case.estate)
    if not hosts:
        return
    highest = max(host.clearance for host, _ in hosts)
    for system in case.estate.systems.values():
        if system.classification > highest:
            what = f"is {_level(system.classification)}, no host is cleared above {_level(highest)} (clear hosts first)"
            yield case.problem("systems", system.name, what, "classification")
    for image in case.estate.images.values():
        if image.classification > highest:
            what = f"is {_level(image.classification)}, no host is cleared above {_level(highest)}: nothing may boot it"
            yield case.problem("images", image.name, f"{what} (clear hosts first)", "classification")


def _spreads(case: Case) -> Iterator[Problem]:
    counts: dict[tuple[Domain, Classification], int] = {}
    for system, vm_set, flavor in _demands(case.estate):
        if vm_set.spread is None:
            continue
        spread, level = vm_set.spread, max(system.classification, flavor.classification)
        if (spread.domain, level) not in counts:
            counts[(spread.domain, level)] = domain_count(case.estate, spread.domain, level)
        room = counts[(spread.domain, level)] * spread.max_per_domain
        if vm_set.count > room:
            what = (
                f"its {vm_set.count} {vm_set.role} VMs, at most {spread.max_per_domain} in a {spread.domain}, do not "
                f"fit into {counts[(spread.domain, level)]} such domains with {_level(level)} hosts (allow more in one)"
            )
            yield case.problem("systems", system.name, what, "vm_sets")


def _rooms(case: Case) -> Iterator[Problem]:
    """A room group stands in one room: no VM set of it is spread over several, and some room could hold all of it."""
    demands: defaultdict[str, list[Demand]] = defaultdict(list)
    for demand in _demands(case.estate):
        system, vm_set, _ = demand
        if system.room_group is None:
            continue
        demands[system.room_group].append(demand)
        spread = vm_set.spread
        if spread and spread.domain in {Domain.ROOM, Domain.SITE} and vm_set.count > spread.max_per_domain:
            what = (
                f"its {vm_set.count} {vm_set.role} VMs are to stand in one room with room group {system.room_group!r}, "
                f"and at most {spread.max_per_domain} of them in a {spread.domain} (drop one of the two)"
            )
            yield case.problem("systems", system.name, what, "room_group")
    for name, members in sorted(demands.items()):
        yield from _too_large(case, name, members)


def _too_large(case: Case, name: str, demands: list[Demand]) -> Iterator[Problem]:
    """At every level: what the group's VMs of it and above ask for must fit into some room's hosts cleared for it."""
    hosts_of: defaultdict[str, list[tuple[Host, HostType]]] = defaultdict(list)
    for host, host_type in _usable(case.estate):
        hosts_of[case.estate.racks[host.rack].room].append((host, host_type))
    for noun, capacity_of, demand_of in _RESOURCES:
        asked = _asked(demands, demand_of)
        rooms = [_held(hosts_of[room], capacity_of) for room in case.estate.rooms]
        if not any(all(amount <= held[level] for level, amount in asked.items()) for held in rooms):
            what = (
                f"room group {name!r} asks for {asked[Classification.OPEN]} {noun}, and no room has as much on hosts "
                "cleared for it (take systems out of the group)"
            )
            yield case.problem("systems", demands[0][0].name, what, "room_group")


def domain_count(estate: Estate, domain: Domain, level: Classification) -> int:
    """How many fault domains of that kind have a host in Nova cleared for the level; references must be known.

    The two feeds that a host hangs on are one domain together.
    """
    domain_of = _DOMAIN_OF[domain]
    return len({domain_of(estate, host) for host, _ in _usable(estate) if host.clearance >= level})


_DOMAIN_OF: dict[Domain, Callable[[Estate, Host], object]] = {
    Domain.HOST: lambda estate, host: host.name,
    Domain.RACK: lambda estate, host: host.rack,
    Domain.FEED: host_feeds,
    Domain.ZONE: lambda estate, host: estate.racks[host.rack].zone,
    Domain.ROOM: lambda estate, host: estate.racks[host.rack].room,
    Domain.SITE: lambda estate, host: estate.rooms[estate.racks[host.rack].room].site,
}

_RESOURCES: tuple[tuple[str, Callable[[HostType], float], Callable[[Flavor], int]], ...] = (
    ("MiB of memory", lambda t: (t.memory_mib - t.reserved_memory_mib) * t.memory_ratio, lambda f: f.memory_mib),
    ("vCPUs", lambda t: (t.vcpus - t.reserved_vcpus) * t.cpu_ratio, lambda f: f.vcpus),
    ("GiB of disk", lambda t: (t.disk_gib - t.reserved_disk_gib) * t.disk_ratio, lambda f: f.disk_gib),
)


def _capacity(case: Case) -> Iterator[Problem]:
    """At every level: what VMs of it and above ask for must fit into the hosts cleared for it."""
    hosts = _usable(case.estate)
    for noun, capacity_of, demand_of in _RESOURCES:
        asked, held = _asked(_demands(case.estate), demand_of), _held(hosts, capacity_of)
        for level in Classification:
            if asked[level] > held[level]:
                what = (
                    f"systems of level {_level(level)} and above ask for {asked[level]} {noun}, the hosts cleared for "
                    f"it hold {held[level]:.0f} (add or clear hosts, or lower the VM sets)"
                )
                yield case.problem("estate", case.estate.name, what)


def _asked(demands: Iterable[Demand], demand_of: Callable[[Flavor], int]) -> Counter[Classification]:
    """At every level up to the highest that asks, what VMs of it and above ask for."""
    asked: Counter[Classification] = Counter()
    for system, vm_set, flavor in demands:
        for level in Classification:
            if level <= max(system.classification, flavor.classification):
                asked[level] += vm_set.count * demand_of(flavor)
    return asked


def _held(
    hosts: Iterable[tuple[Host, HostType]], capacity_of: Callable[[HostType], float]
) -> Mapping[Classification, float]:
    """At every level what the hosts cleared for it hold."""
    held = dict.fromkeys(Classification, 0.0)
    for host, host_type in hosts:
        for level in Classification:
            if level <= host.clearance:
                held[level] += capacity_of(host_type)
    return held


def _usable(estate: Estate) -> list[tuple[Host, HostType]]:
    return [(host, estate.host_types[host.type]) for host in estate.hosts.values() if host.lifecycle in IN_NOVA]


def _demands(estate: Estate) -> Iterator[Demand]:
    for system in estate.systems.values():
        for vm_set in system.vm_sets:
            yield system, vm_set, estate.flavors[vm_set.flavor]


def _level(level: Classification) -> str:
    return level.name.lower()

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
    Spread,
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
            yield from _rules(case, system, vm_set)
            flavor = case.estate.flavors.get(vm_set.flavor)
            if flavor is not None and flavor.classification < system.classification:
                what = (
                    f"is {_level(system.classification)}, flavor {flavor.name} of its {vm_set.role} VMs only "
                    f"{_level(flavor.classification)} (use a flavor of its level)"
                )
                yield case.problem("systems", system.name, what, "vm_sets")


def _rules(case: Case, system: System, vm_set: VmSet) -> Iterator[Problem]:
    """Spread rules that say nothing, or two of one kind of domain."""
    kinds = Counter(spread.domain for spread in vm_set.spreads)
    for domain in (domain for domain, count in kinds.items() if count > 1):
        what = f"the spread of its {vm_set.role} VMs names {domain} twice (say both of it in one rule)"
        yield case.problem("systems", system.name, what, "vm_sets")
    for spread in vm_set.spreads:
        if spread.max_per_domain is None and spread.at_least == 1:
            what = f"the spread of its {vm_set.role} VMs over {spread.domain}s asks for nothing"
            remedy = "add max_per_domain, or at_least of 2 or more"
            yield case.problem("systems", system.name, f"{what} ({remedy})", "vm_sets")


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
        level = max(system.classification, flavor.classification)
        for spread in vm_set.spreads:
            if (spread.domain, level) not in counts:
                counts[(spread.domain, level)] = domain_count(case.estate, spread.domain, level)
            for what in _too_wide(vm_set, spread, counts[(spread.domain, level)], level):
                yield case.problem("systems", system.name, what, "vm_sets")


def _too_wide(vm_set: VmSet, spread: Spread, domains: int, level: Classification) -> Iterator[str]:
    """What a spread rule asks for that its set, or so many domains with hosts of that level, cannot give."""
    most = spread.max_per_domain
    its, with_hosts = f"its {vm_set.count} {vm_set.role} VMs", f"such domains with {_level(level)} hosts"
    if most is not None and vm_set.count > domains * most:
        yield f"{its}, at most {most} in a {spread.domain}, do not fit into {domains} {with_hosts} (allow more in one)"
    if spread.at_least > vm_set.count:
        yield f"{its} cannot stand in at least {spread.at_least} {spread.domain}s (lower at_least, or add VMs)"
    elif spread.at_least > max(1, domains):
        yield (
            f"{its} are to stand in at least {spread.at_least} {spread.domain}s, and there are {domains} {with_hosts} "
            "(lower at_least)"
        )


def _rooms(case: Case) -> Iterator[Problem]:
    """A room group stands in one room: no VM set of it is spread over several, and some room could hold all of it."""
    demands: defaultdict[str, list[Demand]] = defaultdict(list)
    for demand in _demands(case.estate):
        system, vm_set, _ = demand
        if system.room_group is None:
            continue
        demands[system.room_group].append(demand)
        for rule in _against_one_room(vm_set):
            what = (
                f"its {vm_set.count} {vm_set.role} VMs are to stand in one room with room group {system.room_group!r}, "
                f"and {rule} (drop one of the two)"
            )
            yield case.problem("systems", system.name, what, "room_group")
    for name, members in sorted(demands.items()):
        yield from _too_large(case, name, members)


def _against_one_room(vm_set: VmSet) -> Iterator[str]:
    """What keeps the VMs of a set from standing in one room together."""
    for spread in vm_set.spreads:
        if spread.domain in {Domain.ROOM, Domain.SITE}:
            if spread.max_per_domain is not None and vm_set.count > spread.max_per_domain:
                yield f"at most {spread.max_per_domain} of them in a {spread.domain}"
            if spread.at_least > 1:
                yield f"in at least {spread.at_least} {spread.domain}s"


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

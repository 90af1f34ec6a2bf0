"""Nova's host aggregates: those the estate lists, and one for each site, hardware generation and clearance.

Each holds its hosts that Nova lists, sorted. A listed aggregate stands for a derived one of its name.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from inventory.model import LISTED_IN_NOVA, Aggregate, Estate, Host


def of(estate: Estate) -> tuple[Aggregate, ...]:
    """All of the estate's aggregates, sorted by name.

    A site makes an availability zone only in an estate that lists none: Nova allows a host one zone.
    """
    there = {name for name, host in estate.hosts.items() if host.lifecycle in LISTED_IN_NOVA}
    listed = {each.name: _only(each, there) for each in estate.aggregates.values()}
    derived = {each.name: each for each in _derived(estate, sorted(there))}
    return tuple(sorted({**derived, **listed}.values(), key=lambda each: each.name))


def _only(aggregate: Aggregate, there: Iterable[str]) -> Aggregate:
    return Aggregate(
        name=aggregate.name,
        hosts=tuple(sorted(set(aggregate.hosts).intersection(there))),
        availability_zone=aggregate.availability_zone,
        metadata=aggregate.metadata,
    )


def _derived(estate: Estate, names: Iterable[str]) -> Iterable[Aggregate]:
    zones = derives_zones(estate)
    members: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name in names:
        for key, value in labels(estate, estate.hosts[name]).items():
            members[key, value].append(name)
    for (key, value), hosts in members.items():
        name = derived_name(key, value)
        zone = name if key == "site" and zones else None
        yield Aggregate(name=name, hosts=tuple(hosts), availability_zone=zone, metadata={f"gdcc:{key}": value})


def derived_name(key: str, value: str) -> str:
    """The aggregate of a site, a generation or a level: `site-bkk`, also for a site that is called so."""
    return value if value.startswith(f"{key}-") else f"{key}-{value}"


def derives_zones(estate: Estate) -> bool:
    """Whether sites make availability zones: the estate lists none."""
    return all(each.availability_zone is None for each in estate.aggregates.values())


def labels(estate: Estate, host: Host) -> Mapping[str, str]:
    """What a host is grouped by: its site, its hardware generation where known, the level it is cleared for."""
    generation = estate.host_types[host.type].generation
    return {
        "site": estate.rooms[estate.racks[host.rack].room].site,
        **({"generation": generation} if generation else {}),
        "clearance": host.clearance.name.lower(),
    }

"""Which traits a host of the estate would carry in Placement.

Its type's and its own, and those that stand for levels: a trait that some flavor requires and that nothing else has
belongs to every host cleared for the lowest level of the flavors that require it.
"""

from collections.abc import Sequence

from inventory.model import Classification, Estate, Flavor, Host


def required(flavor: Flavor) -> frozenset[str]:
    """Traits that the flavor requires of a host."""
    return _asked(flavor, "required")


def forbidden(flavor: Flavor) -> frozenset[str]:
    """Traits that the flavor forbids."""
    return _asked(flavor, "forbidden")


def host_traits(estate: Estate, hosts: Sequence[Host]) -> list[frozenset[str]]:
    """The traits of each host; hosts of one type and clearance, with the same ones of their own, share one set."""
    levels = _levels(estate)
    seen: dict[tuple[str, Classification, frozenset[str]], frozenset[str]] = {}
    for host in hosts:
        key = (host.type, host.clearance, host.traits)
        if key not in seen:
            held = {trait for trait, level in levels.items() if level <= host.clearance}
            seen[key] = estate.host_types[host.type].traits | host.traits | held
    return [seen[host.type, host.clearance, host.traits] for host in hosts]


def _levels(estate: Estate) -> dict[str, Classification]:
    of_types = (type_.traits for type_ in estate.host_types.values())
    of_hardware = frozenset[str]().union(*of_types, *(host.traits for host in estate.hosts.values()))
    levels: dict[str, Classification] = {}
    for flavor in estate.flavors.values():
        for trait in required(flavor) - of_hardware:
            levels[trait] = min(flavor.classification, levels.get(trait, flavor.classification))
    return levels


def _asked(flavor: Flavor, how: str) -> frozenset[str]:
    specs = flavor.nova_extra_specs.items()
    return frozenset(key.partition(":")[2] for key, value in specs if key.startswith("trait:") and value == how)

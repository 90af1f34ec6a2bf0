"""Which hosts an order means, and which fault domain and canary each is."""

from collections.abc import Callable, Mapping, Sequence

from controller.errors import InputError
from controller.model import campaign as words
from controller.model.ids import HostName
from inventory.model import IN_NOVA, Domain, Estate, Host, host_feeds

_Names = Callable[[Estate, Host], tuple[str, ...]]

DIMENSIONS: Mapping[str, _Names] = {
    "host": lambda estate, host: (host.name,),
    "rack": lambda estate, host: (host.rack,),
    "feed": host_feeds,
    "zone": lambda estate, host: (estate.racks[host.rack].zone,),
    "room": lambda estate, host: (estate.racks[host.rack].room,),
    "site": lambda estate, host: (estate.rooms[estate.racks[host.rack].room].site,),
    "type": lambda estate, host: (host.type,),
    "generation": lambda estate, host: (estate.host_types[host.type].generation,),
    "clearance": lambda estate, host: (host.clearance.name.lower(),),
    "lifecycle": lambda estate, host: (host.lifecycle.value,),
}
"""What a pattern may name: `dimension:name`."""


def domain_of(estate: Estate, kind: Domain, host: str) -> str:
    """The name of the host's fault domain; hosts share a feed domain when they hang on exactly the same feeds."""
    return "+".join(DIMENSIONS[kind.value](estate, estate.hosts[host])) or "no feed"


def members(campaign: str, order: words.Order, estate: Estate) -> tuple[words.Member, ...]:
    """The hosts of a campaign in the order they are to be begun: canaries first, then domain by domain.

    Raises `InputError` for what the inventory does not have, for no host at all, and for a host named by itself that
    is not expected in Nova (a pattern leaves such hosts out).
    """
    names = sorted({name for pattern in order.hosts for name in _meant(pattern, estate)})
    if not names:
        raise InputError("names no host that is in service", where=f"campaign {order.name}: hosts")
    domains = {name: domain_of(estate, order.limits.domain, name) for name in names}
    names.sort(key=lambda name: (domains[name], name))
    canaries = _canaries(order, names, estate)
    ordered = sorted(names, key=lambda name: name not in canaries)
    return tuple(
        words.Member(campaign=campaign, host=HostName(name), domain=domains[name], canary=name in canaries)
        for name in ordered
    )


def _meant(pattern: str, estate: Estate) -> list[str]:
    dimension, colon, wanted = pattern.partition(":")
    if not colon:
        if pattern not in estate.hosts:
            raise InputError(
                "is no host of the inventory", where=pattern, remedy="see gdcc inventory show --table hosts"
            )
        if estate.hosts[pattern].lifecycle not in IN_NOVA:
            what = f"is {estate.hosts[pattern].lifecycle.value}, so nothing can be drained off it"
            raise InputError(what, where=pattern, remedy="leave it out")
        return [pattern]
    if dimension not in DIMENSIONS:
        raise InputError(f"{dimension!r} is no dimension", where=pattern, remedy=f"one of {', '.join(DIMENSIONS)}")
    found = [host for host in estate.hosts.values() if wanted in DIMENSIONS[dimension](estate, host)]
    if not found:
        raise InputError("no host of the inventory is there", where=pattern)
    return [host.name for host in found if host.lifecycle in IN_NOVA]


def _canaries(order: words.Order, names: Sequence[str], estate: Estate) -> frozenset[str]:
    wanted = order.canaries
    if wanted.count is not None and wanted.hosts:
        raise InputError("gives canaries both by count and by name", where=f"campaign {order.name}", remedy="keep one")
    named = frozenset(name for pattern in wanted.hosts for name in _meant(pattern, estate))
    strangers = sorted(named - set(names))
    if strangers:
        raise InputError(f"canaries are not among its hosts: {', '.join(strangers)}", where=f"campaign {order.name}")
    return named or frozenset(names[: wanted.count or 0])

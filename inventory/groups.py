"""The groups that an estate's hosts are in, for Ansible: one for each place, feed, type, clearance and lifecycle.

A group is named by its dimension and its value (`rack_r07`). So that `--limit rack:r07`, which Ansible reads as `rack`
and `r07` together, means the rack, there is an empty group for each dimension, and below the group of each value one
by its bare name, where nothing else has that name.

All of them stand below the group `estate`: its `group_vars` hold over what the playbooks say for all hosts, and any
other group's hold over its.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from inventory.model import Classification, Estate, Host, Lifecycle, host_feeds

DIMENSIONS = ("site", "room", "zone", "rack", "feed", "generation", "type", "clearance", "lifecycle")

ROOT = "estate"

RESERVED = frozenset({*DIMENSIONS, ROOT, "all", "ungrouped"})
"""Groups that no estate names: the root, those of the dimensions, and Ansible's own."""

_NOT_IN_A_GROUP = re.compile(r"[^A-Za-z0-9_]")
_NO_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""Names that Ansible's host patterns give no meaning of their own to."""

Value = tuple[str, str]
"""A dimension and a name in it, such as `("rack", "r07")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`hosts` are those directly in it, `children` the groups below it; both by name, in the estate's order."""

    name: str
    hosts: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


def group_name(dimension: str, name: str) -> str:
    """`rack_r_07` for rack `r-07`."""
    return f"{dimension}_{_NOT_IN_A_GROUP.sub('_', name)}"


def values(estate: Estate) -> tuple[Value, ...]:
    """Every value of every dimension, those without a host too, so that no pattern of a playbook is unknown."""
    generations = dict.fromkeys(each.generation for each in estate.host_types.values() if each.generation)
    names: dict[str, Iterable[str]] = {
        "site": estate.sites,
        "room": estate.rooms,
        "zone": estate.zones,
        "rack": estate.racks,
        "feed": estate.feeds,
        "generation": generations,
        "type": estate.host_types,
        "clearance": [level.name.lower() for level in Classification],
        "lifecycle": list(Lifecycle),
    }
    return tuple((dimension, str(name)) for dimension in DIMENSIONS for name in names[dimension])


def of(estate: Estate) -> tuple[Group, ...]:
    """All groups of a valid estate; each stands after those it is a child of."""
    all_values = values(estate)
    below = _below(estate)
    members = _members(estate)
    bare = bare_names(estate)
    nested = {child for children in below.values() for child in children}
    tops = tuple(group_name(*value) for value in all_values if value not in nested)
    groups = [*(Group(name=dimension) for dimension in DIMENSIONS), Group(name=ROOT, children=tops)]
    for value in all_values:
        hosts, children = members.get(value, ()), [group_name(*child) for child in below.get(value, ())]
        if value in bare:
            groups.append(Group(name=group_name(*value), children=(bare[value],)))
            groups.append(Group(name=bare[value], hosts=tuple(hosts), children=tuple(children)))
        else:
            groups.append(Group(name=group_name(*value), hosts=tuple(hosts), children=tuple(children)))
    return tuple(groups)


def bare_names(estate: Estate) -> Mapping[Value, str]:
    """The values that have a group by their bare name: no other value, no host and no other group is called so."""
    all_values = values(estate)
    taken = {*RESERVED, "localhost", *estate.hosts, *(group_name(*value) for value in all_values)}
    times = Counter(name for _, name in all_values)
    return {
        (dimension, name): name
        for dimension, name in all_values
        if times[name] == 1 and name not in taken and _NO_PATTERN.fullmatch(name)
    }


def hosts_named_alike(estate: Estate) -> tuple[Value, ...]:
    """The values that a host has the name of: `--limit rack:r07` would select host `r07`."""
    return tuple(value for value in values(estate) if value[1] in estate.hosts)


def _members(estate: Estate) -> Mapping[Value, list[str]]:
    """The hosts of the values that have no groups of values below them."""
    members: defaultdict[Value, list[str]] = defaultdict(list)
    for name, host in estate.hosts.items():
        for value in _values_of(estate, host):
            members[value].append(name)
    return members


def _values_of(estate: Estate, host: Host) -> Iterator[Value]:
    yield "rack", host.rack
    for feed in host_feeds(estate, host):
        yield "feed", feed
    yield "type", host.type
    yield "clearance", host.clearance.name.lower()
    yield "lifecycle", str(host.lifecycle)


def _below(estate: Estate) -> Mapping[Value, list[Value]]:
    below: defaultdict[Value, list[Value]] = defaultdict(list)
    for room in estate.rooms.values():
        below["site", room.site].append(("room", room.name))
    for zone in estate.zones.values():
        below["room", zone.room].append(("zone", zone.name))
    for rack in estate.racks.values():
        below["zone", rack.zone].append(("rack", rack.name))
    for each in estate.host_types.values():
        if each.generation:
            below["generation", each.generation].append(("type", each.name))
    return below

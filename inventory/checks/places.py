"""Where things stand: rooms, zones, racks, rack units, and Nova's availability zones."""

from collections.abc import Iterator

from inventory.checks.case import Case
from inventory.model import Lifecycle, Problem


def check(case: Case) -> Iterator[Problem]:
    """Problems of place."""
    yield from _rooms(case)
    yield from _rack_units(case)
    yield from _host_types(case)
    yield from _aggregates(case)


def _rooms(case: Case) -> Iterator[Problem]:
    estate = case.estate
    for rack in estate.racks.values():
        zone = estate.zones.get(rack.zone)
        if zone is not None and zone.room != rack.room:
            what = f"stands in room {rack.room}, its zone {zone.name} is in room {zone.room} (correct one of them)"
            yield case.problem("racks", rack.name, what, "zone")
    for pdu in estate.pdus.values():
        rack_of, feed = estate.racks.get(pdu.rack), estate.feeds.get(pdu.feed)
        if rack_of is not None and feed is not None and rack_of.room != feed.room:
            what = f"its rack is in room {rack_of.room}, its feed {feed.name} in room {feed.room} (correct one of them)"
            yield case.problem("pdus", pdu.name, what, "feed")


def _rack_units(case: Case) -> Iterator[Problem]:
    taken: dict[tuple[str, int], str] = {}
    for host in case.estate.hosts.values():
        rack = case.estate.racks.get(host.rack)
        if rack is not None and host.unit > rack.units:
            what = f"unit {host.unit} is beyond rack {rack.name}, which has {rack.units} (correct the unit)"
            yield case.problem("hosts", host.name, what, "unit")
        other = taken.setdefault((host.rack, host.unit), host.name)
        if other != host.name:
            what = f"stands in unit {host.unit} of rack {host.rack}, where host {other} stands (correct one of them)"
            yield case.problem("hosts", host.name, what, "unit")


def _host_types(case: Case) -> Iterator[Problem]:
    for each in case.estate.host_types.values():
        if each.idle_watts > each.peak_watts:
            what = (
                f"draws {each.idle_watts:g} W idle, more than {each.peak_watts:g} W at its peak (correct one of them)"
            )
            yield case.problem("host_types", each.name, what, "idle_watts")
        if each.reserved_memory_mib >= each.memory_mib or each.reserved_vcpus >= each.vcpus:
            what = "keeps all its memory or vCPUs in reserve (lower the reserve)"
            yield case.problem("host_types", each.name, what, "reserved_memory_mib")
        if each.numa:
            vcpus, memory_mib = sum(cell.vcpus for cell in each.numa), sum(cell.memory_mib for cell in each.numa)
            if (vcpus, memory_mib) != (each.vcpus, each.memory_mib):
                what = (
                    f"its NUMA cells add up to {vcpus} vCPUs and {memory_mib} MiB, not to {each.vcpus} and "
                    f"{each.memory_mib} (correct the cells)"
                )
                yield case.problem("host_types", each.name, what, "numa")


def _aggregates(case: Case) -> Iterator[Problem]:
    zone_of: dict[str, str] = {}
    for aggregate in case.estate.aggregates.values():
        for name in dict.fromkeys(aggregate.hosts):
            host = case.estate.hosts.get(name)
            if host is not None and host.lifecycle is Lifecycle.DECOMMISSIONED:
                what = f"holds host {name}, which is {host.lifecycle} (take it out)"
                yield case.problem("aggregates", aggregate.name, what, "hosts")
            if aggregate.availability_zone is None:
                continue
            other = zone_of.setdefault(name, aggregate.availability_zone)
            if other != aggregate.availability_zone:
                what = (
                    f"puts host {name} into availability zone {aggregate.availability_zone}, it is in {other} already"
                )
                yield case.problem("aggregates", aggregate.name, f"{what} (Nova allows one)", "hosts")
        if len(set(aggregate.hosts)) < len(aggregate.hosts):
            yield case.problem("aggregates", aggregate.name, "names a host twice (keep one)", "hosts")

"""An estate in a few numbers: what each room holds, at each level, and how near its feeds are to their limits."""

from collections import Counter
from dataclasses import dataclass

from inventory.checks import power
from inventory.model import IN_NOVA, Classification, Estate, Host


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomTotals:
    """`hosts_by_clearance` holds every level; capacity counts the hosts that are in Nova."""

    room: str
    site: str
    racks: int
    hosts: int
    hosts_by_clearance: dict[str, int]
    threads: int
    memory_gib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelTotals:
    """What systems of one level ask for, and what the hosts cleared for at least that level hold, in GiB of memory."""

    level: str
    systems: int
    vms: int
    vms_memory_gib: int
    cleared_hosts: int
    cleared_memory_gib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedTotals:
    """What the feed may carry, and would draw with its partner failed: all hosts idle, all hosts at their peak."""

    feed: str
    room: str
    partner: str | None
    limit_watts: float
    idle_watts: float
    peak_watts: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    name: str
    timezone: str
    vm_target: int | None
    vms: int
    counts: dict[str, int]
    rooms: tuple[RoomTotals, ...]
    levels: tuple[LevelTotals, ...]
    feeds: tuple[FeedTotals, ...]


def summary(estate: Estate) -> Summary:
    """The summary of a valid estate."""
    levels = _levels(estate)
    tables = (
        "sites",
        "rooms",
        "zones",
        "racks",
        "pdus",
        "feeds",
        "devices",
        "hosts",
        "agencies",
        "systems",
        "data_sets",
    )
    return Summary(
        name=estate.name,
        timezone=estate.timezone,
        vm_target=estate.vm_target,
        vms=sum(level.vms for level in levels),
        counts={table: len(getattr(estate, table)) for table in tables},
        rooms=tuple(_room(estate, name) for name in estate.rooms),
        levels=levels,
        feeds=_feeds(estate),
    )


def _room(estate: Estate, room: str) -> RoomTotals:
    racks = {rack.name for rack in estate.racks.values() if rack.room == room}
    hosts = [host for host in estate.hosts.values() if host.rack in racks]
    cleared = Counter(host.clearance for host in hosts)
    serving = [estate.host_types[host.type] for host in hosts if host.lifecycle in IN_NOVA]
    return RoomTotals(
        room=room,
        site=estate.rooms[room].site,
        racks=len(racks),
        hosts=len(hosts),
        hosts_by_clearance={level.name.lower(): cleared[level] for level in Classification},
        threads=sum(each.vcpus for each in serving),
        memory_gib=sum(each.memory_mib for each in serving) // 1024,
    )


def _levels(estate: Estate) -> tuple[LevelTotals, ...]:
    totals = []
    for level in Classification:
        systems = [system for system in estate.systems.values() if system.classification is level]
        sets = [vm_set for system in systems for vm_set in system.vm_sets]
        cleared = [host for host in estate.hosts.values() if host.clearance >= level and host.lifecycle in IN_NOVA]
        totals.append(
            LevelTotals(
                level=level.name.lower(),
                systems=len(systems),
                vms=sum(each.count for each in sets),
                vms_memory_gib=sum(each.count * estate.flavors[each.flavor].memory_mib for each in sets) // 1024,
                cleared_hosts=len(cleared),
                cleared_memory_gib=int(sum(_admitted_mib(estate, host) for host in cleared) // 1024),
            )
        )
    return tuple(totals)


def _admitted_mib(estate: Estate, host: Host) -> float:
    kind = estate.host_types[host.type]
    return (kind.memory_mib - kind.reserved_memory_mib) * kind.memory_ratio


def _feeds(estate: Estate) -> tuple[FeedTotals, ...]:
    return tuple(
        FeedTotals(
            feed=load.row,
            room=estate.feeds[load.row].room,
            partner=estate.feeds[load.row].partner,
            limit_watts=load.limit_watts,
            idle_watts=load.idle_watts,
            peak_watts=load.peak_watts,
        )
        for load in power.loads(estate)
        if load.table == "feeds"
    )

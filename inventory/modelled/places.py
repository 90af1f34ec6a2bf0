"""Sites, rooms, zones, feeds, racks, PDUs, UPS, switches and hosts: modelled, sized so that a normal day fits.

A zone (a row of racks) has a pair of feeds, A and B, each with its UPS; each rack has a PDU on each, and a pair of
switches with two uplinks each. Feeds are rated to carry their hosts alone at 30 % load with 15 % to spare, PDUs with
35 %: a hot row outgrows its feed before its hosts' CPUs are full.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inventory.checks.power import phase_limit_watts
from inventory.facility import Device, DeviceKind, Feed, Pdu, Rack, Room, Site, SnmpProfile, Zone
from inventory.model import Bmc, Classification, Cord, Host, HostType, NumaCell
from inventory.modelled.addressing import Addressing
from inventory.modelled.sizes import Sizes
from inventory.wiring import Nic

_OPEN, _INTERNAL, _CONFIDENTIAL, _SECRET = Classification

CLEARANCES = (
    _SECRET, _CONFIDENTIAL, _INTERNAL, _OPEN, _INTERNAL, _OPEN,
    _CONFIDENTIAL, _INTERNAL, _OPEN, _INTERNAL, _OPEN, _INTERNAL,
)  # fmt: skip
"""Clearances go round so: of twelve hosts one is cleared for secret, two for confidential."""

VENDORS = (SnmpProfile.IDRAC, SnmpProfile.ILO, SnmpProfile.XCC, SnmpProfile.SUPERMICRO)
PDU_PROFILES = (SnmpProfile.APC_PDU, SnmpProfile.RARITAN_PDU)
_PDU_RATINGS = ((1, 16.0), (3, 16.0), (3, 32.0), (3, 63.0))
"""Phases and amperes of the PDUs that are bought, smallest first."""

_RACKS_FOR_TWO_ROOMS = 4
_TYPICAL_LOAD = 0.30
_FEED_HEADROOM = 1.15
_PDU_HEADROOM = 1.35
_RACK_BASE_WATTS = 150.0
_FEED_STEP_WATTS = 500.0
_UPLINKS = frozenset({"Ethernet49/1", "Ethernet50/1"})


_NICS = (
    *(Nic(name=name, bond="bond0") for name in ("eno1", "eno2")),
    *(Nic(name=name, bond="bond1") for name in ("ens1f0", "ens1f1")),
)


def _host_type(
    generation: str,
    threads: int,
    memory_gib: int,
    disk_gib: int,
    watts: tuple[float, float],
    *,
    firmware: Mapping[str, str],
) -> HostType:
    cell = NumaCell(vcpus=threads // 2, memory_mib=memory_gib * 1024 // 2)
    return HostType(
        name=f"{generation}-{threads}t-{memory_gib}g",
        vcpus=threads,
        memory_mib=memory_gib * 1024,
        disk_gib=disk_gib,
        idle_watts=watts[0],
        peak_watts=watts[1],
        generation=generation,
        numa=(cell, cell),
        nics=_NICS,
        firmware=firmware,
        shared_storage=True,
    )


_GEN1 = _host_type(
    "gen1", 64, 512, 7_680, (180.0, 520.0), firmware={"bios": "2.19.1", "bmc": "4.40.10", "nic": "20.5.13"}
)
_GEN2 = _host_type(
    "gen2", 96, 768, 11_520, (210.0, 640.0), firmware={"bios": "1.12.2", "bmc": "6.10.80", "nic": "22.0.5"}
)
_GEN3 = _host_type(
    "gen3", 128, 1024, 15_360, (240.0, 800.0), firmware={"bios": "1.6.6", "bmc": "7.10.30", "nic": "22.5.7"}
)
HOST_TYPES = (_GEN1, _GEN2, _GEN3)
_BOUGHT = (_GEN1, _GEN1, _GEN2, _GEN2, _GEN3)
"""Racks are bought whole, in these proportions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Everything that stands somewhere."""

    sites: tuple[Site, ...]
    rooms: tuple[Room, ...]
    zones: tuple[Zone, ...]
    feeds: tuple[Feed, ...]
    racks: tuple[Rack, ...]
    pdus: tuple[Pdu, ...]
    devices: tuple[Device, ...]
    hosts: tuple[Host, ...]


def places(sizes: Sizes, addressing: Addressing) -> Places:
    """All places and hosts of an estate of those sizes; no chance in it."""
    rack_count = -(-sizes.hosts // sizes.hosts_per_rack)
    least = 2 if rack_count >= _RACKS_FOR_TWO_ROOMS else 1
    zone_count = max(least, -(-rack_count // sizes.racks_per_zone))
    room_count = max(least, -(-zone_count // sizes.zones_per_room))
    site_count = -(-room_count // sizes.rooms_per_site)
    sites = tuple(Site(name=f"site-{n + 1}", title=f"Site {n + 1} (modelled)") for n in range(site_count))
    rooms = tuple(Room(name=f"room-{n + 1}", site=sites[n * site_count // room_count].name) for n in range(room_count))
    zones = tuple(Zone(name=f"zone-{n + 1}", room=rooms[n * room_count // zone_count].name) for n in range(zone_count))
    racks = tuple(_rack(n, zones[n * zone_count // rack_count]) for n in range(rack_count))
    types = [_BOUGHT[n % len(_BOUGHT)] for n in range(rack_count)]
    per_rack = [sizes.hosts_per_rack] * (rack_count - 1)
    per_rack.append(sizes.hosts - sum(per_rack))
    pdus = [_pdus(n, rack, types[n], per_rack[n], addressing) for n, rack in enumerate(racks)]
    hosts = _hosts(racks, types, per_rack, pdus, addressing)
    feeds = _feeds(zones, racks, types, per_rack)
    return Places(
        sites=sites,
        rooms=rooms,
        zones=zones,
        feeds=feeds,
        racks=racks,
        pdus=tuple(pdu for pair in pdus for pdu in pair),
        devices=(
            *(_ups(n, feed, addressing) for n, feed in enumerate(feeds)),
            *(_switch(n, side, rack, addressing) for n, rack in enumerate(racks) for side in ("a", "b")),
        ),
        hosts=hosts,
    )


def _rack(index: int, zone: Zone) -> Rack:
    return Rack(name=f"rack-{index + 1:03d}", room=zone.room, zone=zone.name, base_watts=_RACK_BASE_WATTS)


def _feed_names(zone: Zone) -> tuple[str, str]:
    number = zone.name.removeprefix("zone-")
    return f"feed-{number}a", f"feed-{number}b"


def _typical_watts(host_type: HostType, count: int) -> float:
    load = host_type.idle_watts + _TYPICAL_LOAD * (host_type.peak_watts - host_type.idle_watts)
    return _RACK_BASE_WATTS + count * load


def _feeds(
    zones: Sequence[Zone], racks: Sequence[Rack], types: Sequence[HostType], per_rack: Sequence[int]
) -> tuple[Feed, ...]:
    typical = dict.fromkeys((zone.name for zone in zones), 0.0)
    for rack, host_type, count in zip(racks, types, per_rack, strict=True):
        typical[rack.zone] += _typical_watts(host_type, count)
    feeds = []
    for zone in zones:
        rated = typical[zone.name] * _FEED_HEADROOM / 0.8
        rated = math.ceil(rated / _FEED_STEP_WATTS) * _FEED_STEP_WATTS
        first, second = _feed_names(zone)
        feeds.append(Feed(name=first, room=zone.room, rated_watts=rated, partner=second))
        feeds.append(Feed(name=second, room=zone.room, rated_watts=rated, partner=first))
    return tuple(feeds)


def _pdus(index: int, rack: Rack, host_type: HostType, count: int, addressing: Addressing) -> tuple[Pdu, Pdu]:
    wanted = _typical_watts(host_type, count) * _PDU_HEADROOM
    first, second = (_pdu(index, side, rack, wanted, addressing) for side in ("a", "b"))
    return first, second


def _pdu(index: int, side: str, rack: Rack, wanted_watts: float, addressing: Addressing) -> Pdu:
    candidates = [
        Pdu(
            name=f"{rack.name}-{side}",
            rack=rack.name,
            feed=f"feed-{rack.zone.removeprefix('zone-')}{side}",
            rated_amps=amps,
            phases=phases,
            address=addressing.pdu(index, side),
            profile=PDU_PROFILES[index % len(PDU_PROFILES)],
            credential="pdu-v2c",
        )
        for phases, amps in _PDU_RATINGS
    ]
    return next((pdu for pdu in candidates if phase_limit_watts(pdu) * pdu.phases >= wanted_watts), candidates[-1])


def _hosts(
    racks: Sequence[Rack],
    types: Sequence[HostType],
    per_rack: Sequence[int],
    pdus: Sequence[tuple[Pdu, Pdu]],
    addressing: Addressing,
) -> tuple[Host, ...]:
    hosts: list[Host] = []
    for index, rack in enumerate(racks):
        for position in range(per_rack[index]):
            unit = 1 + 2 * position
            number = len(hosts)
            cords = tuple(Cord(pdu=pdu.name, phase=position % pdu.phases + 1) for pdu in pdus[index])
            bmc = Bmc(address=addressing.bmc(index, unit), profile=VENDORS[index % len(VENDORS)], credential="bmc-v3")
            host = Host(
                name=f"cmp{number + 1:04d}",
                type=types[index].name,
                rack=rack.name,
                unit=unit,
                clearance=CLEARANCES[number % len(CLEARANCES)],
                cords=cords,
                bmc=bmc,
                address=addressing.host(index, unit),
                exporters=addressing.exporters(index, unit),
                networks=addressing.networks(index, unit),
            )
            hosts.append(host)
    return tuple(hosts)


def _ups(index: int, feed: Feed, addressing: Addressing) -> Device:
    return Device(
        name=f"ups-{feed.name.removeprefix('feed-')}",
        kind=DeviceKind.UPS,
        serves=feed.name,
        address=addressing.ups(index),
        profile=SnmpProfile.UPS_MIB,
        credential="ups-v2c",
    )


def _switch(index: int, side: str, rack: Rack, addressing: Addressing) -> Device:
    return Device(
        name=f"sw-{rack.name.removeprefix('rack-')}-{side}",
        kind=DeviceKind.SWITCH,
        serves=rack.name,
        address=addressing.switch(index, side),
        profile=SnmpProfile.IF_MIB,
        credential="switch-v3",
        uplinks=_UPLINKS,
    )

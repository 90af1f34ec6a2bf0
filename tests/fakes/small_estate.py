"""A small estate in code: two rooms, four racks, eight hosts behind every SNMP profile, forty VMs of two agencies."""

from inventory.facility import Device, DeviceKind, Feed, Pdu, Rack, Room, Site, SnmpProfile, Zone
from inventory.model import (
    Agency,
    Bmc,
    Classification,
    Cord,
    Domain,
    Estate,
    Flavor,
    Host,
    HostType,
    Spread,
    System,
    Tier,
    VmSet,
)

BMC_PROFILES = (SnmpProfile.IDRAC, SnmpProfile.ILO, SnmpProfile.XCC, SnmpProfile.SUPERMICRO)


def small_estate(*, snmp_port: int = 16161, node_port: int = 19100, libvirt_port: int = 19177) -> Estate:
    """Hosts h1 to h8, two a rack (r1 to r4); rooms north (feeds NA, NB) and south (SA, SB)."""
    rooms = {name: Room(name=name, site="site") for name in ("north", "south")}
    room_of = {"r1": "north", "r2": "north", "r3": "south", "r4": "south"}
    feeds = {}
    for room, letter in (("north", "N"), ("south", "S")):
        for side, partner in (("A", "B"), ("B", "A")):
            feeds[letter + side] = Feed(name=letter + side, room=room, rated_watts=4500.0, partner=letter + partner)
    return Estate(
        name="small",
        sites={"site": Site(name="site")},
        rooms=rooms,
        zones={f"zone-{room}": Zone(name=f"zone-{room}", room=room) for room in rooms},
        feeds=feeds,
        racks={n: Rack(name=n, room=room, zone=f"zone-{room}", base_watts=100.0) for n, room in room_of.items()},
        pdus=_pdus(room_of, snmp_port),
        devices={
            f"ups-{feed}": Device(
                name=f"ups-{feed}", kind=DeviceKind.UPS, serves=feed, address=f"127.20.9.{n}:{snmp_port}",
                profile=SnmpProfile.UPS_MIB, credential="ups-v2c",
            )
            for n, feed in enumerate(feeds, 1)
        }
        | _switches(room_of, snmp_port),
        host_types={
            "plain": HostType(
                name="plain", vcpus=32, memory_mib=131072, disk_gib=2000, idle_watts=150.0, peak_watts=550.0,
                traits=frozenset({"HW_CPU_X86_AVX2"}),
            )
        },
        hosts={f"h{n}": _host(n, snmp_port, node_port, libvirt_port) for n in range(1, 9)},
        flavors={
            "m2": Flavor(name="m2", vcpus=2, memory_mib=4096, disk_gib=20, classification=Classification.OPEN),
            "m4s": Flavor(
                name="m4s", vcpus=4, memory_mib=8192, disk_gib=40, classification=Classification.SECRET,
            ),
        },
        agencies={name: Agency(name=name) for name in ("health", "roads")},
        systems={
            "clinic": System(
                name="clinic", agency="health", project="health-clinic", classification=Classification.SECRET,
                tier=Tier.CRITICAL,
                vm_sets=(
                    VmSet(
                        role="db", flavor="m4s", count=4, spreads=(Spread(domain=Domain.HOST, max_per_domain=1),)
                    ),
                ),
            ),
            "buses": System(
                name="buses", agency="roads", project="roads-buses", classification=Classification.OPEN,
                tier=Tier.STANDARD, vm_sets=(VmSet(role="web", flavor="m2", count=36),),
            ),
        },
    )  # fmt: skip


def _pdus(room_of: dict[str, str], port: int) -> dict[str, Pdu]:
    pdus = {}
    for n, (rack, room) in enumerate(room_of.items(), 1):
        for k, side in enumerate("AB"):
            profile = SnmpProfile.APC_PDU if side == "A" else SnmpProfile.RARITAN_PDU
            pdus[f"pdu-{rack}-{side}"] = Pdu(
                name=f"pdu-{rack}-{side}", rack=rack, feed=room[0].upper() + side, rated_amps=16.0, phases=3,
                address=f"127.20.{n}.{200 + k}:{port}", profile=profile, credential="pdu-v2c",
            )  # fmt: skip
    return pdus


def _switches(room_of: dict[str, str], port: int) -> dict[str, Device]:
    """Two switches a rack, `sw-r1-A` with one uplink, `sw-r1-B` with two."""
    found = {}
    for n, rack in enumerate(room_of, 1):
        for k, (side, uplinks) in enumerate((("A", {"Ethernet49"}), ("B", {"Ethernet49", "Ethernet50"}))):
            found[f"sw-{rack}-{side}"] = Device(
                name=f"sw-{rack}-{side}", kind=DeviceKind.SWITCH, serves=rack, address=f"127.20.{n}.{210 + k}:{port}",
                profile=SnmpProfile.IF_MIB, credential="switch-v3" if k else "switch-v2c", uplinks=frozenset(uplinks),
            )  # fmt: skip
    return found


def _host(n: int, snmp_port: int, node_port: int, libvirt_port: int) -> Host:
    rack = (n + 1) // 2
    address = f"127.20.{rack}.{10 + n}"
    return Host(
        name=f"h{n}",
        type="plain",
        rack=f"r{rack}",
        unit=10 + n,
        clearance=Classification.SECRET if n % 2 else Classification.OPEN,
        cords=(Cord(pdu=f"pdu-r{rack}-A", phase=1 + n % 3), Cord(pdu=f"pdu-r{rack}-B", phase=1 + n % 3)),
        bmc=Bmc(address=f"{address}:{snmp_port}", profile=BMC_PROFILES[n % 4], credential="bmc-v3"),
        address=address,
        exporters=(f"{address}:{node_port}", f"{address}:{libvirt_port}"),
    )

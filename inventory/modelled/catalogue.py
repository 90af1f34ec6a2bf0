"""What the cloud offers: flavors and volume types of each level, provider networks, availability zones. Modelled."""

from inventory.model import Aggregate, Classification, Flavor, Host, Network, Rack, VolumeType, clearance_trait

SHAPES: dict[str, tuple[int, int, int]] = {
    "1c2g": (1, 2, 20),
    "2c4g": (2, 4, 40),
    "2c8g": (2, 8, 40),
    "4c8g": (4, 8, 80),
    "4c16g": (4, 16, 80),
    "8c16g": (8, 16, 160),
    "8c32g": (8, 32, 160),
    "16c64g": (16, 64, 320),
}
"""vCPUs, GiB of memory and GiB of disk by the shape's name."""

_BACKENDS = {"standard": ("ceph-hdd", 1_000, 120), "fast": ("ceph-nvme", 8_000, 400)}


def flavor_name(level: Classification, shape: str) -> str:
    """`confidential.4c16g`"""
    return f"{level.name.lower()}.{shape}"


def flavors() -> tuple[Flavor, ...]:
    """Every shape at every level, each requiring the trait of its level."""
    return tuple(
        Flavor(
            name=flavor_name(level, shape),
            vcpus=vcpus,
            memory_mib=memory_gib * 1024,
            disk_gib=disk_gib,
            classification=level,
            extra_specs={f"trait:{clearance_trait(level)}": "required"},
        )
        for level in Classification
        for shape, (vcpus, memory_gib, disk_gib) in SHAPES.items()
    )


def volume_types() -> tuple[VolumeType, ...]:
    """A standard and a fast one at every level."""
    return tuple(
        VolumeType(
            name=f"{level.name.lower()}-{speed}",
            classification=level,
            backend=backend,
            max_iops=max_iops,
            max_mib_s=max_mib_s,
        )
        for level in Classification
        for speed, (backend, max_iops, max_mib_s) in _BACKENDS.items()
    )


def networks() -> tuple[Network, ...]:
    """One provider network a level."""
    return tuple(
        Network(
            name=f"provider-{level.name.lower()}",
            cidr=f"10.{16 + level}.0.0/16",
            physical_network="physnet1",
            vlan=100 + level,
            classification=level,
        )
        for level in Classification
    )


def availability_zones(racks: tuple[Rack, ...], hosts: tuple[Host, ...]) -> tuple[Aggregate, ...]:
    """One availability zone a room."""
    room_of = {rack.name: rack.room for rack in racks}
    rooms = dict.fromkeys(rack.room for rack in racks)
    return tuple(
        Aggregate(
            name=f"az-{room}",
            hosts=tuple(host.name for host in hosts if room_of[host.rack] == room),
            availability_zone=f"az-{room}",
        )
        for room in rooms
    )

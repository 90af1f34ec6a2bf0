"""What the cloud offers: flavors and volume types of each level, images, provider networks, availability zones, and the
operators' groups. Modelled.
"""

import uuid

from inventory.facility import Rack
from inventory.model import (
    Aggregate,
    Classification,
    Flavor,
    Host,
    Image,
    Network,
    NetworkUse,
    OperatorGroup,
    StorageBackend,
    VolumeType,
)

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

_GIB_PER_VCPU_OF_MEMORY_FAMILY = 4
_IMAGES = (
    ("ubuntu-24.04", "ubuntu", Classification.OPEN),
    ("rocky-9", "rocky", Classification.OPEN),
    ("windows-server-2022", "windows", Classification.OPEN),
    ("ubuntu-24.04-hardened", "ubuntu", Classification.CONFIDENTIAL),
)
_IMAGE_IDS = uuid.UUID("6b1f2f5e-9a0c-4c1d-8a35-1f0f6f4a7c11")
"""The namespace that modelled images' ids are derived in."""

_BACKENDS = {"standard": ("ceph-hdd", 1_000, 120), "fast": ("ceph-nvme", 8_000, 400)}
_LEAST_CLUSTER_GIB = 64 * 1024
_GIB_PER_VM = 64


def flavor_name(level: Classification, shape: str) -> str:
    """`confidential.4c16g`"""
    return f"{level.name.lower()}.{shape}"


def flavors() -> tuple[Flavor, ...]:
    """Every shape at every level."""
    return tuple(
        Flavor(
            name=flavor_name(level, shape),
            vcpus=vcpus,
            memory_mib=memory_gib * 1024,
            disk_gib=disk_gib,
            classification=level,
            family="memory" if memory_gib >= vcpus * _GIB_PER_VCPU_OF_MEMORY_FAMILY else "general",
        )
        for level in Classification
        for shape, (vcpus, memory_gib, disk_gib) in SHAPES.items()
    )


def storage_backends(vms: int) -> tuple[StorageBackend, ...]:
    """A cluster of each kind, which grows with the cloud."""
    capacity_gib = max(_LEAST_CLUSTER_GIB, _GIB_PER_VM * vms)
    return tuple(StorageBackend(name=name, capacity_gib=capacity_gib) for name, _, _ in _BACKENDS.values())


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


def images() -> tuple[Image, ...]:
    """Three public images and a hardened one; their ids are modelled."""
    return tuple(
        Image(name=name, id=str(uuid.uuid5(_IMAGE_IDS, name)), classification=level, os=system)
        for name, system, level in _IMAGES
    )


def operators() -> tuple[OperatorGroup, ...]:
    """Who runs the cloud."""
    return (
        OperatorGroup(name="platform-engineers", title="Declare the cloud", roles=("admin",)),
        OperatorGroup(name="on-call", title="Watch and drain", roles=("reader", "gdcc-on-call")),
        OperatorGroup(name="auditors", title="Read everything", roles=("reader",)),
    )


def networks() -> tuple[Network, ...]:
    """An external network a level, and the control VMs' network."""
    external = tuple(
        Network(
            name=f"provider-{level.name.lower()}",
            cidr=f"10.{16 + level}.0.0/16",
            physical_network="physnet1",
            vlan=100 + level,
            classification=level,
            max_mib_s=600,
        )
        for level in Classification
    )
    control = Network(
        name="control",
        cidr="10.20.0.0/24",
        physical_network="physnet1",
        vlan=110,
        classification=Classification.SECRET,
        use=NetworkUse.CONTROL,
    )
    return (*external, control)


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

"""A first estate from what a living cloud shows of itself; what it cannot show is a gap that `check` lists.

Pure: plain rows in, plain rows out for `dump.write_rows`. Racks, feeds, cords, BMCs, watts and classifications are in
no API; a clearance or a level is taken over only where a trait already says it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from inventory.dump import GAP, Row
from inventory.model import Classification, clearance_trait


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """One resource of a host as Placement holds it; None where Placement has no such inventory."""

    total: int | None = None
    reserved: int = 0
    ratio: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudHost:
    """A compute host: `memory` in MiB, `disk` in GiB."""

    name: str
    vcpus: Amount
    memory: Amount
    disk: Amount
    traits: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudAggregate:
    name: str
    hosts: tuple[str, ...]
    availability_zone: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """What was read. Rows of flavors have name, vcpus, memory_mib, disk_gib, extra_specs; of volume types name and
    backend; of networks name, cidr, physical_network, vlan. A missing value is None. `projects` are names."""

    name: str
    hosts: Sequence[CloudHost] = ()
    aggregates: Sequence[CloudAggregate] = ()
    flavors: Sequence[Row] = ()
    volume_types: Sequence[Row] = ()
    networks: Sequence[Row] = ()
    projects: Sequence[str] = ()


def tables(cloud: Cloud) -> dict[str, list[Row]]:
    """The estate's rows by table, with `dump.GAP` for what is not known."""
    hosts = sorted(cloud.hosts, key=lambda host: host.name)
    type_names = _type_names(hosts)
    shared = {key: _shared_traits(_of_type(hosts, key)) for key in type_names}
    return {
        "estate": [{"name": cloud.name}],
        "host_types": [_host_type(name, _of_type(hosts, key)) for key, name in type_names.items()],
        "hosts": [_host(host, type_names[_shape(host)], shared[_shape(host)]) for host in hosts],
        "aggregates": [_aggregate(each) for each in sorted(cloud.aggregates, key=lambda each: each.name)],
        "flavors": [_flavor(row) for row in cloud.flavors],
        "volume_types": [_row(row, ("name", "backend")) | {"classification": GAP} for row in cloud.volume_types],
        "networks": [
            _row(row, ("name", "cidr", "physical_network")) | {"vlan": row.get("vlan"), "classification": GAP}
            for row in cloud.networks
            if row.get("physical_network") is not None
        ],
        "systems": [_system(name) for name in sorted(cloud.projects)],
    }


_Shape = tuple[Amount, Amount, Amount]


def _shape(host: CloudHost) -> _Shape:
    return host.vcpus, host.memory, host.disk


def _of_type(hosts: Iterable[CloudHost], shape: _Shape) -> list[CloudHost]:
    return [host for host in hosts if _shape(host) == shape]


def _type_names(hosts: Iterable[CloudHost]) -> dict[_Shape, str]:
    """A name for each kind of host; hosts of equal resources, reserves and ratios are one kind."""
    names: dict[_Shape, str] = {}
    for host in hosts:
        gib = (host.memory.total or 0) // 1024
        wanted = f"type-{host.vcpus.total or 0}t-{gib}g"
        alike = sum(name == wanted or name.startswith(f"{wanted}-") for name in names.values())
        names.setdefault(_shape(host), wanted if alike == 0 else f"{wanted}-{alike + 1}")
    return names


def _host_type(name: str, hosts: Sequence[CloudHost]) -> Row:
    vcpus, memory, disk = _shape(hosts[0])
    return {
        "name": name,
        "vcpus": _known(vcpus.total),
        "memory_mib": _known(memory.total),
        "disk_gib": _known(disk.total),
        "idle_watts": GAP,
        "peak_watts": GAP,
        "cpu_ratio": vcpus.ratio,
        "memory_ratio": memory.ratio,
        "disk_ratio": disk.ratio,
        "reserved_memory_mib": memory.reserved,
        "reserved_vcpus": vcpus.reserved,
        "reserved_disk_gib": disk.reserved,
        "traits": sorted(trait for trait in _shared_traits(hosts) if _of_the_machine(trait)),
    }


def _shared_traits(hosts: Sequence[CloudHost]) -> frozenset[str]:
    return frozenset.intersection(*(host.traits for host in hosts))


def _of_the_machine(trait: str) -> bool:
    """Whether a trait tells what a machine is, not what Nova's driver can do or whom it is cleared for."""
    return trait.startswith(("HW_", "CUSTOM_")) and not trait.startswith("CUSTOM_CLEARANCE_")


def _host(host: CloudHost, type_name: str, of_type: frozenset[str]) -> Row:
    own = sorted(trait for trait in host.traits - of_type if trait.startswith("CUSTOM_") and _of_the_machine(trait))
    return {
        "name": host.name,
        "type": type_name,
        "rack": GAP,
        "unit": GAP,
        "clearance": _highest(host.traits),
        "cords": GAP,
        "bmc": GAP,
        **({"traits": own} if own else {}),
    }


def _highest(traits: Iterable[str]) -> object:
    """The highest level that the traits tell, as its YAML word, or a gap."""
    known = set(traits)
    levels = [level for level in Classification if clearance_trait(level) in known]
    return max(levels).name.lower() if levels else GAP


def _aggregate(each: CloudAggregate) -> Row:
    metadata = {key: value for key, value in sorted(each.metadata.items()) if key != "availability_zone"}
    row: dict[str, object] = {"name": each.name, "hosts": sorted(each.hosts)}
    if each.availability_zone is not None:
        row["availability_zone"] = each.availability_zone
    return {**row, "metadata": metadata} if metadata else row


def _flavor(row: Row) -> Row:
    given = row.get("extra_specs")
    specs = {str(key): str(value) for key, value in given.items()} if isinstance(given, Mapping) else {}
    level = _highest(key.removeprefix("trait:") for key, value in specs.items() if value == "required")
    own = {key: value for key, value in specs.items() if not key.startswith("trait:CUSTOM_CLEARANCE_")}
    known = _row(row, ("name", "vcpus", "memory_mib", "disk_gib"))
    return {**known, "classification": level, "extra_specs": own}


def _system(project: str) -> Row:
    return {
        "name": project,
        "agency": GAP,
        "project": project,
        "classification": GAP,
        "tier": GAP,
        "modelled": False,
    }


def _row(row: Row, names: Iterable[str]) -> dict[str, object]:
    return {name: _known(row.get(name)) for name in names}


def _known(value: object) -> object:
    return GAP if value is None else value

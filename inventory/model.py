"""What an estate holds, as frozen values: names refer to names, and `validate` says whether they do.

Every value stands in a table of `Estate` keyed by its name. Names are unique within a table. Units are in the names:
MiB and GiB are binary, watts and amperes are alternating-current RMS, temperatures are degrees Celsius.

What hosts stand in is in `facility`, how they are wired in `wiring`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from inventory.facility import Device, Feed, Pdu, Rack, Room, Site, SnmpProfile, Zone
from inventory.wiring import HostNetwork, Nic

ESTATE_VERSION = 1


class Classification(IntEnum):
    """The lattice of data: a higher level may hold what a lower one may, never the reverse."""

    OPEN = 0
    INTERNAL = 1
    CONFIDENTIAL = 2
    SECRET = 3


def clearance_trait(level: Classification) -> str:
    """The trait of every host cleared for that level: a host carries its own level's and every lower one's."""
    return f"CUSTOM_CLEARANCE_{level.name}"


class Lifecycle(StrEnum):
    """Where a host is in its life. Only `REGISTERED` and `IN_SERVICE` hosts are expected in Nova."""

    PLANNED = "planned"
    INSTALLED = "installed"
    REGISTERED = "registered"
    IN_SERVICE = "in-service"
    MAINTENANCE = "maintenance"
    DECOMMISSIONED = "decommissioned"


IN_NOVA = frozenset({Lifecycle.REGISTERED, Lifecycle.IN_SERVICE})
"""The lifecycles of hosts that can hold VMs."""

LISTED_IN_NOVA = IN_NOVA | {Lifecycle.MAINTENANCE}
"""The lifecycles of hosts that Nova lists, and that stand in their aggregates therefore."""


class Domain(StrEnum):
    """Fault domains, narrowest first."""

    HOST = "host"
    RACK = "rack"
    FEED = "feed"
    ZONE = "zone"
    ROOM = "room"
    SITE = "site"


class Tier(IntEnum):
    """How much a system's users notice. Tier 1 may never be paused on purpose; tier 3 may."""

    CRITICAL = 1
    STANDARD = 2
    BASIC = 3


class NetworkUse(StrEnum):
    """What a provider network is for: agencies' routers have their gateway on it, or the control VMs stand on it."""

    EXTERNAL = "external"
    CONTROL = "control"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumaCell:
    vcpus: int
    memory_mib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostType:
    """A model of server. Idle and peak watts bound what `watts` a host can believably report.

    `firmware` is the version that each component should run, such as `bios: 2.19.1`. `shared_storage`: servers' own
    disks (root, ephemeral, swap) stand where all such hosts reach them, as with Ceph or NFS; where it is not said
    (None), a live migration is taken to copy them. `storage_mib_s`: what its storage path (FC, iSCSI, NFS or Ceph
    links) carries, reads and writes together; where it is not said, no host of the type is judged by it.
    """

    name: str
    vcpus: int
    memory_mib: int
    disk_gib: int
    idle_watts: float
    peak_watts: float
    migration_mib_s: float = 1200.0
    cpu_ratio: float = 4.0
    memory_ratio: float = 1.0
    disk_ratio: float = 1.0
    reserved_memory_mib: int = 8192
    reserved_vcpus: int = 0
    reserved_disk_gib: int = 0
    generation: str = ""
    traits: frozenset[str] = frozenset()
    numa: tuple[NumaCell, ...] = ()
    post_copy: bool = False
    shared_storage: bool | None = None
    storage_mib_s: float | None = None
    nics: tuple[Nic, ...] = ()
    firmware: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cord:
    """One power cord: to which PDU, and on which of its phases (1, 2 or 3)."""

    pdu: str
    phase: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bmc:
    address: str
    profile: SnmpProfile
    credential: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """`name` is the host's name in Nova. `exporters` are the host:port addresses of its Prometheus exporters.

    `address` is where it is managed from, on a management network where the estate declares one; `networks` are its
    addresses on the others, by the network's name. `traits` are its own beside its type's, such as of a licence that
    covers it and no other (`CUSTOM_LICENCE_ORACLE`): VMs whose flavor requires it run there alone.
    """

    name: str
    type: str
    rack: str
    unit: int
    clearance: Classification
    cords: tuple[Cord, ...]
    bmc: Bmc | None = None
    address: str | None = None
    exporters: tuple[str, ...] = ()
    lifecycle: Lifecycle = Lifecycle.IN_SERVICE
    networks: Mapping[str, str] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """Nova's host aggregate; `availability_zone` where it makes one.

    A host may be listed before Nova lists it: it is put in from its lifecycle `registered` on (`inventory.aggregates`).
    """

    name: str
    hosts: tuple[str, ...]
    availability_zone: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image known by its Glance `id`; it is never looked up by name, so that a new one of that name changes nothing.

    `classification` is how high its data is: systems of that level or a higher one may boot it, and only an open one is
    public. `os` is Glance's `os_distro`.
    """

    name: str
    id: str
    classification: Classification
    os: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """`family` is its purpose. `extra_specs` leaves out the trait of its level, which `nova_extra_specs` adds."""

    name: str
    vcpus: int
    memory_mib: int
    disk_gib: int
    classification: Classification
    family: str = "general"
    extra_specs: Mapping[str, str] = field(default_factory=dict)

    @property
    def nova_extra_specs(self) -> Mapping[str, str]:
        """The extra specs as Nova holds them: the declared ones, and its level's trait required."""
        return {**self.extra_specs, f"trait:{clearance_trait(self.classification)}": "required"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageBackend:
    """What stands behind volume types, by the name that they have for it.

    `capacity_gib` is what may be promised to projects: of thin volumes more than the disks hold.
    """

    name: str
    capacity_gib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeType:
    """`extra_specs` leaves out `volume_backend_name`, which `cinder_extra_specs` adds from `backend`.

    `backend` is one of `storage_backends`, where the estate states any.
    """

    name: str
    classification: Classification
    backend: str
    max_iops: int | None = None
    max_mib_s: int | None = None
    extra_specs: Mapping[str, str] = field(default_factory=dict)

    @property
    def cinder_extra_specs(self) -> Mapping[str, str]:
        """The extra specs as Cinder holds them: the declared ones, and its backend."""
        return {**self.extra_specs, "volume_backend_name": self.backend}


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A provider network; agencies' own networks are derived from `Agency.pool` and stand in no file.

    `gateway` is the subnet's first address where it is not given. `max_mib_s` is what each port of it may send, and
    receive.
    """

    name: str
    cidr: str
    physical_network: str
    vlan: int | None
    classification: Classification
    use: NetworkUse = NetworkUse.EXTERNAL
    gateway: str | None = None
    max_mib_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much moving an agency or a system bears: at once, and in any hour."""

    at_once: int
    per_hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """At most `max_per_domain` of the VMs of one set in one fault domain, and VMs of it in `at_least` domains.

    At least one of the two is said: no most is as many as there are, and at least one domain says nothing.
    """

    domain: Domain
    max_per_domain: int | None = None
    at_least: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VmSet:
    """`count` VMs of one flavor and role that a system asks for, named `{system}-{role}-{n}`.

    `spreads`, in YAML `spread`, bind the VMs of this set to each other: one rule, or a list of them, each for another
    kind of domain.
    """

    role: str
    flavor: str
    count: int
    spreads: tuple[Spread, ...] = field(default=(), metadata={"alone": "spread"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Block storage that a system asks for, of one volume type, its VMs' own disks not counted."""

    volume_type: str
    size_gib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What a system's project is held to where that is not derived (`inventory.quotas`). None: derived."""

    instances: int | None = None
    cores: int | None = None
    memory_mib: int | None = None
    key_pairs: int | None = None
    server_groups: int | None = None
    server_group_members: int | None = None
    volumes: int | None = None
    volume_gib: int | None = None
    snapshots: int | None = None
    backups: int | None = None
    backup_gib: int | None = None
    volume_groups: int | None = None
    networks: int | None = None
    subnets: int | None = None
    routers: int | None = None
    ports: int | None = None
    floating_ips: int | None = None
    security_groups: int | None = None
    security_group_rules: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A time of the week, local to `Estate.timezone`: days 0 (Monday) to 6, minutes from midnight."""

    days: frozenset[int]
    start_minute: int
    end_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """For how many `seconds` at most each server may be paused, to end a copy of it that would not converge.

    In these `windows`, while its servers may be moved at all; none: whenever they may be.
    """

    seconds: int
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """An agency's system: one Keystone project, named `project`. VMs move only inside `windows`, never in `blackouts`.

    No windows means at any time. Its network has a subnet of `subnet_prefix` bits from its agency's pool, and is shared
    with the systems of `share_network_with`. A list of VM sets that grows never changes the subnet. One that was there
    before the estate, outside of every pool, is named by its range as `subnet`, and taken over as it is.

    `pause` is what its agency bears where a copy of one of its servers would not end otherwise.

    Systems that name the same `room_group` stand in one room together: they depend on each other, or talk much. One
    that no other names keeps its own VMs in one room. The room is the one that holds most of them: where they stand in
    several, all others are moved there at once, within budgets (declare it while the mode is `recommend`, and look).

    `formerly` are names that it bore before, the first one first: by them its stack finds what it has.
    """

    name: str
    agency: str
    project: str
    classification: Classification
    tier: Tier
    title: str = ""
    budget: Budget | None = None
    vm_sets: tuple[VmSet, ...] = ()
    windows: tuple[Window, ...] = ()
    blackouts: tuple[Window, ...] = ()
    pause: Pause | None = None
    storage: tuple[Storage, ...] = ()
    quota: Quota | None = None
    subnet_prefix: int = 26
    subnet: str | None = None
    share_network_with: tuple[str, ...] = ()
    room_group: str | None = None
    formerly: tuple[str, ...] = ()
    modelled: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """Its name, and those that it bore before."""
        return (self.name, *self.formerly)

    @property
    def first_name(self) -> str:
        """The name it was first deployed by, which what the cloud cannot rename keeps."""
        return self.formerly[0] if self.formerly else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """`pool` is the range that its systems' subnets are taken from; none: its systems have no network of their own."""

    name: str
    title: str = ""
    budget: Budget | None = None
    pool: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorGroup:
    """A group of the operators' domain, and its roles in every project there. Agencies' groups are derived."""

    name: str
    roles: tuple[str, ...]
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A shared data set: its agency's container, read by the agencies it names, or by everybody (`public`)."""

    name: str
    system: str
    classification: Classification
    readers: tuple[str, ...] = ()
    public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something a draft could not know: where it stands and what belongs there."""

    table: str
    name: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """The whole estate. Each table maps a name to its value, in the order of the files.

    `modelled` says, in sentences, which of its numbers stand on no public record. `other_volume_types` are those that
    the cloud has and this estate does not declare: no project has room in them. Cinder makes `__DEFAULT__` itself.
    """

    name: str
    timezone: str = "Asia/Bangkok"
    vm_target: int | None = None
    other_volume_types: tuple[str, ...] = ("__DEFAULT__",)
    modelled: tuple[str, ...] = ()
    sites: Mapping[str, Site] = field(default_factory=dict)
    rooms: Mapping[str, Room] = field(default_factory=dict)
    zones: Mapping[str, Zone] = field(default_factory=dict)
    feeds: Mapping[str, Feed] = field(default_factory=dict)
    racks: Mapping[str, Rack] = field(default_factory=dict)
    pdus: Mapping[str, Pdu] = field(default_factory=dict)
    devices: Mapping[str, Device] = field(default_factory=dict)
    host_types: Mapping[str, HostType] = field(default_factory=dict)
    host_networks: Mapping[str, HostNetwork] = field(default_factory=dict)
    hosts: Mapping[str, Host] = field(default_factory=dict)
    aggregates: Mapping[str, Aggregate] = field(default_factory=dict)
    flavors: Mapping[str, Flavor] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    storage_backends: Mapping[str, StorageBackend] = field(default_factory=dict)
    volume_types: Mapping[str, VolumeType] = field(default_factory=dict)
    networks: Mapping[str, Network] = field(default_factory=dict)
    operators: Mapping[str, OperatorGroup] = field(default_factory=dict)
    agencies: Mapping[str, Agency] = field(default_factory=dict)
    systems: Mapping[str, System] = field(default_factory=dict)
    data_sets: Mapping[str, DataSet] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing wrong with an estate: where (`file:line`, empty when it is nowhere in particular), what, what to do."""

    where: str
    what: str


def host_zone(estate: Estate, host: Host) -> Zone:
    """The cooling zone the host's rack stands in."""
    return estate.zones[estate.racks[host.rack].zone]


def host_feeds(estate: Estate, host: Host) -> tuple[str, ...]:
    """Names of the feeds the host's cords hang on, sorted, each once."""
    return tuple(sorted({estate.pdus[cord.pdu].feed for cord in host.cords}))

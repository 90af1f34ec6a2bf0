"""A snapshot: everything a plan may know, as columns.

Row `i` of every array of a table is one thing; tables refer to each other by row (`-1`: none, or not known). Booleans
are facts, not judgements: what the planner makes of them is in `planner.rules`. Times are seconds since the epoch.
Written and read by `adapters.snapshot_file`; its JSON Schema is docs/snapshot.schema.json.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from controller.model.ids import HostName, ServerId
from controller.model.sample import FloatColumn, IntColumn, Trust
from inventory.model import Domain, NumaCell

BoolColumn = NDArray[np.bool_]
ByteColumn = NDArray[np.int8]

SNAPSHOT_VERSION = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One quantity of every row of a table, each with its time, its source and what the trust gate says of it.

    All shape (N,). `source` indexes `Cluster.sources`, -1 where there is none. A value counts only where `trust` is
    FRESH; elsewhere it is shown to people (NaN where absent) and never used.
    """

    values: FloatColumn
    at: FloatColumn
    source: IntColumn
    trust: ByteColumn

    @property
    def fresh(self) -> BoolColumn:
        """Where the value may be used."""
        return np.equal(self.trust, Trust.FRESH)


def absent(count: int) -> Reading:
    """A column of nothing: no value, time or source."""
    return Reading(
        values=np.full(count, np.nan),
        at=np.full(count, np.nan),
        source=np.full(count, -1, np.int32),
        trust=np.full(count, Trust.ABSENT, np.int8),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Compute hosts, H rows, sorted by name. `type`: row of the host types, -1 where the inventory does not know it.

    `vcpus`, `memory_mib`, `disk_gib`: what Placement admits, (total - reserved) * ratio; `reserved_*`: what it keeps
    back for the host itself. `threads` and `physical_memory_mib`: the machine. `power` (H, K): rows of the power
    table a host hangs on, padded with -1. `known`: the inventory has it. `trusted`: it has every fresh reading that
    policy asks of a host. `unread_health`: its BMC should tell its health, and has told none, or nothing of its
    memory where it can. `draining`: an operator's drain is under way (or done and not yet undone). `withheld`: a mode
    or a pause keeps moves off it, and one to it. `watts_per_thread` and `watts_error`: the fitted slope (watts for
    one more busy thread) and its margin. `shared_storage`: its servers' own disks stand where other such hosts reach
    them, so that a live migration between two of them copies none; `unsaid_storage`: nobody says whether they do.
    `cpu_high_ratio`, `network_high_bytes_s`: the high quantile of what was read lately (`policy.Recent`), NaN where too
    little was. `storage_mib_s`: what its storage path carries, reads and writes together; NaN where nobody says, and
    then nothing of it is judged.
    """

    names: tuple[HostName, ...]
    rack: IntColumn
    type: IntColumn
    clearance: ByteColumn
    vcpus: FloatColumn
    memory_mib: FloatColumn
    disk_gib: FloatColumn
    reserved_vcpus: FloatColumn
    reserved_memory_mib: FloatColumn
    reserved_disk_gib: FloatColumn
    threads: FloatColumn
    physical_memory_mib: FloatColumn
    migration_mib_s: FloatColumn
    storage_mib_s: FloatColumn
    post_copy: BoolColumn
    shared_storage: BoolColumn
    unsaid_storage: BoolColumn
    enabled: BoolColumn
    up: BoolColumn
    known: BoolColumn
    trusted: BoolColumn
    unread_health: BoolColumn
    draining: BoolColumn
    withheld: BoolColumn
    power: IntColumn
    watts_per_thread: FloatColumn
    watts_error: FloatColumn
    traits: tuple[frozenset[str], ...]
    availability_zone: tuple[str | None, ...]
    cpu_ratio: Reading
    cpu_high_ratio: FloatColumn
    memory_bytes: Reading
    memory_pressure_ratio: Reading
    network_bytes_s: Reading
    network_high_bytes_s: FloatColumn
    storage_bytes_s: Reading
    power_watts: Reading
    inlet_celsius: Reading
    memory_health: Reading
    psu_health: Reading
    fan_health: Reading
    disk_health: Reading


class VmState(IntEnum):
    """What matters of Nova's server status."""

    ACTIVE = 0
    PAUSED = 1
    SHUTOFF = 2
    OTHER = 3
    """VERIFY_RESIZE, SUSPENDED, RESCUE, ERROR …: nothing of ours moves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vms:
    """Servers, V rows, sorted by id.

    `host`: where Nova says it is. `target`: the other end of a migration that has not ended, -1 for none: while it is
    set the VM counts on both. `system`: -1 where its project is unknown, and then `classification` is the highest.
    `busy`: a task or a migration is under way; a resize that only waits to be confirmed has a target and is not busy.
    `fit_known`: False for pinned, NUMA and PCI guests whose fit on another host cannot be shown. `cooldown_until`: it
    rests until then (0: it does not). `cpu_high_vcpus`, `network_high_bytes_s`: as of hosts. `cpu_ahead_vcpus`: what it
    used in the hour that now begins, a day or a week ago.
    """

    ids: tuple[ServerId, ...]
    names: tuple[str, ...]
    host: IntColumn
    target: IntColumn
    system: IntColumn
    classification: ByteColumn
    requirement: IntColumn
    flavor: IntColumn
    vcpus: FloatColumn
    memory_mib: FloatColumn
    disk_gib: FloatColumn
    state: ByteColumn
    busy: BoolColumn
    locked: BoolColumn
    fit_known: BoolColumn
    cooldown_until: FloatColumn
    cpu_vcpus: Reading
    cpu_high_vcpus: FloatColumn
    cpu_ahead_vcpus: Reading
    steal_ratio: Reading
    memory_bytes: Reading
    network_bytes_s: Reading
    network_high_bytes_s: FloatColumn
    storage_bytes_s: Reading
    dirty_bytes_s: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTypes:
    """Models of server, sorted by name. `numa`: the cells of each, none where the inventory does not tell them.

    The others are what a host of the type would have, in the words of `Hosts`: by the inventory, so that more of them
    may be asked about while none is in service. `idle_watts`: what one draws that carries nothing.
    """

    names: tuple[str, ...]
    generation: tuple[str, ...]
    numa: tuple[tuple[NumaCell, ...], ...]
    vcpus: FloatColumn
    memory_mib: FloatColumn
    disk_gib: FloatColumn
    reserved_vcpus: FloatColumn
    reserved_memory_mib: FloatColumn
    reserved_disk_gib: FloatColumn
    threads: FloatColumn
    physical_memory_mib: FloatColumn
    migration_mib_s: FloatColumn
    storage_mib_s: FloatColumn
    post_copy: BoolColumn
    shared_storage: BoolColumn
    watts_per_thread: FloatColumn
    watts_error: FloatColumn
    idle_watts: FloatColumn
    traits: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Flavors that the inventory declares, sorted by name, whether a server of one runs or none.

    `requirement`: what a server of it asks of a host, of no project. `classification`: the level it is declared for.
    """

    names: tuple[str, ...]
    classification: ByteColumn
    requirement: IntColumn
    vcpus: FloatColumn
    memory_mib: FloatColumn
    disk_gib: FloatColumn
    fit_known: BoolColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Racks:
    """`uplink_mib_s`: what a rack's uplinks together may carry, each way.

    `uplink_in_bytes_s` and `uplink_out_bytes_s`: what comes in and leaves by all of them, our own copies too; as fresh
    as the worst of its ports' readings, and as old as the oldest.
    """

    names: tuple[str, ...]
    zone: IntColumn
    room: IntColumn
    uplink_mib_s: FloatColumn
    uplink_in_bytes_s: Reading
    uplink_out_bytes_s: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    names: tuple[str, ...]
    site: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    names: tuple[str, ...]
    warning_celsius: FloatColumn
    critical_celsius: FloatColumn
    inlet_celsius: Reading


class PowerKind(IntEnum):
    FEED = 0
    PDU = 1
    PHASE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """Feeds, PDUs and phases, P rows: what each may carry when its partner has failed.

    `limit_watts` is the derated rating. `base_watts` is what else hangs on it. The load to hold against the limit is
    the greater of two: what the snapshot explains (`base_watts` plus *all* watts of every host with a cord on it), and
    what the supply's own meter shows where it is fresh (`power_watts`). Watts that a plan moves change both.
    `feed` is the row of the feed that a PDU or phase hangs on, of a feed its own; -1 where it is not known.
    `partner` is the feed's partner row, -1 elsewhere or for none. `ups` names the feed's UPS, None elsewhere or for
    none; `on_battery` (0 or 1) and `battery_minutes` are that UPS's. `silent_on_battery`: it said last that it runs on
    battery, and nothing that can be believed since.
    """

    names: tuple[str, ...]
    kind: ByteColumn
    limit_watts: FloatColumn
    base_watts: FloatColumn
    feed: IntColumn
    partner: IntColumn
    ups: tuple[str | None, ...]
    power_watts: Reading
    on_battery: Reading
    silent_on_battery: BoolColumn
    battery_minutes: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Systems:
    """Agencies' systems, S rows. A budget of -1 is none. `open`: its window is open and no blackout is on, now.
    `withheld`: a mode or a pause keeps its servers where they are. `pause_s`: for so long its agency lets a server be
    paused by a copy that begins now, 0 for not at all.

    `moved_last_hour` counts the moves of its VMs that were started in the hour before the snapshot.
    """

    names: tuple[str, ...]
    agency: IntColumn
    classification: ByteColumn
    tier: ByteColumn
    at_once: IntColumn
    per_hour: IntColumn
    moved_last_hour: IntColumn
    open: BoolColumn
    withheld: BoolColumn
    pause_s: FloatColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Agencies:
    names: tuple[str, ...]
    at_once: IntColumn
    per_hour: IntColumn
    moved_last_hour: IntColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What Nova's scheduler asks of a host for one kind of server: flavor, project and requested zone together.

    `numa`: the guest's cells, none where it has no NUMA topology or nobody has asked Nova for it.
    """

    required_traits: frozenset[str] = frozenset()
    forbidden_traits: frozenset[str] = frozenset()
    availability_zone: str | None = None
    aggregate_specs: Mapping[str, str] = field(default_factory=dict)
    project_id: str = ""
    numa: tuple[NumaCell, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    name: str
    hosts: IntColumn
    metadata: Mapping[str, str]


class GroupKind(StrEnum):
    AFFINITY = "affinity"
    ANTI_AFFINITY = "anti-affinity"
    SOFT_AFFINITY = "soft-affinity"
    SOFT_ANTI_AFFINITY = "soft-anti-affinity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """VMs that a rule binds. Anti-affinity: at most `max_per_domain` in one fault domain, and members in at least
    `min_domains`; affinity: all in one.

    From a server group (domain host) or from the inventory's spread rule. `members` are rows of `Vms`, sorted. A group
    that sets no most has its number of members as `max_per_domain`; `min_domains` of 1 asks for nothing.
    """

    name: str
    kind: GroupKind
    domain: Domain
    max_per_domain: int
    min_domains: int = 1
    members: IntColumn


DEFAULT_AVAILABILITY_ZONE = "nova"
"""The zone of a host in no aggregate that names one. Nova may call it otherwise (`default_availability_zone`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRefusal:
    """Nova refused this VM on this target; neither is proposed together until `until`."""

    vm: int
    host: int
    until: float
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The whole snapshot.

    `breach_since`: when each breach that holds now began, by its key (`cpu:c17`, `feed:A1`); None where nobody kept
    count (a single look), and then every breach counts as sustained. `flavors`: those of which a server stands there.
    `freeze`: why the controller makes no moves of
    its own, None when it does. `moved_last_hour`: all moves started in the hour before.
    """

    taken_at: datetime
    estate: str
    sources: tuple[str, ...]
    flavors: tuple[str, ...]
    catalog: Catalog
    hosts: Hosts
    host_types: HostTypes
    vms: Vms
    racks: Racks
    rooms: Rooms
    zones: Zones
    power: Power
    systems: Systems
    agencies: Agencies
    requirements: tuple[Requirement, ...]
    aggregates: tuple[Aggregate, ...]
    groups: tuple[Group, ...]
    refusals: tuple[LearnedRefusal, ...] = ()
    breach_since: Mapping[str, float] | None = None
    moved_last_hour: int = 0
    freeze: str | None = None

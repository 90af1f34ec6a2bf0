"""The snapshot's format, version 6: the tables of `model.cluster`, field by field, as pydantic models.

A field has the name, unit and meaning it has in `controller.model.cluster`. Unknown fields are refused. What came to
version 6 later may be missing: nobody knows it then.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema

from controller.adapters.snapshot_file.columns import (
    Amounts,
    Budgets,
    Counts,
    Flags,
    KnownAmounts,
    Levels,
    Numbers,
    PowerKinds,
    Rows,
    RowTable,
    Tiers,
    Trusts,
    Values,
    VmStates,
)
from controller.model.cluster import GroupKind
from inventory.model import Domain

Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], Field(description="One name a row, each once.")]
Epoch = Annotated[float, Field(allow_inf_nan=False, description="Seconds since 1970-01-01T00:00:00Z.")]


class Wire(BaseModel):
    """What every table has in common: strict, closed, never changed after it was read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


class Reading(Wire):
    """One quantity of every row: its value, when and by whom it was read, and whether it may be used."""

    values: Values
    at: Values
    source: Rows
    trust: Trusts


class Hosts(Wire):
    """Compute hosts, sorted by name. Capacity is (total - reserved) * allocation ratio."""

    names: Names
    rack: Rows
    type: Rows
    clearance: Levels
    vcpus: Amounts
    memory_mib: Amounts
    disk_gib: Amounts
    reserved_vcpus: Amounts
    reserved_memory_mib: Amounts
    reserved_disk_gib: Amounts
    threads: Amounts
    physical_memory_mib: Amounts
    migration_mib_s: Amounts
    storage_mib_s: KnownAmounts | None = None
    post_copy: Flags
    shared_storage: Flags
    unsaid_storage: Flags
    enabled: Flags
    up: Flags
    known: Flags
    trusted: Flags
    unread_health: Flags
    draining: Flags
    withheld: Flags
    power: RowTable
    watts_per_thread: Amounts
    watts_error: Amounts
    traits: Annotated[tuple[frozenset[str], ...], Field(description="The traits of each host, sorted.")]
    availability_zone: tuple[str | None, ...]
    cpu_ratio: Reading
    cpu_high_ratio: Values
    memory_bytes: Reading
    memory_pressure_ratio: Reading
    network_bytes_s: Reading
    network_high_bytes_s: Values
    storage_bytes_s: Reading | None = None
    power_watts: Reading
    inlet_celsius: Reading
    memory_health: Reading
    psu_health: Reading
    fan_health: Reading
    disk_health: Reading


class Vms(Wire):
    """Servers, sorted by id. While `target` is set the VM counts on both hosts."""

    ids: Names
    names: tuple[str, ...]
    host: Rows
    target: Rows
    system: Rows
    classification: Levels
    requirement: Rows
    flavor: Rows
    vcpus: Amounts
    memory_mib: Amounts
    disk_gib: Amounts
    state: VmStates
    busy: Flags
    locked: Flags
    fit_known: Flags
    cooldown_until: Amounts
    cpu_vcpus: Reading
    cpu_high_vcpus: Values
    cpu_ahead_vcpus: Reading
    steal_ratio: Reading
    memory_bytes: Reading
    network_bytes_s: Reading
    network_high_bytes_s: Values
    storage_bytes_s: Reading | None = None
    dirty_bytes_s: Reading


class NumaCell(Wire):
    vcpus: Annotated[int, Field(gt=0)]
    memory_mib: Annotated[int, Field(gt=0)]


class HostTypes(Wire):
    """Models of server, sorted by name; `numa`: the cells of each, none where they are not known."""

    names: Names
    generation: tuple[str, ...]
    numa: tuple[tuple[NumaCell, ...], ...]
    vcpus: Amounts
    memory_mib: Amounts
    disk_gib: Amounts
    reserved_vcpus: Amounts
    reserved_memory_mib: Amounts
    reserved_disk_gib: Amounts
    threads: Amounts
    physical_memory_mib: Amounts
    migration_mib_s: Amounts
    storage_mib_s: KnownAmounts | None = None
    post_copy: Flags
    shared_storage: Flags
    watts_per_thread: Amounts
    watts_error: Amounts
    idle_watts: Amounts
    traits: Annotated[tuple[frozenset[str], ...], Field(description="The traits of each type's hosts, sorted.")]


class Catalog(Wire):
    """Flavors that the inventory declares, sorted by name."""

    names: Names
    classification: Levels
    requirement: Rows
    vcpus: Amounts
    memory_mib: Amounts
    disk_gib: Amounts
    fit_known: Flags


class Racks(Wire):
    """What all of a rack's uplinks may carry each way, and what passes them, our own copies too."""

    names: Names
    zone: Rows
    room: Rows
    uplink_mib_s: Amounts
    uplink_in_bytes_s: Reading
    uplink_out_bytes_s: Reading


class Rooms(Wire):
    names: Names
    site: tuple[str, ...]


class Zones(Wire):
    """Cooling zones and the temperatures at which their hosts stop receiving, and count as failing."""

    names: Names
    warning_celsius: Numbers
    critical_celsius: Numbers
    inlet_celsius: Reading


class Power(Wire):
    """Feeds, PDUs and phases: what each may carry when its partner has failed."""

    names: Names
    kind: PowerKinds
    limit_watts: Amounts
    base_watts: Amounts
    feed: Rows
    partner: Rows
    ups: Annotated[tuple[str | None, ...], Field(description="The UPS of each feed; null for none.")]
    power_watts: Reading
    on_battery: Reading
    silent_on_battery: Flags
    battery_minutes: Reading


class Systems(Wire):
    names: Names
    agency: Rows
    classification: Levels
    tier: Tiers
    at_once: Budgets
    per_hour: Budgets
    moved_last_hour: Counts
    open: Flags
    withheld: Flags
    pause_s: Amounts | None = None


class Agencies(Wire):
    names: Names
    at_once: Budgets
    per_hour: Budgets
    moved_last_hour: Counts


class Requirement(Wire):
    """What the scheduler asks of a host for one kind of server."""

    required_traits: frozenset[str]
    forbidden_traits: frozenset[str]
    availability_zone: str | None
    aggregate_specs: dict[str, str]
    project_id: str
    numa: tuple[NumaCell, ...]


class Aggregate(Wire):
    name: Name
    hosts: Rows
    metadata: dict[str, str]


class Group(Wire):
    """VMs that a rule binds; `members` are rows of the VM table, sorted. `min_domains`: 1 where a file says nothing."""

    name: Name
    kind: GroupKind
    domain: Domain
    max_per_domain: Annotated[int, Field(ge=1)]
    min_domains: Annotated[int, Field(ge=1)] = 1
    members: Rows


class LearnedRefusal(Wire):
    """The cloud refused this VM on this host; they are not proposed together until `until`."""

    vm: Annotated[int, Field(ge=0)]
    host: Annotated[int, Field(ge=0)]
    until: Epoch
    rule: str


class Snapshot(Wire):
    """Everything a plan may know, as columns. Row i of every array of a table is one thing."""

    version: Literal[6]
    taken_at: AwareDatetime
    estate: str
    sources: Names
    flavors: Names
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
    refusals: tuple[LearnedRefusal, ...]
    breach_since: dict[str, Epoch] | None
    moved_last_hour: Annotated[int, Field(ge=0)]
    freeze: str | None


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a snapshot file."""
    schema = Snapshot.model_json_schema()
    head = {"$schema": GenerateJsonSchema.schema_dialect, "$id": "https://gdcc.example/schemas/snapshot-6.json"}
    return {**head, **schema, "title": "GDCC Control cluster snapshot, version 6"}

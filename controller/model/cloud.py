"""What the cloud's APIs said, in the cloud's own words: rows as read, before any judgement."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from controller.model.ids import HostName, ProjectId, ServerId
from inventory.model import NumaCell

LIVE_STATUSES = frozenset({"ACTIVE", "PAUSED"})
"""Server statuses from which Nova live-migrates."""

RUNNING_MIGRATION_STATUSES = frozenset(
    {"accepted", "queued", "preparing", "pre-migrating", "running", "running (post-copy)", "migrating",
     "post-migrating", "migrating (post-copy)", "finished", "confirming", "reverting"}
)  # fmt: skip
"""Statuses of a migration record that has not ended (`finished` is a cold migration that waits for confirmation)."""

FAILED_MIGRATION_STATUSES = frozenset({"failed", "error", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """What only calls of its own tell of a server. None: nobody can say.

    `numa`: the cells of its NUMA topology, none where it has none; a pinned guest, and one with huge pages, has some.
    `image_properties`: those of its image that ask something of a host (`hw_*`, `trait:*`).
    """

    numa: tuple[NumaCell, ...] | None
    image_properties: Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server as `GET /servers/detail` shows it to an administrator.

    `pinned_zone` is the availability zone the server asked for (microversion 2.96), None where it asked for none.
    `task_state` is None when no task is under way. `image_id` is None where it boots from one of its `volume_ids`.
    `guest` is None where it was not read lately.
    """

    id: ServerId
    name: str
    project_id: ProjectId
    host: HostName | None
    status: str
    task_state: str | None
    locked: bool
    flavor_name: str
    vcpus: int
    memory_mib: int
    disk_gib: int
    extra_specs: Mapping[str, str] = field(default_factory=dict)
    pinned_zone: str | None = None
    updated_at: datetime | None = None
    image_id: str | None = None
    volume_ids: tuple[str, ...] = ()
    guest: Guest | None = None

    @property
    def demands(self) -> Mapping[str, str]:
        """The flavor's extra specs and the traits of the image, which Nova asks for together."""
        if self.guest is None or not self.guest.image_properties:
            return self.extra_specs
        traits = {key: value for key, value in self.guest.image_properties.items() if key.startswith("trait:")}
        return {**traits, **self.extra_specs}


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A nova-compute service. `up` is Nova's word (`state`), `enabled` its `status`."""

    id: str
    host: HostName
    enabled: bool
    up: bool
    forced_down: bool
    disabled_reason: str | None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """One resource class of a provider: Placement admits up to `(total - reserved) * ratio`."""

    total: int
    reserved: int
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A compute node in Placement (its uuid is the hypervisor's id), keyed by resource class: VCPU, MEMORY_MB, …"""

    id: str
    host: HostName
    inventory: Mapping[str, Amount]
    traits: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    name: str
    hosts: tuple[HostName, ...]
    availability_zone: str | None
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerGroup:
    """`policy` is affinity, anti-affinity, soft-affinity or soft-anti-affinity."""

    id: str
    name: str
    policy: str
    max_server_per_host: int
    members: tuple[ServerId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """A row of Nova's migrations. `type` is live-migration, migration (cold), resize or evacuation."""

    id: int
    uuid: str
    server_id: ServerId
    type: str
    status: str
    source: HostName
    target: HostName | None
    created_at: datetime
    updated_at: datetime | None = None
    memory_total_bytes: int | None = None
    memory_remaining_bytes: int | None = None
    memory_processed_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    id: ProjectId
    name: str
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A Neutron port of a server: bound when `host` is the server's host and `vif_type` is a real one."""

    id: str
    server_id: ServerId
    host: HostName | None
    vif_type: str | None

    def bound_to(self, host: HostName) -> bool:
        """Whether the port is bound on that host: `binding_failed` and `unbound` are Neutron's words for no."""
        return self.host == host and self.vif_type not in {"binding_failed", "unbound", None}


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudFacts:
    """One whole reading of the cloud, begun at `at`.

    `flaws` are rows that could not be understood, in words; `unread_members` are those of them that are servers or
    server groups, without which nobody can say whether a group rule holds.
    """

    at: datetime
    servers: tuple[Server, ...]
    services: tuple[Service, ...]
    providers: tuple[Provider, ...]
    aggregates: tuple[Aggregate, ...]
    groups: tuple[ServerGroup, ...]
    migrations: tuple[Migration, ...]
    projects: tuple[Project, ...]
    flaws: tuple[str, ...] = ()
    unread_members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogFacts:
    """What `inventory draft` asks beyond `CloudFacts`: definitions by name, as plain rows."""

    flavors: tuple[Mapping[str, object], ...]
    volume_types: tuple[Mapping[str, object], ...]
    networks: tuple[Mapping[str, object], ...]

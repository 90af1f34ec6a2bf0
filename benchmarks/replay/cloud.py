"""The twin's OpenStack without HTTP: `ports.Cloud` over the same world and orders, with what the wire would have said.

What it leaves out: connections, JSON, paging, tokens. `tests/contract/test_replay_contract.py` holds it to the real
adapter over the twin's HTTP.
"""

from datetime import UTC, datetime, timedelta

from benchmarks.replay.site import Site
from controller.engine.ports import Clock
from controller.errors import RefusedError, TransientError
from controller.model import cloud
from controller.model.ids import HostName, ProjectId, RequestId, ServerId
from controller.twin import scheduling
from controller.twin.machines import Server
from controller.twin.openstack.neutron import port_id
from controller.twin.openstack.servers import IMAGE
from controller.twin.orders import IN_PROGRESS, Record

_KEPT = timedelta(hours=1)
"""How long a guest that was read is shown, as by the real adapter."""
_GUEST = cloud.Guest(numa=(), image_properties={})
"""The twin's flavors pin nothing in a generated estate, and its image asks for nothing."""


class SiteCloud:
    """Follows `controller.engine.ports.Cloud`. Every call first lets the site's time catch up with the clock."""

    def __init__(self, site: Site, clock: Clock) -> None:
        self._site, self._clock = site, clock
        self._world, self._orders = site.world, site.orders
        self._names = [HostName(name) for name in self._world.topology.hosts]
        self._shown: dict[str, tuple[tuple[object, ...], cloud.Server]] = {}
        self._guests: dict[str, datetime] = {}
        self._providers = tuple(self._provider(row) for row in site.hosts_in_nova())

    async def facts(self) -> cloud.CloudFacts:
        self._catch_up()
        world = self._world
        return cloud.CloudFacts(
            at=self._clock.now(),
            servers=tuple(self._server(server) for server in world.servers.values()),
            services=tuple(self._service(row) for row in self._site.hosts_in_nova()),
            providers=self._providers,
            aggregates=tuple(
                cloud.Aggregate(
                    name=each.name,
                    hosts=tuple(HostName(host) for host in sorted(each.hosts)),
                    availability_zone=each.availability_zone,
                    metadata=each.metadata,
                )
                for each in world.estate.aggregates.values()
            ),
            groups=tuple(
                cloud.ServerGroup(
                    id=group.id,
                    name=group.name,
                    policy=group.policy,
                    max_server_per_host=group.max_server_per_host,
                    members=tuple(ServerId(member) for member in group.members),
                )
                for group in world.groups.values()
            ),
            migrations=await self.running_migrations(),
            projects=tuple(
                cloud.Project(id=ProjectId(each.id), name=each.name, enabled=True) for each in world.projects.values()
            ),
        )

    async def server(self, server_id: ServerId) -> cloud.Server | None:
        self._catch_up()
        found = self._world.servers.get(server_id)
        return None if found is None else self._server(found)

    async def servers_on(self, host: HostName) -> tuple[cloud.Server, ...]:
        self._catch_up()
        return tuple(self._server(server) for server in self._world.servers_on(self._row(host)))

    async def service(self, host: HostName) -> cloud.Service | None:
        self._catch_up()
        return self._service(self._row(host)) if host in self._names else None

    async def running_migrations(self) -> tuple[cloud.Migration, ...]:
        self._catch_up()
        running = [self._orders.records[number] for number in self._orders.copies]
        return tuple(self._migration(record) for record in running)

    async def migrations_of(self, server_id: ServerId) -> tuple[cloud.Migration, ...]:
        self._catch_up()
        own = [record for record in self._orders.records.values() if record.server_id == server_id]
        return tuple(self._migration(record) for record in reversed(own))

    async def migration(self, server_id: ServerId, migration_id: int) -> cloud.Migration | None:
        self._catch_up()
        record = self._orders.records.get(migration_id)
        return None if record is None or record.server_id != server_id else self._migration(record, counted=True)

    async def ports_of(self, server_id: ServerId) -> tuple[cloud.Port, ...]:
        self._catch_up()
        server = self._world.servers[server_id]
        return (cloud.Port(id=port_id(server), server_id=server_id, host=self._names[server.host], vif_type="ovs"),)

    async def guest(self, server: cloud.Server) -> cloud.Guest:
        self._guests[server.id] = self._clock.now() + _KEPT
        return _GUEST

    async def admits(self, server: cloud.Server, target: HostName) -> str | None:
        """As Placement's allocation candidates on that one host: room, traits, its service enabled."""
        self._catch_up()
        row, real = self._row(target), self._world.servers[server.id]
        used = scheduling.host_usage(self._world, self._orders.claims, row)
        asked = (server.vcpus, server.memory_mib, server.disk_gib)
        if any(u + n > most for u, n, most in zip(used, asked, self._world.capacity[row], strict=True)):
            return f"{target} has no room for {server.name}"
        lacking = _required(real) - self._world.traits[row]
        return f"lacks the traits {sorted(lacking)}" if lacking else None

    async def live_migrate(self, server_id: ServerId, target: HostName, *, deadline: datetime) -> RequestId:
        self._catch_up()
        if self._clock.now() >= deadline:
            raise TransientError("its deadline passed before it could be sent", where=server_id)
        try:
            self._orders.live_migrate(self._world.servers[server_id], target, at_once=False)
        except RefusedError as refused:
            raise RefusedError(refused.what, rule="conflict", where=server_id) from refused
        return RequestId(f"req-{len(self._orders.records)}")

    async def abort_migration(self, server_id: ServerId, migration_id: int) -> RequestId:
        self._catch_up()
        self._orders.abort(self._world.servers[server_id], migration_id, queued_too=True)
        return RequestId(f"abort-{migration_id}")

    async def force_complete(self, server_id: ServerId, migration_id: int) -> RequestId:
        self._catch_up()
        self._orders.force_complete(self._world.servers[server_id], migration_id)
        return RequestId(f"force-{migration_id}")

    async def cold_migrate(self, server_id: ServerId, target: HostName, *, deadline: datetime) -> RequestId:
        raise NotImplementedError("a replay drains nothing")

    async def confirm_resize(self, server_id: ServerId) -> RequestId:
        raise NotImplementedError("a replay drains nothing")

    async def disable_service(self, service: cloud.Service, reason: str) -> None:
        raise NotImplementedError("a replay drains nothing")

    async def enable_service(self, service: cloud.Service) -> None:
        raise NotImplementedError("a replay drains nothing")

    def _catch_up(self) -> None:
        self._site.until(self._clock.now())

    def _row(self, host: HostName) -> int:
        return self._world.topology.host_row(host)

    def _server(self, server: Server) -> cloud.Server:
        read_until = self._guests.get(server.id)
        known = read_until is not None and self._clock.now() < read_until
        key = (server.host, server.status, server.task_state, server.updated, known)
        shown = self._shown.get(server.id)
        if shown is None or shown[0] != key:
            shown = self._shown[server.id] = (key, self._view(server, guest=_GUEST if known else None))
        return shown[1]

    def _view(self, server: Server, guest: cloud.Guest | None) -> cloud.Server:
        flavor = server.flavor
        return cloud.Server(
            id=ServerId(server.id),
            name=server.name,
            project_id=ProjectId(server.project_id),
            host=self._names[server.host],
            status=server.status,
            task_state=server.task_state,
            locked=server.locked,
            flavor_name=flavor.name,
            vcpus=flavor.vcpus,
            memory_mib=flavor.memory_mib,
            disk_gib=flavor.disk_gib,
            extra_specs=flavor.nova_extra_specs,
            pinned_zone=server.pinned_zone,
            updated_at=datetime.fromtimestamp(int(server.updated), UTC),
            image_id=IMAGE,
            guest=guest,
        )

    def _service(self, row: int) -> cloud.Service:
        service = self._world.services[row]
        return cloud.Service(
            id=service.id,
            host=self._names[row],
            enabled=service.enabled,
            up=service.up,
            forced_down=service.forced_down,
            disabled_reason=service.disabled_reason,
        )

    def _provider(self, row: int) -> cloud.Provider:
        kind = self._site.cloud.host_type(row)
        sizes = {
            "VCPU": (kind.vcpus, kind.reserved_vcpus, kind.cpu_ratio),
            "MEMORY_MB": (kind.memory_mib, kind.reserved_memory_mib, kind.memory_ratio),
            "DISK_GB": (kind.disk_gib, kind.reserved_disk_gib, kind.disk_ratio),
        }
        amounts = {name: cloud.Amount(total=n, reserved=kept, ratio=ratio) for name, (n, kept, ratio) in sizes.items()}
        traits = self._world.traits[row] | {"COMPUTE_NODE", "OWNER_NOVA"}
        return cloud.Provider(id=self._world.node_ids[row], host=self._names[row], inventory=amounts, traits=traits)

    def _migration(self, record: Record, *, counted: bool = False) -> cloud.Migration:
        counted = counted and record.status in IN_PROGRESS
        return cloud.Migration(
            id=record.id,
            uuid=record.uuid,
            server_id=ServerId(record.server_id),
            type=record.kind,
            status=record.status,
            source=self._names[record.source],
            target=self._names[record.target] if record.target >= 0 else None,
            created_at=datetime.fromtimestamp(record.created, UTC),
            updated_at=datetime.fromtimestamp(record.updated, UTC),
            memory_total_bytes=record.memory_total if counted else None,
            memory_remaining_bytes=record.memory_remaining if counted else None,
            memory_processed_bytes=record.memory_processed if counted else None,
        )


def _required(server: Server) -> frozenset[str]:
    specs = server.flavor.nova_extra_specs.items()
    return frozenset(key.partition(":")[2] for key, value in specs if key.startswith("trait:") and value == "required")

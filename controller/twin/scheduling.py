"""What Nova's scheduler and Placement would say of a server on a host, from the world as it is."""

from collections.abc import Iterable

import numpy as np

from controller.engine.synthetic import traits
from controller.twin.machines import Server
from controller.twin.topology import Floats
from controller.twin.world import World

NO_VALID_HOST = "No valid host was found. There are not enough hosts available."


class Claims:
    """Resources that are held on a host beside those of the servers that stand there: the far ends of migrations."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[int, Server]] = {}

    def hold(self, consumer: str, host: int, server: Server) -> None:
        """Holds the server's resources on a host for a migration (`consumer` is the migration's uuid)."""
        self._held[consumer] = (host, server)

    def release(self, consumer: str) -> None:
        """Gives them back; nothing happens where none were held."""
        self._held.pop(consumer, None)

    def on(self, host: int) -> Iterable[tuple[str, Server]]:
        """The claims on one host: consumer and server."""
        return [(consumer, server) for consumer, (row, server) in self._held.items() if row == host]

    def rows(self) -> Iterable[tuple[str, int, Server]]:
        """Every claim: consumer, host and server."""
        return [(consumer, row, server) for consumer, (row, server) in self._held.items()]

    def all(self) -> Iterable[tuple[int, Server]]:
        """Every claim: host and server."""
        return self._held.values()


def usage(world: World, claims: Claims) -> Floats:
    """VCPU, MEMORY_MB and DISK_GB in use on every host, shape (H, 3)."""
    vms, count = world.vms, len(world.topology.hosts)
    seated = vms.host >= 0
    rows = vms.host[seated]
    used: Floats = np.stack(
        [np.bincount(rows, weights=c[seated], minlength=count) for c in (vms.vcpus, vms.memory_mib, vms.disk_gib)],
        axis=1,
    )
    for host, server in claims.all():
        used[host] += (server.flavor.vcpus, server.flavor.memory_mib, server.flavor.disk_gib)
    return used


def host_usage(world: World, claims: Claims, host: int) -> tuple[int, int, int]:
    """VCPU, MEMORY_MB and DISK_GB in use on one host."""
    flavors = [server.flavor for server in world.servers_on(host)]
    flavors += [server.flavor for _, server in claims.on(host)]
    return (
        sum(f.vcpus for f in flavors), sum(f.memory_mib for f in flavors), sum(f.disk_gib for f in flavors)
    )  # fmt: skip


def refusal(world: World, claims: Claims, server: Server, host: int) -> str | None:
    """Why Nova's filters would refuse this server on this host; None where they admit it."""
    service = world.services[host]
    if host == server.host:
        return "it is there already"
    if not (service.enabled and service.up):
        return "ComputeFilter: the service is disabled or down"
    need = (server.flavor.vcpus, server.flavor.memory_mib, server.flavor.disk_gib)
    used = host_usage(world, claims, host)
    if any(u + n > c for u, n, c in zip(used, need, world.capacity[host], strict=True)):
        return "Placement: not enough VCPU, MEMORY_MB or DISK_GB"
    if not traits.required(server.flavor) <= world.traits[host]:
        return "Placement: a required trait is missing"
    if traits.forbidden(server.flavor) & world.traits[host]:
        return "Placement: a forbidden trait is there"
    return _aggregates_refusal(world, server, host) or _group_refusal(world, claims, server, host)


def _aggregates_refusal(world: World, server: Server, host: int) -> str | None:
    name = world.topology.hosts[host]
    mine = [aggregate for aggregate in world.estate.aggregates.values() if name in aggregate.hosts]
    if server.pinned_zone is not None and server.pinned_zone not in {a.availability_zone for a in mine}:
        return "AvailabilityZoneFilter: the host is not in the server's zone"
    for aggregate in mine:
        kept = {v for k, v in aggregate.metadata.items() if k.startswith("filter_tenant_id")}
        if kept and world.system_of(server).project not in kept and server.project_id not in kept:
            return "AggregateMultiTenancyIsolation: the host is kept for other projects"
    for key, value in server.flavor.extra_specs.items():
        scope, _, wanted = key.partition(":")
        if scope == "aggregate_instance_extra_specs" and value not in {a.metadata.get(wanted) for a in mine}:
            return f"AggregateInstanceExtraSpecsFilter: no aggregate of the host has {wanted}={value}"
    return None


def _group_refusal(world: World, claims: Claims, server: Server, host: int) -> str | None:
    if server.group is None:
        return None
    group = world.groups[server.group]
    there = {s.id for s in world.servers_on(host)} | {s.id for _, s in claims.on(host)}
    mates = len(there.intersection(group.members) - {server.id})
    if group.policy == "anti-affinity" and mates >= group.max_server_per_host:
        return "ServerGroupAntiAffinityFilter: the host holds as many of its group as it may"
    if group.policy == "affinity" and not mates and len(group.members) > 1:
        return "ServerGroupAffinityFilter: its group is elsewhere"
    return None

"""The engine's `ports.Cloud` over a real OpenStack."""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from controller.adapters.openstack import catalog, parse
from controller.adapters.openstack.cinder import Cinder
from controller.adapters.openstack.guests import Guests
from controller.adapters.openstack.keystone import Keystone
from controller.adapters.openstack.neutron import Neutron
from controller.adapters.openstack.nova import Nova
from controller.adapters.openstack.placement import Placement
from controller.adapters.openstack.rest import Rest
from controller.adapters.openstack.session import NEEDS, open_connection
from controller.errors import PermanentError
from controller.model.cloud import CatalogFacts, CloudFacts, Guest, Migration, Port, Project, Provider, Server, Service
from controller.model.ids import HostName, RequestId, ServerId

T = TypeVar("T")

_log = logging.getLogger(__name__)

HYPERVISORS_S = 600.0
"""For so long the hypervisors of the same hosts are not listed again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Nodes:
    """The hypervisors of these hosts, by their services' ids and names, as they are until then."""

    hosts: frozenset[tuple[str, HostName]]
    until_s: float
    found: parse.Parsed[parse.Hypervisor]


class OpenStackCloud:
    """One cloud; follows `controller.engine.ports.Cloud`. Its errors are those of `controller.errors`."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._nova = Nova(rest)
        self._placement = Placement(rest)
        self._neutron = Neutron(rest)
        self._keystone = Keystone(rest)
        self._cinder = Cinder(rest)
        self._guests = Guests(rest)
        self._provider_of: dict[HostName, str] = {}
        self._kept_nodes: _Nodes | None = None
        self._nodeless: set[HostName] = set()

    async def prepare(self) -> None:
        """Authenticates and agrees on microversions; every other call does so too when it is the first.

        Raises `PermanentError` where the cloud is too old or refuses the account.
        """
        for service, need in NEEDS.items():
            version = await self._rest.version(service)
            if version is not None and version < need.best:
                _log.warning(
                    "%s speaks %s.%s, not %s.%s: the zone a server stands in counts as the one it asked for",
                    service, *version, *need.best,
                )  # fmt: skip

    async def close(self) -> None:
        """Waits for requests under way and closes the connections."""
        await self._rest.close()

    async def facts(self) -> CloudFacts:
        """Everything, read side by side."""
        at = datetime.now(UTC)
        (servers, projects), (services, providers), aggregates, groups, migrations = await asyncio.gather(
            self._owned(),
            self._serving(),
            self._nova.aggregates(),
            self._nova.groups(),
            self._nova.running_migrations(),
        )
        return CloudFacts(
            at=at,
            servers=self._guests.shown(servers.values),
            services=services.values,
            providers=providers.values,
            aggregates=aggregates.values,
            groups=groups.values,
            migrations=migrations.values,
            projects=projects.values,
            flaws=(
                *servers.flaws,
                *services.flaws,
                *providers.flaws,
                *aggregates.flaws,
                *groups.flaws,
                *migrations.flaws,
                *projects.flaws,
            ),
            unread_members=servers.flaws + groups.flaws,
        )

    async def catalog(self) -> CatalogFacts:
        """Definitions, for a draft of an inventory."""
        flavors, types, networks, subnets = await asyncio.gather(
            self._nova.flavors(), self._cinder.volume_types(), self._neutron.networks(), self._neutron.subnets()
        )
        return catalog.catalog(flavors, types, networks, subnets)

    async def server(self, server_id: ServerId) -> Server | None:
        """One server now; None where it was deleted."""
        return await self._nova.server(server_id)

    async def servers_on(self, host: HostName) -> tuple[Server, ...]:
        """Every server on one host; `PermanentError` where one of them cannot be understood."""
        return _whole(await self._nova.servers(host))

    async def service(self, host: HostName) -> Service | None:
        """The host's compute service; None where there is none."""
        return next((one for one in _whole(await self._nova.services(host)) if one.host == host), None)

    async def running_migrations(self) -> tuple[Migration, ...]:
        """Every migration that has not ended; `PermanentError` where one of them cannot be understood."""
        return _whole(await self._nova.running_migrations())

    async def migrations_of(self, server_id: ServerId) -> tuple[Migration, ...]:
        """All records of one server, newest first."""
        return await self._nova.migrations_of(server_id)

    async def migration(self, server_id: ServerId, migration_id: int) -> Migration | None:
        """One record, with its memory counters while it runs."""
        return await self._nova.migration(server_id, migration_id)

    async def ports_of(self, server_id: ServerId) -> tuple[Port, ...]:
        """The server's ports and their bindings."""
        return await self._neutron.ports_of(server_id)

    async def guest(self, server: Server) -> Guest:
        """What only calls of its own tell of the server; `facts` shows it from then on."""
        return await self._guests.read(server)

    async def admits(self, server: Server, target: HostName) -> str | None:
        """None where Placement has room for the server on that one target; else why not."""
        provider = self._provider_of.get(target)
        if provider is None:
            await self._hypervisors()
            provider = self._provider_of.get(target)
        if provider is None:
            return f"Nova has no hypervisor on {target}"
        why_not = await self._placement.admits(server, provider)
        if why_not is not None:
            self._kept_nodes = None  # it may be that of a host that was built anew
        return why_not

    async def live_migrate(self, server_id: ServerId, target: HostName, *, deadline: datetime) -> RequestId:
        """Starts a live migration; sent once, before the deadline or never."""
        return await self._nova.live_migrate(server_id, target, deadline=deadline)

    async def cold_migrate(self, server_id: ServerId, target: HostName, *, deadline: datetime) -> RequestId:
        """Starts a cold migration; sent once, before the deadline or never."""
        return await self._nova.cold_migrate(server_id, target, deadline=deadline)

    async def confirm_resize(self, server_id: ServerId) -> RequestId:
        """Confirms a cold migration; sent once."""
        return await self._nova.confirm_resize(server_id)

    async def abort_migration(self, server_id: ServerId, migration_id: int) -> RequestId:
        """Aborts a live migration; sent once."""
        return await self._nova.abort_migration(server_id, migration_id)

    async def force_complete(self, server_id: ServerId, migration_id: int) -> RequestId:
        """Forces a live migration to complete; sent once."""
        return await self._nova.force_complete(server_id, migration_id)

    async def disable_service(self, service: Service, reason: str) -> None:
        """Takes the host out of scheduling, with a reason for people."""
        await self._nova.set_service(service.id, enabled=False, reason=reason)

    async def enable_service(self, service: Service) -> None:
        """Gives the host back to scheduling."""
        await self._nova.set_service(service.id, enabled=True)

    async def _owned(self) -> tuple[parse.Parsed[Server], parse.Parsed[Project]]:
        """All servers, and all projects, whose are among them."""
        servers = await self._nova.servers()
        return servers, await self._keystone.projects({server.project_id for server in servers.values})

    async def _hypervisors(self) -> parse.Parsed[parse.Hypervisor]:
        found = await self._nova.hypervisors()
        self._provider_of = {node.host: node.id for node in found.values}
        return found

    async def _serving(self) -> tuple[parse.Parsed[Service], parse.Parsed[Provider]]:
        """All compute services, and their hosts' providers.

        Nova takes tens of milliseconds for each hypervisor that it lists, so they are listed anew only where a host
        came or went, where one has none lately, where one has no provider in Placement, where Placement refused a
        move, and every `HYPERVISORS_S`.
        """
        services = await self._nova.services()
        hosts = frozenset((service.id, service.host) for service in services.values)
        kept = self._kept_nodes
        if kept is None or kept.hosts != hosts or time.monotonic() >= kept.until_s:
            kept = _Nodes(hosts=hosts, until_s=time.monotonic() + HYPERVISORS_S, found=await self._hypervisors())
        providers = await self._placement.providers(kept.found.values)
        missing = {service.host for service in services.values} - {node.host for node in kept.found.values}
        again = missing - self._nodeless or kept.found.flaws or providers.flaws
        self._nodeless, self._kept_nodes = missing, None if again else kept
        return services, parse.Parsed(values=providers.values, flaws=kept.found.flaws + providers.flaws)


def _whole(found: parse.Parsed[T]) -> tuple[T, ...]:
    if found.flaws:
        raise PermanentError(found.flaws[0], where="compute")
    return found.values


def connect(
    cloud_name: str | None,
    *,
    region: str | None = None,
    clouds_file: Path | None = None,
    connect_timeout_s: float = 5.0,
    request_timeout_s: float = 30.0,
    read_deadline_s: float = 60.0,
    concurrency: int = 8,
) -> OpenStackCloud:
    """The cloud of that name in clouds.yaml, or (None) the one that the OS_ variables describe. Sends nothing yet.

    `clouds_file` is a clouds.yaml elsewhere than openstacksdk looks.
    `request_timeout_s` is how long an answer may be silent, `read_deadline_s` how long a read is repeated.
    Raises `InputError` where the cloud is not or wrongly described.
    """
    connection = open_connection(
        cloud_name,
        region=region,
        clouds_file=clouds_file,
        connect_timeout_s=connect_timeout_s,
        request_timeout_s=request_timeout_s,
    )
    return OpenStackCloud(Rest(connection, concurrency=concurrency, read_deadline_s=read_deadline_s))

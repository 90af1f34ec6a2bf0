"""A dry run: reads the real cloud, and writes down what would have been asked of it instead of asking."""

import logging
from collections.abc import Callable
from datetime import datetime

from controller.engine.ports import CloudReader
from controller.errors import RefusedError
from controller.model.cloud import CloudFacts, Guest, Migration, Port, Server, Service
from controller.model.ids import HostName, RequestId, ServerId

_log = logging.getLogger(__name__)


class DryRunCloud:
    """`engine.ports.Cloud` that changes nothing.

    Whatever starts, ends or confirms a migration raises `RefusedError` (rule `dry-run`), so the journal says REFUSED;
    a service's switch is only told. `tell` gets one sentence a call, the log by default.
    """

    def __init__(self, reader: CloudReader, tell: Callable[[str], None] | None = None) -> None:
        self._reader = reader
        self._tell = tell or (lambda sentence: _log.info("%s", sentence))

    async def facts(self) -> CloudFacts:
        return await self._reader.facts()

    async def server(self, server_id: ServerId) -> Server | None:
        return await self._reader.server(server_id)

    async def servers_on(self, host: HostName) -> tuple[Server, ...]:
        return await self._reader.servers_on(host)

    async def service(self, host: HostName) -> Service | None:
        return await self._reader.service(host)

    async def running_migrations(self) -> tuple[Migration, ...]:
        return await self._reader.running_migrations()

    async def migrations_of(self, server_id: ServerId) -> tuple[Migration, ...]:
        return await self._reader.migrations_of(server_id)

    async def migration(self, server_id: ServerId, migration_id: int) -> Migration | None:
        return await self._reader.migration(server_id, migration_id)

    async def ports_of(self, server_id: ServerId) -> tuple[Port, ...]:
        return await self._reader.ports_of(server_id)

    async def guest(self, server: Server) -> Guest:
        return await self._reader.guest(server)

    async def admits(self, server: Server, target: HostName) -> str | None:
        return await self._reader.admits(server, target)

    async def live_migrate(self, server_id: ServerId, target: HostName, *, deadline: datetime) -> RequestId:
        raise self._refused(f"would live-migrate {server_id} to {target}")

    async def cold_migrate(self, server_id: ServerId, target: HostName, *, deadline: datetime) -> RequestId:
        raise self._refused(f"would cold-migrate {server_id} to {target}")

    async def confirm_resize(self, server_id: ServerId) -> RequestId:
        raise self._refused(f"would confirm the migration of {server_id}")

    async def abort_migration(self, server_id: ServerId, migration_id: int) -> RequestId:
        raise self._refused(f"would abort migration {migration_id} of {server_id}")

    async def force_complete(self, server_id: ServerId, migration_id: int) -> RequestId:
        raise self._refused(f"would force migration {migration_id} of {server_id} to complete")

    async def disable_service(self, service: Service, reason: str) -> None:
        self._tell(f"dry run: would disable nova-compute on {service.host} ({reason})")

    async def enable_service(self, service: Service) -> None:
        self._tell(f"dry run: would enable nova-compute on {service.host}")

    def _refused(self, what: str) -> RefusedError:
        self._tell(f"dry run: {what}")
        return RefusedError(f"dry run: {what}", rule="dry-run")

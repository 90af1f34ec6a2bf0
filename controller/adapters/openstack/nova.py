"""Nova: what is read of it and asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from controller.adapters.openstack import parse
from controller.adapters.openstack.listing import Listing
from controller.adapters.openstack.migrations import OpenMigrations
from controller.adapters.openstack.rest import Rest, listing
from controller.adapters.openstack.servers import ListedServers
from controller.errors import TransientError
from controller.model import cloud
from controller.model.ids import HostName, RequestId, ServerId

_ZONE_SHOWN_SINCE = (2, 96)
_CHECKS_BEFORE_ANSWERING = (2, 33)
"""Up to here os-migrateLive answers only when the scheduler and both hosts have checked the move: a refusal is a 400
with nothing started. From 2.34 it answers 202 at once and a refusal is a migration record in status error."""

_PAGE = "1000"
_SOFT_DELETED = {"deleted": "True", "status": "SOFT_DELETED"}
"""What has Nova list the servers that are deleted and not reclaimed yet (`reclaim_instance_interval`)."""

_GROUPS_PAGE = 500
_HYPERVISORS_PAGE = "200"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hypervisors:
    """A listing of them under way, and what it has listed, by id."""

    listing: Listing
    rows: Mapping[str, Mapping[str, Any]]


class Nova:
    """Compute's API, as an administrator of all projects."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._open_migrations = OpenMigrations(rest)
        self._listed: ListedServers | None = None
        self._hypervisors: _Hypervisors | None = None

    async def servers(self, host: HostName | None = None) -> parse.Parsed[cloud.Server]:
        """All servers of all projects that are not deleted, or those on one host, asked for anew.

        On one host also those whose owner deleted them and that are not reclaimed yet: Nova lists them only where they
        are asked for, and their owner may still restore them there.
        """
        shown = await self._zone_shown()
        if host is None:
            self._listed = self._listed or ListedServers(self._rest, partial(parse.server, zone_shown=shown))
            return await self._listed.all()
        params = {"all_tenants": "1", "limit": _PAGE, "host": str(host)}
        rows = await self._rest.rows("compute", "/servers/detail", "servers", params)
        rows += await self._rest.rows("compute", "/servers/detail", "servers", params | _SOFT_DELETED)
        return parse.parsed("server", rows, partial(parse.server, zone_shown=shown))

    async def server(self, server_id: ServerId) -> cloud.Server | None:
        """One server; None where it was deleted."""
        shown = await self._zone_shown()
        body = await self._rest.find("compute", f"/servers/{server_id}")
        return parse.server(_one(body, "server"), zone_shown=shown) if body is not None else None

    async def services(self, host: HostName | None = None) -> parse.Parsed[cloud.Service]:
        """Compute services, all or one host's."""
        params = {"binary": "nova-compute"} | ({"host": str(host)} if host else {})
        body = await self._rest.get("compute", "/os-services", params)
        found = parse.parsed("service", listing(body, "services", "GET compute /os-services"), parse.service)
        if host is None and self._listed is not None:
            self._listed.silent = bool(found.flaws)
        return found

    async def hypervisors(self) -> parse.Parsed[parse.Hypervisor]:
        """Compute nodes and the hosts they belong to; a listing that was cut short goes on."""
        going = self._hypervisors = self._hypervisors or self._all_hypervisors()
        await going.listing.ended()
        self._hypervisors = None
        return parse.parsed("hypervisor", going.rows.values(), parse.hypervisor)

    def _all_hypervisors(self) -> _Hypervisors:
        rows: dict[str, Mapping[str, Any]] = {}
        # at 2.88 Nova may ask every host for its uptime to answer this
        path, table, asked = "/os-hypervisors/detail", "hypervisors", {"limit": _HYPERVISORS_PAGE}
        listing = Listing(self._rest, path, table, asked, rows.update, version=(2, 87))
        return _Hypervisors(listing=listing, rows=rows)

    async def aggregates(self) -> parse.Parsed[cloud.Aggregate]:
        """Host aggregates."""
        body = await self._rest.get("compute", "/os-aggregates")
        return parse.parsed("aggregate", listing(body, "aggregates", "GET compute /os-aggregates"), parse.aggregate)

    async def groups(self) -> parse.Parsed[cloud.ServerGroup]:
        """Server groups of all projects; this listing pages by offset."""
        found: dict[object, dict[str, Any]] = {}
        offset = 0
        while True:
            params = {"all_projects": "True", "limit": str(_GROUPS_PAGE), "offset": str(offset)}
            body = await self._rest.get("compute", "/os-server-groups", params)
            page = listing(body, "server_groups", "GET compute /os-server-groups")
            if page and all(row.get("id") in found for row in page):
                raise TransientError("a page came twice", where="GET compute /os-server-groups")
            found.update({row.get("id", id(row)): row for row in page})
            if not page:
                return parse.parsed("server group", list(found.values()), parse.group)
            offset += len(page)

    async def running_migrations(self) -> parse.Parsed[cloud.Migration]:
        """Migrations that have not ended."""
        return await self._open_migrations.read()

    async def migrations_of(self, server_id: ServerId) -> tuple[cloud.Migration, ...]:
        """All records of one server, newest first."""
        params = {"instance_uuid": server_id, "limit": _PAGE}
        rows = await self._rest.rows("compute", "/os-migrations", "migrations", params)
        records = parse.whole("migration", rows, parse.migration)
        return tuple(sorted(records, key=lambda record: (record.created_at, record.id), reverse=True))

    async def migration(self, server_id: ServerId, migration_id: int) -> cloud.Migration | None:
        """One record, with memory counters while it is a live migration in progress."""
        body = await self._rest.find("compute", f"/servers/{server_id}/migrations/{migration_id}")
        if body is not None:
            return parse.migration(_one(body, "migration"))
        return next((one for one in await self.migrations_of(server_id) if one.id == migration_id), None)

    async def live_migrate(self, server_id: ServerId, target: HostName, *, deadline: datetime) -> RequestId:
        """Asks for a live migration to a host that the scheduler is to check (no `force`).

        What of its disks the two hosts do not share is copied too.
        """
        body = {"os-migrateLive": {"host": target, "block_migration": "auto"}}
        return await self._act(server_id, body, version=_CHECKS_BEFORE_ANSWERING, deadline=deadline)

    async def cold_migrate(self, server_id: ServerId, target: HostName, *, deadline: datetime) -> RequestId:
        """Asks for a cold migration to a host that the scheduler is to check; it waits for confirmation in the end."""
        return await self._act(server_id, {"migrate": {"host": target}}, deadline=deadline)

    async def confirm_resize(self, server_id: ServerId) -> RequestId:
        """Confirms a cold migration: the source forgets the server."""
        return await self._act(server_id, {"confirmResize": None})

    async def abort_migration(self, server_id: ServerId, migration_id: int) -> RequestId:
        """Asks to end a live migration where the server was, queued and preparing ones too (2.65)."""
        return await self._rest.write("compute", "DELETE", f"/servers/{server_id}/migrations/{migration_id}")

    async def force_complete(self, server_id: ServerId, migration_id: int) -> RequestId:
        """Asks to end a live migration on the target; pauses the guest, or turns to post-copy where that is allowed."""
        path = f"/servers/{server_id}/migrations/{migration_id}/action"
        return await self._rest.write("compute", "POST", path, {"force_complete": None})

    async def set_service(self, service_id: str, *, enabled: bool, reason: str | None = None) -> None:
        """Enables a compute service, or disables it with a reason."""
        body = {"status": "enabled" if enabled else "disabled"} | ({"disabled_reason": reason} if reason else {})
        await self._rest.write("compute", "PUT", f"/os-services/{service_id}", body)

    async def flavors(self) -> list[dict[str, Any]]:
        """Flavors, private ones too, with extra specs (2.61), as Nova's rows."""
        return await self._rest.rows("compute", "/flavors/detail", "flavors", {"is_public": "None", "limit": _PAGE})

    async def _act(
        self,
        server_id: ServerId,
        body: Mapping[str, Any],
        *,
        version: tuple[int, int] | None = None,
        deadline: datetime | None = None,
    ) -> RequestId:
        path = f"/servers/{server_id}/action"
        return await self._rest.write("compute", "POST", path, body, version=version, deadline=deadline)

    async def _zone_shown(self) -> bool:
        version = await self._rest.version("compute")
        return version is not None and version >= _ZONE_SHOWN_SINCE


def _one(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    row = body.get(key)
    if not isinstance(row, dict):
        raise TransientError(f"the answer has no {key}", where="compute")
    return row

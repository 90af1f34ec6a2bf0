"""Nova's `/os-migrations`: every migration that ever was, newest first."""

from typing import Any

from aiohttp import web

from controller.twin.openstack import wire
from controller.twin.openstack.cloud import Cloud
from controller.twin.openstack.gate import VERSION, Version
from controller.twin.orders import IN_PROGRESS, LIVE, Record

ROOT = "/compute/v2.1/os-migrations"
_USER = "5ae624a709504a42ae9937b5a4f5449b"


class Migrations:
    """The handlers of `/os-migrations`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[web.RouteDef]:
        return [web.get(ROOT, self.index)]

    async def index(self, request: web.Request) -> web.Response:
        version = request[VERSION]
        rows = [r for r in reversed(self._cloud.orders.records.values()) if self._matches(r, request)]
        if version < (2, 59):
            return wire.answer({"migrations": [self._view(row, version) for row in rows]})
        here = self._cloud.url("compute", "/v2.1/os-migrations")
        chosen, links = wire.page(request, rows, [row.uuid for row in rows], "migrations", here)
        return wire.answer({"migrations": [self._view(row, version) for row in chosen], **links})

    def _matches(self, record: Record, request: web.Request) -> bool:
        query, hosts = request.query, self._cloud.world.topology.hosts
        places = {hosts[row] for row in (record.source, record.target) if row >= 0}
        since, before = query.get("changes-since"), query.get("changes-before")
        return (
            query.get("status", record.status) == record.status
            and query.get("instance_uuid", record.server_id) == record.server_id
            and query.get("migration_type", record.kind) == record.kind
            and query.get("project_id", record.project_id) == record.project_id
            and query.get("source_compute", hosts[record.source]) == hosts[record.source]
            and ("host" not in query or query["host"] in places)
            and (since is None or record.updated >= wire.epoch(since))
            and (before is None or record.updated <= wire.epoch(before))
        )

    def _view(self, record: Record, version: Version) -> dict[str, Any]:
        view = _common(self._cloud, record, version) | {
            "instance_uuid": record.server_id, "new_instance_type_id": 1, "old_instance_type_id": 1,
        }  # fmt: skip
        if version >= (2, 23):
            view["migration_type"] = record.kind
            if record.kind == LIVE and record.status in IN_PROGRESS:
                path = f"/servers/{record.server_id}/migrations/{record.id}"
                view["links"] = [
                    {"rel": "self", "href": self._cloud.url("compute", f"/v2.1{path}")},
                    {"rel": "bookmark", "href": self._cloud.url("compute", path)},
                ]
        return view


def progress(cloud: Cloud, record: Record, version: Version) -> dict[str, Any]:
    """A live migration in progress, as `/servers/{id}/migrations` shows it."""
    return _common(cloud, record, version) | {
        "server_uuid": record.server_id, "disk_total_bytes": 0, "disk_processed_bytes": 0, "disk_remaining_bytes": 0,
        "memory_total_bytes": record.memory_total, "memory_processed_bytes": record.memory_processed,
        "memory_remaining_bytes": record.memory_remaining,
    }  # fmt: skip


def _common(cloud: Cloud, record: Record, version: Version) -> dict[str, Any]:
    hosts = cloud.world.topology.hosts
    source = hosts[record.source]
    target = hosts[record.target] if record.target >= 0 else None
    view: dict[str, Any] = {
        "id": record.id, "status": record.status, "source_compute": source, "source_node": source,
        "dest_compute": target, "dest_node": target, "dest_host": "127.0.0.1" if target else None,
        "created_at": wire.micro(record.created), "updated_at": wire.micro(record.updated),
    }  # fmt: skip
    if version >= (2, 59):
        view["uuid"] = record.uuid
    if version >= (2, 80):
        view |= {"user_id": _USER, "project_id": record.project_id}
    return view

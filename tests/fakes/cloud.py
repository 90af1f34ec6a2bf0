"""A cloud in memory that follows `engine.ports.Cloud`: migrations take virtual time, stall, fail, lie or get lost.

A live migration is queued, preparing, running (its memory counters move) and completed; its server shows task state
migrating from the answer on, and stands on the new host a moment before the record says completed. Its own list of
what it was asked to start, `starts`, is what tests hold against the journal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from controller.engine.ports import Clock
from controller.errors import PermanentError, RefusedError, TransientError
from controller.model.cloud import (
    RUNNING_MIGRATION_STATUSES,
    Amount,
    CloudFacts,
    Guest,
    Migration,
    Port,
    Project,
    Provider,
    Server,
    ServerGroup,
    Service,
)
from controller.model.ids import HostName, ProjectId, RequestId, ServerId

MIB = 1 << 20
QUEUED = timedelta(seconds=1)
PREPARING = timedelta(seconds=1)
RECORD_LAG = timedelta(milliseconds=500)
"""How long the record still says running after the server stands on its new host."""
ENDS = {"copy": "failed", "error": "error", "late-error": "error", "lie": "completed"}
"""How the record ends, by fault; with late-error the server goes into ERROR a second after it."""


@dataclass(slots=True, kw_only=True)
class Run:
    """A migration as the cloud works on it. `fault` is the server's when it began."""

    record: Migration
    fault: str | None
    status_before: str
    dirty_mib_s: float
    abort_at: datetime | None = None
    force_at: datetime | None = None
    force_left: float = 0.0
    confirm_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A migration that the cloud took: `record` is its id, 0 where it made none."""

    server_id: ServerId
    target: HostName
    at: datetime
    record: int


class FakeCloud:
    """`faults` by server: check, pre, copy, stall, error, late-error, lie, unbound, delete, resize, stuck or no-record.

    `answers` are taken one a start request, from the front: `lost` (done, the answer lost), `dropped` (not done, nobody
    knows), `late` (done 20 s later, nobody knows), `unreachable`, `throttled` (not sent). `down_until` makes every call
    fail, `denied` those of a name; with `forbids` its policy lets this account start no migration.
    """

    def __init__(self, clock: Clock, hosts: tuple[str, ...] = ("c1", "c2", "c3", "c4")) -> None:
        self._clock = clock
        self.servers: dict[ServerId, Server] = {}
        self.services = {
            HostName(name): Service(
                id=f"svc-{name}", host=HostName(name), enabled=True, up=True, forced_down=False, disabled_reason=None
            )
            for name in hosts
        }
        self.memory_mib = {HostName(name): 262_144 for name in hosts}
        self.groups: list[ServerGroup] = []
        self.guests: dict[ServerId, Guest] = {}
        self.projects: dict[ProjectId, str] = {}
        self.faults: dict[ServerId, str] = {}
        self.dirty_mib_s: dict[ServerId, float] = {}
        self.answers: list[str] = []
        self.link_mib_s = 1000.0
        self.down_until: datetime | None = None
        self.denied: set[str] = set()
        self.forbids = False
        self.latency = timedelta(0)
        self.starts: list[Start] = []
        self.calls: list[tuple[str, Any]] = []
        self._runs: list[Run] = []
        self._bound: dict[ServerId, HostName] = {}
        self._late: list[tuple[datetime, str, ServerId, HostName]] = []

    def boot(self, name: str, host: str, **changes: Any) -> Server:
        """A server, ACTIVE on that host, with any field changed; its id is its name."""
        values: dict[str, Any] = {
            "id": ServerId(name),
            "name": name,
            "project_id": ProjectId("p-web"),
            "host": HostName(host),
            "status": "ACTIVE",
            "task_state": None,
            "locked": False,
            "flavor_name": "m1",
            "vcpus": 4,
            "memory_mib": 8192,
            "disk_gib": 40,
        }
        server = Server(**values | changes)
        self.servers[server.id] = server
        if server.host is not None:
            self._bound[server.id] = server.host
        return server

    def change(self, name: str, **changes: Any) -> None:
        """Changes a server behind everybody's back."""
        self.servers[ServerId(name)] = replace(self.servers[ServerId(name)], **changes)

    def change_service(self, host: str, **changes: Any) -> None:
        self.services[HostName(host)] = replace(self.services[HostName(host)], **changes)

    def start_foreign(self, name: str, target: str) -> int:
        """Somebody else migrates a server; the id of the record."""
        self._begin("live-migration", ServerId(name), HostName(target))
        return self._runs[-1].record.id

    def leave_behind(self, name: str, target: str, unchanged: timedelta) -> None:
        """A record of a migration that nothing works on any more; the server, if there is one, is at rest."""
        server, at = self.servers.get(ServerId(name)), self._clock.now() - unchanged
        record = Migration(
            id=7,
            uuid="mig-7",
            server_id=ServerId(name),
            type="live-migration",
            status="running",
            source=HostName("c1") if server is None or server.host is None else server.host,
            target=HostName(target),
            created_at=at,
            updated_at=at,
        )
        self._runs.append(Run(record=record, fault="left", status_before="ACTIVE", dirty_mib_s=0.0))

    async def facts(self) -> CloudFacts:
        await self._called("facts")
        return CloudFacts(
            at=self._clock.now(),
            servers=tuple(self.servers.values()),
            services=tuple(self.services.values()),
            providers=tuple(self._provider(host) for host in self.services),
            aggregates=(),
            groups=tuple(self.groups),
            migrations=tuple(run.record for run in self._runs if run.record.status in RUNNING_MIGRATION_STATUSES),
            projects=tuple(Project(id=key, name=name, enabled=True) for key, name in self.projects.items()),
        )

    async def server(self, server_id: ServerId) -> Server | None:
        await self._called("server", server_id)
        return self.servers.get(server_id)

    async def servers_on(self, host: HostName) -> tuple[Server, ...]:
        await self._called("servers_on", host)
        return tuple(server for server in self.servers.values() if server.host == host)

    async def service(self, host: HostName) -> Service | None:
        await self._called("service", host)
        return self.services.get(host)

    async def running_migrations(self) -> tuple[Migration, ...]:
        await self._called("running_migrations")
        return tuple(run.record for run in self._runs if run.record.status in RUNNING_MIGRATION_STATUSES)

    async def migrations_of(self, server_id: ServerId) -> tuple[Migration, ...]:
        await self._called("migrations_of", server_id)
        return tuple(run.record for run in reversed(self._runs) if run.record.server_id == server_id)

    async def migration(self, server_id: ServerId, migration_id: int) -> Migration | None:
        await self._called("migration", server_id, migration_id)
        found = self._run(server_id, migration_id)
        return None if found is None else found.record

    async def ports_of(self, server_id: ServerId) -> tuple[Port, ...]:
        await self._called("ports_of", server_id)
        if server_id not in self.servers:
            return ()
        vif = "binding_failed" if self.faults.get(server_id) == "unbound" else "ovs"
        return (Port(id=f"port-{server_id}", server_id=server_id, host=self._bound[server_id], vif_type=vif),)

    async def guest(self, server: Server) -> Guest:
        await self._called("guest", server.id)
        found = self.guests.get(server.id, Guest(numa=(), image_properties={}))
        self.change(server.id, guest=found)
        return found

    async def admits(self, server: Server, target: HostName) -> str | None:
        await self._called("admits", server.id, target)
        if target in self.services and not self.services[target].enabled:
            return "its compute service is disabled"
        for key, value in server.demands.items():
            if key.startswith("trait:") and value == "required":
                return f"lacks the trait {key.removeprefix('trait:')}"
        free = self.memory_mib.get(target, 0) - self._claimed_mib(target)
        return None if server.memory_mib <= free else f"{target} has {free} MiB left and {server.memory_mib} are needed"

    async def live_migrate(self, server_id: ServerId, target: HostName, *, deadline: datetime) -> RequestId:
        return await self._asked("live-migration", server_id, target, deadline)

    async def cold_migrate(self, server_id: ServerId, target: HostName, *, deadline: datetime) -> RequestId:
        return await self._asked("migration", server_id, target, deadline)

    async def confirm_resize(self, server_id: ServerId) -> RequestId:
        await self._called("confirm_resize", server_id)
        run = next((r for r in self._runs if r.record.server_id == server_id and r.record.status == "finished"), None)
        if run is None:
            raise RefusedError("the server is not in VERIFY_RESIZE", rule="conflict", where=server_id)
        run.record = replace(run.record, status="confirming")
        run.confirm_at = self._clock.now() + timedelta(seconds=1)
        return self._request()

    async def abort_migration(self, server_id: ServerId, migration_id: int) -> RequestId:
        await self._called("abort_migration", server_id, migration_id)
        run = self._run(server_id, migration_id)
        if run is None or run.record.status not in {"queued", "preparing", "running"} or run.fault == "stuck":
            raise RefusedError("the migration is not running", rule="conflict", where=server_id)
        run.abort_at = self._clock.now() + timedelta(seconds=1)
        return self._request()

    async def force_complete(self, server_id: ServerId, migration_id: int) -> RequestId:
        await self._called("force_complete", server_id, migration_id)
        run = self._run(server_id, migration_id)
        if run is None or run.record.status != "running":
            raise RefusedError("the migration is not running", rule="conflict", where=server_id)
        left = (run.record.memory_remaining_bytes or 0) / MIB
        run.force_at = self._clock.now() + timedelta(seconds=1 + left / self.link_mib_s)
        run.force_left = left
        return self._request()

    async def disable_service(self, service: Service, reason: str) -> None:
        await self._called("disable_service", service.host, reason)
        self.change_service(service.host, enabled=False, disabled_reason=reason)

    async def enable_service(self, service: Service) -> None:
        await self._called("enable_service", service.host)
        self.change_service(service.host, enabled=True, disabled_reason=None)

    async def _called(self, name: str, *args: Any) -> None:
        self.calls.append((name, args))
        if self.latency:
            await self._clock.sleep(self.latency)
        if self.down_until is not None and self._clock.now() < self.down_until:
            raise TransientError("HTTP 503", where=name)
        if name in self.denied:
            raise PermanentError("HTTP 403", where=name)
        self._settle()

    async def _asked(self, kind: str, server_id: ServerId, target: HostName, deadline: datetime) -> RequestId:
        await self._called("live_migrate" if kind == "live-migration" else "cold_migrate", server_id, target)
        if self._clock.now() >= deadline:
            raise TransientError("its deadline passed before it could be sent", where=server_id)
        if self.forbids:
            raise RefusedError("HTTP 403: policy does not allow it", rule="policy", where=server_id)
        answer = self.answers.pop(0) if self.answers else ""
        if answer == "throttled":
            raise TransientError("HTTP 429", where=server_id, retry_after_s=90.0)
        if answer == "unreachable":
            raise TransientError("connection refused", where=server_id)
        if answer == "late":
            self._late.append((self._clock.now() + timedelta(seconds=20), kind, server_id, target))
        if answer in {"late", "dropped"}:
            raise TransientError("timed out", where=server_id, sent=True)
        self._begin(kind, server_id, target)
        if answer == "lost":
            raise TransientError("connection reset", where=server_id, sent=True)
        return self._request()

    def _begin(self, kind: str, server_id: ServerId, target: HostName) -> None:
        server, fault = self.servers.get(server_id), self.faults.get(server_id)
        if server is None:
            raise PermanentError("no such server", where=server_id)
        if server.task_state is not None or server.host is None:
            raise RefusedError(f"the server has task {server.task_state}", rule="conflict", where=server_id)
        if fault == "check":
            raise RefusedError("No valid host was found", rule="no-valid-host", where=server_id)
        self.servers[server_id] = replace(server, task_state="migrating", status=_moving_status(kind, server.status))
        number = 0 if fault == "no-record" else 100 + len(self._runs)
        self.starts.append(Start(server_id=server_id, target=target, at=self._clock.now(), record=number))
        if number == 0:
            return
        record = Migration(
            id=number,
            uuid=f"mig-{number}",
            server_id=server_id,
            type=kind,
            status="queued" if kind == "live-migration" else "pre-migrating",
            source=server.host,
            target=target,
            created_at=self._clock.now(),
        )
        dirty = self.dirty_mib_s.get(server_id, 50.0)
        self._runs.append(Run(record=record, fault=fault, status_before=server.status, dirty_mib_s=dirty))

    def _settle(self) -> None:
        """Brings every migration to where it is by now."""
        now = self._clock.now()
        for due in [late for late in self._late if late[0] <= now]:
            self._late.remove(due)
            self._begin(*due[1:])
        for start in self.starts:
            if start.record == 0 and now - start.at >= timedelta(seconds=2):
                self._settled(start.server_id, status="ACTIVE")
        for run in self._runs:
            broken = run.fault == "late-error" and run.record.status == "error"
            if broken and now - (run.record.updated_at or now) > timedelta(seconds=1):
                self._settled(run.record.server_id, status="ERROR")
            elif run.record.status in RUNNING_MIGRATION_STATUSES and run.fault != "left":
                step = self._live if run.record.type == "live-migration" else self._cold
                step(run, now)

    def _live(self, run: Run, now: datetime) -> None:
        age, record, server_id = now - run.record.created_at, run.record, run.record.server_id
        if run.abort_at is not None and now >= run.abort_at:
            self._end(run, "cancelled")
        elif age < QUEUED:
            return
        elif age < QUEUED + PREPARING:
            run.record = replace(record, status="preparing")
        elif run.fault == "pre":
            self._end(run, "failed")
        elif server_id not in self.servers or (run.fault == "delete" and age > timedelta(seconds=3)):
            self.servers.pop(server_id, None)
            run.record = replace(record, status="error")
        elif run.fault in ENDS and age > timedelta(seconds=3):
            self._end(run, ENDS[run.fault])
        else:
            self._copy(run, now, (age - QUEUED - PREPARING).total_seconds())

    def _copy(self, run: Run, now: datetime, seconds: float) -> None:
        server = self.servers[run.record.server_id]
        total = server.memory_mib
        speed = 0.0 if run.fault in {"stall", "stuck"} else max(0.0, self.link_mib_s - run.dirty_mib_s)
        remaining = max(min(total, 0.3 * self.link_mib_s), total - speed * seconds)
        if run.force_at is not None:
            remaining = min(run.force_left, max(0.0, (run.force_at - now).total_seconds()) * self.link_mib_s)
        run.record = replace(
            run.record,
            status="running",
            memory_total_bytes=total * MIB,
            memory_remaining_bytes=int(remaining * MIB),
            memory_processed_bytes=int(self._processed(run, total, seconds) * MIB),
            updated_at=now,
        )
        forced = run.force_at is not None and now >= run.force_at
        ready = timedelta(seconds=(total - 0.3 * self.link_mib_s) / speed) if speed else None
        if forced or (ready is not None and timedelta(seconds=seconds) >= ready):
            self._arrive(run)
            began = run.force_at if forced else run.record.created_at + QUEUED + PREPARING + (ready or timedelta(0))
            if began is not None and now - began >= RECORD_LAG:
                self._end(run, "completed")

    def _processed(self, run: Run, total: int, seconds: float) -> float:
        """All of its memory, and again and again where it writes as fast; nothing where the link carries nothing."""
        if run.fault in {"stall", "stuck"}:
            return 0.0
        sent = self.link_mib_s * seconds
        return sent if run.dirty_mib_s >= self.link_mib_s else min(total, sent)

    def _arrive(self, run: Run) -> None:
        server_id, target = run.record.server_id, run.record.target
        assert target is not None
        if self.servers[server_id].host != target:
            self.change(server_id, host=target, task_state=None, status=run.status_before)
            self._bound[server_id] = target

    def _cold(self, run: Run, now: datetime) -> None:
        age, server_id = now - run.record.created_at, run.record.server_id
        if run.confirm_at is not None:
            if now >= run.confirm_at:
                self.change(server_id, status="SHUTOFF", task_state=None)
                run.record = replace(run.record, status="confirmed")
        elif age > timedelta(seconds=3) and run.fault == "copy":
            run.record = replace(run.record, status="error")
            self.change(server_id, status="ERROR", task_state=None)
        elif age > timedelta(seconds=3) and run.record.status != "finished":
            self._arrive(run)
            self.change(server_id, status="VERIFY_RESIZE")
            run.record = replace(run.record, status="finished")

    def _end(self, run: Run, status: str) -> None:
        run.record = replace(run.record, status=status, updated_at=self._clock.now())
        self._settled(run.record.server_id, status="ERROR" if run.fault == "error" else run.status_before)
        if run.fault == "resize" and status == "completed":
            self._resize(run.record.server_id)

    def _resize(self, server_id: ServerId) -> None:
        """The owner resizes the server the moment it may; it goes to another host."""
        self.change(server_id, flavor_name="m2", status="VERIFY_RESIZE", host=HostName("c4"))
        self._bound[server_id] = HostName("c4")
        last = self._runs[-1].record
        self._runs.append(
            Run(
                record=replace(last, id=100 + len(self._runs), type="resize", status="finished", target=HostName("c4")),
                fault=None,
                status_before="ACTIVE",
                dirty_mib_s=0,
            )
        )

    def _settled(self, server_id: ServerId, *, status: str) -> None:
        server = self.servers.get(server_id)
        if server is not None and server.status in {"MIGRATING", "ACTIVE", "PAUSED"}:
            self.servers[server_id] = replace(server, task_state=None, status=status)

    def _claimed_mib(self, host: HostName) -> int:
        here = sum(server.memory_mib for server in self.servers.values() if server.host == host)
        coming = [run.record for run in self._runs if run.record.status in RUNNING_MIGRATION_STATUSES]
        return here + sum(
            self.servers[record.server_id].memory_mib
            for record in coming
            if record.target == host and record.server_id in self.servers and record.source != host
            if self.servers[record.server_id].host != host
        )

    def _provider(self, host: HostName) -> Provider:
        inventory: Mapping[str, Amount] = {
            "VCPU": Amount(total=64, reserved=0, ratio=4.0),
            "MEMORY_MB": Amount(total=self.memory_mib[host], reserved=0, ratio=1.0),
        }
        return Provider(id=f"rp-{host}", host=host, inventory=inventory, traits=frozenset())

    def _run(self, server_id: ServerId, migration_id: int) -> Run | None:
        return next((r for r in self._runs if (r.record.server_id, r.record.id) == (server_id, migration_id)), None)

    def _request(self) -> RequestId:
        return RequestId(f"req-{len(self.calls)}")


def _moving_status(kind: str, status: str) -> str:
    return "MIGRATING" if kind == "live-migration" else status

"""Nova's orders and what becomes of them: migrations that take time, and can stall, fail or lie.

A live migration is `accepted`, `queued`, `preparing`, `running` (memory copied round by round, links shared), then the
server is ACTIVE on its new host with no task, and a moment later its record says `completed`.
"""

from dataclasses import dataclass

import numpy as np

from controller.errors import RefusedError
from controller.twin import scheduling, uplinks
from controller.twin.copying import Copy, Mode, Stage, shares
from controller.twin.machines import MIB, Server
from controller.twin.world import World, named_id

LIVE = "live-migration"
COLD = "migration"
IN_PROGRESS = ("queued", "preparing", "running", "post-migrating")
"""Statuses of a live migration that `GET /servers/{id}/migrations` lists."""


class RefusalError(RefusedError):
    """What the API answers instead of doing it: an HTTP status and a sentence in Nova's words."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what, rule=f"http-{status}")
        self.status = status


@dataclass(slots=True, kw_only=True)
class Record:
    """A row of Nova's migrations. Hosts are rows of the topology, -1 for not yet known."""

    id: int
    uuid: str
    server_id: str
    project_id: str
    kind: str
    status: str
    source: int
    target: int
    created: float
    updated: float
    memory_total: int | None = None
    memory_remaining: int | None = None
    memory_processed: int | None = None


@dataclass(slots=True, kw_only=True)
class Mishap:
    """A fault armed for the next `times` migrations of one server (`server_id`), or of any (None)."""

    mode: Mode
    server_id: str | None
    times: int


class Orders:
    """Every migration that was ever asked for, and the means to ask for one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.claims = scheduling.Claims()
        self.records: dict[int, Record] = {}
        self.copies: dict[int, Copy] = {}
        self.mishaps: list[Mishap] = []
        self.unbound: set[str] = set()

    def live_migrate(self, server: Server, host_name: str | None, *, at_once: bool) -> None:
        """`os-migrateLive`. With `at_once` (microversions before 2.34) the scheduler's no is this call's answer."""
        target = self._known_host(host_name)
        self._require(server, "os-migrateLive", {"active", "paused"})
        record = self._record(server, LIVE, "accepted", target)
        server.task_state = "migrating"
        self.world.touch(server)
        copy = Copy(
            stage=Stage.ACCEPTED, remaining=server.flavor.memory_mib * MIB, total=server.flavor.memory_mib * MIB
        )
        copy.mode = self._mishap(server)
        self.copies[record.id] = copy
        if at_once and not self._schedule(record, copy, server):
            raise RefusalError(400, scheduling.NO_VALID_HOST)

    def cold_migrate(self, server: Server, host_name: str | None) -> None:
        """`migrate`: stops the guest, moves it, and waits for confirmation."""
        target = self._known_host(host_name)
        self._require(server, "migrate", {"active", "stopped"})
        if target == server.host:
            raise RefusalError(400, "Cannot migrate to the host where the server exists.")
        server.old_state, server.task_state = server.vm_state, "resize_prep"
        self.world.touch(server)
        record = self._record(server, COLD, "pre-migrating", target)
        self.copies[record.id] = Copy(stage=Stage.ACCEPTED, remaining=0.0, total=0.0, mode=self._mishap(server))

    def confirm_resize(self, server: Server) -> None:
        """`confirmResize`: gives the source's resources back."""
        self._require(server, "confirmResize", {"resized"})
        for record in self.records.values():
            if record.server_id == server.id and record.status == "finished":
                self._set(record, "confirmed")
                self.claims.release(record.uuid)
        server.vm_state, server.resized_from = server.old_state, -1
        self.world.touch(server)

    def abort(self, server: Server, migration_id: int, *, queued_too: bool) -> None:
        """`DELETE /servers/{id}/migrations/{id}`; `queued_too` since microversion 2.65."""
        record = self._of(server, migration_id)
        self._require_migrating(server, "abort live migration")
        allowed = ("running", "queued", "preparing") if queued_too else ("running",)
        if record.status not in allowed:
            raise RefusalError(400, _invalid(record, "abort live migration"))
        self.copies[record.id].aborted = True

    def force_complete(self, server: Server, migration_id: int) -> None:
        """`force_complete`: pauses the guest, so that nothing more is written, and lets the copy end."""
        record = self._of(server, migration_id)
        self._require_migrating(server, "force_complete")
        if record.status != "running":
            raise RefusalError(400, _invalid(record, "force complete"))
        self.copies[record.id].forced = True

    def forget(self, server: Server) -> None:
        """Ends what is under way with a server that is being deleted."""
        for record in self.records.values():
            if record.server_id == server.id and record.id in self.copies:
                del self.copies[record.id]
                self.claims.release(record.uuid)
                self._set(record, "cancelled")

    def step(self, dt: float) -> None:
        """Lets `dt` seconds pass for every migration under way."""
        ways = self.world.uplinks
        vms_bytes_s = np.maximum(ways.vms_in, ways.vms_out)
        rates = shares(self._running(), self.world.topology, self.world.nature.copy_speed, vms_bytes_s)
        self._weigh(rates)
        for migration_id in list(self.copies):
            record, copy = self.records[migration_id], self.copies[migration_id]
            copy.age += dt
            copy.total_age += dt
            handler = self._live_step if record.kind == LIVE else self._cold_step
            handler(record, copy, dt, rates.get(migration_id, 0.0))

    def _live_step(self, record: Record, copy: Copy, dt: float, rate: float) -> None:
        server, nature = self.world.servers[record.server_id], self.world.nature
        if copy.stage is Stage.ACCEPTED:
            self._schedule(record, copy, server)
        elif copy.stage is not Stage.SETTLING and copy.aborted:
            self._end(record, server, "cancelled")
        elif copy.stage is Stage.QUEUED and copy.age >= nature.queue_s:
            copy.enter(Stage.PREPARING)
            self._set(record, "preparing")
        elif copy.stage is Stage.PREPARING and copy.age >= nature.prepare_s:
            self._begin_copy(record, copy, server)
        elif copy.stage is Stage.RUNNING:
            self._copy(record, copy, server, dt, rate)
        elif copy.stage is Stage.SETTLING and copy.age >= nature.record_lag_s:
            self._finish(record)

    def _begin_copy(self, record: Record, copy: Copy, server: Server) -> None:
        if copy.mode is Mode.PREPARE_FAILS or not self.world.services[record.target].up:
            self._end(record, server, "failed")
            return
        copy.enter(Stage.RUNNING)
        self._set(record, "running")
        self._report(record, copy)

    def _copy(self, record: Record, copy: Copy, server: Server, dt: float, rate: float) -> None:
        if copy.mode is Mode.FAIL and copy.processed >= 0.3 * copy.total:
            self._end(record, server, "failed")
        elif copy.mode is Mode.ERROR and copy.processed >= 0.3 * copy.total:
            server.vm_state, server.fault = "error", (500, "Live migration failed.", self.world.now)
            self._end(record, server, "error")
        elif not self.world.hosts.powered[record.target]:
            self._end(record, server, "failed")
        elif copy.total_age > self.world.nature.give_up_s:
            self._end(record, server, "cancelled")
        else:
            stuck = copy.mode is Mode.STALL and copy.processed >= 0.3 * copy.total
            dirty = 0.0 if copy.forced else float(self.world.vms.dirty_bytes_s[server.row])
            copy.advance(0.0 if stuck and not copy.forced else rate, dirty, dt)
            self._report(record, copy)
            if copy.converged(rate * self.world.nature.blackout_s) and (copy.forced or not stuck):
                self._switch(record, copy, server)

    def _switch(self, record: Record, copy: Copy, server: Server) -> None:
        """The guest runs on its target from here on; its record does not know yet."""
        if copy.mode is not Mode.LIE:
            self.world.place(server, record.target)
        if copy.mode is Mode.UNBOUND:
            self.unbound.add(server.id)
        self.claims.release(record.uuid)
        server.task_state = None
        self.world.touch(server)
        copy.enter(Stage.SETTLING)

    def _finish(self, record: Record) -> None:
        self._set(record, "completed")
        del self.copies[record.id]

    def _cold_step(self, record: Record, copy: Copy, dt: float, rate: float) -> None:
        server = self.world.servers[record.server_id]
        if copy.stage is Stage.ACCEPTED:
            self._schedule(record, copy, server)
        elif copy.stage is Stage.QUEUED:
            copy.enter(Stage.RUNNING)
            server.task_state = "resize_migrating"
            self._set(record, "migrating")
        elif copy.stage is Stage.RUNNING and copy.age >= 1.0:
            if copy.mode in {Mode.FAIL, Mode.ERROR}:
                server.vm_state, server.fault = "error", (500, "Migration failed.", self.world.now)
                self._end(record, server, "error")
                return
            source = server.host
            self.world.place(server, record.target)
            self.claims.release(record.uuid)
            self.claims.hold(record.uuid, source, server)
            server.vm_state, server.task_state, server.resized_from = "resized", None, source
            self.world.touch(server)
            self._set(record, "finished")
            del self.copies[record.id]

    def _schedule(self, record: Record, copy: Copy, server: Server) -> bool:
        """The conductor's part: finds or checks the target. False where there is none; the record then says error."""
        target = record.target if record.target >= 0 else self._best_host(server)
        refused = target < 0 or scheduling.refusal(self.world, self.claims, server, target) is not None
        if refused or copy.mode is Mode.REFUSE:
            self._end(record, server, "error")
            return False
        record.target = target
        self.claims.hold(record.uuid, target, server)
        copy.enter(Stage.QUEUED)
        if record.kind == LIVE:
            self._set(record, "queued")
        return True

    def _best_host(self, server: Server) -> int:
        order = sorted(range(len(self.world.services)), key=lambda row: float(self.world.hosts.cpu_ratio[row]))
        fits = (row for row in order if scheduling.refusal(self.world, self.claims, server, row) is None)
        return next(fits, -1)

    def _running(self) -> dict[int, tuple[int, int]]:
        """Source and target of each copy that uses the network now."""
        return {
            n: (self.records[n].source, self.records[n].target)
            for n, copy in self.copies.items()
            if copy.stage is Stage.RUNNING and self.records[n].kind == LIVE
            and self.world.hosts.powered[self.records[n].source]
        }  # fmt: skip

    def _weigh(self, rates: dict[int, float]) -> None:
        """Tells the world what the copies cost its hosts."""
        self.world.copying_threads[:] = 0.0
        self.world.copying_bytes_s[:] = 0.0
        for migration_id, rate in rates.items():
            for host in (self.records[migration_id].source, self.records[migration_id].target):
                self.world.copying_threads[host] += 0.5
                self.world.copying_bytes_s[host] += rate
        ends = ((self.records[n].source, self.records[n].target, rate) for n, rate in rates.items())
        ways = self.world.uplinks
        ways.copies_in, ways.copies_out = uplinks.copied(ends, self.world.topology)

    def _end(self, record: Record, server: Server, status: str) -> None:
        """Ends a migration that did not move its server."""
        self.copies.pop(record.id, None)
        self.claims.release(record.uuid)
        server.task_state = None
        self.world.touch(server)
        self._set(record, status)

    def _set(self, record: Record, status: str) -> None:
        record.status, record.updated = status, self.world.now

    def _report(self, record: Record, copy: Copy) -> None:
        record.memory_total, record.memory_remaining = int(copy.total), int(copy.remaining)
        record.memory_processed, record.updated = int(copy.processed), self.world.now

    def _record(self, server: Server, kind: str, status: str, target: int) -> Record:
        number, now = len(self.records) + 1, self.world.now
        record = Record(
            id=number, uuid=named_id("migration", self.world.estate.name, number, now), server_id=server.id, kind=kind,
            project_id=server.project_id, status=status, source=server.host, target=target, created=now, updated=now,
        )  # fmt: skip
        self.records[number] = record
        return record

    def _known_host(self, name: str | None) -> int:
        if name is None:
            return -1
        hosts = self.world.topology
        if name not in hosts.hosts or not hosts.in_nova[hosts.host_row(name)]:
            raise RefusalError(400, f"Compute host {name} could not be found.")
        return hosts.host_row(name)

    def _require(self, server: Server, action: str, states: set[str]) -> None:
        if server.vm_state not in states:
            raise RefusalError(409, f"Cannot '{action}' instance {server.id} while it is in vm_state {server.vm_state}")
        if server.task_state is not None:
            raise RefusalError(
                409, f"Cannot '{action}' instance {server.id} while it is in task_state {server.task_state}"
            )

    def _require_migrating(self, server: Server, action: str) -> None:
        if server.task_state != "migrating":
            raise RefusalError(
                409, f"Cannot '{action}' instance {server.id} while it is in task_state {server.task_state}"
            )

    def _of(self, server: Server, migration_id: int) -> Record:
        record = self.records.get(migration_id)
        if record is None or record.server_id != server.id:
            raise RefusalError(404, f"Migration {migration_id} not found for instance {server.id}")
        return record

    def _mishap(self, server: Server) -> Mode | None:
        for mishap in self.mishaps:
            if mishap.times > 0 and mishap.server_id in {None, server.id}:
                mishap.times -= 1
                self.mishaps = [each for each in self.mishaps if each.times > 0]
                return mishap.mode
        return None


def _invalid(record: Record, method: str) -> str:
    return (
        f"Migration {record.id} state of instance {record.server_id} is {record.status}."
        f" Cannot {method} while the migration is in this state."
    )

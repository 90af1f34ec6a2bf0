"""The table of servers: where each stands, whose it is, what it asks of a host, what it uses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import attrgetter
from typing import Any

import numpy as np

from controller.engine.assemble import specs
from controller.engine.assemble.owners import Owners
from controller.engine.assemble.places import rows_of
from controller.engine.gate import Gate
from controller.model import cluster as model
from controller.model.cloud import RUNNING_MIGRATION_STATUSES, CloudFacts, Migration, Server
from controller.model.ids import ServerId
from controller.model.sample import FloatColumn, IntColumn, Kind, Quantity
from inventory.model import Classification, NumaCell

_MIB = 1024.0 * 1024.0
_STATES = {
    "ACTIVE": model.VmState.ACTIVE,
    "PAUSED": model.VmState.PAUSED,
    "SHUTOFF": model.VmState.SHUTOFF,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The table, and what its columns refer to."""

    vms: model.Vms
    requirements: tuple[model.Requirement, ...]
    flavors: tuple[str, ...]


def vm_table(
    facts: CloudFacts,
    gate: Gate,
    owners: Owners,
    *,
    host_rows: Mapping[str, int],
    rest: Mapping[ServerId, float],
    settled_at: Mapping[str, float],
) -> Servers:
    """All servers, sorted by id, each once; `rest` is until when a VM rests after a move."""
    by_id = {server.id: server for server in facts.servers}
    servers = [by_id[key] for key in sorted(by_id)]
    ids = tuple(server.id for server in servers)
    system = _rows(owners.system_of_project, (server.project_id for server in servers))
    host = _rows(host_rows, (server.host for server in servers))
    running = _running(facts, ids)
    target = _targets(running, host, host_rows)
    vcpus, memory_mib = _floats(servers, "vcpus"), _floats(servers, "memory_mib")
    requirement, fit_known, requirements = _requirements(facts, servers)
    flavors = tuple(sorted({server.flavor_name for server in servers}))
    flavor_rows = rows_of(flavors)
    levels = np.append(owners.systems.classification, np.int8(max(Classification)))
    vms = model.Vms(
        ids=ids,
        names=tuple(server.name for server in servers),
        host=host,
        target=target,
        system=system,
        classification=levels[system],
        requirement=requirement,
        flavor=_rows(flavor_rows, (server.flavor_name for server in servers)),
        vcpus=vcpus,
        memory_mib=memory_mib,
        disk_gib=_floats(servers, "disk_gib"),
        state=_rows(_STATES, (server.status for server in servers), int(model.VmState.OTHER)).astype(np.int8),
        busy=_busy(servers, running),
        locked=np.array([server.locked for server in servers], np.bool_),
        fit_known=fit_known,
        cooldown_until=np.fromiter(map(rest.get, ids, repeat(0.0)), np.float64, len(ids)),
        cpu_high_vcpus=np.full(len(ids), np.nan),
        network_high_bytes_s=np.full(len(ids), np.nan),
        **_readings(gate, ids, vcpus, memory_mib, settled_at),
    )
    return Servers(vms=vms, requirements=requirements, flavors=flavors)


def _readings(
    gate: Gate, ids: tuple[ServerId, ...], vcpus: FloatColumn, memory: FloatColumn, settled_at: Mapping[str, float]
) -> dict[str, model.Reading]:
    """A VM's CPU may pass its vCPUs a little (emulator threads), its memory its flavor's (the emulator's own)."""
    since = np.fromiter(map(settled_at.get, ids, repeat(-np.inf)), np.float64, len(ids))
    high = {
        Quantity.CPU_VCPUS: vcpus * 1.1 + 0.25,
        Quantity.CPU_AHEAD_VCPUS: vcpus * 1.1 + 0.25,
        Quantity.STEAL_RATIO: np.full(len(ids), np.inf),
        Quantity.MEMORY_BYTES: (memory * 1.1 + 512.0) * _MIB,
        Quantity.NETWORK_BYTES_S: np.full(len(ids), np.inf),
        Quantity.STORAGE_BYTES_S: np.full(len(ids), np.inf),
        Quantity.DIRTY_BYTES_S: np.full(len(ids), np.inf),
    }
    return {
        quantity.value: gate.reading(Kind.VM, quantity, ids, high=most, not_before=since)
        for quantity, most in high.items()
    }


def _running(facts: CloudFacts, ids: Sequence[ServerId]) -> Mapping[int, Migration]:
    """The migration of each server's row that has not ended, the newest where there are two."""
    running = {
        migration.server_id: migration
        for migration in sorted(facts.migrations, key=lambda migration: migration.id)
        if migration.status in RUNNING_MIGRATION_STATUSES
    }
    return {row: running[key] for row, key in enumerate(ids) if key in running} if running else {}


def _busy(servers: Sequence[Server], running: Mapping[int, Migration]) -> model.BoolColumn:
    """A task or a migration is under way; one that waits for its owner to confirm it (`finished`) is not."""
    busy = np.array([server.task_state is not None for server in servers], np.bool_)
    busy[[row for row, migration in running.items() if migration.status != "finished"]] = True
    return busy


def _targets(running: Mapping[int, Migration], host: IntColumn, host_rows: Mapping[str, int]) -> IntColumn:
    """The other end of each server's running migration: Placement holds the server's resources on both.

    That is the destination, and where Nova already says the server stands there (a cold migration that waits for
    confirmation) the source.
    """
    target = np.full(len(host), -1, np.int32)
    for row, migration in running.items():
        if migration.target is not None:
            ends = [host_rows.get(name, -1) for name in (migration.target, migration.source)]
            target[row] = next((end for end in ends if end != host[row]), -1)
    return target


def _requirements(
    facts: CloudFacts, servers: Sequence[Server]
) -> tuple[IntColumn, model.BoolColumn, tuple[model.Requirement, ...]]:
    """Each server's row of the distinct requirements, whether its fit can be shown, and the requirements."""
    metadata_keys = frozenset(key for aggregate in facts.aggregates for key in aggregate.metadata)
    parsed: dict[tuple[tuple[str, str], ...], tuple[frozenset[tuple[str, str]], specs.Specs]] = {}
    rows: dict[tuple[frozenset[tuple[str, str]], str, str, tuple[NumaCell, ...]], int] = {}
    requirements: list[model.Requirement] = []
    row_of, known = [], []
    for server in servers:
        demands = tuple(server.demands.items())
        if demands not in parsed:
            parsed[demands] = frozenset(demands), specs.read(sorted(demands), metadata_keys)
        asked, read = parsed[demands]
        cells = server.guest.numa if server.guest else None
        key = (asked, server.project_id, server.pinned_zone or "", cells or ())
        row = rows.get(key)
        if row is None:
            row = rows[key] = len(requirements)
            requirements.append(_requirement(read, server, cells or ()))
        row_of.append(row)
        known.append(read.fit_known and (server.guest is None or specs.fits(server.guest)))
    return _ints(row_of), np.array(known, np.bool_), tuple(requirements)


def _requirement(read: specs.Specs, server: Server, cells: tuple[NumaCell, ...]) -> model.Requirement:
    return model.Requirement(
        required_traits=read.required_traits,
        forbidden_traits=read.forbidden_traits,
        availability_zone=server.pinned_zone,
        aggregate_specs=read.aggregate_specs,
        project_id=server.project_id,
        numa=cells,
    )


def _ints(values: Iterable[int]) -> IntColumn:
    return np.array(list(values), np.int32)


def _rows(rows: Mapping[Any, int], keys: Iterable[Any], unknown: int = -1) -> IntColumn:
    """The row of each key."""
    return np.fromiter(map(rows.get, keys, repeat(unknown)), np.int32)


def _floats(servers: Sequence[Server], name: str) -> FloatColumn:
    """One quantity of each."""
    return np.fromiter(map(attrgetter(name), servers), np.float64, len(servers))

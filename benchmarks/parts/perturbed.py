"""Estates perturbed from a feasible placement: what planning is measured on, here and beside peers.

The estate is modelled: hosts of 64 threads and 512 GiB in racks of 20, two feeds a hundred racks, three quarters of the
memory placed; then VMs are pulled onto two in five hosts, whatever fits, until they are over what Placement admits, and
a few VMs run wild.
"""

from datetime import UTC, datetime

import numpy as np

from controller.model import cluster as model
from controller.model.ids import HostName, ServerId
from controller.model.policy import Limits, Policy
from controller.model.sample import Trust

NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
GIB = 2.0**30
MEMORY_GIB, THREADS, HOSTS_IN_RACK, RACKS_IN_ROOM = 512.0, 64.0, 20, 100
POLICY = Policy(limits=Limits(at_once=200, across_rack=8, per_agency=200, per_system=200, per_hour=10**6))


def perturbed(hosts: int, vms: int, seed: int) -> model.Cluster:
    """An estate whose feasible placement was disturbed."""
    dice = np.random.default_rng(seed)
    memory = dice.choice([4.0, 8.0, 16.0, 32.0, 64.0], vms, p=[0.2, 0.25, 0.25, 0.2, 0.1])
    vcpus = memory / 4
    threads = vcpus * dice.uniform(0.05, 0.5, vms)
    host = _disturbed(_feasible(memory, hosts), memory, hosts, dice)
    wild = dice.choice(vms, vms // 200, replace=False)
    threads[wild] = vcpus[wild]
    return _cluster(host, memory, vcpus, threads, hosts)


def _feasible(memory: np.ndarray, hosts: int) -> np.ndarray:
    """Largest first onto the emptiest host."""
    host, load = np.zeros(len(memory), np.int32), np.zeros(hosts)
    for vm in np.argsort(-memory, kind="stable"):
        host[vm] = load.argmin()
        load[host[vm]] += memory[vm]
    assert load.max() <= MEMORY_GIB
    return host


def _disturbed(host: np.ndarray, memory: np.ndarray, hosts: int, dice: np.random.Generator) -> np.ndarray:
    """Pulls VMs from anywhere onto two in five hosts until each is 2 to 15 % over."""
    load = np.bincount(host, weights=memory, minlength=hosts)
    full = dice.choice(hosts, 2 * hosts // 5, replace=False)
    givers = iter(dice.permutation(np.flatnonzero(~np.isin(host, full))))
    for target in full:
        wanted = MEMORY_GIB * dice.uniform(1.02, 1.15)
        while load[target] < wanted:
            vm = next(givers)
            load[host[vm]] -= memory[vm]
            load[target] += memory[vm]
            host[vm] = target
    return host


def _cluster(host: np.ndarray, memory: np.ndarray, vcpus: np.ndarray, threads: np.ndarray, count: int) -> model.Cluster:
    vms, racks = len(host), -(-count // HOSTS_IN_RACK)
    rack = np.arange(count, dtype=np.int32) // HOSTS_IN_RACK
    rooms = -(-racks // RACKS_IN_ROOM)
    busy = np.minimum(np.bincount(host, weights=threads, minlength=count) + 1.0, THREADS)
    used = np.minimum(np.bincount(host, weights=memory * 0.6, minlength=count), 0.9 * MEMORY_GIB)
    systems = max(1, vms // 12)
    return model.Cluster(
        taken_at=NOW, estate=f"perturbed-{count}", sources=("model",), flavors=("m",),
        hosts=_hosts(count, rack, busy, used, rooms, racks),
        host_types=_no_types(), catalog=_no_flavors(),
        vms=_vms(host, memory, vcpus, threads, systems),
        racks=model.Racks(names=_names("r", racks), zone=np.arange(racks, dtype=np.int32) // 10,
                          room=np.arange(racks, dtype=np.int32) // RACKS_IN_ROOM, uplink_mib_s=np.full(racks, 9600.0),
                          uplink_in_bytes_s=model.absent(racks), uplink_out_bytes_s=model.absent(racks)),
        rooms=model.Rooms(names=_names("room", rooms), site=("site",) * rooms),
        zones=model.Zones(names=_names("z", racks // 10 + 1), warning_celsius=np.full(racks // 10 + 1, 27.0),
                          critical_celsius=np.full(racks // 10 + 1, 32.0), inlet_celsius=model.absent(racks // 10 + 1)),
        power=_power(rooms, racks),
        systems=model.Systems(
            names=_names("s", systems), agency=np.arange(systems, dtype=np.int32) % 472,
            classification=np.zeros(systems, np.int8), tier=np.full(systems, 2, np.int8), at_once=_none(systems),
            per_hour=_none(systems), moved_last_hour=np.zeros(systems, np.int32), open=np.ones(systems, np.bool_),
            withheld=np.zeros(systems, np.bool_), pause_s=np.zeros(systems)),
        agencies=model.Agencies(names=_names("a", 472), at_once=_none(472), per_hour=_none(472),
                                moved_last_hour=np.zeros(472, np.int32)),
        requirements=(model.Requirement(),), aggregates=(), groups=(),
    )  # fmt: skip


def _hosts(count: int, rack: np.ndarray, busy: np.ndarray, used: np.ndarray, rooms: int, racks: int) -> model.Hosts:
    yes, no, unknown = np.ones(count, np.bool_), np.zeros(count, np.bool_), np.full(count, np.nan)
    room = rack // RACKS_IN_ROOM
    power = np.stack([2 * room, 2 * room + 1, 2 * rooms + 2 * rack, 2 * rooms + 2 * rack + 1], axis=1).astype(np.int32)
    healthy = {name: _reading(np.zeros(count)) for name in ("memory_health", "psu_health", "fan_health", "disk_health")}
    return model.Hosts(
        names=tuple(HostName(name) for name in _names("h", count)), rack=rack, type=np.full(count, -1, np.int32),
        clearance=np.zeros(count, np.int8),
        vcpus=np.full(count, 4 * THREADS), memory_mib=np.full(count, MEMORY_GIB * 1024), disk_gib=np.full(count, 1e5),
        threads=np.full(count, THREADS), physical_memory_mib=np.full(count, MEMORY_GIB * 1024 + 16384),
        reserved_vcpus=np.zeros(count), reserved_memory_mib=np.full(count, 8192.0), reserved_disk_gib=np.zeros(count),
        migration_mib_s=np.full(count, 2400.0), storage_mib_s=unknown, post_copy=no, shared_storage=yes,
        unsaid_storage=no,
        enabled=yes, up=yes, known=yes,
        trusted=yes, draining=no, withheld=no, unread_health=no,
        power=power, watts_per_thread=np.full(count, 3.5), watts_error=np.full(count, 6.0),
        traits=(frozenset(),) * count, availability_zone=("nova",) * count, cpu_ratio=_reading(busy / THREADS),
        cpu_high_ratio=unknown,
        memory_bytes=_reading(used * GIB), memory_pressure_ratio=model.absent(count),
        network_bytes_s=_reading(np.full(count, 1e8)), network_high_bytes_s=unknown,
        storage_bytes_s=model.absent(count), power_watts=_reading(160.0 + 3.5 * busy),
        inlet_celsius=_reading(np.full(count, 22.0)), **healthy,
    )  # fmt: skip


def _vms(host: np.ndarray, memory: np.ndarray, vcpus: np.ndarray, threads: np.ndarray, systems: int) -> model.Vms:
    count = len(host)
    no, zero, unknown = np.zeros(count, np.bool_), np.zeros(count, np.int32), np.full(count, np.nan)
    return model.Vms(
        ids=tuple(ServerId(name) for name in _names("vm", count)), names=_names("vm", count), host=host,
        target=_none(count), system=(np.arange(count) % systems).astype(np.int32),
        classification=np.zeros(count, np.int8), requirement=zero, flavor=zero, vcpus=vcpus, memory_mib=memory * 1024,
        disk_gib=np.full(count, 40.0), state=np.zeros(count, np.int8), busy=no, locked=no, fit_known=~no,
        cooldown_until=np.zeros(count), cpu_vcpus=_reading(threads), cpu_high_vcpus=unknown,
        cpu_ahead_vcpus=model.absent(count), steal_ratio=model.absent(count),
        memory_bytes=_reading(memory * 0.6 * GIB), network_bytes_s=_reading(np.full(count, 1e6)),
        network_high_bytes_s=unknown, storage_bytes_s=model.absent(count),
        dirty_bytes_s=_reading(threads * 8 * 2.0**20),
    )  # fmt: skip


def _power(rooms: int, racks: int) -> model.Power:
    feeds, pdus = 2 * rooms, 2 * racks
    watts = HOSTS_IN_RACK * (160.0 + 3.5 * THREADS)
    rack_share = min(RACKS_IN_ROOM, racks)
    return model.Power(
        names=(*_names("feed", feeds), *_names("pdu", pdus)),
        kind=np.array([model.PowerKind.FEED] * feeds + [model.PowerKind.PDU] * pdus, np.int8),
        limit_watts=np.concatenate([np.full(feeds, 0.75 * watts * rack_share), np.full(pdus, 0.80 * watts)]),
        base_watts=np.zeros(feeds + pdus),
        feed=np.concatenate([np.arange(feeds), _feed_of_pdus(racks)]).astype(np.int32),
        partner=_none(feeds + pdus), ups=(None,) * (feeds + pdus),
        power_watts=model.absent(feeds + pdus),
        on_battery=model.absent(feeds + pdus), silent_on_battery=np.zeros(feeds + pdus, np.bool_),
        battery_minutes=model.absent(feeds + pdus),
    )  # fmt: skip


def _feed_of_pdus(racks: int) -> np.ndarray:
    """Two PDUs a rack, each on one of the room's two feeds."""
    rack = np.arange(2 * racks) // 2
    return 2 * (rack // RACKS_IN_ROOM) + np.arange(2 * racks) % 2


def _no_types() -> model.HostTypes:
    names = (
        "vcpus", "memory_mib", "disk_gib", "reserved_vcpus", "reserved_memory_mib", "reserved_disk_gib", "threads",
        "physical_memory_mib", "migration_mib_s", "storage_mib_s", "watts_per_thread", "watts_error", "idle_watts",
    )  # fmt: skip
    numbers = dict.fromkeys(names, np.zeros(0))
    none = np.zeros(0, np.bool_)
    return model.HostTypes(names=(), generation=(), numa=(), traits=(), post_copy=none, shared_storage=none, **numbers)


def _no_flavors() -> model.Catalog:
    numbers = dict.fromkeys(("vcpus", "memory_mib", "disk_gib"), np.zeros(0))
    return model.Catalog(
        names=(), classification=np.zeros(0, np.int8), requirement=np.zeros(0, np.int32),
        fit_known=np.zeros(0, np.bool_), **numbers,
    )  # fmt: skip


def _names(head: str, count: int) -> tuple[str, ...]:
    return tuple(f"{head}{n:06}" for n in range(count))


def _none(count: int) -> np.ndarray:
    return np.full(count, -1, np.int32)


def _reading(values: np.ndarray) -> model.Reading:
    count = len(values)
    return model.Reading(
        values=values.astype(np.float64),
        at=np.full(count, NOW.timestamp()),
        source=np.zeros(count, np.int32),
        trust=np.full(count, Trust.FRESH, np.int8),
    )

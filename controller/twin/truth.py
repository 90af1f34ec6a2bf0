"""The truth of a twin, for tests and demonstrations: each limit and its load, what is broken, where VMs stand.

Worked out from the world itself, apart from the controller's own reckoning, so that one can check the other.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from controller.model.policy import Thresholds
from controller.model.sample import Health
from controller.twin import physics, scheduling, seating
from controller.twin.ailments import Part
from controller.twin.machines import MIB
from controller.twin.openstack.cloud import Cloud
from controller.twin.world import World
from inventory.model import Spread

Limit = dict[str, Any]


def told(cloud: Cloud) -> dict[str, Any]:
    """Everything, as one JSON value. `broken` are the keys of limits and rules that do not hold."""
    limits = list(_limits(cloud))
    broken = [each["key"] for each in limits if each["load"] > each["limit"]] + list(rules_broken(cloud))
    world = cloud.world
    names = world.topology.hosts
    statuses = Counter(record.status for record in cloud.orders.records.values())
    return {
        "now": world.now,
        "limits": limits,
        "broken": sorted(broken),
        "placement": {server.id: names[server.host] for server in world.servers.values()},
        "names": {server.id: server.name for server in world.servers.values()},
        "migrations": dict(statuses),
        "hosts": [_host(world, row) for row in range(len(names))],
        "feeds": _feeds(world),
        "racks": _racks(world),
    }


def _limits(cloud: Cloud) -> Iterator[Limit]:
    world, topo, thresholds = cloud.world, cloud.world.topology, Thresholds()
    alone = physics.failover_watts(world.hosts.watts, topo)
    for kind, names, loads, bounds in (
        ("feed", topo.feeds, alone.feed, topo.feed_limit),
        ("pdu", topo.pdus, alone.pdu, topo.pdu_limit),
        ("phase", topo.phases, alone.phase, topo.phase_limit),
    ):
        for name, load, bound in zip(names, loads, bounds, strict=True):
            yield {"key": f"{kind}:{name}", "load": float(load), "limit": float(bound), "unit": "W"}
    memory = world.hosts.memory_bytes / (topo.memory_mib * MIB)
    for row, name in enumerate(topo.hosts):
        for kind, load, bound in (
            ("cpu", world.hosts.cpu_ratio[row], thresholds.cpu_ratio),
            ("memory", memory[row], thresholds.memory_ratio),
        ):
            yield {"key": f"{kind}:{name}", "load": float(load), "limit": bound, "unit": "ratio"}


def rules_broken(cloud: Cloud) -> Iterator[str]:
    """Keys of the rules of placement that do not hold."""
    world = cloud.world
    used = scheduling.usage(world, cloud.orders.claims)
    for row, name in enumerate(world.topology.hosts):
        if any(used[row][k] > world.capacity[row][k] for k in range(3)):
            yield f"capacity:{name}"
        failing = any(world.ailments.health_of(name, part) is Health.FAILED for part in Part)
        if failing and world.on_host[row]:
            yield f"health:{name}"
    for server in world.servers.values():
        host = world.estate.hosts[world.topology.hosts[server.host]]
        if host.clearance < world.system_of(server).classification:
            yield f"clearance:{server.id}"
    yield from _spreads(world)


def _spreads(world: World) -> Iterator[str]:
    rows = seating.domains(world.estate, world.topology)
    for system in world.estate.systems.values():
        for vm_set in system.vm_sets:
            for n, spread in enumerate(vm_set.spreads):
                key = f"{system.name}-{vm_set.role}"
                if _breaks(world, key, rows[spread.domain], spread):
                    yield f"group:{key} by {spread.domain}" if n else f"group:{key}"


def _breaks(world: World, key: str, domain: Any, spread: Spread) -> bool:
    held = Counter(int(domain[s.host]) for s in world.servers.values() if s.set_key == key)
    crowded = spread.max_per_domain is not None and any(count > spread.max_per_domain for count in held.values())
    return crowded or len(held) < min(spread.at_least, held.total())


def _host(world: World, row: int) -> dict[str, Any]:
    hosts = world.hosts
    return {
        "name": world.topology.hosts[row], "cpu_ratio": float(hosts.cpu_ratio[row]),
        "memory_bytes": float(hosts.memory_bytes[row]), "watts": float(hosts.watts[row]),
        "inlet_celsius": float(hosts.inlet[row]), "powered": bool(hosts.powered[row]),
        "vms": len(world.on_host[row]),
    }  # fmt: skip


def _feeds(world: World) -> dict[str, dict[str, Any]]:
    plant = world.plant
    return {
        name: {
            "watts": float(plant.feed_watts[row]), "mains": bool(plant.mains[row]),
            "battery_minutes": float(plant.battery_minutes[row]),
        }
        for row, name in enumerate(world.topology.feeds)
    }  # fmt: skip


def _racks(world: World) -> dict[str, dict[str, float]]:
    into, out = world.uplinks.into, world.uplinks.out
    return {
        name: {
            "in_bytes_s": float(into[row]), "out_bytes_s": float(out[row]),
            "uplink_bytes_s": float(world.topology.rack_uplink_mib_s[row]) * MIB,
        }
        for row, name in enumerate(world.topology.racks)
    }  # fmt: skip

"""VMs that keep arriving and leaving: Poisson, of the estate's own VM sets, seated as Nova would."""

from collections import Counter

from controller.twin import scheduling, seating
from controller.twin.machines import Server
from controller.twin.openstack.cloud import Cloud
from controller.twin.world import World
from inventory.model import Spread


def step(cloud: Cloud, dt: float) -> None:
    """Lets VMs come and go for `dt` seconds at the world's rates."""
    arrivals, departures = cloud.world.churn
    draw = cloud.world.random
    for _ in range(int(draw.poisson(arrivals * dt / 3600.0)) if arrivals else 0):
        arrive(cloud)
    for _ in range(int(draw.poisson(departures * dt / 3600.0)) if departures else 0):
        depart(cloud)


def arrive(cloud: Cloud) -> Server | None:
    """One more VM of a set drawn at random, on the least loaded host that may have it; None where none may."""
    world = cloud.world
    sets = [(system, vm_set) for system in world.estate.systems.values() for vm_set in system.vm_sets]
    system, vm_set = sets[int(world.random.integers(len(sets)))]
    key, flavor = f"{system.name}-{vm_set.role}", world.estate.flavors[vm_set.flavor]
    number = vm_set.count + 1 + world.churned
    threads = world.random.uniform(0.1, 0.4) * flavor.vcpus
    vm = seating.Wanted(
        set_key=key, name=f"{key}-{number}", system=system, flavor=flavor, spreads=vm_set.spreads, threads=threads
    )
    server = world.new_server(vm, number)
    full = _full_hosts(world, key, vm_set.spreads)
    for row in sorted(range(len(world.services)), key=lambda row: float(world.hosts.cpu_ratio[row])):
        cleared = world.estate.hosts[world.topology.hosts[row]].clearance >= system.classification
        allowed = bool(world.topology.in_nova[row]) and cleared and row not in full
        if allowed and scheduling.refusal(world, cloud.orders.claims, server, row) is None:
            world.seat(server, row)
            return server
    world.vms.release(server.row)
    return None


def depart(cloud: Cloud) -> bool:
    """A VM drawn at random is deleted, unless a task is under way with it."""
    world = cloud.world
    if not world.servers:
        return False
    server = list(world.servers.values())[int(world.random.integers(len(world.servers)))]
    if server.task_state is not None:
        return False
    cloud.orders.forget(server)
    world.remove_server(server)
    return True


def _full_hosts(world: World, key: str, spreads: tuple[Spread, ...]) -> set[int]:
    """Hosts in whose fault domain the set has as many VMs as one of its spread rules allows."""
    full: set[int] = set()
    for spread in (each for each in spreads if each.max_per_domain is not None):
        domain = seating.domains(world.estate, world.topology)[spread.domain]
        held = Counter(int(domain[s.host]) for s in world.servers.values() if s.set_key == key)
        full |= {row for row in range(len(domain)) if held[int(domain[row])] >= (spread.max_per_domain or 0)}
    return full

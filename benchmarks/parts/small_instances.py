"""Small clusters in trouble, the same for the same seed: some of their VMs stand where they may not, or too close.

Four to twelve hosts, ten to sixty VMs, pulled onto some of the hosts until what is placed or used is over a limit; a
host that drains or fails, servers above their host's clearance, groups whose members stand together or apart, a feed
near its rating. All amounts are such that `optimum_problem` can hold them as whole numbers.
"""

from random import Random

from controller.model import cluster as model
from controller.model.policy import Limits, Mode, Policy
from inventory.model import Classification, Domain
from tests import builders

POLICY = Policy(mode=Mode.AUTO, limits=Limits(gain_per_gib=0.0))
"""As shipped, but that copying costs nothing: then the score alone is the objective, as it is the solver's."""

THREADS, MEMORY_GIB, WATTS_PER_THREAD, IDLE_WATTS = 32, 128.0, 3.0, 150.0
OWN_THREADS, OWN_GIB = 0.5, 2.0
SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)


def cluster(seed: int) -> model.Cluster:
    dice = Random(seed)
    names = [f"h{n:02}" for n in range(dice.randint(4, 12))]
    vms = _placed(dice, names, dice.randint(10, 60))
    racks = ["r1", "r2", "r3"][: dice.randint(1, 3)]
    fleeing = dice.choice(names) if dice.random() < 0.3 else None
    hosts = [_host(dice, name, dice.choice(racks), vms, fleeing) for name in names]
    return builders.cluster(
        hosts=hosts,
        vms=vms,
        racks=[builders.Rack(name=rack) for rack in racks],
        supplies=_supplies(dice, hosts),
        systems=[builders.System(), builders.System(name="guarded", classification=Classification.CONFIDENTIAL)],
        groups=[_group(dice, n, [vm.name for vm in vms]) for n in range(dice.randint(0, 4))],
    )


def _placed(dice: Random, names: list[str], count: int) -> list[builders.Vm]:
    """Each on the first host of a few throws, the early ones likelier, that has threads and physical memory for it."""
    free = {name: [THREADS - OWN_THREADS, MEMORY_GIB - OWN_GIB] for name in names}
    made: list[builders.Vm] = []
    for n in range(count):
        vcpus, memory = dice.choice([1, 2, 4, 8]), dice.choice([2.0, 4.0, 8.0, 16.0, 32.0])
        cpu, used = round(vcpus * dice.choice(SHARES), 2), memory * dice.choice([0.25, 0.5, 0.75, 1.0])
        throws = [names[int(len(names) * dice.random() ** 2)] for _ in range(4)] + names
        host = next((name for name in throws if free[name][0] >= cpu and free[name][1] >= used), None)
        if host is None:
            break
        free[host] = [free[host][0] - cpu, free[host][1] - used]
        made.append(
            builders.Vm(
                name=f"v{n:02}", host=host, vcpus=vcpus, memory_gib=memory, cpu=cpu, memory_used_gib=used,
                network_mib_s=dice.choice([0.0, 1.0, 20.0]), system=dice.choice(["sys", "sys", "sys", "guarded"]),
            )
        )  # fmt: skip
    return made


def _host(dice: Random, name: str, rack: str, vms: list[builders.Vm], fleeing: str | None) -> builders.Host:
    on = [vm for vm in vms if vm.host == name]
    busy = sum(vm.cpu or 0.0 for vm in on) + OWN_THREADS
    drains = name == fleeing and dice.random() < 0.5
    return builders.Host(
        name=name, rack=rack, threads=THREADS, vcpus=float(THREADS * dice.choice([1, 2, 4])), memory_gib=MEMORY_GIB,
        disk_gib=2000.0, clearance=dice.choice([0, 3, 3, 3, 3]), cpu=busy / THREADS,
        memory_used_gib=sum(vm.memory_used_gib or 0.0 for vm in on) + OWN_GIB,
        network_mib_s=sum(vm.network_mib_s or 0.0 for vm in on), watts=round(IDLE_WATTS + WATTS_PER_THREAD * busy, 2),
        watts_per_thread=WATTS_PER_THREAD, watts_error=5.0, draining=drains,
        memory_health=2 if name == fleeing and not drains else 0, supplies=dice.choice([("A", "B"), ("C", "D")]),
    )  # fmt: skip


def _supplies(dice: Random, hosts: list[builders.Host]) -> list[builders.Supply]:
    """Two pairs of feeds; what each may carry is a little less, a little more or far more than what it does."""
    made = []
    for pair in ("AB", "CD"):
        carried = sum(host.watts or 0.0 for host in hosts if pair[0] in host.supplies)
        limit = round(max(carried, 500.0) * dice.choice([0.97, 1.02, 1.1, 1.5, 3.0]), 2)
        made += [builders.Supply(name=name, limit_watts=limit) for name in pair]
    return made


def _group(dice: Random, n: int, vms: list[str]) -> builders.Group:
    together = dice.random() < 0.25
    return builders.Group(
        name=f"g{n}",
        members=tuple(sorted(dice.sample(vms, dice.randint(2, 3 if together else 5)))),
        kind=model.GroupKind.AFFINITY if together else model.GroupKind.ANTI_AFFINITY,
        domain=Domain.HOST if together else dice.choice([Domain.HOST, Domain.HOST, Domain.RACK]),
        max_per_domain=1 if together else dice.choice([1, 2]),
    )

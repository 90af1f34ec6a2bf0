"""Hypothesis strategies: clusters that can exist, most of them broken in some way, and policies to plan them by.

Hypothesis chooses the sizes and a seed, and shrinks those; a `Random` of that seed throws everything else, which is a
hundred times faster than drawing each of a thousand choices.
"""

import math
import os
from dataclasses import replace
from datetime import timedelta
from random import Random

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from controller.model.cluster import Cluster, GroupKind, PowerKind, Requirement, VmState
from controller.model.plan import WRONG, Concern
from controller.model.policy import (
    ADMISSION_RULES,
    AdmissionPolicy,
    BalanceWeights,
    Limits,
    MigrationPolicy,
    Policy,
    Thresholds,
)
from inventory.model import Domain, NumaCell, Tier
from tests import builders

EXAMPLES = int(os.environ.get("GDCC_EXAMPLES", "20"))

slowly = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""For properties of whole plans. `GDCC_EXAMPLES` asks for more examples."""

seldom = settings(slowly, max_examples=max(10, EXAMPLES // 4))
"""For properties of which an example is many plans, or one of many that count for nothing: a quarter as many examples
as `slowly`, ten at least.
"""

_RACKS = (("r1", "z1", "room1"), ("r2", "z1", "room1"), ("r3", "z2", "room2"))
_REQUIREMENTS = (
    *[Requirement()] * 12,
    Requirement(required_traits=frozenset({"AVX"})),
    Requirement(forbidden_traits=frozenset({"AVX"})),
    Requirement(availability_zone="nova"),
    Requirement(aggregate_specs={"ssd": "true"}),
    Requirement(project_id="p1"),
    Requirement(numa=(NumaCell(vcpus=8, memory_mib=16384),) * 2),
)


def clusters(most_vms: int = 16) -> st.SearchStrategy[Cluster]:
    """Two to seven hosts, up to `most_vms` VMs, anything wrong with any of them."""
    return st.builds(cluster, seed=st.integers(0, 2**32), hosts=st.integers(3, 7), vms=st.integers(0, most_vms))


def pressed() -> st.SearchStrategy[Cluster]:
    """Clusters with much to be done and room to do it in: full hosts to empty beside empty ones, little else wrong."""
    return st.builds(cluster, seed=st.integers(0, 2**32), hosts=st.integers(4, 8), vms=st.integers(8, 24),
                     hurry=st.just(True))  # fmt: skip


def heated() -> st.SearchStrategy[Cluster]:
    """Clusters of busy hosts beside empty ones that may receive, so that moves are made for what is hot or uneven."""
    return st.builds(cluster, seed=st.integers(0, 2**32), hosts=st.integers(4, 8), vms=st.integers(4, 16),
                     heat=st.just(True))  # fmt: skip


def sparse() -> st.SearchStrategy[Cluster]:
    """Clusters of hosts that are well and hardly used, so that some of them can be freed."""
    return st.builds(cluster, seed=st.integers(0, 2**32), hosts=st.integers(3, 8), vms=st.integers(2, 14),
                     sparse=st.just(True))  # fmt: skip


def narrow() -> st.SearchStrategy[Policy]:
    """Few moves at once, so that plans take several waves."""
    few = st.integers(1, 2)
    return st.builds(
        lambda at_once, out, into: Policy(limits=Limits(at_once=at_once, out_of_host=out, into_host=into,
                                                        across_rack=2, per_agency=4, per_system=4, per_hour=100)),
        st.integers(1, 4), few, few,
    )  # fmt: skip


def policies() -> st.SearchStrategy[Policy]:
    """Limits from the tightest to the loosest, and what counts more than what in any order."""
    return st.builds(
        lambda limits, forced, admission, wrong, better, weights, reserve_hosts: Policy(
            limits=limits,
            thresholds=Thresholds(reserve_hosts=reserve_hosts),
            admission=admission,
            migration=MigrationPolicy(force_complete_tiers=forced, post_copy=True),
            objective=(*wrong, *better),
            balance_weights=weights,
        ),
        st.builds(
            Limits,
            at_once=st.sampled_from([1, 4, 8]),
            out_of_host=st.integers(1, 3),
            into_host=st.integers(1, 3),
            across_rack=st.sampled_from([4, 1, 0]),
            per_agency=st.integers(1, 4),
            per_system=st.integers(1, 4),
            per_hour=st.sampled_from([100, 100, 5, 0]),
        ),
        st.sampled_from([frozenset(), frozenset({Tier.STANDARD})]),
        st.builds(
            AdmissionPolicy,
            moves=st.sampled_from([frozenset({"traits"}), frozenset(ADMISSION_RULES), frozenset()]),
            at_least=st.sampled_from([5, 100, 1]),
        ),
        st.permutations(WRONG),
        st.permutations([concern for concern in Concern if concern not in WRONG]),
        st.sampled_from(
            [
                BalanceWeights(),
                BalanceWeights(memory=1.0),
                BalanceWeights(cpu=0.0, memory=2.0),
                BalanceWeights(cpu=1.0, memory=0.5, network=3.0),
                BalanceWeights(cpu=1.0, storage=1.0),
            ]
        ),
        st.sampled_from([0, 0, 1, 2]),
    )


def unhindered() -> Policy:
    """No limit of moves is ever reached."""
    ever, many = timedelta(days=3000), 60
    return Policy(
        limits=Limits(at_once=many, out_of_host=many, into_host=many, across_rack=many, per_agency=many,
                      per_system=many, per_hour=many, max_copy=ever),
        migration=MigrationPolicy(give_up_after=ever),
    )  # fmt: skip


def without_budgets(cluster: Cluster) -> Cluster:
    """No agency and no system has an hour's budget, which a projection does not spend."""
    agencies, systems = cluster.agencies, cluster.systems
    return replace(
        cluster,
        agencies=replace(agencies, per_hour=np.full_like(agencies.per_hour, -1)),
        systems=replace(systems, per_hour=np.full_like(systems.per_hour, -1)),
    )


def cluster(
    seed: int, hosts: int, vms: int, *, hurry: bool = False, heat: bool = False, sparse: bool = False
) -> Cluster:
    """The same cluster for the same arguments. In a `hurry` the VMs stand on half of the hosts, some of which drain;
    in `heat` too, and what is wrong with these is that they are busy. A `sparse` one has hosts of two kinds at most.
    """
    dice = Random(f"{seed} {hosts} {vms}")
    trouble = dice.choice([0.0, 0.02] if hurry or heat or sparse else [0.0, 0.02, 0.05, 0.05, 0.25])
    names = [f"h{n}" for n in range(hosts)]
    full = names[: hosts // 2] if hurry or heat else names
    made = [_vm(dice, trouble, f"v{n:02}", full, names) for n in range(vms)]
    machines = [_host(dice, trouble, name, [vm for vm in made if vm.host == name]) for name in names]
    machines = [_drained(dice, host) for host in machines] if hurry else machines
    machines = [_heated(dice, host, made) for host in machines] if heat else machines
    machines = [_alike(dice, host, made) for host in machines] if sparse else machines
    if (past := Random(f"lately {seed}")).random() < 0.5:
        made = [_seen_lately(past, vm) for vm in made]
        machines = [_filled_lately(past, host) for host in machines]
    if (storage := Random(f"storage {seed}")).random() < 0.5:
        machines = [_stored(storage, host) for host in machines]
    if (paths := Random(f"paths {seed}")).random() < 0.5:
        made = [_reading_and_writing(paths, vm) for vm in made]
        machines = [_on_a_path(paths, host, hot=heat, quiet=sparse) for host in machines]
    ids = [vm.name for vm in made]
    return builders.cluster(
        hosts=machines,
        vms=made,
        racks=[builders.Rack(name=rack, zone=zone, room=room) for rack, zone, room in _RACKS],
        supplies=[_supply(dice, name, machines) for name in "ABC"],
        systems=[_system(dice, trouble, name) for name in ("sys", "other")],
        groups=_wider(seed, [_group(dice, f"g{n}", ids) for n in range(dice.randint(0, 3))] if vms > 1 else []),
        aggregates=_aggregates(dice, names),
        refusals=sorted({(dice.choice(ids), dice.choice(names)) for _ in range(dice.randint(0, 2))}) if ids else [],
        freeze="because" if dice.random() < trouble / 2 else None,
    )


def _stored(storage: Random, host: builders.Host) -> builders.Host:
    """On disks that are shared, its own, or nobody says which."""
    shared = storage.random() < 0.5
    return replace(host, shared_storage=shared, unsaid_storage=not shared and storage.random() < 0.5)


def _reading_and_writing(paths: Random, vm: builders.Vm) -> builders.Vm:
    return replace(vm, storage_mib_s=paths.choice([None, 0.0, 5.0, 60.0, 300.0]))


def _on_a_path(paths: Random, host: builders.Host, *, hot: bool, quiet: bool) -> builders.Host:
    """Of a known speed or not, read or not; what is read may be less than what its VMs' readings come to."""
    if quiet:
        return replace(host, path_mib_s=paths.choice([math.nan, 4000.0]), storage_mib_s=paths.choice([None, 100.0]))
    path = paths.choice([math.nan, 200.0, 1000.0, 4000.0])
    used = paths.choice([0.1, 0.5, 0.7, 0.79, 0.9, 1.2] if hot else [0.0, 0.1, 0.5, 0.7, 0.79, 0.9])
    read = None if paths.random() < 0.2 else used * (1000.0 if math.isnan(path) else path)
    return replace(host, path_mib_s=path, storage_mib_s=read)


def _seen_lately(past: Random, vm: builders.Vm) -> builders.Vm:
    """What it used lately at its most, and what it will by its forecast."""
    most = vm.vcpus * 1.1
    used = 0.5 * vm.vcpus if vm.cpu is None else vm.cpu
    return replace(
        vm,
        cpu_high=past.choice([math.nan, min(most, used * past.choice([0.5, 1.0, 2.0]))]),
        cpu_ahead=past.choice([None, min(most, used * past.choice([0.3, 1.0, 1.5]))]),
        network_high_mib_s=past.choice([math.nan, 5.0, 200.0]),
    )


def _filled_lately(past: Random, host: builders.Host) -> builders.Host:
    return replace(
        host,
        cpu_high=past.choice([math.nan, 0.2, 0.7, 1.0]),
        network_high_mib_s=past.choice([math.nan, 50.0, 1100.0]),
    )


def _drained(dice: Random, host: builders.Host) -> builders.Host:
    """Every second host of the full half drains; the others may be hot, and receive."""
    return replace(host, draining=dice.random() < 0.5 and int(host.name[1:]) % 2 == 0)


def _heated(dice: Random, host: builders.Host, vms: list[builders.Vm]) -> builders.Host:
    """A host that is well and has room, and only so many threads that what its VMs use makes it warm or hot."""
    used = sum(vm.cpu or 0.0 for vm in vms if vm.host == host.name and vm.state is not VmState.SHUTOFF)
    threads = math.ceil(used / dice.choice([0.3, 0.7, 0.9, 1.0])) or 32
    return replace(
        host, clearance=3, memory_health=0, psu_health=0, draining=False, threads=threads, cpu=used / threads,
        vcpus=256.0, memory_gib=512.0, disk_gib=2000.0, numa=(), network_mib_s=dice.choice([None, 100.0]),
    )  # fmt: skip


def _alike(dice: Random, host: builders.Host, vms: list[builders.Vm]) -> builders.Host:
    """A host that is well, with room for several others' VMs, and whose watts are read without an error."""
    used = sum(vm.cpu or 0.0 for vm in vms if vm.host == host.name and vm.state is not VmState.SHUTOFF)
    return replace(
        host, clearance=3, memory_health=0, psu_health=0, draining=False, threads=128, cpu=used / 128,
        vcpus=256.0, memory_gib=512.0, disk_gib=2000.0, numa=(), traits=frozenset(), watts=600.0,
        watts_per_thread=dice.choice([1.0, 3.0]), watts_error=0.0, network_mib_s=dice.choice([None, 100.0]),
    )  # fmt: skip


def _vm(dice: Random, trouble: float, name: str, on: list[str], hosts: list[str]) -> builders.Vm:
    vcpus, memory, host = dice.choice([1, 4, 12]), dice.choice([1.0, 8.0, 32.0]), dice.choice(on)
    others = [other for other in hosts if other != host]
    wrong = [dice.random() < trouble for _ in range(9)]
    return builders.Vm(
        name=name,
        host=host,
        vcpus=vcpus,
        memory_gib=memory,
        disk_gib=dice.choice([0.0, 100.0]),
        cpu=None if wrong[0] else dice.choice([0.0, 0.25, 0.5, 1.0]) * vcpus,
        steal=dice.choice([None, None, 0.05, 0.5]),
        memory_used_gib=None if wrong[1] else dice.choice([0.1, 0.5, 1.0]) * memory,
        network_mib_s=dice.choice([None, 1.0, 100.0]),
        dirty_mib_s=dice.choice([None, *[5.0] * 7, 3000.0]),
        system=None if wrong[2] else dice.choice(["sys", "other"]),
        state=dice.choice([VmState.PAUSED, VmState.SHUTOFF, VmState.OTHER]) if wrong[3] else VmState.ACTIVE,
        target=dice.choice(others) if wrong[4] else None,
        busy=wrong[5],
        locked=wrong[6],
        fit_known=not wrong[7],
        rests=wrong[8],
        requirement=dice.choice(_REQUIREMENTS),
    )


def _host(dice: Random, trouble: float, name: str, vms: list[builders.Vm]) -> builders.Host:
    running = [vm for vm in vms if vm.state is not VmState.SHUTOFF]
    used, memory = sum(vm.cpu or 0.0 for vm in running), sum(vm.memory_used_gib or 0.0 for vm in running)
    threads = next(t for t in (dice.choice([16, 16, 32, 64]), 32, 64, 256) if t >= used)
    wrong = [dice.random() < trouble for _ in range(9)]
    return builders.Host(
        name=name,
        rack=dice.choice(_RACKS)[0],
        supplies=dice.choice([("A", "B"), ("A", "B"), ("A",), ("B", "C")]),
        threads=threads,
        vcpus=threads * dice.choice([0.5, 1.0, 2.0, 4.0]),
        memory_gib=max(dice.choice([64.0, 256.0, 256.0]), memory),
        disk_gib=dice.choice([300.0, 2000.0, 2000.0]),
        clearance=dice.choice([0, 2, 3, 3, 3, 3, 3]),
        numa=(NumaCell(vcpus=threads // 2, memory_mib=dice.choice([8192, 65536])),) * dice.choice([0, 1, 2, 2]),
        enabled=not wrong[0],
        withheld=dice.random() < trouble / 2,
        up=not wrong[1],
        known=not wrong[2],
        trusted=not wrong[3],
        unread_health=wrong[8],
        post_copy=threads == 32,
        draining=dice.random() < 0.15,
        cpu=None if wrong[5] else max(used / threads, dice.choice([0.0, 0.0, 0.1, 0.5])),
        memory_used_gib=None if wrong[6] else memory,
        network_mib_s=dice.choice([None, 100.0, 1000.0]),
        watts=dice.choice([None, 200.0, 200.0, 500.0]),
        watts_per_thread=dice.choice([1.0, 3.0, 3.0, float("nan")]),
        watts_error=dice.choice([0.0, 10.0]),
        inlet=dice.choice([None, 28.0, 33.0]) if wrong[7] else 20.0,
        memory_health=dice.choice([*[0] * 12, 1, 2]),
        psu_health=dice.choice([*[0] * 20, 1, 2]),
        traits=dice.choice([frozenset(), frozenset({"AVX"})]),
    )


def _supply(dice: Random, name: str, hosts: list[builders.Host]) -> builders.Supply:
    watts = sum(host.watts or 0.0 for host in hosts if name in host.supplies)
    limit = dice.choice([0.97, 1.05, 1.3, 1.3, 10.0, 10.0]) * max(watts, 100.0)
    kind = dice.choice(list(PowerKind))
    on_battery = dice.choice([None, *[False] * 8, True]) if kind is PowerKind.FEED else None
    meter = dice.choice([None, None, 0.5, 0.9, 1.1, 2.0])
    return builders.Supply(
        name=name,
        kind=kind,
        limit_watts=limit,
        on_battery=on_battery,
        silent=kind is PowerKind.FEED and on_battery is None and dice.random() < 0.2,
        meter=None if meter is None else meter * watts,
    )


def _system(dice: Random, trouble: float, name: str) -> builders.System:
    return builders.System(
        name=name,
        classification=dice.choice([0, 0, 0, 0, 1, 3]),
        at_once=1 if dice.random() < trouble else -1,
        per_hour=1 if dice.random() < trouble else -1,
        open=dice.random() >= trouble / 2,
        withheld=dice.random() < trouble / 2,
        pause_s=45.0 if name.endswith("1") else 0.0,
    )


def _wider(seed: int, groups: list[builders.Group]) -> list[builders.Group]:
    """In half of the clusters some want several domains, and some of these set no most in one."""
    several = Random(f"several {seed}")
    if several.random() < 0.5:
        return groups
    return [
        replace(
            group,
            max_per_domain=several.choice([group.max_per_domain, len(group.members)]),
            min_domains=several.choice([1, 2, 2, 3, 4]),
        )
        for group in groups
    ]


def _group(dice: Random, name: str, vms: list[str]) -> builders.Group:
    return builders.Group(
        name=name,
        members=tuple(sorted(dice.sample(vms, min(len(vms), dice.randint(2, 5))))),
        kind=dice.choice(list(GroupKind)),
        domain=dice.choice(list(Domain)),
        max_per_domain=dice.choice([1, 2]),
    )


def _aggregates(dice: Random, hosts: list[str]) -> list[builders.Aggregate]:
    def some() -> tuple[str, ...]:
        return tuple(sorted(dice.sample(hosts, dice.randint(1, len(hosts)))))

    made = [builders.Aggregate(name="fast", hosts=some(), metadata={"ssd": "true"})]
    if dice.random() < 0.3:
        made.append(builders.Aggregate(name="own", hosts=some(), metadata={"filter_tenant_id": "p1"}))
    return made

"""Clusters in which one VM finds room only where another leaves for room that a third leaves first, and so on."""

from dataclasses import replace

from controller.model.cluster import Cluster, Requirement
from tests import builders
from tests.builders import Host, Supply, Vm


def cluster(length: int = 3, *, held: bool = False, drained: bool = False) -> Cluster:
    """`v1` stands on c1, which fails (or is `drained`), and may go to c2 alone, `v2` from there to c3 alone, and so on;
    the last host is empty. Each VM fills its host. `held`: the last VM is locked.
    """
    hosts, vms = chain("c", "v", length, held=held)
    first = Host(name="c1", memory_gib=64, traits=hosts[0].traits, draining=drained, memory_health=0 if drained else 2)
    return builders.cluster(hosts=[first, *hosts[1:]], vms=vms)


def chain(host: str, vm: str, length: int, *, held: bool = False, **of_hosts: object) -> tuple[list[Host], list[Vm]]:
    """The hosts and VMs of one, by what their names begin with."""
    hosts = [
        Host(
            name=f"{host}{n}",
            memory_gib=64,
            traits=frozenset({f"CUSTOM_{host}{n - 1}".upper(), f"CUSTOM_{host}{n}".upper()}),
            **of_hosts,  # type: ignore[arg-type]
        )
        for n in range(1, length + 2)
    ]
    vms = [
        Vm(
            name=f"{vm}{n}",
            host=f"{host}{n}",
            memory_gib=60,
            cpu=0.0,
            locked=held and n == length,
            requirement=Requirement(required_traits=frozenset({f"CUSTOM_{host}{n}".upper()})),
        )
        for n in range(1, length + 1)
    ]
    return hosts, vms


def closed_behind() -> Cluster:
    """As `cluster`, but c2 has no watts left for what v1 brings, and what left c3 may not come back: Nova refused it
    there lately.

    Beside it a chain d that can be moved as a whole, so that there is a plan.
    """
    hosts, vms = chain("c", "v", 3, supplies=("A",))
    others, more = chain("d", "dv", 3, supplies=("A",))
    return builders.cluster(
        hosts=[
            replace(hosts[0], memory_health=2),
            replace(hosts[1], supplies=("B",)),
            *hosts[2:],
            replace(others[0], memory_health=2),
            *others[1:],
        ],
        vms=[
            replace(vms[0], vcpus=30, cpu=30.0),
            replace(vms[1], cpu=0.01),
            vms[2],
            *more,
        ],
        supplies=[Supply(name="A"), Supply(name="B", limit_watts=301.0)],
        refusals=[("v3", "c3")],
    )

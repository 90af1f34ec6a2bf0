"""Clusters whose hosts can be freed, and policies that do."""

from dataclasses import replace

from controller.model import cluster as model
from controller.model.plan import WRONG, Concern
from controller.model.policy import Consolidation, Limits, Policy
from tests import builders
from tests.builders import Host, Vm

MANY = Limits(per_agency=8, per_system=8)
ON = Policy(limits=MANY, consolidation=Consolidation(enabled=True))
FREES_FIRST = (*WRONG, Concern.CONSOLIDATION, Concern.UNEVEN)
"""An objective in which hosts are freed though others become uneven by it."""


def policy(**words: object) -> Policy:
    """One that frees hosts, by these settings."""
    return replace(ON, consolidation=Consolidation(**{"enabled": True, **words}))


def hosts(count: int, **words: object) -> list[Host]:
    """c1, c2 and so on."""
    return [Host(name=f"c{n}", **words) for n in range(1, count + 1)]


def vms(count: int, each: int = 2, **words: object) -> list[Vm]:
    """So many on each host, v10 and v11 on c1."""
    return [Vm(name=f"v{n}{m}", host=f"c{n}", **words) for n in range(1, count + 1) for m in range(each)]


def cluster(count: int = 4, **more: object) -> model.Cluster:
    """Hosts with two VMs each."""
    return builders.cluster(**{"hosts": hosts(count), "vms": vms(count), **more})

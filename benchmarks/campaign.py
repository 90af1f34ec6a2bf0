"""A campaign as the controller chooses it: its own Chooser, wave by wave, until no host is left.

    python benchmarks/campaign.py [PROOFS]      5,000 hosts x 100,000 VMs, racks of 20, rooms of 100 racks

The estate is that of parts/perturbed.py without its disturbance, with a server group of three to ten VMs, each on a
host of its own, for every twelfth VM. Time is virtual and the cluster stands still: after each wave every server
stands where it stood. The first PROOFS waves (3) are proved as the controller proves them, on the whole cluster; the
others are taken as proved, since a proof of each takes as long again.

All times are CPU seconds of one process. `choice`: the mean of a wave without its proof. `first wave`: from the
snapshot in memory to hosts that can be begun, its proof included, against the limit of 5 s; `proved`: the mean of all
that were proved.
"""

import asyncio
import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks.parts.perturbed import NOW, POLICY, _cluster, _feasible
from controller.engine.campaign.choosing import Chooser
from controller.model import campaign as words
from controller.model.cluster import Cluster, Group, GroupKind
from controller.planner import domains
from controller.planner.campaign import proof, schedule
from controller.planner.campaign.exposure import exposure
from inventory.model import Domain
from tests.fakes import chosen_waves

HOSTS, VMS = 5_000, 100_000
LIMITS = (
    words.Limits(hosts_at_once=8, domain=Domain.RACK),
    words.Limits(hosts_at_once=20, domain=Domain.RACK),
    words.Limits(hosts_at_once=100, domain=Domain.ROOM),
)
LIMIT_S = 5.0
PROOFS = 3


class Prover:
    """Proves so often as the controller does, and then says of every wave that it is."""

    def __init__(self, left: int) -> None:
        self._left = left

    def __call__(self, *given: Any, **more: Any) -> tuple[words.Held, ...]:
        self._left -= 1
        return () if self._left < 0 else proof.held(*given, **more)


def main() -> None:
    """Prints one row for each set of limits."""
    proofs = int(sys.argv[1]) if len(sys.argv) > 1 else PROOFS
    cluster = estate(HOSTS, VMS, seed=1)
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}; ", end="")
    print(f"{HOSTS:,} hosts x {VMS:,} VMs in {len(cluster.groups):,} groups, {proofs} waves proved\n")
    print("| at once | within one | waves | ratio to limits alone | ratio to limits and groups | all choices "
          "| choice | first wave | to the limit of 5 s | proved |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|")
    for limits in LIMITS:
        print(row(cluster, limits, proofs), flush=True)


def row(cluster: Cluster, limits: words.Limits, proofs: int) -> str:
    """Takes the campaign to its end, and holds its waves against their bounds."""
    members = in_domains(cluster, limits.domain)
    by_limits, by_groups = (schedule.fewest(members, limits, given) for given in (None, exposure(cluster)))
    waves = asyncio.run(chosen_waves.to_the_end(Chooser(Prover(proofs)), members, limits, cluster, POLICY, NOW))
    assert sorted(host for wave in waves for host in wave.hosts) == sorted(cluster.hosts.names)
    proved, others = waves[:proofs], waves[proofs:]
    return (
        f"| {limits.hosts_at_once} | {limits.domain} | {len(waves)} | {len(waves) / by_limits:.3f} "
        f"| {len(waves) / by_groups:.3f} | {sum(wave.seconds for wave in waves):.0f} | {_mean(others)} "
        f"| {waves[0].seconds:.1f} | {waves[0].seconds / LIMIT_S:.2f} | {_mean(proved)} |"
    )


def _mean(waves: Sequence[chosen_waves.Chosen]) -> str:
    return f"{fmean(wave.seconds for wave in waves):.2f}" if waves else "-"


def estate(hosts: int, vms: int, seed: int) -> Cluster:
    """A feasible placement with three quarters of the memory placed, and server groups over it."""
    dice = np.random.default_rng(seed)
    memory = dice.choice([4.0, 8.0, 16.0, 32.0, 64.0], vms, p=[0.2, 0.25, 0.25, 0.2, 0.1])
    memory *= min(1.0, 0.72 * hosts * 512.0 / memory.sum())
    vcpus = memory / 4
    made = _cluster(_feasible(memory, hosts), memory, vcpus, vcpus * dice.uniform(0.05, 0.5, vms), hosts)
    return replace(made, groups=tuple(_groups(made, dice)))


def _groups(cluster: Cluster, dice: np.random.Generator) -> list[Group]:
    found = []
    for number in range(len(cluster.vms.ids) // 12):
        vms = np.sort(dice.choice(len(cluster.vms.ids), int(dice.integers(3, 11)), replace=False)).astype(np.int32)
        _, first = np.unique(cluster.vms.host[vms], return_index=True)
        found.append(Group(name=f"g{number}", kind=GroupKind.ANTI_AFFINITY, domain=Domain.HOST, max_per_domain=1,
                           members=np.sort(vms[first])))  # fmt: skip
    return found


def in_domains(cluster: Cluster, domain: Domain) -> tuple[words.Member, ...]:
    """Every host in its fault domain."""
    return tuple(
        words.Member(campaign="bench", host=host, domain=domains.name(cluster, domain, row))
        for row, host in enumerate(cluster.hosts.names)
    )


if __name__ == "__main__":
    main()

"""How long a campaign takes to plan, and how long its schedule is against the fewest waves that its limits allow.

    python benchmarks/campaign.py            5,000 hosts x 100,000 VMs, racks of 20, rooms of 100 racks

The estate is that of parts/perturbed.py without its disturbance, with a server group of three to ten VMs, each on a
host of its own, for every twelfth VM. `seconds` is from the snapshot in memory to all waves in order. The proof of the
first wave, which is made anew before every wave on fresh facts, is measured beside it.
"""

import platform
import time
from dataclasses import replace

import numpy as np

from benchmarks.parts.perturbed import NOW, POLICY, _cluster, _feasible
from controller.model import campaign as words
from controller.model.cluster import Cluster, Group, GroupKind
from controller.planner import domains
from controller.planner.campaign import proof, schedule
from controller.planner.campaign.exposure import exposure
from inventory.model import Domain

HOSTS, VMS = 5_000, 100_000
LIMITS = (
    words.Limits(hosts_at_once=8, domain=Domain.RACK),
    words.Limits(hosts_at_once=20, domain=Domain.RACK),
    words.Limits(hosts_at_once=100, domain=Domain.ROOM),
)
LONGEST_S = 5.0


def main() -> None:
    """Prints one row for each set of limits."""
    cluster = estate(HOSTS, VMS, seed=1)
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}, one core; ", end="")
    print(f"{HOSTS:,} hosts x {VMS:,} VMs in {len(cluster.groups):,} groups\n")
    print("| at once | within one | seconds | waves | ratio to limits alone | ratio to limits and groups "
          "| proof of a wave, seconds | held |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for limits in LIMITS:
        print(row(cluster, limits))


def row(cluster: Cluster, limits: words.Limits) -> str:
    """Plans, and holds the plan against its bounds."""
    began = time.perf_counter()
    members = in_domains(cluster, limits.domain)
    exposed = exposure(cluster)
    waves = schedule.waves(members, limits, exposed)
    seconds = time.perf_counter() - began
    by_limits, by_groups = (schedule.fewest(members, limits, given) for given in (None, exposed))
    began = time.perf_counter()
    held = proof.held(cluster, POLICY, NOW, waves[0], keep_shutoff=False)
    proved = time.perf_counter() - began
    assert sorted(host for wave in waves for host in wave) == sorted(cluster.hosts.names)
    assert seconds <= LONGEST_S, f"planning took {seconds:.1f} s"
    return (
        f"| {limits.hosts_at_once} | {limits.domain} | {seconds:.2f} | {len(waves)} | {len(waves) / by_limits:.3f} "
        f"| {len(waves) / by_groups:.3f} | {proved:.1f} | {len(held)} |"
    )


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

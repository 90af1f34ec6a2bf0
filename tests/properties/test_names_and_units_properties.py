"""A plan is worth the same, but of few clusters, whatever things are called and in whatever units they are told."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.parts import small_instances
from controller.model.cluster import Cluster
from controller.model.plan import Plan
from controller.model.policy import Consolidation, Policy
from controller.model.sample import Trust
from controller.planner import plan
from tests import builders
from tests.fakes import arbitrary_clusters

UNHINDERED = arbitrary_clusters.unhindered()
SEEDS = range(40)
UNITS = (0.25, 2.0, 1024.0)
"""Powers of two, so that scaling is exact: what is told apart by the last digit of a float has no unit."""
FREEING = Policy(consolidation=Consolidation(enabled=True))
FEW = 1 / 20
"""Of random clusters so many may be worth more under one name than under another: choices that come to the same by all
that is looked at lead on to different places.
"""


def worth(cluster: Cluster, policy: Policy) -> tuple[float, ...]:
    """The score that the plan leaves."""
    made: Plan = plan.plan(cluster, policy, builders.NOW)
    return made.score_after


def differ(change: Callable[[Cluster, int], tuple[Cluster, Policy]], policy: Policy = UNHINDERED) -> float:
    """The share of the clusters whose plan is worth something else once they are changed."""
    clusters = [
        _with_every_dirty_rate_read(arbitrary_clusters.cluster(seed, 4 + seed % 5, 6 + seed % 14, hurry=True))
        for seed in SEEDS
    ]
    return sum(worth(*change(each, n)) != worth(each, policy) for n, each in enumerate(clusters)) / len(clusters)


def test_other_names_of_hosts_vms_supplies_and_groups_change_few_plans_worth():
    assert differ(lambda cluster, seed: (builders.renamed(cluster, seed), UNHINDERED)) <= FEW


def test_nor_which_hosts_are_worth_freeing():
    assert differ(lambda cluster, seed: (builders.renamed(cluster, seed), FREEING), FREEING) <= FEW


@pytest.mark.parametrize("seed", [5, 10, 12, 21, 33, 43])
def test_crowded_instances_that_were_worth_more_under_other_names(seed):
    cluster = small_instances.cluster(seed)
    assert len({worth(builders.renamed(cluster, each), small_instances.POLICY) for each in range(4)}) == 1


@pytest.mark.parametrize("unit", UNITS)
def test_other_units_of_memory_disk_and_links_change_few_plans_worth(unit):
    limits = replace(UNHINDERED.limits, gain_per_gib=UNHINDERED.limits.gain_per_gib / unit)

    def scaled(cluster: Cluster, _: int) -> tuple[Cluster, Policy]:
        return _of_cells(builders.scaled(cluster, data=unit), memory=unit), replace(UNHINDERED, limits=limits)

    assert differ(scaled) <= FEW


@pytest.mark.parametrize("unit", UNITS)
def test_other_units_of_watts_change_few_plans_worth(unit):
    assert differ(lambda cluster, _: (builders.scaled(cluster, watts=unit), UNHINDERED)) <= FEW


@pytest.mark.parametrize("unit", [2.0, 64.0])
def test_other_units_of_threads_change_few_plans_worth(unit):
    def scaled(cluster: Cluster, _: int) -> tuple[Cluster, Policy]:
        return _of_cells(builders.scaled(cluster, threads=unit), vcpus=unit), UNHINDERED

    assert differ(scaled) <= FEW


def _with_every_dirty_rate_read(cluster: Cluster) -> Cluster:
    """What is assumed of one that is not read is bytes a second for each busy vCPU, whatever the units."""
    dirty = cluster.vms.dirty_bytes_s
    read = replace(
        dirty, values=np.where(dirty.fresh, dirty.values, 5.0 * 2**20), trust=np.full_like(dirty.trust, Trust.FRESH)
    )
    return replace(cluster, vms=replace(cluster.vms, dirty_bytes_s=read))


def _of_cells(cluster: Cluster, *, vcpus: float = 1.0, memory: float = 1.0) -> Cluster:
    """NUMA cells of hosts and guests in the same units as all else."""

    def cells(of):
        return tuple(
            replace(each, vcpus=int(each.vcpus * vcpus), memory_mib=int(each.memory_mib * memory)) for each in of
        )

    types = replace(cluster.host_types, numa=tuple(map(cells, cluster.host_types.numa)))
    asked = tuple(replace(each, numa=cells(each.numa)) for each in cluster.requirements)
    return replace(cluster, host_types=types, requirements=asked)

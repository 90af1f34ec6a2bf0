"""A plan is worth the same whatever things are called and in whatever units they are told."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.parts import small_instances
from controller.model.cluster import Cluster
from controller.model.plan import Plan
from controller.model.policy import Consolidation, Limits, Policy
from controller.model.sample import Trust
from controller.planner import plan
from tests import builders
from tests.fakes import arbitrary_clusters
from tests.fakes.arbitrary_clusters import slowly

CLUSTERS = st.one_of(arbitrary_clusters.clusters(), arbitrary_clusters.pressed(), arbitrary_clusters.heated())
POLICIES = arbitrary_clusters.policies()
UNITS = st.sampled_from([0.25, 2.0, 1024.0])
"""Powers of two, so that scaling is exact: what is told apart by the last digit of a float has no unit."""
FREEING = Policy(consolidation=Consolidation(enabled=True))


def worth(cluster: Cluster, policy: Policy) -> tuple[tuple[float, ...], int]:
    """The score that the plan leaves, and its moves."""
    made: Plan = plan.plan(cluster, policy, builders.NOW)
    return made.score_after, len(made.moves)


@slowly
@given(cluster=CLUSTERS, policy=POLICIES, seed=st.integers(0, 1000))
def test_other_names_of_hosts_vms_supplies_and_groups_change_no_plans_worth(cluster, policy, seed):
    assert worth(builders.renamed(cluster, seed), policy) == worth(cluster, policy)


@slowly
@given(cluster=arbitrary_clusters.sparse(), seed=st.integers(0, 1000))
def test_nor_which_hosts_are_worth_freeing(cluster, seed):
    assert worth(builders.renamed(cluster, seed), FREEING) == worth(cluster, FREEING)


@pytest.mark.parametrize("seed", [5, 10, 12, 21, 33, 43])
def test_crowded_instances_that_were_worth_more_under_other_names(seed):
    cluster = small_instances.cluster(seed)
    assert len({worth(builders.renamed(cluster, each), small_instances.POLICY) for each in range(4)}) == 1


@slowly
@example(cluster=arbitrary_clusters.cluster(16289263, 6, 7), policy=Policy(limits=Limits(per_hour=100)), unit=0.25)
@given(cluster=CLUSTERS, policy=POLICIES, unit=UNITS)
def test_other_units_of_memory_disk_and_links_change_no_plans_worth(cluster, policy, unit):
    cluster = _with_every_dirty_rate_read(cluster)
    limits = replace(policy.limits, gain_per_gib=policy.limits.gain_per_gib / unit)
    assert worth(_of_cells(builders.scaled(cluster, data=unit), memory=unit), replace(policy, limits=limits)) == worth(
        cluster, policy
    )


@slowly
@given(cluster=CLUSTERS, policy=POLICIES, unit=UNITS)
def test_other_units_of_watts_change_no_plans_worth(cluster, policy, unit):
    assert worth(builders.scaled(cluster, watts=unit), policy) == worth(cluster, policy)


@slowly
@given(cluster=CLUSTERS, policy=POLICIES, unit=st.sampled_from([2.0, 64.0]))
def test_other_units_of_threads_change_no_plans_worth(cluster, policy, unit):
    cluster = _with_every_dirty_rate_read(cluster)
    assert worth(_of_cells(builders.scaled(cluster, threads=unit), vcpus=unit), policy) == worth(cluster, policy)


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

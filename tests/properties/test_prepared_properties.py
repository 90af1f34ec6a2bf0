"""What a plan is prepared from never changes it: any earlier snapshot's tables give the plan that none give."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from controller.model.cluster import Cluster
from controller.planner import plan, prepared
from tests import builders
from tests.fakes import arbitrary_clusters
from tests.fakes.arbitrary_clusters import slowly

CLUSTERS, POLICIES = arbitrary_clusters.clusters(), arbitrary_clusters.policies()
COLUMNS = (
    ("hosts", "names"), ("hosts", "rack"), ("hosts", "power"), ("hosts", "traits"), ("hosts", "availability_zone"),
    ("hosts", "type"), ("hosts", "clearance"), ("hosts", "draining"), ("host_types", "numa"), ("vms", "ids"),
    ("vms", "host"), ("vms", "vcpus"), ("vms", "requirement"), ("racks", "zone"), ("racks", "room"), ("rooms", "site"),
    ("power", "names"), ("power", "kind"), ("power", "limit_watts"),
)  # fmt: skip


def rolled(cluster: Cluster, table: str, column: str) -> Cluster:
    """The cluster with the rows of one column one further down: what was so before something changed."""
    whole = getattr(cluster, table)
    rows = getattr(whole, column)
    return replace(cluster, **{table: replace(whole, **{column: _rolled(rows)})})


def _rolled(rows):
    return np.roll(rows, 1, axis=0) if isinstance(rows, np.ndarray) else (*rows[1:], *rows[:1])


def earlier(cluster: Cluster, data: st.DataObject) -> Cluster:
    """Another cluster altogether, or this one before one of its columns, its aggregates or its rows' order changed."""
    what = data.draw(st.sampled_from(["another", "aggregates", "order", *COLUMNS]))
    if what == "another":
        return data.draw(CLUSTERS)
    if what == "aggregates":
        return replace(cluster, aggregates=cluster.aggregates[1:])
    return builders.shuffled(cluster, 1) if what == "order" else rolled(cluster, *what)


@slowly
@given(cluster=CLUSTERS, policy=POLICIES, data=st.data())
def test_tables_of_any_earlier_snapshot_change_no_plan(cluster, policy, data):
    fresh = plan.plan(cluster, policy, builders.NOW)
    tables = None
    for _ in range(data.draw(st.integers(1, 3))):
        _, tables = prepared.tidied(earlier(cluster, data), tables)
        assert plan.plan(cluster, policy, builders.NOW, before=tables) == fresh

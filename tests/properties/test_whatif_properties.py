"""Every place that a what-if finds is one, on arbitrary clusters, reckoned anew from the snapshot alone."""

import os
from datetime import timedelta

import numpy as np
from hypothesis import HealthCheck, given, settings

from controller.model import cluster as model
from controller.model.policy import Policy
from controller.model.whatif import Outcome, Verdict
from controller.planner import domains, extra_specs, standing
from controller.planner.whatif import loss, outcome
from inventory.model import Domain
from tests import builders
from tests.fakes import arbitrary_clusters

slowly = settings(
    max_examples=int(os.environ.get("GDCC_EXAMPLES", "40")), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
CLUSTERS = arbitrary_clusters.clusters(most_vms=30)
ANTI = {model.GroupKind.ANTI_AFFINITY}


def every_outcome(cluster: model.Cluster) -> list[Outcome]:
    spare = outcome.spare(cluster, Policy(), builders.NOW)
    return [outcome.lose(spare, [one], timedelta(seconds=1)) for one in loss.every_single(cluster)]


def hosts_after(cluster: model.Cluster, found: Outcome) -> tuple[np.ndarray, list[int]]:
    """Where every server is then, -1 for nowhere, and which of them have started."""
    row = {name: n for n, name in enumerate(cluster.hosts.names)}
    at = {name: n for n, name in enumerate(cluster.vms.ids)}
    host = cluster.vms.host.copy()
    for each in found.restarts:
        host[at[each.vm]] = -1 if each.target is None else row[each.target]
    return host, [at[each.vm] for each in found.restarts if each.target is not None]


@slowly
@given(cluster=CLUSTERS)
def test_exactly_the_servers_of_lost_hosts_go_down_and_none_starts_on_one(cluster):
    for found in every_outcome(cluster):
        down = {n for n, name in enumerate(cluster.hosts.names) if name in found.hosts}
        names = {cluster.vms.ids[vm] for vm, host in enumerate(cluster.vms.host.tolist()) if host in down}
        assert {each.vm for each in found.restarts} == names
        assert not {each.target for each in found.restarts} & set(found.hosts)


@slowly
@given(cluster=CLUSTERS)
def test_no_host_holds_more_than_placement_admits_for_those_that_started(cluster):
    for found in every_outcome(cluster):
        host, started = hosts_after(cluster, found)
        for target in {int(host[vm]) for vm in started}:
            on = {vm for vm in range(len(host)) if target in (host[vm], cluster.vms.target[vm])}
            for each, whole in (("vcpus", "vcpus"), ("memory_mib", "memory_mib"), ("disk_gib", "disk_gib")):
                asked = getattr(cluster.vms, each)
                if any(asked[vm] > 0 and host[vm] == target for vm in started):
                    assert sum(asked[vm] for vm in on) <= getattr(cluster.hosts, whole)[target] * (1 + 1e-6)


@slowly
@given(cluster=CLUSTERS)
def test_every_server_starts_on_an_open_host_cleared_for_it_that_its_kind_may_use(cluster):
    judged = standing.of_hosts(cluster, domains.of_hosts(cluster)[Domain.ZONE], Policy().thresholds.facility_share)
    for found in every_outcome(cluster):
        host, started = hosts_after(cluster, found)
        for vm in started:
            target, asks = int(host[vm]), cluster.requirements[int(cluster.vms.requirement[vm])]
            traits = cluster.hosts.traits[target]
            assert judged.closed[target] == ""
            assert cluster.hosts.clearance[target] >= cluster.vms.classification[vm]
            assert asks.required_traits <= traits
            assert not asks.forbidden_traits & traits
            assert asks.availability_zone in {None, cluster.hosts.availability_zone[target]}
            inside = [each.metadata for each in cluster.aggregates if target in each.hosts]
            for key, wanted in asks.aggregate_specs.items():
                values = [part.strip() for metadata in inside for part in metadata.get(key, "").split(",") if part]
                assert any(extra_specs.matches(value, wanted) for value in values)


@slowly
@given(cluster=CLUSTERS)
def test_no_start_makes_a_group_worse_than_it_is(cluster):
    of = domains.of_hosts(cluster)
    for found in every_outcome(cluster):
        host, started = hosts_after(cluster, found)
        for group in cluster.groups:
            domain_of, members = of[group.domain], set(group.members.tolist())
            new = [int(domain_of[host[vm]]) for vm in started if vm in members]
            there = [int(domain_of[host[vm]]) for vm in members if host[vm] >= 0]
            if group.kind in ANTI:
                assert all(there.count(domain) <= group.max_per_domain for domain in new if domain >= 0)


@slowly
@given(cluster=CLUSTERS)
def test_the_verdict_and_the_sums_say_what_the_servers_say(cluster):
    for found in every_outcome(cluster):
        nowhere = [each for each in found.restarts if each.target is None]
        assert (found.verdict is Verdict.SHORT) == bool(nowhere)
        assert all(each.why for each in nowhere)
        assert sum(each.servers for each in found.missing) == len(nowhere)
        assert sum(each.unplaced for each in found.systems) == sum(each.system is not None for each in nowhere)
        if found.verdict is Verdict.SURVIVED:
            assert not any(each.hot for each in found.restarts)


@slowly
@given(cluster=CLUSTERS)
def test_the_order_of_rows_changes_nothing(cluster):
    one, other = (
        {each.losses: each for each in every_outcome(rows)} for rows in (cluster, builders.shuffled(cluster, 7))
    )
    assert one == other

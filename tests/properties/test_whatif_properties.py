"""Every place that a what-if finds is one, on arbitrary clusters, reckoned anew from the snapshot alone."""

from collections import Counter
from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from controller.model import cluster as model
from controller.model.policy import Policy
from controller.model.whatif import Outcome, Verdict
from controller.planner import domains, extra_specs, situation, standing
from controller.planner.whatif import loss, outcome, timing
from inventory.model import Domain
from tests import builders
from tests.fakes import arbitrary_clusters
from tests.fakes.arbitrary_clusters import slowly

CLUSTERS = arbitrary_clusters.clusters(most_vms=30)
ANTI = {model.GroupKind.ANTI_AFFINITY}


def every_loss(cluster: model.Cluster) -> list[Outcome]:
    spare = outcome.spare(cluster, Policy(), builders.NOW)
    return [outcome.lose(spare, [one], timedelta(seconds=1)) for one in loss.every_single(cluster)]


def every_outcome(cluster: model.Cluster) -> list[Outcome]:
    names = cluster.hosts.names
    return [
        *every_loss(cluster),
        *(outcome.empty(cluster, Policy(), builders.NOW, hosts) for hosts in (names[:1], names[1:3])),
    ]


def hosts_after(cluster: model.Cluster, found: Outcome) -> tuple[np.ndarray, list[int]]:
    """Where every server is then, -1 for nowhere, and which of them have started."""
    row = {name: n for n, name in enumerate(cluster.hosts.names)}
    at = {name: n for n, name in enumerate(cluster.vms.ids)}
    host = cluster.vms.host.copy()
    for each in found.restarts:
        host[at[each.vm]] = -1 if each.target is None else row[each.target]
    return host, [at[each.vm] for each in found.restarts if each.target is not None]


def only_servers_of_lost_hosts_go_down(cluster: model.Cluster, outcomes: list[Outcome]) -> None:
    for found in outcomes:
        gone = {*found.hosts, *found.emptied}
        down = {n for n, name in enumerate(cluster.hosts.names) if name in gone}
        names = {cluster.vms.ids[vm] for vm, host in enumerate(cluster.vms.host.tolist()) if host in down}
        assert {each.vm for each in found.restarts} == names
        assert not {each.target for each in found.restarts} & gone


def no_host_holds_more_than_placement_admits(cluster: model.Cluster, outcomes: list[Outcome]) -> None:
    for found in outcomes:
        host, started = hosts_after(cluster, found)
        for target in {int(host[vm]) for vm in started}:
            on = {vm for vm in range(len(host)) if target in (host[vm], cluster.vms.target[vm])}
            for each in ("vcpus", "memory_mib", "disk_gib"):
                asked = getattr(cluster.vms, each)
                if any(asked[vm] > 0 and host[vm] == target for vm in started):
                    assert sum(asked[vm] for vm in on) <= getattr(cluster.hosts, each)[target] * (1 + 1e-6)


def every_host_is_open_and_cleared_and_what_was_asked_for(cluster: model.Cluster, outcomes: list[Outcome]) -> None:
    judged = standing.of_hosts(cluster, domains.of_hosts(cluster)[Domain.ZONE], Policy().thresholds.facility_share)
    for found in outcomes:
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


def no_start_breaks_a_group(cluster: model.Cluster, outcomes: list[Outcome]) -> None:
    of = domains.of_hosts(cluster)
    for found in outcomes:
        host, started = hosts_after(cluster, found)
        for group in cluster.groups:
            domain_of, members = of[group.domain], set(group.members.tolist())
            new = [int(domain_of[host[vm]]) for vm in started if vm in members]
            there, before = (
                [int(domain_of[at[vm]]) for vm in members if at[vm] >= 0] for at in (host, cluster.vms.host)
            )
            for domain in {domain for domain in new if domain >= 0 and group.kind in ANTI}:
                stood = before.count(domain) if found.emptied else 0
                assert there.count(domain) <= max(group.max_per_domain, stood)


def verdict_and_sums_say_what_the_servers_say(cluster: model.Cluster, outcomes: list[Outcome]) -> None:
    for found in outcomes:
        nowhere = [each for each in found.restarts if each.target is None]
        assert (found.verdict is Verdict.SHORT) == bool(nowhere)
        assert all(each.why for each in nowhere)
        assert sum(each.servers for each in found.missing) == len(nowhere)
        assert sum(each.unplaced for each in found.systems) == sum(each.system is not None for each in nowhere)
        if found.verdict is Verdict.SURVIVED:
            assert not any(each.hot for each in found.restarts)


@slowly
@given(cluster=CLUSTERS)
def test_every_place_that_is_found_for_a_server_is_one(cluster):
    outcomes = every_outcome(cluster)
    for holds in (
        only_servers_of_lost_hosts_go_down,
        no_host_holds_more_than_placement_admits,
        every_host_is_open_and_cleared_and_what_was_asked_for,
        no_start_breaks_a_group,
        verdict_and_sums_say_what_the_servers_say,
    ):
        holds(cluster, outcomes)


@slowly
@given(cluster=CLUSTERS)
def test_the_order_of_rows_changes_nothing(cluster):
    one, other = ({each.losses: each for each in every_loss(rows)} for rows in (cluster, builders.shuffled(cluster, 7)))
    assert one == other


@slowly
@given(cluster=CLUSTERS, policy=arbitrary_clusters.policies(), data=st.data())
def test_a_schedule_of_moves_keeps_every_limit_at_every_instant(cluster, policy, data):
    facts = situation.of_cluster(cluster, policy, builders.NOW)
    hosts = range(len(cluster.hosts.names))
    copies = [
        timing.Copy(vm=vm, source=host, target=target, seconds=seconds)
        for vm, host in enumerate(facts.cluster.vms.host.tolist())
        for target, seconds in [data.draw(st.tuples(st.sampled_from(hosts), st.sampled_from([0.5, 60.0, 3000.0])))]
        if host not in {-1, target}
    ]
    started = timing.starts(facts, copies)
    assert sorted(each.vm for each, _ in started) == [each.vm for each in copies]
    limits, systems, rack = policy.limits, facts.cluster.systems, facts.cluster.hosts.rack
    for _, now in started:
        running = [each for each, start in started if start <= now < start + each.seconds]
        in_the_hour = [each for each, start in started if now - 3600.0 < start <= now]
        assert len(running) <= limits.at_once
        assert len(in_the_hour) <= max(limits.per_hour, 1)
        assert max(Counter(each.source for each in running).values(), default=0) <= limits.out_of_host
        assert max(Counter(each.target for each in running).values(), default=0) <= limits.into_host
        across = [{rack[each.source], rack[each.target]} for each in running]
        touched = Counter(int(one) for racks in across if len(racks) == 2 for one in racks if one >= 0)
        assert max(touched.values(), default=0) <= max(limits.across_rack, 1)
        for row, count in Counter(int(facts.cluster.vms.system[each.vm]) for each in running).items():
            own = limits.per_system if row < 0 or systems.at_once[row] < 0 else int(systems.at_once[row])
            assert row < 0 or count <= max(min(own, limits.per_system), 1)
        for row, count in Counter(int(facts.cluster.vms.system[each.vm]) for each in in_the_hour).items():
            assert row < 0 or systems.per_hour[row] < 0 or count <= max(int(systems.per_hour[row]), 1)

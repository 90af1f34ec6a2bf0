"""The schedule of a campaign over arbitrary clusters: every host once, within every limit, and never short of a bound.

Safety apart from liveness: first what no wave may be, then that all hosts get their turn.
"""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from controller.model.campaign import Limits, Member
from controller.model.cluster import Cluster
from controller.model.policy import Policy
from controller.planner import domains
from controller.planner.campaign import proof, schedule
from controller.planner.campaign.exposure import exposure
from controller.planner.groups import APART
from inventory.model import Domain
from tests.fakes import arbitrary_clusters
from tests.fakes.arbitrary_clusters import slowly
from tests.fakes.instants import carried
from tests.fakes.instants import limits as limits_of

LIMITS = st.builds(
    Limits,
    hosts_at_once=st.integers(1, 4),
    domain=st.sampled_from([Domain.HOST, Domain.RACK, Domain.ZONE, Domain.ROOM]),
)


def members(cluster: Cluster, limits: Limits, canaries: int) -> tuple[Member, ...]:
    return tuple(
        Member(campaign="c", host=host, domain=domains.name(cluster, limits.domain, row), canary=row < canaries)
        for row, host in enumerate(cluster.hosts.names)
    )


@slowly
@given(cluster=arbitrary_clusters.clusters(), limits=LIMITS, canaries=st.integers(0, 3))
def test_no_wave_is_larger_than_its_limits_or_of_two_domains(cluster: Cluster, limits: Limits, canaries: int) -> None:
    asked = members(cluster, limits, canaries)
    domain = {member.host: member.domain for member in asked}
    for wave in schedule.waves(asked, limits, exposure(cluster)):
        assert 0 < len(wave) <= limits.hosts_at_once
        assert len({domain[host] for host in wave}) == 1


@slowly
@given(cluster=arbitrary_clusters.clusters(), limits=LIMITS)
def test_no_wave_takes_more_replicas_of_a_group_than_its_rule(cluster: Cluster, limits: Limits) -> None:
    """Counted from the tables: a host that alone carries more than the rule goes without another of the group."""
    names = cluster.hosts.names
    for wave in schedule.waves(members(cluster, limits, 0), limits, exposure(cluster)):
        for group in (group for group in cluster.groups if group.kind in APART):
            on = Counter(
                names[row]
                for vm in group.members.tolist()
                for row in (int(cluster.vms.host[vm]), int(cluster.vms.target[vm]))
                if row >= 0
            )
            alone = max(on.values(), default=0)
            assert sum(on[host] for host in wave) <= max(group.max_per_domain, alone)


@slowly
@given(cluster=arbitrary_clusters.clusters(), limits=LIMITS, canaries=st.integers(0, 3))
def test_every_host_gets_its_turn_once_canaries_first_in_no_fewer_waves_than_possible(
    cluster: Cluster, limits: Limits, canaries: int
) -> None:
    asked, exposed = members(cluster, limits, canaries), exposure(cluster)
    waves = schedule.waves(asked, limits, exposed)
    order = [host for wave in waves for host in wave]
    assert sorted(order) == sorted(cluster.hosts.names)
    assert set(order[:canaries]) == set(cluster.hosts.names[:canaries])
    assert len(waves) >= schedule.fewest(asked, limits, exposed) >= schedule.fewest(asked, limits)


@slowly
@given(cluster=arbitrary_clusters.clusters(), policy=arbitrary_clusters.policies(), limits=LIMITS)
def test_a_wave_that_is_proved_leaves_its_hosts_empty_and_nothing_over_its_limit_that_was_not_before(
    cluster: Cluster, policy: Policy, limits: Limits
) -> None:
    now = cluster.taken_at
    wave = schedule.waves(members(cluster, limits, 0), limits, exposure(cluster))[0]
    if proof.held(cluster, policy, now, wave, keep_shutoff=False):
        return
    made = proof.drains(cluster, policy, now, wave, keep_shutoff=False)
    gone = {move.vm for move in made.moves if move.source in wave}
    names = cluster.hosts.names
    there = {vm for vm, row in zip(cluster.vms.ids, cluster.vms.host, strict=True) if row >= 0 and names[row] in wave}
    assert gone == there
    before = carried(cluster, policy, made, 1, ["waiting"] * len(made.waves[0]) if made.waves else [])
    after = carried(cluster, policy, made, len(made.waves) + 1, [])
    may = limits_of(cluster, policy)
    for what, allowed in may.items():
        assert after.get(what, 0.0) <= max(allowed, before.get(what, 0.0)) * (1 + 1e-6) + 1e-6, what

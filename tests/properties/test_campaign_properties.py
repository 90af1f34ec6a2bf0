"""The waves of a campaign over arbitrary clusters: every host once, within every limit, and never short of a bound.

Safety apart from liveness: first what no wave may be, then that all hosts get their turn.
"""

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from controller.engine.campaign.choosing import Chooser
from controller.model.campaign import HostState, Limits, Member
from controller.model.cluster import Cluster
from controller.model.ids import HostName
from controller.model.policy import Policy
from controller.planner import domains
from controller.planner.campaign import proof, schedule
from controller.planner.campaign.exposure import exposure
from controller.planner.groups import APART
from inventory.model import Domain
from tests.fakes import arbitrary_clusters, chosen_waves
from tests.fakes.arbitrary_clusters import slowly
from tests.fakes.instants import carried
from tests.fakes.instants import limits as limits_of

LIMITS = st.builds(
    Limits,
    hosts_at_once=st.integers(1, 4),
    domain=st.sampled_from([Domain.HOST, Domain.RACK, Domain.ZONE, Domain.ROOM]),
)

STATES = st.sampled_from([HostState.WAITING] * 4 + [HostState.UNDER_WAY, HostState.FAILED])


def members(cluster: Cluster, limits: Limits, canaries: int) -> tuple[Member, ...]:
    return tuple(
        Member(campaign="c", host=host, domain=domains.name(cluster, limits.domain, row), canary=row < canaries)
        for row, host in enumerate(cluster.hosts.names)
    )


def serving(cluster: Cluster) -> Cluster:
    """With every host up, enabled and nobody's to drain, so that none is held by itself."""
    every = np.ones(len(cluster.hosts.names), np.bool_)
    return replace(cluster, freeze=None, hosts=replace(cluster.hosts, up=every, enabled=every, draining=~every))


def chosen(cluster: Cluster, asked: tuple[Member, ...], limits: Limits) -> list[tuple[HostName, ...]]:
    """The waves that the controller's own Chooser makes, whatever a proof would say."""
    chooser = Chooser(lambda *_, **__: ())
    end = chosen_waves.to_the_end(chooser, asked, limits, serving(cluster), Policy(), cluster.taken_at)
    return [wave.hosts for wave in asyncio.run(end)]


def crowds(cluster: Cluster, hosts: Collection[HostName]) -> bool:
    """Whether a group of which members stand apart has more of them on these hosts than its rule allows in one place.

    Counted from the tables: a host that alone carries more than the rule may go without another of the group.
    """
    names = cluster.hosts.names
    for group in (group for group in cluster.groups if group.kind in APART):
        on = Counter(
            names[row]
            for vm in group.members.tolist()
            for row in (int(cluster.vms.host[vm]), int(cluster.vms.target[vm]))
            if row >= 0
        )
        if sum(on[host] for host in hosts) > max(group.max_per_domain, max(on.values(), default=0)):
            return True
    return False


@slowly
@given(cluster=arbitrary_clusters.clusters(), limits=LIMITS, canaries=st.integers(0, 3))
def test_no_wave_is_larger_than_its_limits_of_two_domains_or_crowds_a_group(
    cluster: Cluster, limits: Limits, canaries: int
) -> None:
    asked = members(cluster, limits, canaries)
    domain = {member.host: member.domain for member in asked}
    for wave in chosen(cluster, asked, limits):
        assert 0 < len(wave) <= limits.hosts_at_once
        assert len({domain[host] for host in wave}) == 1
        assert not crowds(cluster, wave)


@slowly
@given(cluster=arbitrary_clusters.clusters(), limits=LIMITS, states=st.lists(STATES, min_size=7, max_size=7))
def test_what_is_chosen_beside_hosts_that_are_out_keeps_the_limits_with_them(
    cluster: Cluster, limits: Limits, states: list[HostState]
) -> None:
    now = cluster.taken_at
    asked = tuple(
        replace(member, state=state, ended_at=now if state is HostState.FAILED else None)
        for member, state in zip(members(cluster, limits, 0), states, strict=False)
    )
    running = chosen_waves.campaign(limits, now - timedelta(hours=1))
    facts = chosen_waves.facts(serving(cluster), Policy(), now)
    choice = asyncio.run(Chooser(lambda *_, **__: ()).choose(running, asked, facts))
    out = [member for member in asked if member.state is not HostState.WAITING]
    together = [*out, *choice.hosts]
    if choice.hosts:
        assert len(together) <= limits.hosts_at_once
        assert len({member.domain for member in together}) == 1
        hosts = [member.host for member in together]
        assert crowds(cluster, [member.host for member in out]) or not crowds(cluster, hosts)


@slowly
@given(cluster=arbitrary_clusters.clusters(), limits=LIMITS, canaries=st.integers(0, 3))
def test_every_host_gets_its_turn_once_canaries_first_in_no_fewer_waves_than_possible(
    cluster: Cluster, limits: Limits, canaries: int
) -> None:
    asked, exposed = members(cluster, limits, canaries), exposure(cluster)
    waves = chosen(cluster, asked, limits)
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
    asked = members(cluster, limits, 0)
    first = [member.host for member in asked if member.domain == asked[0].domain]
    wave = schedule.wave(first, limits.hosts_at_once, exposure(cluster))
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

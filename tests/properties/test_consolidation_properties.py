"""Plans with consolidation on: what is freed is empty, nothing more urgent pays for it, and it is not freed in vain."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from controller.model import plan as words
from controller.model.cluster import Cluster
from controller.model.policy import Consolidation, Limits, Mode, Policy
from controller.planner import check, counterfactual, plan, project, score, situation
from controller.planner.load import Load
from tests import builders
from tests.fakes import arbitrary_clusters, instants, otherwise, told_terms
from tests.fakes.arbitrary_clusters import seldom, slowly

CLUSTERS = st.one_of(arbitrary_clusters.clusters(), arbitrary_clusters.sparse(), arbitrary_clusters.sparse())
CONSOLIDATIONS = st.builds(
    Consolidation,
    enabled=st.just(True),
    fill_ratio=st.sampled_from([0.4, 0.7, 0.85, 0.95]),
    spare_hosts=st.sampled_from([0, 1, 1, 2]),
    watts_per_gib=st.sampled_from([0.0, 0.5, 3.0]),
    max_hosts=st.sampled_from([1, 2, 10]),
)


def on(policy: Policy, consolidation: Consolidation) -> Policy:
    return replace(policy, consolidation=consolidation)


POLICIES = st.builds(on, st.one_of(arbitrary_clusters.policies(), arbitrary_clusters.narrow()), CONSOLIDATIONS)


def planned(cluster: Cluster, policy: Policy) -> words.Plan:
    return plan.plan(cluster, policy, builders.NOW)


@pytest.mark.lab
def test_of_sparse_clusters_most_have_hosts_to_free():
    policy = on(Policy(limits=Limits(per_agency=8, per_system=8)), Consolidation(enabled=True))
    made = [planned(arbitrary_clusters.cluster(seed, 6, 10, sparse=True), policy) for seed in range(30)]
    assert sum(bool(each.frees) for each in made) >= 10


@slowly
@given(cluster=CLUSTERS, policy=POLICIES)
def test_a_freed_host_is_empty_in_the_end_and_none_beyond_what_policy_allows(cluster, policy):
    made = planned(cluster, policy)
    assert check.problems(cluster, policy, made) == ()
    freed = {each.host for each in made.frees}
    assert len(freed) <= policy.consolidation.max_hosts
    assert not freed & {move.target for move in made.moves}
    after = project.project(cluster, policy, made.moves, builders.NOW)
    standing = {after.hosts.names[row] for row in after.vms.host.tolist() if row >= 0}
    assert not freed & standing
    assert all(each.idle_watts >= policy.consolidation.watts_per_gib * each.copied_gib for each in made.frees)


@slowly
@given(cluster=CLUSTERS, policy=POLICIES)
def test_nothing_broken_hot_or_uneven_is_worse_for_hosts_being_freed(cluster, policy):
    made = planned(cluster, policy)
    assert made.score_after <= made.score_before
    mending = [move for move in made.moves if move.concern is not words.Concern.CONSOLIDATION]
    facts = situation.of_cluster(cluster, policy, builders.NOW)
    load = Load(facts)
    for move in mending:
        load.move(facts.cluster.vms.ids.index(move.vm), facts.cluster.hosts.names.index(move.target))
    above = policy.rank(words.Concern.CONSOLIDATION)
    assert made.score_after[:above] <= score.of_load(load)[:above]
    before = {breach.key for breach in made.breaches_before}
    urgent = {breach.key for breach in made.breaches_after if breach.concern is not words.Concern.UNEVEN}
    assert urgent <= before


@slowly
@given(cluster=CLUSTERS, policy=POLICIES, data=st.data())
def test_cut_at_any_instant_of_any_wave_it_leaves_every_limit_held_or_no_worse(cluster, policy, data):
    made = planned(cluster, policy)
    assert not list(instants.worse(cluster, policy, made, lambda: data.draw(st.sampled_from(instants.STATES))))


@slowly
@given(cluster=CLUSTERS, consolidation=CONSOLIDATIONS)
def test_planning_the_result_moves_no_vm_back(cluster, consolidation):
    policy = on(arbitrary_clusters.unhindered(), replace(consolidation, max_hosts=100))
    cluster = arbitrary_clusters.without_budgets(cluster)
    made = planned(cluster, policy)
    again = planned(project.project(cluster, policy, made.moves, builders.NOW), policy)
    assert {(move.vm, move.target) for move in again.moves}.isdisjoint((move.vm, move.source) for move in made.moves)


@slowly
@given(cluster=CLUSTERS, policy=POLICIES, seed=st.integers(0, 1000))
def test_the_order_of_input_does_not_matter(cluster, policy, seed):
    assert planned(builders.shuffled(cluster, seed), policy) == planned(cluster, policy)


@slowly
@given(cluster=CLUSTERS, policy=POLICIES)
def test_the_terms_that_a_move_changes_sum_to_its_change_of_the_score(cluster, policy):
    made = planned(cluster, policy)
    for _, changed, wrong in told_terms.of_moves(cluster, policy, made):
        assert not wrong, changed


@seldom
@given(cluster=arbitrary_clusters.sparse(), policy=POLICIES, data=st.data())
def test_in_the_snapshot_or_policy_in_which_it_is_otherwise_the_host_is_not_freed_by_the_move(cluster, policy, data):
    made = planned(cluster, policy)
    freeing = [move for move in made.moves if move.concern is words.Concern.CONSOLIDATION]
    assume(freeing)
    move = data.draw(st.sampled_from(freeing))
    load = Load(situation.of_cluster(cluster, policy, builders.NOW))
    for found in counterfactual.of_move(load, made, move):
        again = planned(*otherwise.changed(cluster, policy, found.conditions))
        assert not list(otherwise.contradicted(move, found, again)), found.sentence


@seldom
@given(cluster=CLUSTERS, policy=POLICIES)
def test_more_rounds_leave_nothing_worse_and_pass_the_same_check(cluster, policy):
    several = replace(policy, mode=Mode.AUTO, search_rounds=3)
    once, best = planned(cluster, policy), planned(cluster, several)
    assert best.score_after <= once.score_after <= once.score_before
    assert check.problems(cluster, several, best) == ()


@seldom
@given(cluster=CLUSTERS, policy=POLICIES, data=st.data())
def test_the_checker_rejects_a_freeing_that_is_not_whole(cluster, policy, data):
    made = planned(cluster, policy)
    assume(made.frees)
    freed = data.draw(st.sampled_from(made.frees)).host
    left = data.draw(st.sampled_from([move.vm for move in made.moves if move.source == freed]))
    waves = {move.wave for move in made.moves if move.vm != left}
    numbered = {wave: number for number, wave in enumerate(sorted(waves), start=1)}
    kept = [move for move in made.moves if move.vm != left]
    moves = tuple(replace(move, n=n, wave=numbered[move.wave]) for n, move in enumerate(kept, start=1))
    assert any("not empty in the end" in said or "not those that moves free" in said
               for said in check.problems(cluster, policy, replace(made, moves=moves)))  # fmt: skip

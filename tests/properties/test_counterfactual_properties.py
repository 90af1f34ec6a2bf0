"""What is said to undo a move does: the changed snapshot is planned anew. And the terms of a move are its score."""

import re
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from controller.model import plan as words
from controller.model.cluster import Cluster
from controller.model.policy import Consolidation, Policy
from controller.planner import classify, counterfactual, plan, situation, terms
from controller.planner.load import Load
from tests import builders
from tests.fakes import arbitrary_clusters, otherwise, told_terms
from tests.fakes.arbitrary_clusters import seldom, slowly

CLUSTERS, POLICIES = arbitrary_clusters.clusters(), arbitrary_clusters.policies()
HEATED = arbitrary_clusters.heated()


def planned(cluster: Cluster, policy: Policy) -> words.Plan:
    return plan.plan(cluster, policy, builders.NOW)


def told(cluster: Cluster, policy: Policy, made: words.Plan, move: words.Move):
    return counterfactual.of_move(Load(situation.of_cluster(cluster, policy, builders.NOW)), made, move)


@seldom
@given(cluster=st.one_of(CLUSTERS, HEATED), policy=POLICIES, data=st.data())
def test_a_plan_of_the_snapshot_in_which_it_is_otherwise_does_not_make_the_move(cluster, policy, data):
    made = planned(cluster, policy)
    assume(made.moves)
    move = data.draw(st.sampled_from(made.moves))
    for found in told(cluster, policy, made, move):
        again = planned(*otherwise.changed(cluster, policy, found.conditions))
        assert not list(otherwise.contradicted(move, found, again)), found.sentence


@seldom
@given(cluster=HEATED, policy=st.one_of(POLICIES, arbitrary_clusters.narrow()), data=st.data())
def test_what_has_not_lasted_as_long_as_is_asked_moves_nothing(cluster, policy, data):
    breaches = classify.breaches(Load(situation.of_cluster(cluster, policy, builders.NOW)))
    waits = [breach.key for breach in breaches if breach.concern not in words.AT_ONCE]
    assume(waits)
    began = {key: builders.NOW.timestamp() - data.draw(st.integers(180, 900)) for key in waits}
    cluster = replace(cluster, breach_since=began)
    made = planned(cluster, policy)
    moves = [move for move in made.moves if move.concern not in words.AT_ONCE]
    assume(moves)
    for found in told(cluster, policy, made, moves[0]):
        if found.conditions[0].what == "sustained":
            again = planned(*otherwise.changed(cluster, policy, found.conditions))
            assert not [move for move in again.moves if move.vm == moves[0].vm and move.breach in found.breaches]


@slowly
@given(cluster=st.one_of(CLUSTERS, HEATED, arbitrary_clusters.sparse()), policy=POLICIES, frees=st.booleans())
def test_a_target_that_its_cost_is_said_to_rule_out_costs_no_less_than_the_chosen(cluster, policy, frees):
    for move in planned(cluster, replace(policy, consolidation=Consolidation(enabled=frees))).moves:
        if move.alternative is not None and move.alternative.ruled_out_by == "score":
            cost, chosen = (float(number) for number in re.findall(r"[0-9.]+", move.alternative.detail))
            assert cost >= chosen


@slowly
@given(cluster=CLUSTERS, policy=POLICIES)
def test_the_terms_that_a_move_changes_sum_to_its_change_of_the_score(cluster, policy):
    made = planned(cluster, policy)
    for move, changed, wrong in told_terms.of_moves(cluster, policy, made):
        assert not wrong, changed
        paying = terms.paying(changed, move.breach)
        fell = [name for name in made.objective if any(t.after < t.before and t.concern == name for t in changed)]
        assert (paying is None) == (not fell) or paying.after < paying.before

"""Safety and liveness of plans on arbitrary clusters, broken ones included. `GDCC_EXAMPLES` asks for more of them."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from controller.model import plan as words
from controller.model.cluster import Cluster
from controller.model.policy import Limits, Mode, Policy
from controller.model.sample import Trust
from controller.planner import check, check_loads, plan, project, rules, situation, supplies
from controller.planner.load import Load
from tests import builders
from tests.fakes import arbitrary_clusters, instants
from tests.fakes.arbitrary_clusters import seldom, slowly

CLUSTERS, POLICIES = arbitrary_clusters.clusters(), arbitrary_clusters.policies()
CASES = st.one_of(st.tuples(CLUSTERS, POLICIES), st.tuples(arbitrary_clusters.pressed(), arbitrary_clusters.narrow()))


def planned(cluster: Cluster, policy: Policy) -> words.Plan:
    return plan.plan(cluster, policy, builders.NOW)


@pytest.mark.lab
def test_much_of_what_is_pressed_takes_several_waves():
    few = Policy(limits=Limits(at_once=2, out_of_host=1, into_host=1))
    made = [planned(arbitrary_clusters.cluster(seed, 6, 16, hurry=True), few) for seed in range(30)]
    assert sum(len(each.waves) > 1 for each in made) >= 10


@slowly
@given(case=CASES, data=st.data())
def test_no_instant_of_any_wave_breaks_what_held_or_breaks_worse_what_did_not(case, data):
    cluster, policy = case
    made = planned(cluster, policy)
    assert not list(instants.worse(cluster, policy, made, lambda: data.draw(st.sampled_from(instants.STATES))))


@slowly
@given(case=CASES)
def test_no_wave_has_more_at_once_than_any_limit_allows(case):
    cluster, policy = case
    assert not list(instants.too_many(cluster, policy, planned(cluster, policy)))


@seldom
@given(case=st.tuples(arbitrary_clusters.pressed(), arbitrary_clusters.narrow()))
def test_all_moves_in_one_wave_are_found_to_be_too_many(case):
    cluster, policy = case
    made = planned(cluster, policy)
    assume(len(made.waves) > 1)
    at_once = replace(made, moves=tuple(replace(move, wave=1) for move in made.moves))
    full = list(instants.too_many(cluster, policy, at_once))
    assert full or list(instants.worse(cluster, policy, at_once, lambda: "flying")) or _waits(at_once)


def _waits(made: words.Plan) -> bool:
    """Whether it was in several waves for what a host that is filled to free another keeps free."""
    return any(move.concern is words.Concern.CONSOLIDATION for move in made.moves)


@slowly
@given(case=CASES)
def test_no_move_goes_where_nova_would_not_put_it(case):
    cluster, policy = case
    for move in planned(cluster, policy).moves:
        vm, target = cluster.vms.ids.index(move.vm), cluster.hosts.names.index(move.target)
        assert not list(instants.refusing(cluster, vm, target))


@slowly
@given(cluster=CLUSTERS, policy=POLICIES)
def test_a_plan_makes_no_breach_and_none_worse_and_never_the_objective(cluster, policy):
    made = planned(cluster, policy)
    before = {breach.key: breach for breach in made.breaches_before}
    for breach in made.breaches_after:
        if breach.concern is not words.Concern.UNEVEN:
            assert breach.key in before
            over = breach.amount - breach.limit
            assert over <= before[breach.key].amount - before[breach.key].limit + 1e-6
    assert made.score_after <= made.score_before


@slowly
@given(case=CASES, unread=st.integers(0, 2**8 - 1))
def test_hosts_that_are_trusted_without_a_reading_of_their_cpu_change_no_proof(case, unread):
    """`trust.required_of_hosts` may ask for none."""
    cluster, policy = case
    cpu = cluster.hosts.cpu_ratio
    absent = np.array([bool(unread >> row & 1) for row in range(len(cpu.trust))], np.bool_)
    trust = np.where(absent, np.int8(Trust.ABSENT), cpu.trust)
    hosts = replace(cluster.hosts, cpu_ratio=replace(cpu, trust=trust), trusted=cluster.hosts.known)
    planned(replace(cluster, hosts=hosts), policy)


@slowly
@given(cluster=CLUSTERS, policy=POLICIES)
def test_planner_checker_and_projection_make_the_same_of_every_supply(cluster, policy):
    made = planned(cluster, policy)
    predicted = {limit.key: limit.after for limit in made.limits if limit.unit == "W"}
    book = check_loads.Book(cluster, policy, made.moves)
    for move in made.moves:
        book.carry_out(move)
    most = _most_by_the_planner(cluster, policy, made)
    assert {row: book.sums["watts, most", row] for row in most} == pytest.approx(most)
    after = project.project(cluster, policy, made.moves, builders.NOW)
    shown = Load(situation.of_cluster(after, policy, builders.NOW)).least
    rows = supplies.keys(after)
    own_rows = supplies.keys(cluster)
    for key, watts in predicted.items():
        if (cluster.hosts.power == own_rows[key]).any():
            assert book.sums["watts, least", own_rows[key]] == pytest.approx(watts)
        assert shown[rows[key]] == pytest.approx(watts) or _received_unread(cluster, made, own_rows[key])


def _most_by_the_planner(cluster: Cluster, policy: Policy, made: words.Plan) -> dict[int, float]:
    """What each supply that is measured would carry at most after the plan, by the snapshot's rows."""
    facts = situation.of_cluster(cluster, policy, builders.NOW)
    load, vms, hosts = Load(facts), facts.cluster.vms.ids, facts.cluster.hosts.names
    for move in made.moves:
        load.move(vms.index(move.vm), hosts.index(move.target))
    rows = {name: row for row, name in enumerate(cluster.power.names)}
    corded = np.isin(np.arange(len(load.most)), facts.cluster.hosts.power)
    measured = np.flatnonzero(np.isfinite(load.most) & corded).tolist()
    return {rows[facts.cluster.power.names[row]]: float(load.most[row]) for row in measured}


def _received_unread(cluster: Cluster, made: words.Plan, row: int) -> bool:
    """Whether something goes to a host of that supply of which no look will show the watts."""
    hosts = {cluster.hosts.names.index(move.target) for move in made.moves}
    return any(row in cluster.hosts.power[host] and not cluster.hosts.power_watts.fresh[host] for host in hosts)


@slowly
@given(cluster=st.one_of(CLUSTERS, arbitrary_clusters.pressed()))
def test_planning_the_result_moves_no_vm_back(cluster):
    policy = arbitrary_clusters.unhindered()
    made = planned(cluster, policy)
    again = planned(project.project(cluster, policy, made.moves, builders.NOW), policy)
    assert {(move.vm, move.target) for move in again.moves}.isdisjoint((move.vm, move.source) for move in made.moves)


def test_planning_the_result_gives_no_further_move_but_of_few_clusters():
    """What is sent is counted with its error until it has arrived; after that a little more may have room."""
    policy, more, looked_at = arbitrary_clusters.unhindered(), 0, 0
    for seed in range(120):
        cluster = arbitrary_clusters.cluster(seed, 8, 16, hurry=True)
        made = planned(cluster, policy)
        if not any(_for_now(hold) for hold in made.holds):
            looked_at += 1
            more += bool(planned(project.project(cluster, policy, made.moves, builders.NOW), policy).moves)
    assert looked_at > 40
    assert more <= looked_at / 40


def _for_now(hold: words.Hold) -> bool:
    """Whether something of it waits for other moves, or for an hour's budget that a projection does not spend."""
    return hold.rule == "order" or hold.rule.endswith("budget") or "-budget" in hold.why


@slowly
@given(cluster=CLUSTERS, policy=POLICIES, seed=st.integers(0, 1000))
def test_the_order_of_input_does_not_matter(cluster, policy, seed):
    assert planned(builders.shuffled(cluster, seed), policy) == planned(cluster, policy)


@seldom
@given(case=CASES, data=st.data())
def test_the_checker_rejects_a_plan_with_one_move_sent_where_a_rule_forbids(case, data):
    cluster, policy = case
    made = planned(cluster, policy)
    assume(made.moves)
    move = data.draw(st.sampled_from(made.moves))
    facts = situation.of_cluster(cluster, policy, builders.NOW)
    vm = facts.cluster.vms.ids.index(move.vm)
    every = np.arange(len(facts.cluster.hosts.names), dtype=np.int32)
    allowed = rules.admitted(Load(facts), vm, every, (rules.SAME_HOST, *rules.STATIC, rules.PER_VM[0]))
    forbidden = [facts.cluster.hosts.names[row] for row in every.tolist() if row not in allowed.tolist()]
    assume(forbidden)
    target = data.draw(st.sampled_from(forbidden))
    moves = tuple(replace(m, target=target) if m.n == move.n else m for m in made.moves)
    assert check.problems(cluster, policy, replace(made, moves=moves))


@slowly
@given(case=CASES)
def test_who_makes_room_leaves_before_the_one_that_it_is_made_for_comes(case):
    cluster, policy = case
    made = planned(cluster, policy)
    by_vm = {move.vm: move for move in made.moves}
    for move in made.moves:
        if move.room_for is not None:
            comes = by_vm[move.room_for]
            assert comes.target == move.source
            assert comes.wave > move.wave


@slowly
@given(cluster=arbitrary_clusters.pressed(), policy=arbitrary_clusters.narrow())
def test_no_plan_is_shorter_than_its_own_lower_bounds(cluster, policy):
    made = planned(cluster, policy)
    assert made.waves_at_least <= len(made.waves)
    assert made.takes_at_least <= made.takes + timedelta(milliseconds=1)


@slowly
@given(cluster=CLUSTERS, policy=POLICIES)
def test_the_same_input_gives_the_same_plan_with_the_same_id(cluster, policy):
    first, second = planned(cluster, policy), planned(cluster, policy)
    assert first == second
    assert first.id == second.id


@seldom
@given(cluster=arbitrary_clusters.clusters(), policy=arbitrary_clusters.policies())
def test_more_rounds_leave_nothing_worse_and_pass_the_same_check(cluster, policy):
    several = replace(policy, mode=Mode.AUTO, search_rounds=3)
    once, best = plan.plan(cluster, policy, builders.NOW), plan.plan(cluster, several, builders.NOW)
    assert best.score_after <= once.score_after <= once.score_before
    assert check.problems(cluster, several, best) == ()

"""Every answer has a sentence, numbers, and what ruled the next best out."""

import pytest

from controller.errors import InputError
from controller.model.policy import Policy, Thresholds
from controller.planner import explain, plan
from tests import builders
from tests.builders import NOW, Host, Vm

POLICY = Policy(balance=False)


@pytest.fixture
def cluster():
    return builders.cluster(
        hosts=[Host(name="c1", cpu=0.9), Host(name="c2"), Host(name="c3", clearance=0, inlet=29)],
        vms=[Vm(name="noisy", host="c1", vcpus=16, cpu=15.0), Vm(name="quiet", host="c1"),
             Vm(name="shy", host="c2", locked=True)],
    )  # fmt: skip


@pytest.fixture
def made(cluster):
    return plan.plan(cluster, POLICY, NOW)


def test_a_move_is_explained_by_its_number_and_by_its_vm(cluster, made):
    answer = explain.explain(cluster, POLICY, made, "1")
    assert answer == explain.explain(cluster, POLICY, made, "noisy")
    assert answer.sentence.startswith("c1 is hot: 90.0% of its threads are busy, limit 80%: noisy")
    assert dict(answer.numbers)["hot"] == "0.125 → 0"
    assert ("heat", 1) in answer.ruled_out


def test_a_vm_that_stays_says_why(cluster, made):
    assert "shy stays on c2: it is locked" in explain.explain(cluster, POLICY, made, "shy").sentence
    assert "nothing on that host asks" in explain.explain(cluster, POLICY, made, "quiet").sentence


def test_a_vm_that_could_leave_a_host_that_stays_hot_says_why_it_does_not():
    hosts = [Host(name="c1", cpu=0.9), Host(name="c2")]
    hot = builders.cluster(hosts=hosts, vms=[Vm(name="a", host="c1", vcpus=16, cpu=15.0)], breach_since={})
    made = plan.plan(hot, POLICY, NOW)
    assert explain.explain(hot, POLICY, made, "a").sentence == (
        "a stays on c1: c1 is hot: 90.0% of its threads are busy, limit 80%; held: it has not lasted long enough, "
        "and it could go elsewhere"
    )


def test_the_next_best_target_is_ruled_out_by_what_the_move_is_for_where_it_would_cost_less():
    racks = [Host(name="c1", cpu=0.5), Host(name="c2", cpu=0.1), Host(name="far", rack="r2", cpu=0.0)]
    vms = [Vm(name="a", host="c1", vcpus=16, cpu=16.0)]
    even = Policy(thresholds=Thresholds(uneven_ratio=0.1))
    (move,) = plan.plan(builders.cluster(hosts=racks, vms=vms), even, NOW).moves
    assert (move.target, move.alternative.host, move.alternative.ruled_out_by) == ("c2", "far", "uneven")


def test_a_host_says_what_it_may_receive_and_what_the_plan_does_with_it(cluster, made):
    answer = explain.explain(cluster, POLICY, made, "c3")
    assert "c3 receives nothing, since its inlet is above the zone's warning" in answer.sentence
    assert "moves 1 VMs out" in explain.explain(cluster, POLICY, made, "c1").sentence


@pytest.mark.parametrize(("balance", "rule"), [(False, "balance"), (True, "relief")])
def test_what_is_left_uneven_says_whether_policy_asks_for_it_at_all(balance, rule):
    hosts = [Host(name="c1", cpu=0.5), *[Host(name=name, cpu=0.0) for name in ("c2", "c3")]]
    uneven = builders.cluster(hosts=hosts, vms=[Vm(name="a", host="c1", vcpus=32, cpu=31.0)])
    made = plan.plan(uneven, Policy(balance=balance), NOW)
    assert [(hold.breach, hold.rule) for hold in made.holds] == [("uneven:c1", rule)]


def test_a_host_does_not_hold_every_limit_while_a_supply_or_a_vm_of_it_does_not():
    hosts = [Host(name="c1", clearance=0), Host(name="c2", inlet=29)]
    tight = [builders.Supply(name="A", limit_watts=500.0), builders.Supply(name="B")]
    over = builders.cluster(hosts=hosts, vms=[Vm(name="a", host="c1", classification=1)], supplies=tight)
    answer = explain.explain(over, POLICY, plan.plan(over, POLICY, NOW), "c1")
    assert answer.sentence.endswith(
        "the plan moves 0 VMs out and 0 in; a is internal and stands on c1, cleared for open; "
        "feed A would carry 600 W if its partner failed, limit 500 W"
    )


def test_what_a_hosts_watts_are_predicted_from_is_told_with_its_error(cluster, made):
    said = dict(explain.explain(cluster, POLICY, made, "c1").numbers)
    assert said["watts"] == "300 W measured; 3.00 W for one more busy thread, ± 5 W once it has received or shed"
    move = made.moves[0]
    assert dict(explain.explain(cluster, POLICY, made, "1").numbers)[f"{move.target} watts"] == said["watts"]


def test_what_is_nothing_is_refused_with_a_remedy(cluster, made):
    with pytest.raises(InputError, match="is no host, no VM and no move"):
        explain.explain(cluster, POLICY, made, "nonsense")


def test_every_rule_that_can_hold_has_words():
    from controller.planner import describe, rules

    named = {rule.name for rule in (rules.SAME_HOST, *rules.STATIC, *rules.PER_VM, *rules.DYNAMIC)} - {"closed"}
    assert named <= set(describe.RULES)

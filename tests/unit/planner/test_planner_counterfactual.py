"""Each move says what pays for it and what would undo it, in numbers that a new plan bears out."""

from dataclasses import replace

import pytest

from controller.errors import InputError
from controller.model.policy import Policy, Thresholds
from controller.planner import explain, explanation, plan
from controller.planner.conditions import Condition
from inventory.model import Classification, Domain
from tests import builders
from tests.builders import NOW, Group, Host, Supply, System, Vm
from tests.fakes import otherwise

POLICY = Policy(balance=False)
OPEN, SECRET = int(Classification.OPEN), int(Classification.SECRET)


def told(cluster, policy=POLICY, subject="1") -> explanation.Explanation:
    return explain.explain(cluster, policy, plan.plan(cluster, policy, NOW), subject)


def said(answer: explanation.Explanation) -> list[str]:
    return [undone.sentence for undone in answer.unless]


def of_breaches(cluster, policy=POLICY) -> list[Condition]:
    """The conditions of the first counterfactual: what in the snapshot would end all that asks."""
    return list(told(cluster, policy).unless[0].conditions)


def hot(cpu=0.9, **more):
    hosts = [Host(name="c17", threads=32, vcpus=128, cpu=cpu), Host(name="c20", threads=32, vcpus=128)]
    vms = [Vm(name="noisy", host="c17", vcpus=8, cpu=7.0), Vm(name="quiet", host="c17")]
    return builders.cluster(hosts=hosts, vms=vms, **more)


def test_a_hot_host_says_at_how_many_threads_it_would_keep_the_vm():
    answer = told(hot(0.91))
    assert said(answer) == [
        "would not move for cpu:c17 if c17 used at most 25.6 of its 32 threads (it uses 29.1)",
        "would not move for cpu:c17 if thresholds.cpu_ratio were at least 0.910 (it is 0.8)",
        "would not move if it were locked",
        "would not move if the window of sys were closed",
        "would not go to c20 if c20 were disabled",
    ]


def test_a_little_less_than_what_is_asked_is_not_enough():
    conditions = of_breaches(hot())
    assert plan.plan(hot(), POLICY, NOW).moves
    assert not plan.plan(*otherwise.changed(hot(), POLICY, conditions), NOW).moves
    short = [replace(condition, at=condition.at + 0.1) for condition in conditions]
    assert plan.plan(*otherwise.changed(hot(), POLICY, short), NOW).moves
    looser = replace(POLICY, thresholds=Thresholds(cpu_ratio=0.899))
    assert plan.plan(hot(), looser, NOW).moves
    assert not plan.plan(hot(), replace(POLICY, thresholds=Thresholds(cpu_ratio=0.9)), NOW).moves


def test_the_term_that_pays_is_named_with_its_amounts_and_its_part_of_the_score():
    answer = told(hot())
    assert answer.paid_by == "cpu:c17"
    assert "; paid for by CPU of c17 90.0% → 68.1%, may be 80.0% (hot 0.125 → 0)" in answer.sentence
    term, *others = answer.terms
    assert {other.concern for other in others} == {"uneven"}
    assert (term.concern, term.key, term.unit, term.before, term.after) == ("hot", "cpu:c17", "ratio", 0.125, 0.0)


def test_what_has_lasted_long_enough_says_for_how_long():
    answer = told(hot(breach_since={"cpu:c17": NOW.timestamp() - 12 * 60}))
    wait = "breaches had to last longer than 12.0 min (policy.sustained, 3.0 min)"
    assert f"would not move for cpu:c17 if {wait}" in said(answer)


def test_a_drain_would_have_to_be_lifted_and_a_lock_would_not_keep_the_vm():
    hosts = [Host(name="c1", draining=True), Host(name="c2")]
    answer = told(builders.cluster(hosts=hosts, vms=[Vm(name="a", host="c1")]))
    assert said(answer)[0] == "would not move for drain:c1 if the drain of c1 were lifted"
    assert not [sentence for sentence in said(answer) if "locked" in sentence]
    assert "paid for by VMs on c1 1 → 0, may be 0 (drain 1 → 0)" in answer.sentence


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            {"memory_health": 1, "psu_health": 2},
            ["c1 reported no failing memory", "c1 reported no failing power supply"],
        ),
        ({"inlet": 33.0}, ["c1 breathed air of at most 32.0 °C (it is 33.0 °C)"]),
        (
            {"memory_gib": 4.0, "memory_used_gib": 1.0},
            ["Placement admitted at least 8 GiB of memory on c1 (it admits 4)"],
        ),
        ({"clearance": OPEN}, ["c1 were cleared for secret (it is for open)"]),
    ],
    ids=["health", "inlet", "capacity", "clearance"],
)
def test_each_breach_of_a_host_says_what_would_end_it(source, words):
    hosts = [Host(name="c1", **source), Host(name="c2", rack="r2")]
    secret = [System(classification=SECRET)]
    vms = [Vm(name="a", host="c1", memory_used_gib=1.0)]
    cluster = builders.cluster(hosts=hosts, vms=vms, systems=secret)
    conditions = of_breaches(cluster)
    assert [condition.words for condition in conditions] == words
    assert not plan.plan(*otherwise.changed(cluster, POLICY, conditions), NOW).moves


def test_two_feeds_that_ask_for_the_same_move_must_both_be_relieved():
    supplies = [Supply(name=name, limit_watts=590.0) for name in "AB"] + [Supply(name="C")]
    hosts = [Host(name="c1", cpu=0.6), Host(name="c2"), Host(name="c3", supplies=("C",))]
    cluster = builders.cluster(hosts=hosts, vms=[Vm(name="a", host="c1", vcpus=32, cpu=30.0)], supplies=supplies)
    answer = told(cluster)
    assert answer.unless[0].breaches == ("feed:A", "feed:B")
    assert said(answer)[0] == (
        "would not move for feed:A or feed:B if feed A carried at most 590 W alone (it would carry 600 W) "
        "and feed B carried at most 590 W alone (it would carry 600 W)"
    )
    one_only = answer.unless[0].conditions[:1]
    assert plan.plan(*otherwise.changed(cluster, POLICY, one_only), NOW).moves
    assert [term.key for term in answer.terms if term.concern == "hot"] == ["feed:A", "feed:B"]


def test_groups_say_how_many_more_they_would_have_to_allow():
    vms = [Vm(name=name, host="c1") for name in "abc"]
    group = Group(name="web", members=("a", "b", "c"), domain=Domain.HOST)
    cluster = builders.cluster(hosts=[Host(name="c1"), Host(name="c2")], vms=vms, groups=[group])
    answer = told(cluster)
    assert said(answer)[0] == "would not move for group:web if group web allowed 3 in one host (it allows 1)"
    assert answer.terms[0].what == "members of group web out of place"
    assert (answer.terms[0].before, answer.terms[0].after) == (2.0, 1.0)


def test_an_uneven_host_says_what_is_tolerated_and_what_a_move_must_earn():
    hosts = [Host(name="c1", cpu=0.6), Host(name="c2", cpu=0.05), Host(name="c3", cpu=0.05)]
    cluster = builders.cluster(hosts=hosts, vms=[Vm(name="a", host="c1", vcpus=16, cpu=10.0)])
    answer = told(cluster, Policy())
    assert answer.paid_by == "uneven:c1"
    threads, tolerated, off, earn = said(answer)[:4]
    assert threads.startswith("would not move for uneven:c1 if c1 used at most 27.2 of its 64 threads")
    assert "thresholds.uneven_ratio were at least 0.367" in tolerated
    assert off == "would not move for uneven:c1 if policy.balance were off"
    assert "limits.gain_per_gib, it is 0.0005" in earn


def test_a_plan_alone_tells_the_concern_that_pays_and_what_asks():
    answer = explanation.from_plan(plan.plan(hot(), POLICY, NOW), "1")
    assert answer.sentence.endswith("; paid for by hot 0.125 → 0")
    assert said(answer) == ["would not move for cpu:c17 if that were at most 80.0% (it is 90.0%)"]


def test_a_number_is_a_moves_before_it_is_a_name_and_a_name_of_several_is_refused():
    vms = [Vm(name="a", host="c1"), Vm(name="b", host="c1")]
    made = plan.plan(builders.cluster(hosts=[Host(name="c1", memory_health=2), Host(name="c2")], vms=vms), POLICY, NOW)
    first, second = made.moves
    named = replace(made, moves=(replace(first, vm_name="2"), second))
    assert explanation.from_plan(named, "2").subject == "move 2"
    twins = replace(made, moves=(replace(first, vm_name="web"), replace(second, vm_name="web")))
    with pytest.raises(InputError, match="moves 2 VMs named 'web'"):
        explanation.from_plan(twins, "web")


def test_a_breach_is_explained_by_its_key():
    mended = told(hot(), subject="cpu:c17")
    assert mended.sentence == (
        "c17 is hot: 90.0% of its threads are busy, limit 80%: mended by the plan, with 1 move for it"
    )
    stuck = builders.cluster(hosts=[Host(name="c1", cpu=0.9), Host(name="c2", cpu=0.79)],
                             vms=[Vm(name="a", host="c1", vcpus=32, cpu=30.0)])  # fmt: skip
    left = told(stuck, subject="cpu:c1")
    assert left.sentence == (
        "c1 is hot: 90.0% of its threads are busy, limit 80%, and stays so: "
        "1 VM of agency has no target: cpu rules out the only other host"
    )
    assert left.left[0].conflict.rules == ("cpu",)
    assert "c1 is hot: 90.0%" in told(stuck, subject="c1").sentence
    assert told(stuck, subject="a").conflict.rules == ("cpu",)


def test_a_group_says_in_how_few_domains_it_would_have_to_be_content():
    vms = [Vm(name=name, host="c1") for name in "ab"]
    group = Group(name="web", members=("a", "b"), domain=Domain.HOST, max_per_domain=2, min_domains=2)
    cluster = builders.cluster(hosts=[Host(name="c1"), Host(name="c2")], vms=vms, groups=[group])
    answer = told(cluster)
    assert said(answer)[0] == "would not move for group:web if group web wanted at least 1 host (it wants 2)"
    assert not plan.plan(*otherwise.changed(cluster, POLICY, answer.unless[0].conditions), NOW).moves

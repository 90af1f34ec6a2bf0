"""A VM that stands where Nova would not put it breaks a rule, and is moved to where it would."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.model.cluster import Requirement
from controller.model.policy import ADMISSION_RULES, AdmissionPolicy, Policy
from controller.planner import check, explain, mending, plan, project, situation
from tests import builders
from tests.builders import NOW, Aggregate, Host, System, Vm

EVERY = AdmissionPolicy(moves=frozenset(ADMISSION_RULES))
POLICY = Policy(balance=False, admission=EVERY)
FAST = frozenset({"COMPUTE_NODE", "CUSTOM_FAST"})
PLAIN = frozenset({"COMPUTE_NODE", "CUSTOM_PLAIN"})


def asking(requirement: Requirement, *, here: dict[str, object], there: dict[str, object], aggregates=(), **vm: object):
    return builders.cluster(
        hosts=[Host(name="c1", **here), Host(name="c2", **there)],
        vms=[Vm(name="a", host="c1", requirement=requirement, **vm)],
        aggregates=aggregates,
    )


CASES = {
    "traits": asking(
        Requirement(required_traits=frozenset({"CUSTOM_FAST"})), here={"traits": PLAIN}, there={"traits": FAST}
    ),
    "a forbidden trait": asking(
        Requirement(forbidden_traits=frozenset({"CUSTOM_FAST"})), here={"traits": FAST}, there={"traits": PLAIN}
    ),
    "availability zone": asking(
        Requirement(availability_zone="az2"),
        here={"availability_zone": "az1"},
        there={"availability_zone": "az2"},
    ),
    "licence": asking(
        Requirement(aggregate_specs={"licence": "db"}),
        here={},
        there={},
        aggregates=[Aggregate(name="licensed", hosts=("c2",), metadata={"licence": "db"})],
    ),
    "tenant isolation": asking(
        Requirement(project_id="mine"),
        here={},
        there={},
        aggregates=[Aggregate(name="theirs", hosts=("c1",), metadata={"filter_tenant_id": "theirs"})],
    ),
}


@pytest.mark.parametrize("cluster", CASES.values(), ids=CASES)
def test_a_vm_where_nova_would_not_put_it_is_broken_and_goes_where_it_would(cluster):
    made = plan.plan(cluster, POLICY, NOW)
    vm = cluster.vms.ids[0]
    assert [(breach.key, breach.concern) for breach in made.breaches_before] == [(f"admission:{vm}", "broken")]
    assert "a stands on c1, where Nova would not put it: " in made.breaches_before[0].why
    assert [(move.vm_name, move.target, move.breach) for move in made.moves] == [("a", "c2", f"admission:{vm}")]
    assert made.breaches_after == () and (made.score_before[0], made.score_after[0]) == (1.0, 0.0)
    answer = explain.explain(cluster, POLICY, made, "1")
    assert answer.paid_by == f"admission:{vm}" and "c1 met what a asks by" in str(answer.unless)
    after = project.project(cluster, POLICY, made.moves, NOW)
    assert plan.plan(after, POLICY, NOW).breaches_before == ()


@pytest.mark.parametrize(
    "cluster",
    [
        asking(Requirement(required_traits=frozenset({"CUSTOM_FAST"})), here={}, there={"traits": FAST}),
        asking(
            Requirement(required_traits=frozenset({"CUSTOM_FAST"})),
            here={"traits": frozenset({"COMPUTE_NODE", "HW_CPU_X86_AVX"})},
            there={"traits": FAST},
        ),
        asking(Requirement(availability_zone="az2"), here={"availability_zone": None}, there={}),
        asking(Requirement(availability_zone="az2"), here={"availability_zone": "nova"}, there={}),
    ],
    ids=["no trait was read", "no trait of an operator was read", "no zone was read", "no aggregate gives it a zone"],
)
def test_what_was_not_read_of_a_host_breaks_nothing(cluster):
    assert plan.plan(cluster, POLICY, NOW).breaches_before == ()


def test_nobody_knows_what_it_asks_and_so_it_breaks_nothing():
    cluster = CASES["traits"]
    unknown = replace(cluster, vms=replace(cluster.vms, requirement=cluster.vms.requirement * 0 - 1))
    assert plan.plan(unknown, POLICY, NOW).breaches_before == ()


def test_one_that_has_nowhere_to_go_is_held_by_what_holds_it():
    cluster = asking(
        Requirement(required_traits=frozenset({"CUSTOM_FAST"})), here={"traits": PLAIN}, there={"traits": PLAIN}
    )
    made = plan.plan(cluster, POLICY, NOW)
    assert not made.moves and [(hold.vm, hold.rule) for hold in made.holds] == [(cluster.vms.ids[0], "traits")]
    locked = asking(
        Requirement(availability_zone="az2"), here={"availability_zone": "az1"}, there={"availability_zone": "az2"},
        locked=True,
    )  # fmt: skip
    assert [hold.rule for hold in plan.plan(locked, POLICY, NOW).holds] == ["locked"]


def test_one_that_is_not_cleared_either_counts_for_both():
    cluster = builders.cluster(
        hosts=[Host(name="c1", clearance=0, traits=PLAIN), Host(name="c2", traits=FAST)],
        systems=[System(classification=1)],
        vms=[Vm(name="a", host="c1", requirement=Requirement(required_traits=frozenset({"CUSTOM_FAST"})))],
    )
    made = plan.plan(cluster, POLICY, NOW)
    assert made.score_before[0] == 2.0 and made.score_after[0] == 0.0 and len(made.moves) == 1


@pytest.mark.parametrize("name", [name for name in CASES if "trait" not in name])
def test_what_not_every_nova_goes_by_is_told_and_moves_nothing_unless_policy_says_so(name):
    made = plan.plan(CASES[name], Policy(balance=False), NOW)
    (breach,) = made.breaches_before
    assert breach.rule == "misfits" and breach.amount == 1 and breach.subject in ADMISSION_RULES
    assert "a on c1" in breach.why and made.breaches_after == made.breaches_before
    assert not made.moves and [(hold.vm, hold.rule) for hold in made.holds] == [(None, "told-only")]
    assert made.score_before[0] == 0.0


def many(count: int, misfitting: int):
    """Of so many VMs on c1 some ask for what it has not, and c2 has."""
    asks = Requirement(required_traits=frozenset({"CUSTOM_FAST"}))
    return builders.cluster(
        hosts=[Host(name="c1", traits=PLAIN, threads=512, memory_gib=8192.0, vcpus=4096.0, disk_gib=1e5),
               Host(name="c2", traits=FAST, threads=512, memory_gib=8192.0, vcpus=4096.0, disk_gib=1e5)],
        vms=[Vm(name=f"v{n:03}", host="c1", cpu=0.1, requirement=asks if n < misfitting else Requirement())
             for n in range(count)],
    )  # fmt: skip


@pytest.mark.parametrize(("count", "misfitting", "moves"), [(60, 5, 5), (60, 6, 0), (200, 6, 0), (300, 6, 6)])
def test_so_many_at_once_are_a_fact_to_doubt_and_move_nothing(count, misfitting, moves):
    made = plan.plan(many(count, misfitting), POLICY, NOW)
    assert len(made.moves) == moves
    if not moves:
        (breach,) = made.breaches_before
        assert (breach.key, breach.amount) == ("misfits:traits", misfitting)
        assert f"{misfitting - 3} more" in breach.why
        assert [(hold.vm, hold.rule) for hold in made.holds] == [(None, "too-many-misfits")]


def test_it_is_acted_on_once_it_has_lasted():
    key = f"admission:{CASES['traits'].vms.ids[0]}"
    for minutes, moves in ((1, 0), (3, 1)):
        since = {key: (NOW - timedelta(minutes=minutes)).timestamp()}
        made = plan.plan(replace(CASES["traits"], breach_since=since), POLICY, NOW)
        assert len(made.moves) == moves
        assert [hold.rule for hold in made.holds] == ["not-sustained"][moves:]


def test_the_checker_refuses_a_move_for_it_that_policy_does_not_want_or_that_is_too_early():
    made = plan.plan(CASES["traits"], POLICY, NOW)
    assert not check.problems(CASES["traits"], POLICY, made)
    since = {made.moves[0].breach: (NOW - timedelta(minutes=1)).timestamp()}
    assert "has not lasted" in str(check.problems(replace(CASES["traits"], breach_since=since), POLICY, made))
    none = replace(POLICY, admission=AdmissionPolicy(moves=frozenset()))
    assert "none that VMs are moved for" in str(check.problems(CASES["traits"], none, made))
    few = replace(POLICY, admission=AdmissionPolicy(most_share=0.0, at_least=0))
    assert "none that VMs are moved for" in str(check.problems(CASES["traits"], few, made))


def test_what_fails_comes_first_and_its_peaks_count():
    assert mending.URGENCY.index("admission") > max(map(mending.URGENCY.index, ("health", "inlet")))
    assert not situation.of_cluster(CASES["traits"], POLICY, NOW).urgent.any()


def test_what_holds_each_is_said_of_the_first_of_many_alone():
    loose = replace(POLICY, admission=AdmissionPolicy(most_share=1.0))
    cluster = many(100, 80)
    locked = replace(cluster, vms=replace(cluster.vms, locked=cluster.vms.locked | True))
    made = plan.plan(locked, loose, NOW)
    assert len(made.holds) == 80 and [hold.rule for hold in made.holds].count("not-told") == 30

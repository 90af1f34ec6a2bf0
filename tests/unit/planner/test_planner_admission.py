"""A VM that stands where Nova would not put it breaks a rule, and is moved to where it would."""

from dataclasses import replace

import pytest

from controller.model.cluster import Requirement
from controller.model.policy import Policy
from controller.planner import explain, plan, project
from tests import builders
from tests.builders import NOW, Aggregate, Host, System, Vm

POLICY = Policy(balance=False)
FAST = frozenset({"COMPUTE_NODE", "CUSTOM_FAST"})
PLAIN = frozenset({"COMPUTE_NODE"})


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
        asking(Requirement(availability_zone="az2"), here={"availability_zone": None}, there={}),
    ],
    ids=["no trait was read", "no zone was read"],
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

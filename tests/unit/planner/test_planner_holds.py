"""Why what is uneven stays so, and when another search could mend what is left."""

from dataclasses import replace

import pytest

from controller.model.plan import Plan
from controller.model.policy import Limits, Mode, Policy
from controller.planner import plan, score
from tests import builders
from tests.builders import NOW, Group, Host, System, Vm

AUTO = Policy(mode=Mode.AUTO)
FREE = Policy(limits=Limits(gain_per_gib=0.0))


def uneven(*, hosts: dict[str, object] | None = None, vms: dict[str, object] | None = None, **more: object):
    """c1 has 60 % of its threads busy, c2 and c3 of its rack none: two VMs of c1 would do well elsewhere."""
    return builders.cluster(
        hosts=[Host(name="c1", cpu=0.6), *(Host(name=name, cpu=0.0, **(hosts or {})) for name in ("c2", "c3"))],
        vms=[Vm(name=name, host="c1", vcpus=16, cpu=16.0, memory_gib=1.0, memory_used_gib=1.0, **(vms or {}))
             for name in "ab"],
        **more,
    )  # fmt: skip


def held(made: Plan) -> list[tuple[str, str]]:
    return [(hold.breach, hold.rule) for hold in made.holds]


def test_where_nothing_holds_it_what_is_uneven_is_evened_out():
    assert plan.plan(uneven(), AUTO, NOW).moves


@pytest.mark.parametrize(
    ("rule", "cluster"),
    [
        ("locked", uneven(vms={"locked": True})),
        ("cooldown", uneven(vms={"rests": True})),
        ("window", uneven(systems=[System(open=False)])),
        ("hour-budget", uneven(moved_last_hour=120)),
        ("capacity", uneven(hosts={"vcpus": 8.0})),
        ("clearance", uneven(hosts={"clearance": 0}, systems=[System(classification=1)], vms={})),
        ("failing", uneven(hosts={"memory_health": 2})),
    ],
)
def test_what_is_uneven_is_held_by_the_rule_that_holds_its_vms(rule: str, cluster):
    made = plan.plan(cluster, FREE, NOW)
    assert not made.moves and ("uneven:c1", rule) in held(made)
    assert "no move of it earns more" not in next(hold.why for hold in made.holds if hold.breach == "uneven:c1")


def test_what_would_not_pay_for_its_copy_is_held_by_its_gain():
    made = plan.plan(uneven(), Policy(limits=Limits(gain_per_gib=1000.0)), NOW)
    assert held(made) == [("uneven:c1", "gain")]
    assert "no move of it earns more than it costs" in made.holds[0].why


def test_what_would_only_make_another_uneven_is_held_by_that():
    cluster = builders.cluster(
        hosts=[Host(name="c1", cpu=0.98), Host(name="c2", cpu=0.0)],
        vms=[Vm(name="a", host="c1", vcpus=60, cpu=60.0, memory_gib=1.0, memory_used_gib=1.0)],
    )
    cool = replace(FREE, thresholds=replace(FREE.thresholds, cpu_ratio=1.0))
    assert ("uneven:c1", "relief") in held(plan.plan(cluster, cool, NOW))


def searched(monkeypatch, cluster, policy: Policy) -> int:
    """How many searches the plan takes."""
    asked: list[object] = []
    real = plan.search.choices
    monkeypatch.setattr(plan.search, "choices", lambda *given, **named: asked.append(1) or real(*given, **named))
    plan.plan(cluster, policy, NOW)
    return len(asked)


def stuck_drain(vms: dict[str, object]):
    return builders.cluster(
        hosts=[Host(name="c1", memory_health=2), Host(name="c2")], vms=[Vm(name="a", host="c1", **vms)]
    )


@pytest.mark.parametrize(
    ("cluster", "policy"),
    [
        (uneven(vms={"locked": True}), replace(AUTO, balance=False)),
        (replace(uneven(), breach_since={"uneven:c1": NOW.timestamp()}), AUTO),
        (stuck_drain({"locked": True}), AUTO),
        (stuck_drain({"busy": True}), AUTO),
    ],
    ids=["balance is off", "it has not lasted", "a locked VM", "a busy VM"],
)
def test_no_further_search_is_made_for_what_none_could_mend(monkeypatch, cluster, policy: Policy):
    assert searched(monkeypatch, cluster, replace(policy, search_rounds=8)) == 1


def test_a_further_search_is_made_for_what_one_might_mend(monkeypatch):
    crowded = builders.cluster(
        hosts=[Host(name="c1", memory_health=2), Host(name="c2", memory_gib=8)],
        vms=[Vm(name="a", host="c1", memory_gib=40)],
        groups=[Group(name="g", members=("a",))],
    )
    assert searched(monkeypatch, crowded, replace(AUTO, balance=False, search_rounds=3)) == 3
    assert score.unmended(plan.plan(crowded, AUTO, NOW))

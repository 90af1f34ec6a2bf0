"""A host with a feed on battery receives nothing, in a drain neither, and sheds nothing for balance."""

from dataclasses import replace

import numpy as np
import pytest

from controller.model import cluster as model
from controller.model.plan import Concern, Plan
from controller.model.policy import Policy
from controller.model.sample import Trust
from controller.planner import check, explain, plan
from tests import builders
from tests.builders import NOW, Host, Supply, Vm

POLICY = Policy()
NAMED = "feed A (UPS ups-a)"


def supplies(*, on_battery: bool | None = True) -> list[Supply]:
    return [Supply(name="A", ups="ups-a", on_battery=on_battery), Supply(name="B"), Supply(name="C"), Supply(name="D")]


def emptied(*, battery: bool | None = True, **source: object) -> model.Cluster:
    """c1 must be emptied; c2 hangs on A, c3 is fuller and on C and D."""
    hosts = [
        Host(name="c1", supplies=("C", "D"), **source),
        Host(name="c2"),
        Host(name="c3", supplies=("C", "D"), cpu=0.5),
    ]
    return builders.cluster(hosts=hosts, vms=[Vm(name="a", host="c1")], supplies=supplies(on_battery=battery))


def targets(made: Plan) -> list[str]:
    return [move.target for move in made.moves]


@pytest.mark.parametrize("source", [{"memory_health": 2}, {"draining": True, "enabled": False}])
def test_nothing_goes_to_a_feed_on_battery_on_our_own_account_nor_in_a_drain(source):
    assert targets(plan.plan(emptied(battery=False, **source), POLICY, NOW)) == ["c2"]
    assert targets(plan.plan(emptied(battery=None, **source), POLICY, NOW)) == ["c2"]
    assert targets(plan.plan(emptied(**source), POLICY, NOW)) == ["c3"]


def silent(cluster: model.Cluster, minutes: float = 12.0) -> model.Cluster:
    """The same, A's UPS silent for so long."""
    power = cluster.power
    row = power.names.index("A")
    at, trust = power.on_battery.at.copy(), power.on_battery.trust.copy()
    at[row], trust[row] = NOW.timestamp() - 60 * minutes, Trust.STALE
    said = np.zeros(len(power.names), np.bool_)
    said[row] = power.on_battery.values[row] > 0
    read = replace(power.on_battery, at=at, trust=trust)
    return replace(cluster, power=replace(power, on_battery=read, silent_on_battery=said))


@pytest.mark.parametrize("source", [{"memory_health": 2}, {"draining": True, "enabled": False}])
def test_a_ups_that_goes_silent_on_battery_counts_as_on_battery_until_it_says_otherwise(source):
    assert targets(plan.plan(silent(emptied(**source)), POLICY, NOW)) == ["c3"]
    made = plan.plan(emptied(battery=False, **source), POLICY, NOW)
    problems = check.problems(silent(emptied(**source)), POLICY, made)
    assert "a feed of the target runs on battery" in "; ".join(problems)
    assert targets(plan.plan(silent(emptied(battery=False, **source)), POLICY, NOW)) == ["c2"]


def test_of_a_silent_ups_it_is_told_how_long_ago_it_said_so():
    cluster = silent(emptied(memory_health=2))
    said = "feed A (UPS ups-a, silent since it said so 12 min ago)"
    assert said in explain.explain(cluster, POLICY, plan.plan(cluster, POLICY, NOW), "c2").sentence


@pytest.mark.parametrize("source", [{"memory_health": 2}, {"draining": True, "enabled": False}])
def test_the_checker_refuses_a_move_onto_a_feed_on_battery(source):
    made = plan.plan(emptied(battery=False, **source), POLICY, NOW)
    assert "a feed of the target runs on battery" in "; ".join(check.problems(emptied(**source), POLICY, made))


def uneven(*, battery: bool) -> model.Cluster:
    vms = [Vm(name=name, host="c1", vcpus=16, cpu=14.0, memory_gib=1, memory_used_gib=0.5) for name in "abc"]
    hosts = [Host(name="c1"), Host(name="c2", supplies=("C", "D"))]
    return builders.cluster(hosts=hosts, vms=vms, supplies=supplies(on_battery=battery))


def test_nothing_leaves_a_feed_on_battery_for_balance_and_the_hold_names_feed_and_ups():
    made = plan.plan(uneven(battery=False), POLICY, NOW)
    assert {move.concern for move in made.moves} == {Concern.UNEVEN}
    held = plan.plan(uneven(battery=True), POLICY, NOW)
    assert not held.moves
    assert {hold.breach: hold.rule for hold in held.holds} == {"uneven:c1": "on-battery"}
    assert NAMED in held.holds[0].why
    assert "it moves for balance" in "; ".join(check.problems(uneven(battery=True), POLICY, made))


def test_a_hot_host_on_battery_still_sheds():
    vms = [Vm(name=name, host="c1", vcpus=16, cpu=14.0, memory_gib=1, memory_used_gib=0.5) for name in "abcd"]
    hosts = [Host(name="c1"), Host(name="c2", supplies=("C", "D"))]
    made = plan.plan(builders.cluster(hosts=hosts, vms=vms, supplies=supplies()), Policy(balance=False), NOW)
    assert set(targets(made)) == {"c2"}


def test_a_server_that_could_only_go_to_a_feed_on_battery_is_held_by_its_name():
    cluster = builders.cluster(
        hosts=[Host(name="c1", supplies=("C",), memory_health=2), Host(name="c2")],
        vms=[Vm(name="a", host="c1")],
        supplies=supplies(),
    )
    held = plan.plan(cluster, POLICY, NOW)
    hold = next(hold for hold in held.holds if hold.vm == "a")
    assert hold.rule == "on-battery"
    assert NAMED in hold.why
    host = explain.explain(cluster, POLICY, held, "c2")
    assert NAMED in host.sentence
    assert "sheds nothing for balance" in host.sentence
    assert NAMED in explain.explain(cluster, POLICY, held, "a").sentence

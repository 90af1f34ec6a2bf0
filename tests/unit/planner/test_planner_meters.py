"""A supply's own meter, where it shows more than the inventory explains, is what the supply carries."""

from dataclasses import replace

import numpy as np
import pytest

from controller.model import cluster as model
from controller.model.policy import Policy
from controller.model.sample import Trust
from controller.planner import check, plan, power, project, situation
from controller.planner.load import Load
from tests import builders
from tests.builders import NOW, Host, Supply, Vm

POLICY = Policy(balance=False)
SUPPLIES = [Supply(name="A"), Supply(name="B"), Supply(name="p2", kind=model.PowerKind.PDU, limit_watts=400)]


def metered(cluster: model.Cluster, trust: Trust = Trust.FRESH, **watts: float) -> model.Cluster:
    """The cluster with meters that show these watts on the supplies of these names."""
    shown = np.array([watts.get(name, np.nan) for name in cluster.power.names])
    known = np.isfinite(shown)
    reading = model.Reading(
        values=shown,
        at=np.where(known, NOW.timestamp(), np.nan),
        source=np.where(known, 0, -1).astype(np.int32),
        trust=np.where(known, trust, Trust.ABSENT).astype(np.int8),
    )
    return replace(cluster, power=replace(cluster.power, power_watts=reading))


def failing_beside_one_with_a_pdu() -> model.Cluster:
    """Host c1 must be emptied; c2 draws 300 W behind p2, of 400 W, and the VM would add 35 W."""
    return builders.cluster(
        hosts=[Host(name="c1", memory_health=2), Host(name="c2", supplies=("A", "B", "p2"))],
        vms=[Vm(name="a", host="c1", vcpus=16, cpu=10.0)],
        supplies=SUPPLIES,
    )


def test_a_meter_counts_only_where_it_shows_more_than_the_hosts_and_the_base():
    cluster = builders.cluster(
        hosts=[Host(name="a", watts=320), Host(name="b", watts=None)],
        supplies=[Supply(name="A", base_watts=50), Supply(name="B", base_watts=50)],
    )
    watts = power.of_cluster(metered(cluster, A=500.0, B=900.0))
    assert watts.least.tolist() == [500.0, 900.0]
    assert watts.most.tolist() == [690.0, 900.0]


@pytest.mark.parametrize("trust", [Trust.STALE, Trust.IMPLAUSIBLE])
def test_a_meter_that_is_not_fresh_counts_for_nothing(trust):
    cluster = builders.cluster(hosts=[Host(name="a", watts=320)])
    assert power.of_cluster(metered(cluster, trust, A=900.0)).least.tolist() == [320.0, 320.0]


def test_a_supply_of_which_no_host_is_read_is_measured_by_its_meter():
    cluster = builders.cluster(
        hosts=[Host(name="a", watts=None, supplies=("A",)), Host(name="b", watts=320, supplies=("B",))]
    )
    watts = power.of_cluster(metered(cluster, A=200.0))
    assert watts.least.tolist() == [200.0, 320.0]
    assert watts.most.tolist() == [320.0, 320.0]


def test_what_moves_is_added_to_what_the_meter_shows():
    cluster = metered(
        builders.cluster(
            hosts=[Host(name="a", supplies=("A",)), Host(name="b", supplies=("B",))],
            vms=[Vm(name="x", host="a", cpu=2.0)],
        ),
        A=400.0,
        B=500.0,
    )
    load = Load(situation.of_cluster(cluster, Policy(), NOW))
    load.move(0, 1)
    assert load.least.tolist() == [400 - 6, 500 + 6 + 5]


def test_a_pdu_whose_meter_leaves_no_room_receives_nothing():
    cluster = failing_beside_one_with_a_pdu()
    assert [move.target for move in plan.plan(metered(cluster, p2=365.0), POLICY, NOW).moves] == ["c2"]
    full = plan.plan(metered(cluster, p2=366.0), POLICY, NOW)
    assert not full.moves
    assert {hold.vm: hold.rule for hold in full.holds if hold.vm}["a"] == "power"


def test_a_move_past_what_a_meter_leaves_is_found_by_the_checker():
    cluster = failing_beside_one_with_a_pdu()
    made = plan.plan(cluster, POLICY, NOW)
    assert "watts" in "; ".join(check.problems(metered(cluster, p2=366.0), POLICY, made))


def test_the_checker_counts_a_supply_that_only_its_meter_measures():
    cluster = builders.cluster(
        hosts=[
            Host(name="c1", memory_health=2),
            Host(name="c2", watts=None, supplies=("A", "B", "p2")),
        ],
        vms=[Vm(name="a", host="c1", vcpus=16, cpu=10.0)],
        supplies=SUPPLIES,
    )
    made = plan.plan(cluster, POLICY, NOW)
    assert [move.target for move in made.moves] == ["c2"]
    assert "watts" in "; ".join(check.problems(metered(cluster, p2=366.0), POLICY, made))


def hot_meter() -> model.Cluster:
    """Feed A's meter shows 1000 W of 960, though its one host draws 600; a VM of 54 W could go to B."""
    cluster = builders.cluster(
        hosts=[Host(name="c1", watts=600, supplies=("A",)), Host(name="c2", watts=300, supplies=("B",))],
        vms=[Vm(name="heavy", host="c1", vcpus=20, cpu=18.0, memory_gib=16)],
        supplies=[Supply(name="A", limit_watts=960), Supply(name="B", limit_watts=960)],
    )
    assert not plan.plan(cluster, POLICY, NOW).moves
    return metered(cluster, A=1000.0, B=250.0)


def test_a_feed_whose_meter_is_over_its_limit_is_relieved():
    made = plan.plan(hot_meter(), POLICY, NOW)
    assert [(move.vm_name, move.target, move.breach) for move in made.moves] == [("heavy", "c2", "feed:A")]
    assert not made.breaches_after


def test_the_projected_meter_moves_by_the_watts_that_the_plan_predicts():
    made = plan.plan(hot_meter(), POLICY, NOW)
    after = project.project(hot_meter(), POLICY, made.moves, NOW)
    assert after.power.power_watts.values.tolist() == [1000 - 54, 250 + 54 + 5]
    assert power.of_cluster(after).least.tolist() == [946.0, 359.0]
    assert [limit.after for limit in made.limits if limit.unit == "W"] == [946.0, 359.0]
    assert not plan.plan(after, POLICY, NOW).moves


@pytest.mark.parametrize("trust", [Trust.STALE, Trust.IMPLAUSIBLE])
def test_a_meter_that_is_not_fresh_is_projected_as_it_is(trust):
    made = plan.plan(hot_meter(), POLICY, NOW)
    doubted = metered(hot_meter(), trust, A=1000.0)
    assert project.project(doubted, POLICY, made.moves, NOW).power.power_watts.values[0] == 1000.0


def test_a_limit_says_what_a_host_that_is_not_read_may_add():
    cluster = builders.cluster(
        hosts=[Host(name="c1", watts=600, supplies=("A",)), Host(name="c2", supplies=("A",), watts=300)],
        supplies=[Supply(name="A", limit_watts=1500)],
    )
    hosts = cluster.hosts
    stale = replace(hosts.power_watts, trust=np.array([Trust.FRESH, Trust.STALE], np.int8))
    [limit] = [one for one in plan.plan(cluster, POLICY, NOW).limits if one.unit == "W"]
    assert (limit.before, limit.unread) == (900.0, 0.0)
    unread = replace(cluster, hosts=replace(hosts, power_watts=stale))
    [limit] = [one for one in plan.plan(unread, POLICY, NOW).limits if one.unit == "W"]
    assert (limit.before, limit.unread) == (600.0, 600.0), "as dense as the densest host that is read"

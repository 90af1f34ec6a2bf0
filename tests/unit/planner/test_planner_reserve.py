"""N+1: what hosts keep free for servers of others that may be lost."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from controller.model.cluster import Cluster
from controller.model.plan import Concern, Plan
from controller.model.policy import Limits, Policy, Thresholds
from controller.planner import check, plan
from controller.planner.pools import names
from inventory.model import Classification
from tests import builders
from tests.builders import NOW, Host, System, Vm

SECRET, OPEN = int(Classification.SECRET), int(Classification.OPEN)
POLICY = Policy(thresholds=Thresholds(reserve_hosts=1), balance=False, sustained=timedelta(0))
NAME = "s1..s2/2"


def secret(name: str, host: str, gib: float = 64.0, **more: object) -> Vm:
    return Vm(name=name, host=host, memory_gib=gib, vcpus=1, disk_gib=0, classification=SECRET, system="secret", **more)


def public(name: str, host: str, gib: float = 64.0, **more: object) -> Vm:
    return Vm(name=name, host=host, memory_gib=gib, vcpus=16, disk_gib=0, classification=OPEN, system="open", **more)


def cluster(*vms: Vm, open_hosts: int = 1, **hosts: dict[str, object]) -> Cluster:
    """Two hosts of 256 GiB that are cleared for what is secret, and others that are not."""
    levels = {"s1": SECRET, "s2": SECRET} | {f"o{n}": OPEN for n in range(1, open_hosts + 1)}
    made = [Host(name=name, clearance=level, **hosts.get(name, {})) for name, level in levels.items()]
    systems = [System(name="secret", classification=SECRET), System(name="open", classification=OPEN)]
    return builders.cluster(hosts=made, vms=list(vms), systems=systems)


def planned(of: Cluster, policy: Policy = POLICY) -> Plan:
    made = plan.plan(of, policy, NOW)
    assert check.problems(of, policy, made) == ()
    return made


FILLED = (secret("a", "s1"), secret("b", "s1"), secret("c", "s2", 32.0), public("p", "s2", 128.0))
"""s1 has 128 GiB of secret servers, and s2 96 GiB free."""


def test_what_could_stand_elsewhere_makes_room_for_servers_of_hosts_that_may_be_lost():
    made = planned(cluster(*FILLED))
    (breach,) = (each for each in made.breaches_before if each.rule == "reserve")
    assert (breach.key, breach.concern, breach.unit) == (f"reserve:{NAME}", Concern.HOT, "GiB of memory")
    assert (breach.amount, breach.limit) == (256.0, 224.0)
    assert breach.why == (
        "s1..s2/2 keep 224 GiB of memory free, and need 256 for servers that can stand only there to start again if "
        "any of them were lost"
    )
    (move,) = made.moves
    assert (move.vm_name, move.source, move.target, move.rule) == ("p", "s2", "o1", "reserve")
    assert [each for each in made.breaches_after if each.rule == "reserve"] == []
    (state,) = (each for each in made.limits if each.key == breach.key)
    assert (state.limit, state.before, state.after) == (1.0, pytest.approx(256 / 224), pytest.approx(256 / 352))
    assert made.score_after < made.score_before == (0.0, pytest.approx(32 / 512), 0.0, 0.0, 0.0)


def test_nothing_is_asked_for_unless_policy_does():
    made = planned(cluster(*FILLED), replace(POLICY, thresholds=Thresholds()))
    assert not made.moves and not made.breaches_before


def test_it_lasts_before_it_moves_anything():
    made = planned(replace(cluster(*FILLED), breach_since={}), replace(POLICY, sustained=timedelta(minutes=5)))
    assert not made.moves
    assert [hold.rule for hold in made.holds] == ["not-sustained"]


def test_nothing_goes_where_it_would_take_what_is_kept_free():
    hot = [public(f"h{n}", "o1", 16.0, cpu=15.0) for n in range(4)]
    of = cluster(secret("a", "s1", 192.0), secret("b", "s2", 32.0), *hot)
    bare = planned(of, replace(POLICY, thresholds=Thresholds()))
    assert {move.target for move in bare.moves} <= {"s1", "s2"} and bare.moves
    tight = cluster(secret("a", "s1", 192.0), secret("b", "s2", 60.0), *hot)
    made = planned(tight)
    assert not made.moves
    assert {hold.rule for hold in made.holds if hold.breach == "cpu:o1"} == {"reserve"}


def test_what_a_plan_takes_of_the_reserve_is_counted_wave_by_wave():
    hot = [public(f"h{n}", "o1", 16.0, cpu=15.0) for n in range(4)]
    of = cluster(secret("a", "s1", 192.0), secret("b", "s2", 40.0), *hot)
    many = Limits(at_once=8, out_of_host=8, into_host=8, per_system=8, per_agency=8)
    made = planned(of, replace(POLICY, limits=many))
    assert len(made.moves) == 1, "24 GiB are over, and the second of 16 GiB finds too little"


def test_an_operators_drain_and_a_host_that_fails_spend_no_reserve():
    vms = (secret("a", "s1", 128.0), secret("b", "s2", 100.0))
    for given in ({"draining": True}, {"memory_health": 2}):
        of = cluster(*vms, s1=given)
        made = planned(of)
        assert [(move.vm_name, move.target) for move in made.moves] == [("a", "s2")], given
        (breach,) = (each for each in made.breaches_after if each.rule == "reserve")
        assert breach.amount > breach.limit, "nobody could stand in for s2 then, before and after"


def test_a_host_that_alone_can_carry_its_servers_is_told_and_holds_nothing_up():
    of = builders.cluster(
        hosts=[Host(name="s1", clearance=SECRET), Host(name="o1", clearance=OPEN)],
        vms=[secret("a", "s1", 16.0)],
        systems=[System(name="secret", classification=SECRET)],
    )
    made = planned(of)
    (breach,) = made.breaches_before
    assert breach.why == "s1 has servers that can stand on no other host, and would be down with it"
    assert [(hold.breach, hold.rule) for hold in made.holds] == [("reserve:s1", "no-candidate")]


def test_more_hosts_may_be_asked_for():
    vms = [secret(f"v{n}", f"s{1 + n % 2}", 24.0) for n in range(2)]
    two = replace(POLICY, thresholds=Thresholds(reserve_hosts=2))
    assert not planned(cluster(*vms)).breaches_before
    assert [each.rule for each in planned(cluster(*vms), two).breaches_before] == ["reserve"]


def test_servers_under_way_count_where_they_go():
    there = cluster(secret("a", "s1", 128.0), secret("b", "s1", 128.0, target="s2", busy=True))
    assert not planned(there).breaches_before
    gone = cluster(secret("a", "s1", 128.0), public("p", "s2", 200.0, target="o1", busy=True))
    assert not planned(gone).breaches_before


def test_the_checker_refuses_a_plan_that_takes_the_reserve():
    hot = [public(f"h{n}", "o1", 16.0, cpu=15.0) for n in range(4)]
    of = cluster(secret("a", "s1", 192.0), secret("b", "s2", 60.0), *hot)
    made = plan.plan(of, replace(POLICY, thresholds=Thresholds()), NOW)
    assert made.moves
    said = "; ".join(check.problems(of, POLICY, made))
    assert f"{NAME} could keep too little free to lose 1 hosts" in said
    assert f"reserve:{NAME} for one" in said


def test_a_pool_is_called_the_same_in_whatever_order_hosts_and_pools_come():
    hosts, pools = ["c3", "c1", "c2", "c4"], np.array([[1, 1, 0, 1], [0, 1, 0, 0], [0, 1, 1, 1]], np.bool_)
    assert names(hosts, pools) == ("c1..c4/3#2", "c1", "c1..c4/3")
    order = [2, 0, 1]
    assert names(hosts, pools[order]) == ("c1..c4/3", "c1..c4/3#2", "c1")

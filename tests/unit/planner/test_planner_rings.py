"""VMs that would have to change places at once, and moves that wait for moves that wait for them."""

import numpy as np
import pytest

from controller.model.cluster import Cluster, Requirement
from controller.model.plan import Breach, Concern
from controller.model.policy import Policy
from controller.planner import holds, plan, rings, situation
from controller.planner.budget import Ledger
from controller.planner.load import Load
from tests import builders
from tests.builders import NOW, Host, Vm

POLICY = Policy(balance=False)
NODE = "COMPUTE_NODE"


def ring(count: int, *more: Host, **last: object) -> Cluster:
    """Each VM fills its host and asks for the next one's trait, the last for the first's; `last`: of the last VM."""
    hosts = [Host(name=f"c{n}", memory_gib=64.0, traits=frozenset({NODE, f"CUSTOM_{n}"})) for n in range(count)]
    vms = [
        Vm(name=f"v{n}", host=f"c{n}", memory_gib=60.0, cpu=0.0,
           requirement=Requirement(required_traits=frozenset({f"CUSTOM_{(n + 1) % count}"})),
           **(last if n == count - 1 else {}))
        for n in range(count)
    ]  # fmt: skip
    return builders.cluster(hosts=[*hosts, *more], vms=vms)


@pytest.mark.parametrize("count", [2, 3])
def test_those_that_would_have_to_change_places_at_once_are_told_as_a_ring(count: int):
    made = plan.plan(ring(count), POLICY, NOW)
    assert not made.moves
    assert [(hold.vm, hold.rule) for hold in made.holds] == [(f"v{n}", "cycle") for n in range(count)]
    said = made.holds[0].why
    assert "v0 to c1" in said and f"v{count - 1} to c0 would have to be at once" in said


def test_a_healthy_vm_that_could_change_places_makes_a_ring_too():
    cluster = builders.cluster(
        hosts=[Host(name="c0", memory_gib=64.0, clearance=0), Host(name="c1", memory_gib=64.0)],
        vms=[Vm(name="secret", host="c0", memory_gib=60.0, classification=2), Vm(name="b", host="c1", memory_gib=60.0)],
    )
    made = plan.plan(cluster, POLICY, NOW)
    assert not made.moves and [(hold.vm, hold.rule) for hold in made.holds] == [("secret", "cycle")]


def test_where_a_third_host_can_take_one_the_ring_is_broken_there():
    third = Host(name="c9", memory_gib=64.0, traits=frozenset({NODE, "CUSTOM_0"}))
    made = plan.plan(ring(2, third), POLICY, NOW)
    assert [(move.vm, move.target) for move in made.moves] == [("v1", "c9"), ("v0", "c1")]
    assert made.breaches_after == ()


def test_one_that_may_not_move_makes_no_ring():
    made = plan.plan(ring(2, locked=True), POLICY, NOW)
    assert [(hold.vm, hold.rule) for hold in made.holds] == [("v0", "capacity"), ("v1", "locked")]


def test_what_would_break_more_than_it_mends_is_no_ring():
    """v1 would fit on c0, and c1 would be over its memory with v0 on it, even without v1."""
    cluster = builders.cluster(
        hosts=[Host(name="c0", memory_gib=256.0, clearance=0), Host(name="c1", memory_gib=64.0)],
        vms=[
            Vm(name="v0", host="c0", memory_gib=200.0, memory_used_gib=60.0, classification=2),
            Vm(name="v1", host="c1", memory_gib=60.0),
            Vm(name="rest", host="c0", memory_gib=50.0, locked=True),
        ],
    )
    made = plan.plan(cluster, POLICY, NOW)
    assert [(hold.vm, hold.rule) for hold in made.holds if hold.breach == "clearance:v0"] == [("v0", "capacity")]


def test_a_move_that_waits_for_others_that_wait_for_it_is_held_by_order():
    cluster = builders.cluster(hosts=[Host(name="c1", memory_health=2), Host(name="c2")], vms=[Vm(name="a", host="c1")])
    facts = situation.of_cluster(cluster, POLICY, NOW)
    load = Load(facts)
    ledger = Ledger(facts.cluster, facts.places, POLICY.limits.max_moves)
    breach = Breach(
        key="health:c1", concern=Concern.BROKEN, rule="health", subject="c1", amount=1, limit=0, unit="VMs", why="c1"
    )
    (hold,) = holds.of_breaches(load, ledger, [breach], np.array([0]).tolist(), stopped=False)
    assert (hold.rule, hold.vm) == ("order", "a") and "it waits for moves that wait for it" in hold.why


class Asked:
    """Holds nothing, and counts the VMs that it was asked about."""

    def __init__(self) -> None:
        self.vms: list[int] = []

    def held(self, vm: int) -> str:
        self.vms.append(vm)
        return ""


def crowded(count: int, **first: object) -> Load:
    """Full hosts with ten VMs each, of which those on c000 could change places with none."""
    hosts = [Host(name=f"c{n:03}", memory_gib=83.0, traits=frozenset({NODE}), **(first if n == 0 else {})) for n in
             range(count)]  # fmt: skip
    vms = [
        Vm(name=f"v{n:03}{m}", host=f"c{n:03}", memory_gib=8.0, memory_used_gib=1.0, cpu=0.0)
        for n in range(count) for m in range(10)
    ]  # fmt: skip
    return Load(situation.of_cluster(builders.cluster(hosts=hosts, vms=vms), POLICY, NOW))


def test_no_more_vms_are_looked_at_for_rings_in_one_plan_than_a_few():
    load, asked = crowded(120), Asked()
    looks = rings.Rings(load, range(1200), asked.held)
    assert [looks.of(vm) for vm in range(40)] == [()] * 40
    assert 0 < len(asked.vms) <= rings.LOOKS


def test_none_is_looked_for_where_the_vms_own_host_may_receive_nothing():
    load, asked = crowded(10, memory_health=2), Asked()
    assert rings.Rings(load, range(10), asked.held).of(0) == ()
    assert asked.vms == []


def test_none_is_looked_for_once_the_time_is_over():
    load, asked = crowded(10), Asked()
    assert rings.Rings(load, range(100), asked.held, lambda: True).of(0) == ()
    assert asked.vms == []

"""A VM that has no target is given room by one other VM that leaves the host which could take it."""

from dataclasses import replace

import pytest

from controller.model.plan import Plan
from controller.model.policy import Limits, Policy
from controller.planner import check, plan, room, search, situation
from tests import builders
from tests.builders import NOW, Group, Host, System, Vm

POLICY = Policy(balance=False)


def planned(*, hosts: list[Host], vms: list[Vm], policy: Policy = POLICY, **more: object) -> Plan:
    return plan.plan(builders.cluster(hosts=hosts, vms=vms, **more), policy, NOW)


def moves(made: Plan) -> list[str]:
    return [f"{move.wave}: {move.vm_name} {move.source} to {move.target}" for move in made.moves]


def large_from_a_failing_host(**second: object) -> dict[str, list]:
    """c1 fails under a VM of 40 GiB; c2 and c3 have 32 GiB free each, c2 because of two VMs of 16 GiB."""
    return {
        "hosts": [
            Host(name="c1", memory_gib=64, memory_health=2),
            Host(name="c2", memory_gib=64),
            Host(name="c3", memory_gib=32),
        ],
        "vms": [
            Vm(name="large", host="c1", memory_gib=40, memory_used_gib=10),
            Vm(name="one", host="c2", memory_gib=16, memory_used_gib=4, **second),
            Vm(name="two", host="c2", memory_gib=16, memory_used_gib=4, locked=True),
        ],
    }


def test_the_smallest_vm_that_is_enough_leaves_first_and_says_for_whom():
    made = planned(**large_from_a_failing_host())
    assert moves(made) == ["1: one c2 to c3", "2: large c1 to c2"]
    first, second = made.moves
    assert first.room_for == second.vm and second.room_for is None
    assert "to make room for large" in first.why
    assert first.breach == second.breach == "health:c1"
    assert not made.breaches_after


def test_where_one_is_not_enough_the_largest_leave_one_after_the_other():
    made = planned(
        hosts=[
            Host(name="c1", memory_gib=64, memory_health=2),
            Host(name="c2", memory_gib=64),
            Host(name="c3", memory_gib=36),
        ],
        vms=[
            Vm(name="large", host="c1", memory_gib=48, memory_used_gib=10),
            *[Vm(name=f"v{n}", host="c2", memory_gib=gib, memory_used_gib=1) for n, gib in enumerate((4, 12, 14, 20))],
        ],
    )
    assert [move.vm_name for move in made.moves] == ["v3", "v2", "large"]
    assert {move.room_for for move in made.moves[:2]} == {made.moves[2].vm}
    assert not made.breaches_after


def test_more_than_three_are_not_asked_to_leave():
    made = planned(
        hosts=[
            Host(name="c1", memory_gib=64, memory_health=2),
            Host(name="c2", memory_gib=64),
            Host(name="c3", memory_gib=64),
        ],
        vms=[
            Vm(name="large", host="c1", memory_gib=60, memory_used_gib=10),
            *[
                Vm(name=f"v{n}", host=host, memory_gib=8, memory_used_gib=1)
                for n, host in enumerate(["c2"] * 5 + ["c3"] * 5)
            ],
        ],
    )
    assert moves(made) == []


def test_nobody_makes_room_for_what_is_mended_but_for_the_little_to_spare():
    """c1 is below its limit without `tiny`, and 1 % below it only without one of the large ones, which fit nowhere."""
    made = planned(
        hosts=[
            Host(name="c1", threads=64, memory_gib=256, cpu=(51.2 + 0.9) / 64),
            Host(name="c2", threads=64, memory_gib=48, cpu=0.1),
            Host(name="c3", threads=64, memory_gib=20, cpu=0.1),
        ],
        vms=[
            Vm(name="tiny", host="c1", vcpus=2, cpu=1.0, memory_gib=2, memory_used_gib=1),
            *[Vm(name=f"big{n}", host="c1", vcpus=32, cpu=20.0, memory_gib=40, memory_used_gib=4) for n in range(2)],
            Vm(name="one", host="c2", vcpus=2, cpu=0.1, memory_gib=12, memory_used_gib=1),
        ],
    )
    assert [(move.vm_name, move.room_for) for move in made.moves] == [("tiny", None)]
    assert {breach.rule for breach in made.breaches_after} == {"uneven"}


def test_the_checker_refuses_a_plan_in_which_nobody_comes_where_room_was_made():
    cluster = builders.cluster(**large_from_a_failing_host())
    made = plan.plan(cluster, POLICY, NOW)
    alone = replace(made, moves=made.moves[:1])
    assert [said for said in check.problems(cluster, POLICY, alone) if "makes room for" in said]
    assert not check.problems(cluster, POLICY, made)


@pytest.mark.parametrize("held", [{"locked": True}, {"rests": True}, {"busy": True}])
def test_what_may_not_move_makes_no_room(held):
    made = planned(**large_from_a_failing_host(**held))
    assert moves(made) == []
    assert [hold.rule for hold in made.holds] == ["capacity"]


def test_an_hour_that_has_one_move_left_moves_nobody_in_vain():
    policy = Policy(balance=False, limits=Limits(per_hour=1))
    assert moves(planned(**large_from_a_failing_host(), policy=policy)) == []


def test_a_drain_displaces_nobody():
    cluster = large_from_a_failing_host()
    cluster["hosts"][0] = Host(name="c1", memory_gib=64, draining=True)
    made = plan.plan(builders.cluster(**cluster), POLICY, NOW, only=("c1",))
    assert moves(made) == []


def test_a_member_of_its_group_makes_room_where_its_domain_is_full():
    made = planned(
        hosts=[Host(name="c1", memory_health=2), Host(name="c2"), Host(name="c3", clearance=0)],
        vms=[
            Vm(name="secret", host="c1", memory_gib=4, system="vault"),
            Vm(name="open", host="c2", memory_gib=4, system="sys"),
        ],
        systems=[System(name="vault", classification=3), System(name="sys", classification=0)],
        groups=[Group(name="apart", members=("secret", "open"))],
    )
    assert moves(made) == ["1: open c2 to c3", "2: secret c1 to c2"]


def test_how_much_one_search_tries_is_bounded_and_that_is_said():
    facts = situation.of_cluster(builders.cluster(**large_from_a_failing_host()), POLICY, NOW)
    found = search.choices(facts, room.Effort(tries=0))
    assert (found.choices, found.bounded) == ((), True)
    assert len(search.choices(facts, room.Effort(tries=3)).choices) == 2

"""The checker finds every way in which a plan can be spoiled."""

from dataclasses import replace

import numpy as np
import pytest

from controller.model.cluster import VmState
from controller.model.policy import Limits, Policy
from controller.model.sample import Trust
from controller.planner import check, check_loads, plan, rules, situation
from controller.planner.load import Load
from inventory.model import Domain
from tests import builders
from tests.builders import NOW, Host, Supply, System, Vm

POLICY = Policy(limits=Limits(out_of_host=2, into_host=2, per_system=4, per_agency=4), balance=False)


def cluster(**more):
    hosts = [
        Host(name="c1", memory_health=2),
        Host(name="c2"),
        Host(name="c3", memory_gib=20),
        Host(name="c4", clearance=0),
    ]
    systems = [System(classification=1)]
    vms = [Vm(name=name, host="c1", memory_gib=16) for name in "ab"]
    return builders.cluster(**{"hosts": hosts, "systems": systems, "vms": vms, **more})


def spoiled(made, **change):
    return replace(made, moves=(replace(made.moves[0], **change), *made.moves[1:]))


@pytest.fixture
def made():
    return plan.plan(cluster(), POLICY, NOW)


def found(made, policy=POLICY, **more):
    return "; ".join(check.problems(cluster(**more), policy, made))


def test_a_plan_of_the_planner_passes(made):
    assert len(made.moves) == 2
    assert found(made) == ""


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"target": "c4"}, "not cleared"), ({"target": "c1"}, "no move between two hosts"),
        ({"target": "c9"}, "no move between two hosts"), ({"source": "c3"}, "is not on c3"),
        ({"vm": "z"}, "not in the snapshot"),
        ({"n": 7}, "not numbered"), ({"wave": 2}, "waves do not follow"), ({"cold": True}, "not to be moved cold"),
    ],
)  # fmt: skip
def test_a_move_that_cannot_be_is_found(made, change, what):
    assert what in found(spoiled(made, **change))


def test_a_vm_that_moves_twice_is_found(made):
    again = replace(made.moves[1], vm=made.moves[0].vm)
    assert "moves 2 times" in found(replace(made, moves=(made.moves[0], again)))


def test_too_many_at_once_are_found(made):
    assert "2 at once in out of host" in found(made, Policy(limits=Limits(per_system=4)))
    assert "2 at once in system" in found(made, Policy(limits=Limits(out_of_host=2, into_host=2)))


def with_a_resize(*, busy):
    resized = Vm(name="r", host="c2", target="c3", state=VmState.OTHER, busy=busy)
    return cluster(vms=[*(Vm(name=name, host="c1", memory_gib=16) for name in "ab"), resized])


def test_a_resize_that_waits_for_its_owner_copies_nothing_and_takes_no_place():
    narrow = replace(POLICY, limits=replace(POLICY.limits, per_agency=2))
    waits, copies = with_a_resize(busy=False), with_a_resize(busy=True)
    together, apart = plan.plan(waits, narrow, NOW), plan.plan(copies, narrow, NOW)
    assert [len(wave) for wave in together.waves] == [2]
    assert [len(wave) for wave in apart.waves] == [1, 1]
    assert list(check.problems(waits, narrow, together)) == []
    assert "3 at once in agency 0, allowed 2" in "; ".join(check.problems(copies, narrow, together))


def test_the_hours_budget_is_counted(made):
    assert "more than the hour" in found(made, moved_last_hour=119)
    assert "of system sys" in found(made, systems=[System(classification=1, per_hour=1)])


def test_a_host_filled_past_its_memory_while_both_copies_stand_is_found(made):
    both = replace(made, moves=tuple(replace(move, target="c3") for move in made.moves))
    assert "memory placed" in found(both)


def test_watts_past_what_a_supply_may_carry_alone_are_found(made):
    tight = [Supply(name="A", limit_watts=1201), Supply(name="B")]
    assert "watts, most" in found(made, supplies=tight)


def test_members_of_a_group_that_would_meet_are_found(made):
    apart = [builders.Group(name="web", members=("a", "b"))]
    spread = [Vm(name="a", host="c1", memory_gib=16), Vm(name="b", host="c2", memory_gib=16)]
    alone = replace(made, moves=(replace(made.moves[0], target="c2"),))
    assert "2 of group web" in found(alone, groups=apart, vms=spread)


def test_rooms_of_no_named_site_are_not_one_site():
    """Nobody knows whether they are, so no group is held to it: by the planner no more than by the checker."""
    racks = [builders.Rack(name=name, room=f"room-{name}", site=site) for name, site in (("r1", "s"), ("r2", ""))]
    hosts = [Host(name="c1", memory_health=2), *[Host(name=name, rack="r2") for name in ("c2", "c3")]]
    apart = builders.Group(name="apart", members=("a", "b"), domain=Domain.SITE)
    vms = [Vm(name="a", host="c1"), Vm(name="b", host="c3")]
    made = plan.plan(builders.cluster(hosts=hosts, racks=racks, vms=vms, groups=[apart]), POLICY, NOW)
    assert [move.vm for move in made.moves] == ["a"]


def test_a_target_that_is_warm_sick_down_or_unknown_is_found(made):
    for trouble in (
        {"inlet": 30.0},
        {"psu_health": 1},
        {"up": False},
        {"enabled": False},
        {"known": False},
        {"draining": True},
    ):
        target = made.moves[0].target
        hosts = [
            Host(name="c1", memory_health=2),
            *(Host(name=n, **(trouble if n == target else {})) for n in ("c2", "c3", "c4")),
        ]
        assert "the target" in found(replace(made, moves=made.moves[:1]), hosts=hosts)


@pytest.mark.parametrize("trust", [Trust.STALE, Trust.IMPLAUSIBLE])
@pytest.mark.parametrize("quantity", ["memory_health", "psu_health", "fan_health", "disk_health", "inlet_celsius"])
def test_a_host_whose_health_is_in_doubt_receives_nothing(made, quantity, trust):
    target = made.moves[0].target
    doubted = builders.doubted(cluster(), target, quantity, trust)
    assert "the target's health or inlet is stale or implausible" in "; ".join(check.problems(doubted, POLICY, made))
    assert target not in {move.target for move in plan.plan(doubted, POLICY, NOW).moves}
    load = Load(situation.of_cluster(doubted, POLICY, NOW))
    row = doubted.hosts.names.index(target)
    assert rules.ruled_out_by(load, 0, np.array([row], np.int32)) == ["unsure-health"]


def test_a_host_whose_bmc_should_tell_its_health_and_has_not_receives_nothing(made):
    target = made.moves[0].target
    quiet = [Host(name="c1", memory_health=2), *(Host(name=n, unread_health=n == target) for n in ("c2", "c3", "c4"))]
    assert "though its BMC should tell it" in found(made, hosts=quiet)
    planned = plan.plan(cluster(hosts=quiet), POLICY, NOW)
    assert target not in {move.target for move in planned.moves}
    load = Load(situation.of_cluster(cluster(hosts=quiet), POLICY, NOW))
    row = load.situation.cluster.hosts.names.index(target)
    assert rules.ruled_out_by(load, 0, np.array([row], np.int32)) == ["unread-health"]


def test_a_host_whose_health_was_never_read_is_for_policy_to_judge(made):
    target = made.moves[0].target
    unread = [Host(name="c1", memory_health=2), Host(name=target, inlet=None)]
    assert {move.target for move in plan.plan(cluster(hosts=unread), POLICY, NOW).moves} == {target}


def test_a_worse_objective_is_found(made):
    worse = tuple(level + 97.0 for level in made.score_before)
    assert "the objective would go" in found(replace(made, score_after=worse))


@pytest.mark.parametrize("level", range(5))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_score_that_is_another_is_found(made, level, when):
    told = list(getattr(made, f"score_{when}"))
    told[level] += 0.25
    assert f"{made.objective[level]} {when} the plan would be" in found(replace(made, **{f"score_{when}": tuple(told)}))


def test_scores_of_other_levels_than_the_objectives_are_found(made):
    assert "not as many levels" in found(replace(made, score_after=made.score_after[:4]))


def test_breaches_that_are_not_told_or_are_none_are_found(made):
    (broken,) = made.breaches_before
    assert "not told, health:c1 for one" in found(replace(made, breaches_before=()))
    assert "breaches told of after it are none, cpu:c2" in found(
        replace(made, breaches_after=(replace(broken, key="cpu:c2"),))
    )


@pytest.mark.parametrize("comes_from", [None, "c3"])
def test_what_arrives_from_a_host_that_nobody_knows_counts_with_all_that_it_may_use(comes_from):
    """c2 may have 51.2 of its threads busy; 19 are, and up to 32 come. A host that is read bounds what they may be."""
    hosts = [Host(name="c1", cpu=0.9), Host(name="c2", cpu=0.3), Host(name="c3", cpu=0.6), Host(name="idle", cpu=0.0)]
    coming = Vm(name="b", host=comes_from, target="c2", vcpus=32, cpu=None, busy=True)
    vms = [Vm(name="a", host="c1", vcpus=25, cpu=25.0), coming]
    of = builders.cluster(hosts=hosts, vms=vms)
    calm = builders.cluster(hosts=hosts, vms=vms[:1])
    made = plan.plan(calm, replace(POLICY, limits=Limits(into_host=4)), NOW)
    sent = replace(made, moves=tuple(replace(move, target="c2") for move in made.moves))
    assert made.moves and "cpu of row 1 could reach" in "; ".join(
        check.problems(of, replace(POLICY, limits=Limits(into_host=4)), sent)
    )


def test_servers_that_are_off_bring_nothing_and_take_nothing_of_what_others_may_use():
    off = Vm(name="off", host="c1", vcpus=16, cpu=10.0, state=VmState.SHUTOFF)
    unread = Vm(name="unread", host="c1", vcpus=32, cpu=None)
    of = builders.cluster(hosts=[Host(name="c1", cpu=0.5), Host(name="c2")], vms=[off, unread])
    book = check_loads.Book(of, POLICY, ())
    assert book._brought("cpu", 0) == 0.0
    assert book._brought("cpu", 1) == 32.0, "no more than the 32 threads busy, of which the server that is off has none"


def in_two_racks(**on: str):
    """Hosts c1 to c3 in rack r1 and d1 to d3 in r2, one of each failing, and a group that wants both racks."""
    racks = [builders.Rack(name="r1"), builders.Rack(name="r2"), builders.Rack(name="r3")]
    hosts = [
        Host(name=f"{row}{n}", rack=rack, memory_health=2 if n == 1 else 0)
        for row, rack in (("c", "r1"), ("d", "r2"), ("e", "r3"))
        for n in (1, 2, 3)
    ]
    wide = builders.Group(name="wide", members=tuple(on), domain=Domain.RACK, max_per_domain=len(on), min_domains=2)
    vms = [Vm(name=vm, host=host) for vm, host in on.items()]
    return builders.cluster(hosts=hosts, racks=racks, vms=vms, groups=[wide])


def test_a_wave_that_could_bring_a_group_into_one_domain_is_found():
    made = in_two_racks(a="c1", b="d1")
    whole = plan.plan(made, POLICY, NOW)
    assert check.problems(made, POLICY, whole) == ()
    one = replace(whole.moves[0], n=1, wave=1, vm="a", vm_name="a", source="c1", target="d2")
    problems = check.problems(made, POLICY, replace(whole, moves=(one,)))
    assert "wave 1: group wide could be in 1 of at least 2 domains (rack)" in problems


def test_moves_that_are_well_together_and_not_when_one_fails_are_found():
    """They change racks: where only one of them succeeds, both stand in the same."""
    made = in_two_racks(a="c1", b="d1")
    whole = plan.plan(made, POLICY, NOW)
    going = (("a", "c1", "d2"), ("b", "d1", "c2"))
    moves = tuple(
        replace(whole.moves[0], n=n, wave=1, vm=vm, vm_name=vm, source=source, target=target)
        for n, (vm, source, target) in enumerate(going, start=1)
    )
    problems = check.problems(made, POLICY, replace(whole, moves=moves))
    assert "wave 1: group wide could be in 1 of at least 2 domains (rack)" in problems


def test_members_that_each_change_to_a_rack_of_their_own_or_stay_are_no_problem():
    made = in_two_racks(a="c1", b="d1", c="e2")
    going = (("a", "c1", "c2"), ("b", "d1", "d2"))
    whole = plan.plan(made, POLICY, NOW)
    moves = tuple(
        replace(whole.moves[0], n=n, wave=1, vm=vm, vm_name=vm, source=source, target=target)
        for n, (vm, source, target) in enumerate(going, start=1)
    )
    problems = check.problems(made, POLICY, replace(whole, moves=moves))
    assert not any("group" in problem for problem in problems)

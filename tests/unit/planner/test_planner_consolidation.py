"""Whole hosts are freed where policy lets them be: what that must save, leave free and never touch."""

from dataclasses import replace

import numpy as np
import pytest

from controller.model import cluster as model
from controller.model.plan import Concern, Plan
from controller.model.policy import Consolidation, MigrationPolicy, Policy, Thresholds
from controller.planner import check, explain, plan, project, reserve, score, search, situation, waves, whim
from controller.planner.load import Load
from inventory.model import Tier
from tests import builders
from tests.builders import NOW, Aggregate, Host, Rack, Supply, System, Vm
from tests.fakes.freeable import MANY, ON, cluster, hosts, policy, vms


def planned(of: model.Cluster, by: Policy = ON) -> Plan:
    return plan.plan(of, by, NOW)


def freed(of: model.Cluster, by: Policy = ON) -> list[str]:
    return [each.host for each in planned(of, by).frees]


def load_of(of: model.Cluster, by: Policy = ON) -> Load:
    return Load(situation.of_cluster(of, by, NOW))


def test_nothing_is_freed_unless_policy_says_so():
    made = planned(cluster(), Policy())
    assert (made.moves, made.frees) == ((), ())
    assert made.score_before[-1] == made.score_after[-1] == 0.0


def test_hosts_are_freed_whole_and_the_plan_says_what_that_saves():
    made = planned(cluster())
    assert [each.host for each in made.frees] == ["c1", "c2"]
    assert {move.source for move in made.moves} == {"c1", "c2"}
    assert {move.target for move in made.moves} <= {"c3", "c4"}
    assert {move.concern for move in made.moves} == {Concern.CONSOLIDATION}
    assert (made.score_before[-1], made.score_after[-1]) == (4.0, 2.0)
    assert made.frees[0].idle_watts == 300.0 - 3.0 * 2.0 - 5.0, "watts less those of its load and their error"
    assert made.sentence == (
        "Nothing is broken, hot or uneven. 4 moves in 4 waves: frees 2 hosts, 578 W idle saved for 32 GiB copied."
    )
    assert made.moves[0].why.startswith("frees c1: 289 W idle saved for 16 GiB copied: v10 ")
    assert made.moves[0].breach == "free:c1"
    assert (made.holds, made.breaches_after) == ((), ())


def test_the_next_plan_frees_no_more_and_fills_nothing_again():
    made = planned(cluster())
    after = project.project(cluster(), ON, made.moves, NOW)
    assert planned(after).moves == ()


@pytest.mark.parametrize(
    "word",
    [{"locked": True}, {"rests": True}, {"fit_known": False}, {"system": None}, {"state": model.VmState.SHUTOFF}],
)
def test_a_host_with_one_vm_that_may_not_move_keeps_all_and_is_no_breach(word):
    stays = Vm(name="stays", host="c1", **word)
    made = planned(cluster(vms=[*vms(4), stays]))
    assert "c1" not in {move.source for move in made.moves}
    assert [each.host for each in made.frees] == ["c2", "c3"]
    assert made.holds == ()


@pytest.mark.parametrize(
    "word",
    [
        {"enabled": False}, {"known": False}, {"trusted": False}, {"psu_health": 1}, {"inlet": 28.0}, {"watts": None},
        {"withheld": True}, {"unread_health": True}, {"watts_per_thread": float("nan")}, {"cpu": None},
    ],
)  # fmt: skip
def test_a_host_that_is_not_well_known_and_read_is_not_freed(word):
    rest = hosts(4)[1:]
    made = planned(cluster(hosts=[Host(name="c1", **word), *rest]))
    assert "c1" not in {each.host for each in made.frees}


def test_a_vm_without_a_target_keeps_its_whole_host():
    asks = model.Requirement(required_traits=frozenset({"AVX"}))
    bound = Vm(name="bound", host="c1", requirement=asks)
    first = Host(name="c1", traits=frozenset({"AVX"}))
    made = planned(cluster(hosts=[first, *hosts(5)[1:]], vms=[*vms(5), bound]), policy(spare_hosts=0))
    assert "c1" not in {move.source for move in made.moves}
    assert made.frees


def test_no_guest_is_paused_to_free_its_host():
    forced = replace(policy(), migration=MigrationPolicy(force_complete_tiers=frozenset({Tier.STANDARD})))
    writes = Vm(name="writes", host="c1", dirty_mib_s=3000.0)
    machines = [Host(name="c1", watts=3000.0), *hosts(4)[1:]]
    assert freed(cluster(hosts=machines), forced)[0] == "c1"
    assert "c1" not in freed(cluster(hosts=machines, vms=[*vms(4), writes]), forced)
    sick = cluster(hosts=[Host(name="c1", memory_health=2), *hosts(4)[1:]], vms=[*vms(4), writes])
    (move,) = [move for move in planned(sick, forced).moves if move.vm == "writes"]
    assert move.force_complete_after is not None, "what is broken is mended at that price"
    made = planned(sick, forced)
    spoiled = tuple(replace(each, concern=Concern.CONSOLIDATION) if each == move else each for each in made.moves)
    assert "forced, only to free a host" in "; ".join(check.problems(sick, forced, replace(made, moves=spoiled)))


def test_frozen_only_drains_are_planned():
    assert planned(cluster(freeze="because")).moves == ()


def test_targets_are_filled_to_the_share_that_policy_gives_and_no_further():
    full = vms(4, each=3, memory_gib=32.0)
    assert freed(cluster(vms=full), policy(fill_ratio=0.7, spare_hosts=0)) == ["c1"]
    assert freed(cluster(vms=full), policy(fill_ratio=0.8, spare_hosts=0)) == ["c1", "c2"]
    busy = vms(4, vcpus=16, cpu=12.0)
    assert freed(cluster(vms=busy), policy(fill_ratio=0.7, spare_hosts=0)) == [], "36 threads of 0.7 * 51.2"


def test_the_hosts_left_in_use_could_lose_the_largest_of_them():
    half = vms(4, each=3, memory_gib=32.0)
    assert freed(cluster(vms=half), policy(fill_ratio=0.99, spare_hosts=0)) == ["c1", "c2"]
    assert freed(cluster(vms=half), policy(fill_ratio=0.99, spare_hosts=1)) == ["c1"], "256 of 768 GiB stay free"
    assert freed(cluster(vms=half), policy(fill_ratio=0.99, spare_hosts=2)) == []


def test_the_reserve_is_of_each_kind_of_host():
    kinds = [Host(name=f"c{n}", availability_zone="az1" if n < 3 else "az2") for n in range(1, 7)]
    assert set(freed(cluster(hosts=kinds, vms=vms(6)))) <= {"c3", "c4", "c5", "c6"}, "of two in az1 both are needed"


def test_aggregates_and_what_is_closed_are_told_apart_in_the_reserve():
    own = [Aggregate(name="a", hosts=("c1", "c2"), metadata={"ssd": "true"})]
    assert set(freed(cluster(aggregates=own))) == set(), "two kinds of two hosts"
    load = load_of(cluster(3, hosts=[*hosts(2), Host(name="c3", psu_health=1)]))
    kinds = [int(load.situation.saving.kind[0])]
    assert reserve.holds(load, kinds)
    assert not reserve.holds(load, kinds, without=0), "c3 may be lost and has nothing free"


def test_a_host_saves_enough_for_what_is_copied_or_is_not_freed():
    heavy = vms(4, memory_gib=32.0)
    assert freed(cluster(vms=heavy), policy(watts_per_gib=289 / 64 + 0.01)) == []
    assert len(freed(cluster(vms=heavy), policy(watts_per_gib=289 / 64 - 0.01))) == 2


def test_the_best_saving_is_freed_first_and_no_more_hosts_than_policy_allows():
    machines = [*hosts(3), Host(name="c4", watts=600.0)]
    assert freed(cluster(hosts=machines), policy(max_hosts=1)) == ["c4"]


def test_a_host_is_freed_within_the_hours_budget_or_not_at_all():
    by = replace(ON, limits=replace(MANY, per_hour=3))
    made = planned(cluster(), by)
    assert [each.host for each in made.frees] == ["c1"]
    assert len(made.moves) == 2


def test_what_is_hot_is_mended_whatever_is_freed_and_an_empty_host_may_serve_for_that():
    machines = [*hosts(4), Host(name="c5")]
    wild = [Vm(name=f"w{n}", host="c4", vcpus=32, cpu=30.0) for n in range(2)]
    made = planned(cluster(hosts=machines, vms=[*vms(3, vcpus=32, cpu=20.0, each=1), *wild]))
    assert made.score_after[:2] == (0.0, 0.0)
    assert [move.target for move in made.moves if move.concern is Concern.HOT] == ["c5"]


def test_evening_out_does_not_fill_an_empty_host():
    machines = [Host(name="c1"), Host(name="c2"), Host(name="c3")]
    uneven = [*[Vm(name=f"a{n}", host="c1", vcpus=16, cpu=10.0) for n in range(4)], Vm(name="b", host="c2")]
    before = planned(builders.cluster(hosts=machines, vms=uneven), Policy())
    assert "c3" in {move.target for move in before.moves}
    made = planned(builders.cluster(hosts=machines, vms=uneven), policy(watts_per_gib=1e6))
    assert made.moves and {move.target for move in made.moves} == {"c2"}


def test_an_emptied_host_does_not_make_its_racks_other_hosts_uneven():
    of = cluster(vms=vms(4, vcpus=16, cpu=8.0))
    by = replace(ON, thresholds=Thresholds(uneven_ratio=0.2))
    made = planned(of, by)
    assert [each.host for each in made.frees] == ["c1", "c2"]
    assert made.score_after[3] == 0.0
    load, off = load_of(of, by), load_of(of, replace(by, consolidation=Consolidation()))
    for vm in range(2):
        load.move(vm, 2)
        off.move(vm, 2)
    assert score.unevenness(load).sum() == 0.0 < score.unevenness(off).sum()
    assert score.rack_means(load, np.array([2], np.int32))[0] == pytest.approx(64 / 192)
    assert score.rack_means(off, np.array([2], np.int32))[0] == pytest.approx(64 / 256)
    load.move(0, 0)
    load.move(1, 0)
    fresh = load_of(of, by)
    assert load.rack_busy == pytest.approx(fresh.rack_busy, nan_ok=True)
    assert (load.in_mean.tolist(), load.rack_threads[0]) == (fresh.in_mean.tolist(), fresh.rack_threads[0])


def test_a_rack_that_is_emptied_as_a_whole_is_still_told_with_its_load():
    machines = [Host(name="c1", rack="r1", cpu=0.1, watts=900.0), *[Host(name=f"c{n}", rack="r2") for n in (2, 3, 4)]]
    made = planned(cluster(hosts=machines), policy(max_hosts=1))
    assert [each.host for each in made.frees] == ["c1"]
    state = next(limit for limit in made.limits if limit.key == "rack:r1")
    assert state.before == pytest.approx(0.1)
    assert state.after == pytest.approx(0.1 - 2 / 64)


def test_nothing_leaves_a_host_on_battery_to_free_it():
    feeds = [Supply(name="A", on_battery=True), Supply(name="B"), Supply(name="C"), Supply(name="D")]
    machines = [Host(name="c1", watts=310.0), *[Host(name=f"c{n}", supplies=("C", "D")) for n in range(2, 5)]]
    of = cluster(hosts=machines, supplies=feeds)
    assert "c1" not in freed(of)
    made = planned(cluster(hosts=machines, supplies=[replace(feed, on_battery=None) for feed in feeds]))
    assert "c1" in {move.source for move in made.moves}
    assert "it moves for consolidation" in "; ".join(check.problems(of, ON, made))


def test_no_feed_is_filled_to_the_brim_to_free_a_host():
    feeds = [Supply(name="A"), Supply(name="B"), Supply(name="C", limit_watts=920.0), Supply(name="D")]
    machines = [Host(name="c1", watts=310.0), *[Host(name=f"c{n}", supplies=("C", "D")) for n in range(2, 5)]]
    assert "c1" not in freed(cluster(hosts=machines, supplies=feeds), policy(max_hosts=1))
    feeds[2] = replace(feeds[2], limit_watts=960.0)
    assert "c1" in freed(cluster(hosts=machines, supplies=feeds), policy(max_hosts=1))


def test_a_host_that_waves_would_leave_half_emptied_keeps_all(monkeypatch):
    whole = waves.waves

    def without_the_last(facts, choices):
        made, waiting = whole(facts, choices)
        late = [choice for choice in choices if facts.cluster.vms.names[choice.vm] == "v21"]
        return whole(facts, [choice for choice in choices if choice not in late])[0] if late else made, waiting

    monkeypatch.setattr(waves, "waves", without_the_last)
    made = planned(cluster())
    assert [each.host for each in made.frees] == ["c1"]
    assert {move.source for move in made.moves} == {"c1"}


def test_what_follows_the_last_host_freed_is_explained_by_what_it_saves():
    of = cluster()
    made = planned(of)
    told = explain.explain(of, ON, made, "c1")
    assert "the plan frees it: 289 W idle saved for 16 GiB copied" in told.sentence
    assert dict(told.numbers)["idle"].startswith("289 W")
    first, last = (explain.explain(of, ON, made, str(move.n)) for move in made.moves if move.source == "c1")
    assert "it goes with the other moves for free:c1" in first.sentence
    assert "paid for by VMs on c1, which may be freed, 1 → 0" in last.sentence
    assert last.paid_by == "free:c1"
    assert [found.sentence for found in last.unless][:2] == [
        "would not move for free:c1 if policy.consolidation were off",
        "would not move for free:c1 if each GiB copied had to save more than 18 W (consolidation.watts_per_gib, "
        "it is 0.5)",
    ]


def problems(of: model.Cluster, by: Policy, made: Plan) -> str:
    return "; ".join(check.problems(of, by, made))


def test_the_checker_finds_a_plan_that_frees_what_policy_does_not_allow():
    of, made = cluster(), planned(cluster())
    assert problems(of, ON, made) == ""
    assert "2 hosts are freed, more than policy allows" in problems(of, policy(max_hosts=1), made)
    assert "more than policy allows" in problems(of, Policy(limits=MANY), made)
    assert "could be filled to" in problems(of, policy(fill_ratio=0.1), made)
    assert "would keep too little free to lose 2 of them" in problems(of, policy(spare_hosts=2), made)


def test_the_checker_finds_a_freed_host_that_is_not_empty_or_not_well():
    of, made = cluster(), planned(cluster())
    stays = cluster(vms=[*vms(4), Vm(name="stays", host="c1", locked=True)])
    assert "c1 is said to be freed and is not empty" in problems(stays, ON, made)
    arrives = cluster(vms=[*vms(4), Vm(name="zz", host="c4", target="c1")])
    assert "c1 is said to be freed and is not empty" in problems(arrives, ON, made)
    sick = cluster(hosts=[Host(name="c1", psu_health=1), *hosts(4)[1:]])
    assert "c1 is freed, though it could not take back" in problems(sick, ON, made)
    back = tuple(replace(move, target="c1") if move.source == "c2" else move for move in made.moves)
    assert "something goes to c1, which is freed" in problems(of, ON, replace(made, moves=back))
    assert "not those that moves free" in problems(of, ON, replace(made, frees=made.frees[:1]))


def test_a_vm_sent_to_a_host_that_is_then_freed_is_sent_on_at_no_further_cost():
    machines = [Host(name="c1", memory_health=2), Host(name="c2", watts=2000.0), *hosts(5)[2:]]
    made = planned(cluster(hosts=machines, vms=[*vms(1, each=1), *vms(5)[2:]]), policy(max_hosts=1, spare_hosts=0))
    (away,) = [move for move in made.moves if move.source == "c1"]
    assert away.concern is Concern.BROKEN
    assert "c2" not in {move.target for move in made.moves}
    assert made.frees[0].copied_gib == 16.0


def test_hosts_of_other_racks_take_in_what_a_rack_is_freed_of():
    machines = [Host(name=f"c{n}", rack=f"r{n}") for n in range(1, 5)]
    racks = [Rack(name=f"r{n}") for n in range(1, 5)]
    made = planned(cluster(hosts=machines, racks=racks, systems=[System()]))
    assert len(made.frees) == 2


@pytest.mark.parametrize("number", range(8))
def test_a_later_round_frees_no_host_that_saves_less_than_policy_asks_for(number):
    """Whatever its whim takes the copying for: the checker counts what is really copied."""
    dear = replace(ON, consolidation=replace(ON.consolidation, watts_per_gib=19.0))
    facts = situation.of_cluster(cluster(), dear, NOW)
    assert planned(cluster(), dear).frees == ()
    prefers = whim.Whim(dice=np.random.default_rng(number))
    assert search.choices(facts, prefers=prefers).choices == ()

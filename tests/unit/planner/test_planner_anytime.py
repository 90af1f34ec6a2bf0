"""Plans that get better as long as there is time."""

import itertools
from types import SimpleNamespace

import pytest

from controller.model.cluster import Cluster
from controller.model.plan import Plan
from controller.model.policy import Limits, Policy
from controller.planner import anytime, check, plan, room, waves
from tests import builders
from tests.builders import NOW, Host, Vm
from tests.fakes import arbitrary_clusters

POLICY = Policy(balance=False)


def moves(made: Plan) -> list[str]:
    return [f"{move.vm_name} to {move.target}" for move in made.moves]


def room_on_the_second_host_only() -> Cluster:
    """c1 fails under a VM of 40 GiB. c2, the emptier, is held full by a locked VM; c3 is not."""
    return builders.cluster(
        hosts=[
            Host(name="c1", memory_gib=64, memory_health=2),
            Host(name="c2", memory_gib=128),
            Host(name="c3", memory_gib=100),
            Host(name="c4", memory_gib=30),
        ],
        vms=[
            Vm(name="large", host="c1", memory_gib=40, memory_used_gib=10),
            Vm(name="locked", host="c2", memory_gib=100, memory_used_gib=4, locked=True),
            Vm(name="small", host="c3", memory_gib=28, memory_used_gib=4),
            Vm(name="other", host="c3", memory_gib=60, memory_used_gib=40, locked=True),
        ],
    )


def clock(*shares: float):
    """Says these shares one after the other, and then the last one for ever."""
    return itertools.chain(shares, itertools.repeat(shares[-1])).__next__


def test_a_later_round_finds_what_the_first_efforts_bound_left(monkeypatch):
    monkeypatch.setattr(room, "USUAL", room.Effort(tries=1, hosts=1, vms=1))
    found = list(anytime.plans(room_on_the_second_host_only(), POLICY, NOW, lambda: 0.0))
    assert [moves(made) for made in found] == [[], ["small to c4", "large to c3"]]


def test_when_the_time_is_over_at_once_the_first_plan_is_still_whole(monkeypatch):
    found = list(anytime.plans(room_on_the_second_host_only(), POLICY, NOW, lambda: 1.0))
    assert [moves(made) for made in found] == [[]]
    assert found[0].breaches_after == found[0].breaches_before
    assert found[0].sentence.startswith("The search was stopped before its end.")
    assert [(hold.breach, hold.vm, hold.rule) for hold in found[0].holds] == [
        (breach.key, None, "stopped") for breach in found[0].breaches_after
    ]


def test_a_first_search_that_was_cut_short_is_made_again_in_the_time_that_is_left():
    found = list(anytime.plans(room_on_the_second_host_only(), POLICY, NOW, clock(0.3, 0.4)))
    assert [moves(made) for made in found] == [[], ["small to c4", "large to c3"]]


def test_it_ends_by_itself_where_nothing_is_left_to_mend():
    healthy = builders.cluster(hosts=[Host(name="c1"), Host(name="c2")], vms=[Vm(name="a", host="c1")])
    assert len(list(anytime.plans(healthy, POLICY, NOW, lambda: 0.0))) == 1


DIRECTED = (Policy(limits=Limits(at_once=3)), 3)
RECONSIDERED = (Policy(), 6)


@pytest.mark.parametrize(
    ("seed", "policy", "rounds"),
    [*((seed, *DIRECTED) for seed in range(12)), *((seed, *RECONSIDERED) for seed in range(6))],
)
def test_each_plan_is_proved_and_better_and_the_same_rounds_give_the_same(seed, policy, rounds):
    cluster = arbitrary_clusters.cluster(seed, 6, 20, hurry=True)
    found = list(anytime.plans(cluster, policy, NOW, lambda: 0.0, rounds=rounds))
    assert found == list(anytime.plans(cluster, policy, NOW, lambda: 0.0, rounds=rounds))
    scores = [made.score_after for made in found]
    assert scores == sorted(set(scores), reverse=True)
    assert [check.problems(cluster, policy, made) for made in found] == [()] * len(found)
    assert scores[0] <= plan.plan(cluster, policy, NOW).score_after


def test_the_seed_decides_what_later_rounds_find():
    cluster = arbitrary_clusters.cluster(3, 6, 20, hurry=True)

    def found(seed: int) -> list[Plan]:
        return list(anytime.plans(cluster, Policy(), NOW, lambda: 0.0, rounds=6, seed=seed))

    assert found(5) == found(5)
    assert {made[0] for made in map(tuple, map(found, range(4)))} == {found(0)[0]}


def refused_after_the_first(monkeypatch):
    """The checker proves the first plan that it is shown, and no other."""
    shown: list[Plan] = []

    def problems(cluster: Cluster, policy: Policy, made: Plan) -> tuple[str, ...]:
        shown.append(made)
        return ("a flaw",) if len(shown) > 1 else ()

    monkeypatch.setattr(check, "problems", problems)


def test_a_first_search_made_again_whose_plan_fails_its_check_loses_no_plan(monkeypatch):
    refused_after_the_first(monkeypatch)
    found = list(anytime.plans(room_on_the_second_host_only(), POLICY, NOW, clock(0.3, 0.4), rounds=3))
    assert [moves(made) for made in found] == [[], []]
    assert "A plan of another round was left out" in found[-1].sentence and "a flaw" in found[-1].sentence


def waves_of_the_first_plan_alone(monkeypatch):
    """Of later ones no move has a wave. The list that it gives counts the moves of each plan."""
    made: list[int] = []

    def waves_of(facts, choices):
        made.append(len(choices))
        return waves.waves(facts, choices) if len(made) == 1 else ((), tuple(choices))

    monkeypatch.setattr(plan, "waves", SimpleNamespace(waves=waves_of, Wave=waves.Wave))
    return made


def two_failing():
    return builders.cluster(
        hosts=[Host(name="c1", memory_health=2), Host(name="c2", memory_health=2), Host(name="c3")],
        vms=[Vm(name="a", host="c1"), Vm(name="b", host="c2")],
    )


def test_a_first_search_made_again_whose_waves_leave_it_worse_replaces_nothing(monkeypatch):
    """By its search it is as good, but its plan would bring less: the waves of every other plan are left out."""
    made = waves_of_the_first_plan_alone(monkeypatch)
    found = list(anytime.plans(two_failing(), POLICY, NOW, clock(0.0, 0.0, 0.3, 0.4), rounds=2))
    assert [moves(each) for each in found] == [["a to c3"]] and len(made) > 1


def test_a_cut_first_search_is_made_again_once_whether_or_not_that_serves(monkeypatch):
    """What comes after it must be better, not only as good."""
    again: list[Plan | None] = []
    made_again = plan.made_again

    def noted(*given, **named):
        again.append(made_again(*given, **named))
        return again[-1]

    monkeypatch.setattr(plan, "made_again", noted)
    waves_of_the_first_plan_alone(monkeypatch)
    assert len(list(anytime.plans(two_failing(), POLICY, NOW, clock(0.0, 0.0, 0.3, 0.4), rounds=5))) == 1
    assert again == [None]

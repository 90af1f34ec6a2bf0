"""Rounds that prefer otherwise by chance mend what one search left, and nothing that a rule forbids."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.parts import small_instances
from controller.model.plan import Concern
from controller.model.policy import Limits, Mode, Policy
from controller.planner import anytime, check, plan, whim
from tests import builders
from tests.builders import NOW, Host, Vm


@pytest.mark.parametrize("seed", [8])
def test_what_one_search_leaves_hot_or_uneven_another_mends(seed):
    cluster = small_instances.cluster(seed)
    once = plan.plan(cluster, small_instances.POLICY, NOW)
    policy = replace(small_instances.POLICY, search_rounds=4)
    several = plan.plan(cluster, policy, NOW)
    assert several.score_after == (0, 0, 0, 0, 0) < once.score_after
    assert check.problems(cluster, policy, several) == ()
    assert several == plan.plan(cluster, policy, NOW)


def test_rounds_end_once_nothing_is_left_or_none_is_better(monkeypatch):
    monkeypatch.setattr(anytime, "PATIENCE", 3)
    asked = []
    monkeypatch.setattr(whim, "of_round", lambda number, seed: asked.append(number) or whim.NONE)
    stuck = builders.cluster(hosts=[Host(name="c1", memory_health=2)], vms=[Vm(name="a", host="c1")])
    assert len(list(anytime.plans(stuck, Policy(), NOW, lambda: 0.0))) == 1
    assert asked == [1, 2, 3]
    asked.clear()
    healthy = builders.cluster(hosts=[Host(name="c1")], vms=[Vm(name="a", host="c1")])
    assert len(list(anytime.plans(healthy, Policy(), NOW, lambda: 0.0))) == 1
    assert asked == []


def test_the_first_round_has_no_whim_and_each_after_the_sober_ones_its_own():
    costs = np.linspace(1.0, 2.0, 8)
    assert whim.of_round(0).costs(costs) is costs
    assert whim.of_round(0).rank(3, 6) == 3
    first, again, other = (whim.of_round(number).costs(costs) for number in (3, 3, 4))
    assert first.tolist() == again.tolist() != other.tolist()
    assert (first > 0).all()


def test_another_seed_is_another_whim_and_none_differs_in_the_first_round():
    costs = np.linspace(1.0, 2.0, 8)
    of_seeds = [whim.of_round(3, seed).costs(costs).tolist() for seed in (0, 0, 1, 2)]
    assert of_seeds[0] == of_seeds[1]
    assert len({tuple(each) for each in of_seeds}) == 3
    assert len({whim.of_round(1, seed).seed for seed in range(5)} - {None}) in {0, 5}
    assert whim.of_round(0, 7) is whim.NONE


def test_a_round_whose_plan_fails_its_check_costs_only_itself(monkeypatch):
    cluster = small_instances.cluster(8)
    once = plan.plan(cluster, small_instances.POLICY, NOW)
    verdicts = itertools.chain([()], itertools.repeat(("it breaks something",)))
    monkeypatch.setattr(check, "problems", lambda *_: next(verdicts))
    found = plan.plan(cluster, replace(small_instances.POLICY, search_rounds=3), NOW)
    assert found.moves == once.moves
    assert found.sentence.startswith(f"{once.sentence} A plan of another round was left out: ")
    assert "it breaks something" in found.sentence


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.RECOMMEND, Mode.APPROVE])
def test_what_a_person_approves_or_nobody_carries_out_is_of_one_search(mode):
    cluster = small_instances.cluster(8)
    policy = replace(small_instances.POLICY, mode=mode, search_rounds=8)
    assert plan.plan(cluster, policy, NOW).moves == plan.plan(cluster, small_instances.POLICY, NOW).moves


@pytest.mark.parametrize("at", [3, 4])
def test_what_only_evens_more_out_must_pay_for_what_it_copies_more(at):
    """Where evenness stands fourth in the objective, and where it stands last."""
    order = [concern for concern in Concern if concern is not Concern.UNEVEN]
    order.insert(at, Concern.UNEVEN)
    policy = replace(small_instances.POLICY, limits=Limits(gain_per_gib=0.001), objective=tuple(order))
    made = plan.plan(small_instances.cluster(8), policy, NOW)

    def left(uneven: float, hot: float = 0.0) -> tuple[float, ...]:
        levels = {Concern.UNEVEN: uneven, Concern.HOT: hot}
        return tuple(levels.get(concern, 0.0) for concern in order)

    best = replace(made, score_after=left(0.5), moves=made.moves[:-1])
    gib = made.moves[-1].copy_bytes / 2**30
    pays = replace(made, score_after=left(0.5 - 0.0011 * gib))
    vain = replace(made, score_after=left(0.5 - 0.0009 * gib))
    assert plan.earns(pays, best, policy) and not plan.earns(vain, best, policy)
    assert plan.earns(replace(vain, score_after=left(0.9, hot=-0.1)), best, policy), "what is hot comes first"
    assert not plan.earns(best, best, policy)


def test_a_search_that_was_cut_short_and_made_again_is_not_said_to_be(monkeypatch):
    cluster = small_instances.cluster(3)
    shares = iter([0.3, 0.4, *[0.5] * 100_000])
    *_, last = anytime.plans(cluster, small_instances.POLICY, NOW, lambda: next(shares), rounds=2)
    assert "stopped before its end" not in last.sentence

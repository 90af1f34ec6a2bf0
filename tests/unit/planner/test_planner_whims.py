"""Rounds that prefer otherwise by chance mend what one search left, and nothing that a rule forbids."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.parts import small_instances
from controller.model.policy import Policy
from controller.planner import anytime, check, plan, whim
from tests import builders
from tests.builders import NOW, Host, Vm


@pytest.mark.parametrize("seed", [8, 50])
def test_what_one_search_leaves_hot_or_uneven_another_mends(seed):
    cluster = small_instances.cluster(seed)
    once = plan.plan(cluster, small_instances.POLICY, NOW)
    policy = replace(small_instances.POLICY, search_rounds=4)
    several = plan.plan(cluster, policy, NOW)
    assert several.score_after == (0, 0, 0) < once.score_after
    assert check.problems(cluster, policy, several) == ()
    assert several == plan.plan(cluster, policy, NOW)


def test_rounds_end_once_nothing_is_left_or_none_is_better(monkeypatch):
    monkeypatch.setattr(anytime, "PATIENCE", 3)
    asked = []
    monkeypatch.setattr(whim, "of_round", lambda number: asked.append(number) or whim.NONE)
    stuck = builders.cluster(hosts=[Host(name="c1", memory_health=2)], vms=[Vm(name="a", host="c1")])
    assert len(list(anytime.plans(stuck, Policy(), NOW, lambda: 0.0))) == 1
    assert asked == [1, 2, 3]
    asked.clear()
    healthy = builders.cluster(hosts=[Host(name="c1")], vms=[Vm(name="a", host="c1")])
    assert len(list(anytime.plans(healthy, Policy(), NOW, lambda: 0.0))) == 1
    assert asked == []


def test_the_first_round_has_no_whim_and_each_other_its_own():
    costs = np.linspace(1.0, 2.0, 8)
    assert whim.of_round(0).costs(costs) is costs
    assert whim.of_round(0).rank(3, 6) == 3
    first, again, other = (whim.of_round(number).costs(costs) for number in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()
    assert (first > 0).all()

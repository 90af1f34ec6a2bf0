"""What counts more than what is policy's to say: in scores, in which moves come first, and in what is given up."""

from dataclasses import replace
from itertools import permutations

import pytest

from controller.model.plan import WRONG, Concern
from controller.model.policy import Consolidation, Limits, Mode, Policy, objective_flaw
from controller.planner import check, plan
from tests import builders
from tests.builders import NOW, Host, Vm
from tests.fakes.freeable import FREES_FIRST

BROKEN, HOT, DRAIN, UNEVEN, FREED = Concern


def troubled(free: int = 1):
    """A host that fails, one that is hot and one that drains, each with a VM; the copies take 8, 32 and 16 parts."""
    return builders.cluster(
        hosts=[
            Host(name="failing", memory_health=2),
            Host(name="hot", cpu=0.9),
            Host(name="draining", draining=True),
            *[Host(name=f"free{n}") for n in range(free)],
        ],
        vms=[
            Vm(name="a", host="failing", cpu=1.0, memory_gib=8),
            Vm(name="b", host="hot", vcpus=8, cpu=8.0, memory_gib=32),
            Vm(name="c", host="draining", cpu=1.0, memory_gib=16),
        ],
    )


def test_unless_policy_says_otherwise_what_is_hot_comes_before_a_drain():
    policy = Policy(mode=Mode.AUTO, balance=False)
    made = plan.plan(troubled(), policy, NOW)
    assert made.objective == policy.objective == (BROKEN, HOT, DRAIN, UNEVEN, FREED)
    assert [move.breach for move in made.moves] == ["health:failing", "cpu:hot", "drain:draining"]
    assert [breach.concern for breach in made.breaches_before] == [BROKEN, HOT, DRAIN, UNEVEN]


@pytest.mark.parametrize("order", list(permutations(WRONG)))
def test_moves_of_a_plan_and_of_a_wave_come_in_policys_order(order):
    policy = Policy(
        mode=Mode.AUTO, balance=False, objective=(*order, UNEVEN, FREED), limits=Limits(per_system=8, per_agency=8)
    )
    for free, waves in ((1, 3), (3, 1)):
        made = plan.plan(troubled(free), policy, NOW)
        assert len(made.waves) == waves
        assert [move.concern for move in made.moves] == list(order)


@pytest.mark.parametrize("order", list(permutations(WRONG)))
def test_the_one_move_that_an_hour_has_left_is_for_what_policy_puts_first(order):
    policy = Policy(mode=Mode.AUTO, balance=False, objective=(*order, UNEVEN, FREED), limits=Limits(per_hour=1))
    made = plan.plan(troubled(), policy, NOW)
    assert [move.concern for move in made.moves] == [order[0]]
    before, after = made.score_before[0], made.score_after[0]
    assert before > after and made.score_before[1:3] == made.score_after[1:3]


def spread():
    """Three hosts of one rack alike: what leaves one of them makes another stand above the mean of those in use."""
    return builders.cluster(
        hosts=[Host(name=name, cpu=0.3, watts=300.0, memory_used_gib=20.0) for name in ("c1", "c2", "c3")],
        vms=[Vm(name=f"v{n}", host=f"c{n}", vcpus=16, cpu=16.0, memory_gib=8) for n in (1, 2, 3)],
    )


def test_hosts_are_freed_at_the_cost_of_evenness_only_where_policy_puts_that_first():
    frees = Consolidation(enabled=True, spare_hosts=0, watts_per_gib=0.0)
    thresholds = replace(Policy().thresholds, uneven_ratio=0.05)
    usual = Policy(mode=Mode.AUTO, consolidation=frees, thresholds=thresholds)
    assert plan.plan(spread(), usual, NOW).frees == ()
    first = plan.plan(spread(), replace(usual, objective=FREES_FIRST), NOW)
    assert len(first.frees) == 1
    assert first.score_after[4] > first.score_before[4], "what is left is uneven"
    assert check.problems(spread(), replace(usual, objective=FREES_FIRST), first) == ()


def test_a_plan_made_under_another_order_does_not_pass():
    made = plan.plan(troubled(), Policy(), NOW)
    assert "its objective is not policy's" in check.problems(troubled(), Policy(objective=FREES_FIRST), made)


@pytest.mark.parametrize(
    ("order", "flaw"),
    [
        ((BROKEN, HOT), "must name each of broken, hot, drain, uneven, consolidation once"),
        ((BROKEN, BROKEN, HOT, DRAIN, UNEVEN), "once"),
        ((BROKEN, HOT, UNEVEN, DRAIN, FREED), "must begin with broken, hot, drain, in any order"),
        ((DRAIN, HOT, BROKEN, FREED, UNEVEN), ""),
    ],
)
def test_nothing_that_is_wrong_may_be_put_behind_what_could_be_better(order, flaw):
    told = objective_flaw(order)
    assert flaw in told and bool(flaw) == bool(told)

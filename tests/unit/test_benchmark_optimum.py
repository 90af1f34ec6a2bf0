"""The solver's problem is the planner's objective, on any placement that the problem allows."""

from random import Random

import pytest

from benchmarks import optimum
from benchmarks.parts import optimum_problem, small_instances
from benchmarks.parts.optimum_problem import BROKEN, HOT
from controller.planner import score, situation
from controller.planner.situation import Situation
from tests import builders
from tests.builders import NOW, Host, Vm


@pytest.mark.parametrize("seed", range(12))
def test_a_placement_costs_what_the_planner_scores_it(seed: int) -> None:
    facts, dice = situated(seed), Random(seed)
    problem = optimum_problem.of_situation(facts)
    placement = [dice.choice([hosts[0], *hosts]) for hosts in problem["allowed"]]
    optimum.assert_same(optimum_problem.costs(problem, placement), score.of_load(optimum.moved(facts, placement)))


def test_our_plan_is_one_of_the_placements_allowed() -> None:
    instance = optimum.planned(5, 1)
    allowed = instance.problem["allowed"]
    assert instance.moves > 0
    assert all(host in hosts for host, hosts in zip(instance.problem["placement"], allowed, strict=True))


def test_a_host_over_its_memory_costs_what_is_over() -> None:
    vms = [Vm(name=name, host="h1", memory_gib=48.0) for name in "ab"]
    cluster = builders.cluster(hosts=[Host(name="h1", memory_gib=64.0), Host(name="h2", memory_gib=64.0)], vms=vms)
    problem = optimum_problem.of_situation(situation.of_cluster(cluster, small_instances.POLICY, NOW))
    assert optimum_problem.costs(problem, [0, 0])[BROKEN] == pytest.approx(optimum_problem.SCALE / 2)
    assert optimum_problem.costs(problem, [0, 1])[BROKEN] == 0


def test_a_locked_vm_has_its_host_alone() -> None:
    cluster = builders.cluster(hosts=[Host(name="h1"), Host(name="h2")], vms=[Vm(name="a", host="h2", locked=True)])
    problem = optimum_problem.of_situation(situation.of_cluster(cluster, small_instances.POLICY, NOW))
    assert problem["allowed"] == [[1]]


def test_the_generator_makes_every_kind_of_trouble() -> None:
    starts = [
        score.of_load(optimum.moved(facts, facts.cluster.vms.host.tolist())) for facts in map(situated, range(12))
    ]
    assert sum(start[BROKEN] > 0 for start in starts) > 6
    assert sum(start[HOT] > 0 for start in starts) > 3


def test_a_gap_is_a_share_of_the_start_and_infinite_where_that_was_nothing() -> None:
    assert gap(start=2.0, ours=1.0, best=0.5).ratio == 0.25
    assert gap(start=0.0, ours=1.0, best=0.5).ratio == float("inf")
    assert gap(start=0.0, ours=0.0, best=0.0).ratio == 0.0


def gap(*, start: float, ours: float, best: float) -> optimum.Gap:
    return optimum.Gap(seed=0, start=start, ours=ours, best=best, proven=True, seconds=0.0, reachable=None)


def situated(seed: int) -> Situation:
    return situation.of_cluster(small_instances.cluster(seed), small_instances.POLICY, NOW)

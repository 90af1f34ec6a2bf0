"""By what hosts are evened out is policy's to say: a weight for each resource, and only how they compare counts."""

from dataclasses import replace

import numpy as np
import pytest

from controller.model.policy import BalanceWeights, Policy, Thresholds
from controller.planner import check, explain, plan, score
from controller.planner.load import Load
from controller.planner.situation import of_cluster
from tests import builders
from tests.builders import NOW, Host, Vm

BY_MEMORY = Policy(balance_weights=BalanceWeights(cpu=0.0, memory=1.0))
BY_BOTH = Policy(balance_weights=BalanceWeights(cpu=1.0, memory=1.0))


def full_of_memory(other: Host | None = None):
    """One host with little CPU and much memory in use, and two that are idle."""
    return builders.cluster(
        hosts=[Host(name="c1", cpu=0.1, memory_used_gib=200.0), Host(name="c2", cpu=0.1, memory_used_gib=16.0),
               other or Host(name="c3", cpu=0.1, memory_used_gib=16.0)],
        vms=[Vm(name="a", host="c1", memory_gib=64, memory_used_gib=60.0, cpu=0.5),
             Vm(name="b", host="c1", memory_gib=64, memory_used_gib=60.0, cpu=0.5)],
    )  # fmt: skip


def unevenness(cluster, policy) -> list[float]:
    return score.unevenness(Load(of_cluster(cluster, policy, NOW))).tolist()


def test_memory_moves_nothing_where_cpu_alone_weighs():
    assert plan.plan(full_of_memory(), Policy(), NOW).moves == ()


def test_memory_is_evened_out_where_it_weighs_and_the_checker_reckons_the_same():
    cluster = full_of_memory()
    made = plan.plan(cluster, BY_MEMORY, NOW)
    assert [(move.breach, move.source) for move in made.moves] == [("uneven:c1", "c1")] * len(made.moves) != []
    assert check.problems(cluster, BY_MEMORY, made) == ()
    assert check.problems(cluster, Policy(), made), "by other weights it is another score"
    assert "has 78.1% in use by the weights of memory" in made.breaches_before[0].why
    answer = explain.explain(cluster, BY_MEMORY, made, "1")
    assert any(term.what == "memory of c1 beside its rack's mean" for term in answer.terms)


def test_unevenness_is_the_mean_of_shares_by_weight():
    mean = (200.0 + 16.0 + 16.0) / (3 * 256.0)
    assert unevenness(full_of_memory(), BY_MEMORY) == pytest.approx([200.0 / 256.0 - mean - 0.25, 0.0, 0.0])
    strict = replace(BY_BOTH, thresholds=Thresholds(uneven_ratio=0.1))
    assert unevenness(full_of_memory(), strict) == pytest.approx([0.5 * (200.0 / 256.0 - mean) - 0.1, 0.0, 0.0])


@pytest.mark.parametrize("times", [1e-6, 3.0, 1e9])
def test_only_how_weights_compare_counts(times):
    many = Policy(balance_weights=BalanceWeights(cpu=times, memory=2 * times))
    few = Policy(balance_weights=BalanceWeights(cpu=1.0, memory=2.0))
    assert unevenness(full_of_memory(), many) == pytest.approx(unevenness(full_of_memory(), few))


def test_a_host_that_a_weighed_resource_is_not_read_of_is_neither_even_nor_uneven():
    unread = full_of_memory(Host(name="c3", cpu=0.1, memory_used_gib=None))
    load = Load(of_cluster(unread, BY_MEMORY, NOW))
    assert load.in_mean.tolist() == [True, True, False]
    assert load.rack_busy[0] == pytest.approx(64 * (200.0 + 16.0) / 256.0)
    assert Load(of_cluster(unread, Policy(), NOW)).in_mean.all()


def test_a_move_there_and_back_leaves_the_racks_as_they_were():
    load = Load(of_cluster(full_of_memory(Host(name="c3", memory_gib=128.0, memory_used_gib=8.0)), BY_BOTH, NOW))
    before = load.rack_busy.copy()
    load.move(0, 2)
    assert load.rack_busy[0] == pytest.approx(before[0] + 0.5 * 64 * 60.0 * (1 / 128.0 - 1 / 256.0))
    load.move(0, 0)
    assert np.allclose(load.rack_busy, before, equal_nan=True)

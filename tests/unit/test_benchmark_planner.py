"""The planner's benchmark keeps up with the snapshot that it builds, and its claims hold on a small size."""

import pytest

from benchmarks import planner
from benchmarks.parts import fewest_moves, judge, perturbed
from controller.planner import plan, situation
from controller.planner.load import Load
from tests import builders
from tests.builders import Host, Vm


def test_a_perturbed_estate_is_planned_until_nothing_is_over_a_limit() -> None:
    cluster = perturbed.perturbed(40, 760, seed=1)
    made = plan.plan(cluster, perturbed.POLICY, perturbed.NOW)
    assert judge.over_any_limit(made.breaches_before) >= 16
    assert judge.over_any_limit(made.breaches_after) == 0
    least = fewest_moves.fewest(Load(situation.of_cluster(cluster, perturbed.POLICY, perturbed.NOW)))
    assert 16 <= least <= len(made.moves)


@pytest.mark.parametrize(("sizes", "fewest"), [((30, 30, 30), 1), ((10, 10, 10, 60), 1), ((18, 18, 18, 18, 18), 2)])
def test_the_fewest_moves_are_of_the_largest_vms(sizes: tuple[int, ...], fewest: int) -> None:
    """A host of 64 GiB that has 90 placed on it must lose 26."""
    vms = [Vm(name=f"v{n}", host="full", memory_gib=float(size), memory_used_gib=1.0) for n, size in enumerate(sizes)]
    hosts = [Host(name="full", memory_gib=64), Host(name="empty", memory_gib=640)]
    facts = situation.of_cluster(builders.cluster(hosts=hosts, vms=vms), perturbed.POLICY, builders.NOW)
    assert fewest_moves.fewest(Load(facts)) == fewest


def test_growth_is_the_exponent_between_two_sizes() -> None:
    told = {planner.SMALL: {"cpu_s": 2.0}, planner.LARGE: {"cpu_s": 10.0}}
    assert planner.growth(told) == pytest.approx(1.0)

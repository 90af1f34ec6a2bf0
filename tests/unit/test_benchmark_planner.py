"""The planner's benchmark keeps up with the snapshot that it builds, and its claim holds on a small size."""

from benchmarks import planner


def test_a_perturbed_estate_is_planned_until_nothing_is_over_a_limit() -> None:
    _, made = planner.measured(planner.perturbed(40, 760, seed=1))
    assert planner.over_any_limit(made.breaches_before) >= 16
    assert planner.over_any_limit(made.breaches_after) == 0

import numpy as np

from controller.engine.readings import Column, Readings, merged, positions
from controller.model.sample import Batch, Kind, Quantity


def batch(
    names: str, values: list[float], at: list[float], source: str = "s", quantity: Quantity = Quantity.CPU_RATIO
) -> Batch:
    return Batch(
        kind=Kind.HOST,
        quantity=quantity,
        source=source,
        names=tuple(names.split()),
        values=np.array(values),
        at=np.array(at),
    )


def store(*batches: Batch, forget_before: float = 0.0) -> Readings:
    readings = Readings()
    for each in batches:
        readings = merged(readings, [(0, each)], forget_before=forget_before)
    return readings


def column(readings: Readings) -> Column:
    return readings.of(Kind.HOST, Quantity.CPU_RATIO)[0][1]


def shown(readings: Readings) -> dict[str, tuple[float, float]]:
    found = column(readings)
    return {n: (v, a) for n, v, a in zip(found.names, found.values.tolist(), found.at.tolist(), strict=True)}


def test_the_newest_answer_of_each_thing_stands_and_the_others_age() -> None:
    readings = store(batch("a b", [0.1, 0.2], [1, 1]), batch("b c", [0.3, 0.4], [2, 2]))
    assert shown(readings) == {"a": (0.1, 1), "b": (0.3, 2), "c": (0.4, 2)}


def test_the_reading_before_is_kept_and_an_answer_told_twice_is_one() -> None:
    first, second = batch("a", [0.1], [1]), batch("a", [0.5], [2])
    found = column(store(first, second, second))
    assert (found.before_values[0], found.before_at[0]) == (0.1, 1)


def test_a_clock_that_ran_ahead_does_not_shadow_what_follows() -> None:
    assert shown(store(batch("a", [0.9], [9999]), batch("a", [0.2], [10]))) == {"a": (0.2, 10)}


def test_what_nobody_reads_any_more_is_forgotten() -> None:
    readings = store(batch("a b", [0.1, 0.2], [1, 50]), batch("c", [0.3], [60]), forget_before=40)
    assert set(shown(readings)) == {"b", "c"}
    assert merged(readings, [], forget_before=100).columns == {}


def test_a_state_that_was_not_well_is_kept_until_it_is_well_again() -> None:
    def health(names: str, values: list[float], at: list[float]) -> Batch:
        return batch(names, values, at, quantity=Quantity.PSU_HEALTH)

    def of(readings: Readings) -> dict[str, float]:
        found = readings.of(Kind.HOST, Quantity.PSU_HEALTH)[0][1]
        return dict(zip(found.names, found.values.tolist(), strict=True))

    readings = store(health("a b c", [2.0, 0.0, 7.0], [1, 1, 1]), health("d", [0.0], [60]), forget_before=40)
    assert of(readings) == {"a": 2.0, "c": 7.0, "d": 0.0}
    readings = merged(readings, [], forget_before=1e9)
    assert of(readings)["a"] == 2.0
    assert of(merged(readings, [(0, health("a c", [0.0, 0.0], [2e9, 2e9]))], forget_before=1e9)) == {"a": 0.0, "c": 0.0}


def test_of_a_name_told_twice_in_one_answer_the_newest_counts() -> None:
    assert shown(store(batch("a b a", [0.1, 0.2, 0.3], [5, 5, 4]))) == {"a": (0.1, 5), "b": (0.2, 5)}


def test_sources_stand_side_by_side_in_the_configured_order() -> None:
    readings = merged(
        Readings(),
        [(1, batch("a", [0.1], [1], "alpha")), (0, batch("a", [0.2], [1], "zeta"))],
        forget_before=0,
    )
    assert [source for source, _ in readings.of(Kind.HOST, Quantity.CPU_RATIO)] == ["zeta", "alpha"]
    assert readings.sources == ("alpha", "zeta")


def test_positions_are_found_in_any_order() -> None:
    assert positions(("a", "b", "c"), ("c", "x", "a")).tolist() == [2, -1, 0]


def test_of_a_state_told_twice_in_one_answer_the_worst_counts() -> None:
    told = batch("a a b b", [1.0, 0.0, 0.0, 0.0], [3, 5, 4, 6], quantity=Quantity.ON_BATTERY)
    found = store(told).of(Kind.HOST, Quantity.ON_BATTERY)[0][1]
    assert (found.names, found.values.tolist(), found.at.tolist()) == (("a", "b"), [1.0, 0.0], [3.0, 6.0])

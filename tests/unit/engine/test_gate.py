from datetime import timedelta

import numpy as np
import pytest

from controller.engine.gate import Gate
from controller.engine.readings import Readings, merged
from controller.model.cluster import Reading
from controller.model.policy import TrustPolicy
from controller.model.sample import Batch, Kind, Quantity, Trust

NOW = 1_000_000.0


def said(
    source: str, *readings: tuple[str, float, float], quantity: Quantity = Quantity.CPU_RATIO, ago: float = 0.0
) -> Batch:
    """`readings`: name, value and age in seconds."""
    return Batch(
        kind=Kind.HOST,
        quantity=quantity,
        source=source,
        names=tuple(name for name, _, _ in readings),
        values=np.array([value for _, value, _ in readings]),
        at=np.array([NOW - age - ago for _, _, age in readings]),
    )


def judged(
    *batches: Batch,
    names: str = "a",
    quantity: Quantity = Quantity.CPU_RATIO,
    policy: TrustPolicy | None = None,
    low: float = -np.inf,
    high: float = np.inf,
    not_before: float = -np.inf,
) -> Reading:
    readings = Readings()
    ranks = {batch.source: rank for rank, batch in enumerate(batches)}
    for batch in batches:
        readings = merged(readings, [(ranks[batch.source], batch)], forget_before=0.0)
    gate = Gate(readings=readings, sources=readings.sources, policy=policy or TrustPolicy(), now=NOW)
    return gate.reading(Kind.HOST, quantity, tuple(names.split()), low=low, high=high, not_before=not_before)


def test_a_reading_of_now_is_fresh_with_its_time_and_source() -> None:
    found = judged(said("snmp", ("a", 0.5, 10)))
    assert (found.values[0], found.at[0], found.source[0], found.trust[0]) == (0.5, NOW - 10, 0, Trust.FRESH)


def test_what_nobody_read_is_absent_and_no_number() -> None:
    found = judged(said("snmp", ("a", 0.5, 10)), names="a b")
    assert found.trust.tolist() == [Trust.FRESH, Trust.ABSENT]
    assert np.isnan(found.values[1]) and np.isnan(found.at[1]) and found.source[1] == -1


def test_without_any_source_all_is_absent() -> None:
    assert judged(names="a b").trust.tolist() == [Trust.ABSENT] * 2


def test_a_quantity_grows_stale_at_its_own_age() -> None:
    policy = TrustPolicy(max_age={Quantity.CPU_RATIO: timedelta(seconds=20)})
    assert judged(said("s", ("a", 0.5, 20)), policy=policy).trust[0] == Trust.FRESH
    assert judged(said("s", ("a", 0.5, 21)), policy=policy).trust[0] == Trust.STALE
    assert judged(said("s", ("a", 0.5, 21))).trust[0] == Trust.FRESH
    assert judged(said("s", ("a", 0.5, 91))).trust[0] == Trust.STALE


def test_a_reading_from_the_future_is_implausible() -> None:
    assert judged(said("s", ("a", 0.5, -5))).trust[0] == Trust.FRESH
    assert judged(said("s", ("a", 0.5, -6))).trust[0] == Trust.IMPLAUSIBLE


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.01, 1.03])
def test_what_cannot_be_is_implausible(value: float) -> None:
    found = judged(said("s", ("a", value, 1)))
    assert found.trust[0] == Trust.IMPLAUSIBLE
    assert not np.isinf(found.values[0])


@pytest.mark.parametrize("at", [np.nan, np.inf, -np.inf])
def test_a_reading_without_a_time_is_never_fresh(at: float) -> None:
    assert judged(said("s", ("a", 0.5, at))).trust[0] == Trust.IMPLAUSIBLE


@pytest.mark.parametrize("celsius", [-99.0, 0.0, 250.0])
def test_the_lies_that_sensors_are_known_to_tell_are_implausible(celsius: float) -> None:
    inlet = Quantity.INLET_CELSIUS
    assert judged(said("s", ("a", celsius, 1), quantity=inlet), quantity=inlet).trust[0] == Trust.IMPLAUSIBLE


def test_a_state_is_a_whole_number() -> None:
    health = Quantity.MEMORY_HEALTH
    assert judged(said("s", ("a", 1.5, 1), quantity=health), quantity=health).trust[0] == Trust.IMPLAUSIBLE


def test_bounds_of_the_thing_itself_count() -> None:
    watts = Quantity.POWER_WATTS
    for value, verdict in ((59.0, Trust.IMPLAUSIBLE), (60.0, Trust.FRESH), (690.0, Trust.IMPLAUSIBLE)):
        found = judged(said("s", ("a", value, 1), quantity=watts), quantity=watts, low=60.0, high=680.0)
        assert found.trust[0] == verdict
    assert judged(said("s", ("a", 5.0, 1), quantity=watts), quantity=watts, low=np.nan).trust[0] == Trust.FRESH


def test_a_reading_from_before_a_move_settled_is_stale() -> None:
    assert judged(said("s", ("a", 0.5, 10)), not_before=NOW - 5).trust[0] == Trust.STALE
    assert judged(said("s", ("a", 0.5, 10)), not_before=NOW - 10).trust[0] == Trust.FRESH


def inlets(*celsius: float) -> Trust:
    """One sensor's values, 30 s apart, the last one now."""
    last = len(celsius) - 1
    batches = [
        said("s", ("a", value, 30.0 * (last - n)), quantity=Quantity.INLET_CELSIUS) for n, value in enumerate(celsius)
    ]
    return Trust(int(judged(*batches, quantity=Quantity.INLET_CELSIUS).trust[0]))


def test_a_jump_that_no_room_makes_is_believed_when_it_is_confirmed() -> None:
    assert inlets(22.0, 40.0) is Trust.FRESH
    assert inlets(22.0, 43.0) is Trust.IMPLAUSIBLE
    assert inlets(22.0, 43.0, 43.5) is Trust.FRESH
    assert inlets(250.0, 22.0) is Trust.FRESH


def test_the_preferred_source_counts_while_both_agree() -> None:
    found = judged(said("z-first", ("a", 0.50, 1)), said("a-second", ("a", 0.55, 1)))
    assert (found.values[0], found.source[0], found.trust[0]) == (0.50, 1, Trust.FRESH)


def test_the_second_source_counts_where_the_first_is_not_fresh() -> None:
    found = judged(said("first", ("a", 0.5, 500)), said("second", ("a", 0.9, 1)))
    assert (found.values[0], found.trust[0]) == (0.9, Trust.FRESH)
    found = judged(said("first", ("a", np.nan, 1)), said("second", ("a", 0.9, 1)))
    assert (found.values[0], found.trust[0]) == (0.9, Trust.FRESH)


def test_two_fresh_sources_at_odds_make_the_reading_implausible() -> None:
    found = judged(said("first", ("a", 0.2, 1), ("b", 0.2, 1)), said("second", ("a", 0.9, 1)), names="a b")
    assert found.trust.tolist() == [Trust.IMPLAUSIBLE, Trust.FRESH]


@pytest.mark.parametrize("order", [(0.0, 2.0), (2.0, 0.0)])
def test_of_two_states_the_worse_counts(order: tuple[float, float]) -> None:
    health = Quantity.MEMORY_HEALTH
    batches = [said(f"s{n}", ("a", value, 1), quantity=health) for n, value in enumerate(order)]
    found = judged(*batches, quantity=health)
    assert (found.values[0], found.trust[0]) == (2.0, Trust.FRESH)


def test_a_stale_failure_does_not_outweigh_a_fresh_state() -> None:
    health = Quantity.MEMORY_HEALTH
    found = judged(
        said("s0", ("a", 2.0, 500), quantity=health), said("s1", ("a", 0.0, 1), quantity=health), quantity=health
    )
    assert (found.values[0], found.trust[0]) == (0.0, Trust.FRESH)

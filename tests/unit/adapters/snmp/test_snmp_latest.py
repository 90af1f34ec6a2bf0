"""What a device last said, what of it stands when it says nothing new, and what two say of one feed."""

from controller.adapters.snmp.device import Polled
from controller.adapters.snmp.findings import Reading
from controller.adapters.snmp.latest import Latest
from controller.model.sample import Kind, Quantity


def polled(at: float, *values: tuple[str, float], answered: bool = True, unchanged: tuple[str, ...] = ()) -> Polled:
    found = (
        Reading(kind=Kind.PORT, quantity=Quantity.UPLINK_IN_BYTES_S, name=name, value=value) for name, value in values
    )
    return Polled(at=at, answered=answered, readings=tuple(found), faults=(), unchanged=frozenset(unchanged))


def told(latest: Latest) -> dict[str, tuple[float, float]]:
    return {
        name: (value, at)
        for batch in latest.batches()
        for name, value, at in zip(batch.names, batch.values.tolist(), batch.at.tolist(), strict=True)
    }


def test_what_an_answer_no_longer_says_is_gone_and_what_is_unchanged_keeps_its_own_time() -> None:
    latest = Latest()
    latest.put("sw", polled(100.0, ("sw/1", 5.0), ("sw/2", 6.0), ("sw/3", 7.0)))
    latest.put("sw", polled(103.0, ("sw/1", 8.0), unchanged=("sw/2",)))
    assert told(latest) == {"sw/1": (8.0, 103.0), "sw/2": (6.0, 100.0)}


def test_a_failed_poll_leaves_all_as_it_was() -> None:
    latest = Latest()
    latest.put("sw", polled(100.0, ("sw/1", 5.0)))
    latest.put("sw", polled(130.0, answered=False))
    assert told(latest) == {"sw/1": (5.0, 100.0)}


def ups(at: float, watts: float, minutes: float) -> Polled:
    values = ((Quantity.POWER_WATTS, watts), (Quantity.BATTERY_MINUTES, minutes))
    found = (Reading(kind=Kind.FEED, quantity=quantity, name="A", value=value) for quantity, value in values)
    return Polled(at=at, answered=True, readings=tuple(found), faults=())


def of_feed(latest: Latest) -> dict[Quantity, list[tuple[float, float]]]:
    return {
        batch.quantity: list(zip(batch.values.tolist(), batch.at.tolist(), strict=True)) for batch in latest.batches()
    }


def test_a_feed_of_two_upses_draws_what_both_tell_and_lasts_as_long_as_the_first_that_ends() -> None:
    latest = Latest({"A": 2})
    latest.put("ups:1", ups(100.0, 400.0, 12.0))
    assert of_feed(latest) == {Quantity.BATTERY_MINUTES: [(12.0, 100.0)]}, "half of a load is no load"
    latest.put("ups:2", ups(90.0, 500.0, 30.0))
    assert of_feed(latest) == {Quantity.POWER_WATTS: [(900.0, 90.0)], Quantity.BATTERY_MINUTES: [(12.0, 100.0)]}

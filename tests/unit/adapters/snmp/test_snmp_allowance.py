"""Token buckets: what has been spent comes back with time, and one source's thirst leaves the others their share."""

from controller.adapters.snmp import allowance
from controller.adapters.snmp.allowance import Allowance, Bucket


def admitted(of: Allowance, source: str, now: float, size: int = 100, tries: int = 1000) -> int:
    return sum(of.admits(source, size, now) for _ in range(tries))


def test_a_bucket_is_refilled_with_time_and_never_above_its_burst() -> None:
    bucket = Bucket(rate=2.0, burst=3.0)
    assert bucket.holds(3, 1000.0) and not bucket.holds(4, 1000.0)
    bucket.spend(3)
    assert not bucket.holds(1, 1000.4)
    assert bucket.holds(1, 1000.5)
    assert bucket.holds(3, 9999.0) and not bucket.holds(3.5, 9999.0)


def test_one_source_has_its_burst_and_then_its_rate() -> None:
    of = Allowance(["a", "b"])
    assert admitted(of, "a", 1000.0) == allowance.EACH_AT_ONCE
    assert admitted(of, "a", 1001.0) == allowance.EACH_A_SECOND
    assert admitted(of, "b", 1001.0) == allowance.EACH_AT_ONCE


def test_all_sources_together_have_theirs() -> None:
    names = [f"s{n}" for n in range(20)]
    of = Allowance(names)
    assert sum(admitted(of, name, 1000.0) for name in names) == allowance.ALL_AT_ONCE
    assert sum(admitted(of, name, 1001.0) for name in names) == allowance.ALL_A_SECOND


def test_a_long_datagram_costs_more_and_the_longest_still_passes() -> None:
    of = Allowance(["a"])
    assert of.admits("a", allowance.LARGEST, 1000.0)
    assert admitted(of, "a", 1000.0, allowance.BYTES_A_TOKEN + 1) == 4

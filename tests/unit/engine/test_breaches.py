from datetime import UTC, datetime, timedelta

from controller.engine.breaches import Spells, looked

START = datetime(2026, 11, 21, tzinfo=UTC)
TURN = timedelta(seconds=30)
GAP = timedelta(seconds=90)


def after(*looks: set[str], turn: timedelta = TURN) -> Spells:
    spells = Spells()
    for n, keys in enumerate(looks):
        spells = looked(spells, keys, START + n * turn, longest_gap=GAP)
    return spells


def test_a_breach_that_stays_keeps_its_beginning() -> None:
    assert after({"cpu:a"}, {"cpu:a"}, {"cpu:a", "cpu:b"}).since() == {
        "cpu:a": START.timestamp(),
        "cpu:b": (START + 2 * TURN).timestamp(),
    }


def test_a_breach_missed_once_goes_on_when_it_is_back() -> None:
    assert after({"cpu:a"}, set(), {"cpu:a"}).since() == {"cpu:a": START.timestamp()}


def test_a_breach_missed_twice_is_over() -> None:
    assert after({"cpu:a"}, set(), set(), {"cpu:a"}).since() == {"cpu:a": (START + 3 * TURN).timestamp()}


def test_a_breach_that_is_away_does_not_hold_now() -> None:
    assert after({"cpu:a"}, set()).since() == {}


def test_looks_too_far_apart_prove_nothing() -> None:
    turn = timedelta(minutes=2)
    assert after({"cpu:a"}, {"cpu:a"}, turn=turn).since() == {"cpu:a": (START + turn).timestamp()}


def test_a_clock_that_went_back_lets_no_breach_wait_until_it_has_caught_up() -> None:
    spells, back = after({"cpu:a"}, {"cpu:a"}), START - timedelta(hours=1)
    spells = looked(spells, {"cpu:a"}, back, longest_gap=GAP)
    spells = looked(spells, {"cpu:a"}, back + TURN, longest_gap=GAP)
    assert spells.since() == {"cpu:a": back.timestamp()}

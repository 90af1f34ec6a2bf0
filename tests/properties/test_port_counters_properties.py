"""Whatever becomes of a port, its agent and the polls: a rate is what truly passed a second, or there is none."""

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.adapters.snmp.counters import (
    COUNTER_WRAP,
    LEAST_S,
    MARGIN,
    MOST_S,
    Counters,
    Look,
    NoRate,
    Rates,
    rates,
)
from controller.adapters.snmp.failure import Reason
from controller.adapters.snmp.uptime import UPTIME_WRAP, WRAP_MARGIN, ticks_between

ROW = (149,)
SPEED = 1.25e9
"""Of a port of 10 Gbit/s, in bytes/s."""

octets = st.integers(0, COUNTER_WRAP - 1) | st.integers(COUNTER_WRAP - 10**10, COUNTER_WRAP - 1) | st.integers(0, 10**9)
uptimes = st.integers(0, UPTIME_WRAP - 1) | st.integers(UPTIME_WRAP - 3000, UPTIME_WRAP - 1) | st.integers(0, 3000)


@dataclass
class Port:
    """A port as it truly is: octets since the last look that a rate may begin at, and the agent that counts them."""

    ticks: int
    received: int
    sent: int
    discontinuity: int = 0
    broken: bool = True
    booted: bool = False
    looked_at: int = 0
    centiseconds: int = 0
    in_octets: int = 0
    out_octets: int = 0

    def run(self, centiseconds: int, in_share: float, out_share: float) -> None:
        """So much time at these shares of its speed."""
        into, out = (int(share * SPEED * centiseconds / 100) for share in (in_share, out_share))
        self.ticks = (self.ticks + centiseconds) % UPTIME_WRAP
        self.received = (self.received + into) % COUNTER_WRAP
        self.sent = (self.sent + out) % COUNTER_WRAP
        self.centiseconds += centiseconds
        self.in_octets += into
        self.out_octets += out

    def restart(self) -> None:
        """The switch boots: everything from zero."""
        self.ticks = self.received = self.sent = self.discontinuity = 0
        self.broken = self.booted = True

    def renew(self) -> None:
        """The counters alone begin anew, and the switch says so."""
        if self.discontinuity != self.ticks:
            self.received = self.sent = 0
            self.discontinuity = self.ticks
            self.broken = True

    def look(self) -> Look:
        return Look(
            row=ROW, ticks=self.ticks, received=self.received, sent=self.sent, discontinuity=self.discontinuity,
            speed=SPEED,
        )  # fmt: skip

    @property
    def hidden(self) -> bool:
        """It booted after the last look and its clock cannot tell: it has run longer since, or was about to wrap."""
        return self.booted and ticks_between(self.looked_at, self.ticks) is not None and self.discontinuity == 0

    def begin(self) -> None:
        self.looked_at = self.ticks
        self.broken, self.booted, self.centiseconds, self.in_octets, self.out_octets = False, False, 0, 0, 0


shares = st.floats(0.0, 1.0)
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.integers(0, 40_000), shares, shares),
        st.sampled_from([("poll",), ("poll",), ("restart",), ("renew",)]),
    ),
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@given(ticks=uptimes, received=octets, sent=octets, happens=happenings)
def test_a_rate_is_what_passed_between_two_looks_that_nothing_came_between(
    ticks: int, received: int, sent: int, happens: list[tuple[str, ...]]
) -> None:
    port, counters, counted = Port(ticks=ticks, received=received, sent=sent), Counters(), False
    for kind, *amounts in happens:
        if kind == "run":
            port.run(*amounts)  # type: ignore[arg-type]
        elif kind == "restart" and port.ticks <= UPTIME_WRAP - WRAP_MARGIN:
            port.restart()
        elif kind == "renew":
            port.renew()
        elif kind == "poll":
            seconds = port.centiseconds / 100
            told = counters.rates("p", port.look())
            if port.hidden:
                assert not isinstance(told, Rates) or max(told.received, told.sent) <= MARGIN * SPEED
                return
            if isinstance(told, Rates):
                assert not port.broken and LEAST_S <= seconds <= MOST_S
                assert (told.received, told.sent) == (port.in_octets / seconds, port.out_octets / seconds)
            else:
                assert port.broken or not LEAST_S <= seconds <= MOST_S, told
            if told is not NoRate.TOO_SOON or not counted:
                port.begin()
                counted = True


looks = st.builds(
    Look, row=st.sampled_from([ROW, (120,)]), ticks=uptimes, received=octets, sent=octets,
    discontinuity=st.none() | st.integers(0, 3), speed=st.none() | st.floats(1e5, 1e11),
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(before=looks, now=looks)
def test_two_looks_at_anything_give_a_believable_rate_or_none(before: Look, now: Look) -> None:
    told = rates(before, now)
    if isinstance(told, Rates):
        speeds = [look.speed for look in (before, now) if look.speed is not None]
        assert (before.row, before.discontinuity) == (now.row, now.discontinuity)
        assert min(told.received, told.sent) >= 0.0
        if speeds:
            assert max(told.received, told.sent) <= MARGIN * max(speeds)
        else:
            assert now.received >= before.received and now.sent >= before.sent
    else:
        assert told in {NoRate.TOO_SOON, NoRate.TOO_LATE, Reason.COUNTER_RESET, Reason.IMPLAUSIBLE}


@given(before=uptimes, ticks=st.integers(0, WRAP_MARGIN))
def test_time_between_two_looks_is_that_of_the_agent_over_its_wrap_too(before: int, ticks: int) -> None:
    assert ticks_between(before, (before + ticks) % UPTIME_WRAP) == ticks or before + ticks < WRAP_MARGIN


def test_an_agent_that_began_anew_says_nothing_of_the_time_between() -> None:
    assert ticks_between(WRAP_MARGIN, 300) is None
    assert ticks_between(UPTIME_WRAP - 100, 300) == 400


FIRST = Look(row=ROW, ticks=100_000, received=10**12, sent=10**11, discontinuity=7, speed=SPEED)


def later(**changes: object) -> Look:
    """The look of 30 s later, 3 MB in and 6 MB out."""
    octets = {"received": 10**12 + 3 * 10**6, "sent": 10**11 + 6 * 10**6}
    return replace(FIRST, **{"ticks": 103_000, **octets, **changes})  # type: ignore[arg-type]


def test_a_first_look_is_no_rate_and_the_second_one_is() -> None:
    counters = Counters()
    assert counters.rates("p", FIRST) is NoRate.FIRST
    assert counters.rates("p", later()) == Rates(received=1e5, sent=2e5)
    counters.forget("p")
    assert counters.rates("p", later(ticks=106_000)) is NoRate.FIRST


def test_what_makes_a_counter_begin_anew_is_told() -> None:
    anew = (
        {"ticks": 300},
        {"discontinuity": 8},
        {"discontinuity": None},
        {"received": 5},
        {"sent": 0},
        {"row": (249,)},
    )
    for changes in anew:
        assert rates(FIRST, later(**changes)) is Reason.COUNTER_RESET, changes
    assert rates(FIRST, later(received=10**14)) is Reason.IMPLAUSIBLE


def test_an_agent_that_is_known_to_have_begun_anew_is_compared_with_nothing() -> None:
    counters = Counters()
    counters.rates("p", FIRST)
    counters.begin_anew()
    assert counters.rates("p", later()) is Reason.COUNTER_RESET
    assert isinstance(counters.rates("p", later(ticks=106_000)), Rates)


def test_a_look_too_soon_leaves_the_one_before_to_be_compared_with() -> None:
    counters = Counters()
    counters.rates("p", FIRST)
    assert counters.rates("p", later(ticks=101_500)) is NoRate.TOO_SOON
    assert counters.rates("p", later()) == Rates(received=1e5, sent=2e5)


def test_a_rate_of_an_hour_is_no_rate_of_now() -> None:
    counters = Counters()
    counters.rates("p", FIRST)
    assert counters.rates("p", later(ticks=460_000)) is NoRate.TOO_LATE
    assert counters.rates("p", later(ticks=463_000, sent=10**11 + 9 * 10**6)) == Rates(received=0.0, sent=1e5)


def test_where_no_speed_is_told_a_counter_that_fell_began_anew() -> None:
    nowhere = replace(FIRST, received=COUNTER_WRAP - 1, speed=None)
    assert rates(nowhere, later(received=3 * 10**6 - 1, speed=None)) is Reason.COUNTER_RESET
    assert rates(nowhere, later(received=3 * 10**6 - 1)) == Rates(received=1e5, sent=2e5), "it wrapped"

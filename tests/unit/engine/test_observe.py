import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import numpy as np
import pytest

from controller.engine.observe import Look, Observer
from controller.errors import InputError, TransientError
from controller.model.cloud import CloudFacts
from controller.model.sample import Batch, Fault, Kind, Quantity
from tests.fakes.clock import VirtualClock

DEADLINE = timedelta(seconds=20)


def batch(source: str, clock: VirtualClock) -> Batch:
    at = np.array([clock.now().timestamp()])
    return Batch(
        kind=Kind.HOST, quantity=Quantity.CPU_RATIO, source=source, names=("a",), values=np.array([0.5]), at=at
    )


class Source:
    """A collector that takes `seconds` to answer, or never ends and does not listen when it is cancelled."""

    def __init__(self, name: str, clock: VirtualClock, *, seconds: float = 0.0) -> None:
        self.name = name
        self.clock = clock
        self.seconds = seconds
        self.stubborn: asyncio.Event | None = None
        self.broken = False
        self.asked = 0
        self.running = False
        self.unable: Exception | None = None

    async def start(self) -> None:
        if self.unable:
            raise self.unable
        self.running = True

    async def stop(self) -> None:
        self.running = False

    async def collect(self, deadline: timedelta) -> tuple[Sequence[Batch], Sequence[Fault]]:
        self.asked += 1
        if self.broken:
            raise ZeroDivisionError
        if self.stubborn is not None:
            await self._ignore_everything(self.stubborn)
        if self.seconds:
            await self.clock.sleep(timedelta(seconds=self.seconds))
        fault = Fault(source=self.name, subject="b", reason="timeout", detail="no answer")
        return (batch(self.name, self.clock),), (fault,)

    @staticmethod
    async def _ignore_everything(end: asyncio.Event) -> None:
        while not end.is_set():
            try:
                await end.wait()
            except asyncio.CancelledError:
                continue


class Cloud:
    """Only what a look asks of it."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.answer: Callable[[], Awaitable[None]] | None = None
        self.flaws: tuple[str, ...] = ()

    async def facts(self) -> CloudFacts:
        if self.answer is not None:
            await self.answer()
        return CloudFacts(
            at=self.clock.now(), servers=(), services=(), providers=(), aggregates=(), groups=(), migrations=(),
            projects=(), flaws=self.flaws,
        )  # fmt: skip


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def observer(clock: VirtualClock, *sources: Source, cloud: Cloud | None = None, **deadlines: float) -> Observer:
    limits = {name: timedelta(seconds=seconds) for name, seconds in deadlines.items()}
    return Observer(cloud or Cloud(clock), sources, clock, deadline=DEADLINE, deadlines=limits)  # type: ignore[arg-type]


def sources_of(look: Look) -> list[str]:
    return [source for source, _ in look.readings.of(Kind.HOST, Quantity.CPU_RATIO)]


def counted(look: Look) -> list[tuple[str, str]]:
    return [(fault.source, fault.reason) for fault in look.faults]


async def test_all_sources_are_asked_side_by_side(clock: VirtualClock) -> None:
    look = await observer(clock, Source("x", clock, seconds=8), Source("y", clock, seconds=9)).look()
    assert clock.monotonic() == 9
    assert sources_of(look) == ["x", "y"]
    assert look.seconds == {"x": 8, "y": 9, "cloud": 0}
    assert counted(look) == [("x", "timeout"), ("y", "timeout")]


async def test_a_source_that_does_not_answer_costs_its_deadline_and_only_its_own_readings(clock: VirtualClock) -> None:
    look = await observer(clock, Source("slow", clock, seconds=500), Source("y", clock, seconds=1), slow=5).look()
    assert clock.monotonic() == 6
    assert sources_of(look) == ["y"]
    assert counted(look) == [("slow", "timeout"), ("y", "timeout")]
    assert look.faults[0].detail == "slow: gave no answer within 6 s"


async def test_a_source_that_cannot_be_stopped_is_not_asked_again_before_it_ends(clock: VirtualClock) -> None:
    stubborn = Source("stubborn", clock)
    stubborn.stubborn = asyncio.Event()
    watch = observer(clock, stubborn, stubborn=5)
    await watch.look()
    look = await watch.look()
    assert stubborn.asked == 1
    assert "is still busy with an earlier look" in look.faults[0].detail
    stubborn.stubborn.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert sources_of(await watch.look()) == ["stubborn"]


async def test_a_cloud_that_fails_leaves_the_facts_of_before_and_says_why(clock: VirtualClock) -> None:
    cloud = Cloud(clock)
    watch = observer(clock, Source("x", clock), cloud=cloud)
    good = await watch.look()
    clock.advance(timedelta(seconds=30))

    async def fail() -> None:
        raise TransientError("answered 500", where="GET /servers/detail")

    cloud.answer = fail
    bad = await watch.look()
    assert good.facts_error is None and good.facts is not None
    assert bad.facts is good.facts and bad.at > good.at
    assert bad.facts_error == "GET /servers/detail: answered 500"
    assert ("cloud", "http") in counted(bad)
    assert sources_of(bad) == ["x"]


async def test_a_cloud_that_hangs_is_given_up_at_its_deadline(clock: VirtualClock) -> None:
    cloud = Cloud(clock)
    cloud.answer = lambda: clock.sleep(timedelta(hours=1))
    look = await observer(clock, cloud=cloud).look()
    assert look.facts is None
    assert look.facts_error == "cloud: gave no answer within 20 s"
    assert counted(look) == [("cloud", "timeout")]


async def test_rows_of_the_cloud_that_could_not_be_understood_are_counted(clock: VirtualClock) -> None:
    cloud = Cloud(clock)
    cloud.flaws = ("server x has no flavor",)
    assert counted(await observer(clock, cloud=cloud).look()) == [("cloud", "malformed")]


async def test_an_error_that_no_collector_may_raise_is_not_hidden(clock: VirtualClock) -> None:
    broken = Source("broken", clock)
    broken.broken = True
    with pytest.raises(ZeroDivisionError):
        await observer(clock, broken).look()


async def test_collectors_are_started_and_stopped(clock: VirtualClock) -> None:
    source = Source("x", clock)
    watch = observer(clock, source)
    await watch.start()
    assert source.running
    await watch.stop()
    assert not source.running


async def test_other_collectors_take_over_between_two_looks(clock: VirtualClock) -> None:
    old, new = Source("one", clock, seconds=5), Source("one", clock)
    looking = observer(clock, old)
    await looking.start()
    look = asyncio.create_task(looking.look())
    await asyncio.sleep(0)
    await looking.take_over([new], DEADLINE)
    assert look.done() and sources_of(look.result()) == ["one"]
    assert (old.running, new.running, new.asked) == (False, True, 0)
    await looking.look()
    assert (old.asked, new.asked) == (1, 1)


@pytest.mark.parametrize("why", [InputError("no port"), UnicodeError("label too long")])
async def test_where_the_other_collectors_cannot_start_those_before_go_on(clock: VirtualClock, why: Exception) -> None:
    old, fine, bad = Source("one", clock), Source("one", clock), Source("two", clock)
    bad.unable = why
    looking = observer(clock, old)
    await looking.start()
    with pytest.raises(type(why)):
        await looking.take_over([fine, bad], DEADLINE)
    assert (old.running, fine.running, bad.running) == (True, False, False)
    await looking.look()
    assert (old.asked, fine.asked) == (1, 0)


async def test_a_collector_that_never_ends_does_not_bar_the_one_that_takes_its_place(clock: VirtualClock) -> None:
    old, new = Source("one", clock), Source("one", clock)
    old.stubborn = asyncio.Event()
    looking = observer(clock, old)
    await looking.look()
    await looking.take_over([new], DEADLINE)
    await looking.look()
    assert new.asked == 1
    old.stubborn.set()
    await asyncio.sleep(0)

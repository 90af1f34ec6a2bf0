"""`gdcc host drain`: one host after the other, until somebody enables them."""

from collections.abc import Callable

from controller.engine.host_work import draining
from controller.engine.host_work.order import Ended, Outcome
from controller.model.host_run import HostStep, HostVerb
from controller.model.ids import HostName
from tests.fakes.clock import VirtualClock
from tests.fakes.host_work import FakeController
from tests.fakes.journals import START

HOSTS = (HostName("c1"), HostName("c2"))


async def drained(
    controller: FakeController, waits: Callable[[HostName, str], None] = lambda host, why: None
) -> tuple[Outcome, ...]:
    told: list[Outcome] = []
    outcomes = await draining.drained(
        controller, VirtualClock(START), HOSTS, "a disk", keep_shutoff=False, told=told.append, waits=waits
    )
    assert tuple(told) == outcomes
    return outcomes


async def test_every_host_is_emptied_and_stays_out() -> None:
    controller = FakeController(VirtualClock(START))
    assert [one.said for one in await drained(controller)] == ["c1 is empty.", "c2 is empty."]
    assert controller.empty("c1") and controller.empty("c2") and controller.enabled == []


async def test_a_pause_of_everything_is_told_while_it_lasts() -> None:
    controller, told = FakeController(VirtualClock(START)), list[str]()
    controller.paused, controller.resumed_at_look = "everything is paused by op: storm", 2
    await drained(controller, lambda host, why: told.append(f"{host}: {why}"))
    assert told[0] == "c1: everything is paused by op: storm"


async def test_a_host_that_cannot_be_emptied_is_the_last_that_is_taken_out() -> None:
    controller = FakeController(VirtualClock(START))
    controller.stuck = {"c1"}
    first, second = await drained(controller)
    assert first.ended is Ended.FAILED and "db-1 is in ERROR (its agency)" in first.said
    assert second.ended is Ended.NOT_BEGUN
    assert "c2" not in controller.drained


async def test_a_drain_that_gives_its_host_back_by_itself_is_not_called_lasting() -> None:
    controller = FakeController(VirtualClock(START))
    controller.put("c1", "campaign kernel-6.1")
    (first, _) = await drained(controller)
    assert "campaign kernel-6.1 by ann has drained it, and may give it back at any time" in first.said
    controller.put("c1", "gdcc host reboot")
    await controller.begin(HostName("c1"), HostVerb.REBOOT, HostStep.VERIFY)
    (first, _) = await drained(controller)
    assert "gdcc host reboot by ann has drained it" in first.said


async def test_a_drain_that_a_verb_left_behind_stays_and_is_enough() -> None:
    controller = FakeController(VirtualClock(START))
    controller.put("c1", "gdcc host reboot")
    assert [one.ended for one in await drained(controller)] == [Ended.DONE, Ended.DONE]

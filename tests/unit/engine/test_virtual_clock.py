"""The clock that engine tests run on: no time passes while the engine plans in a thread."""

import asyncio
import time
from datetime import timedelta
from functools import wraps

from controller.planner import plan as planner
from tests.fakes.clock import VirtualClock
from tests.fakes.journals import START


async def test_no_time_passes_while_a_thread_plans() -> None:
    clock = VirtualClock()

    @wraps(planner.plan)
    def slow() -> None:
        time.sleep(0.05)

    async def worked_until() -> timedelta:
        await clock.sleep(timedelta(seconds=1))
        await asyncio.to_thread(slow)
        return clock.now() - START

    worker = asyncio.create_task(worked_until())
    await clock.sleep(timedelta(seconds=30))
    assert worker.done()
    assert worker.result() == timedelta(seconds=1)


async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    clock, woken = VirtualClock(), list[int]()

    async def sleeper(seconds: int) -> None:
        await clock.sleep(timedelta(seconds=seconds))
        woken.append(seconds)

    await asyncio.gather(*(sleeper(seconds) for seconds in (3, 1, 2)))
    assert woken == [1, 2, 3]
    assert clock.monotonic() == 3

"""Virtual time: a sleep ends as soon as nobody else can run, and the clock then shows the time it would have been."""

import asyncio
import heapq
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

from tests.fakes.journals import START

NO_DEADLINE = datetime.max.replace(tzinfo=UTC)
"""For a request that may go out whenever it likes."""


_PURE = ("controller.planner", "controller.engine")


class _PureAtOnce(ThreadPoolExecutor):
    """Plans where a thread would, before anything else goes on: a thread's work is not in the event loop's queue.

    Clients, Ansible and what else does I/O keep their threads: no time of this clock is theirs.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if not _work(fn).__module__.startswith(_PURE):
            return super().submit(fn, *args, **kwargs)
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whoever awaits it gets it, as from a thread
            future.set_exception(error)
        return future


def _work(fn: Callable[..., Any]) -> Callable[..., Any]:
    """What `asyncio.to_thread` was asked to call: it hands on `partial(context.run, work, ...)`."""
    return cast("Callable[..., Any]", fn.args[0]) if isinstance(fn, partial) else fn


class VirtualClock:
    """`engine.ports.Clock`. Sleepers wake in the order of their times, so ten minutes pass in no time.

    Only for tests in which every wait is a wait on this clock: it looks at the event loop's queue to know that all
    else is done. From the first sleep on, what plans in a thread does so in the loop's own.
    """

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._now = start
        self._order = 0
        self._watching = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    async def sleep(self, duration: timedelta) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            loop.set_default_executor(_PureAtOnce())
        woken: asyncio.Future[None] = loop.create_future()
        self._order += 1
        heapq.heappush(self._sleepers, (self._now + max(duration, timedelta(0)), self._order, woken))
        self._watch(loop)
        await woken

    def advance(self, duration: timedelta) -> None:
        """Lets time pass while nothing runs, as a stopped process would see it."""
        self._now += duration

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """One callback at a time: two would each take the other for somebody who still runs."""
        if not self._watching:
            self._watching = True
            loop.call_soon(self._wake_when_idle, loop)

    def _wake_when_idle(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watching = False
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        if not self._sleepers:
            return
        if loop._ready:  # type: ignore[attr-defined]
            self._watch(loop)
            return
        while self._sleepers:
            at, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self._now = max(self._now, at)
                woken.set_result(None)
                break
        if self._sleepers:
            self._watch(loop)

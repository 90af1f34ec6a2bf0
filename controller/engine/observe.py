"""One look at the world: the cloud and every collector asked side by side, each with its own deadline.

What is slow or dead costs its own readings and nothing else: they age in the store until the trust gate calls them
stale. A collector that does not end when its time is up is cancelled, and not asked again before it has ended.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from controller.engine import readings as store
from controller.engine.ports import Clock, CloudReader, Collector
from controller.errors import GdccError, TransientError
from controller.model.cloud import CloudFacts
from controller.model.sample import Batch, Fault

Answer = TypeVar("Answer")

CLOUD = "cloud"
"""The cloud's name among the sources of faults."""

_GRACE = timedelta(seconds=1)
"""A collector ends itself at its deadline; this much later it is ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen. `facts` are the newest there are, None where there never were any.

    `facts_error`: why the cloud could not be read this time, None where it could. `seconds`: how long each source took.
    """

    at: datetime
    facts: CloudFacts | None
    facts_error: str | None
    readings: store.Readings
    faults: tuple[Fault, ...]
    seconds: Mapping[str, float]


class _OverdueError(TransientError):
    """Not answered within the deadline."""


class Observer:
    """Asks the cloud and the collectors, in the order of preference among collectors that read the same thing.

    `deadlines` by collector name (or `cloud`) override `deadline`. A reading is forgotten `keep` after it was taken.
    """

    def __init__(
        self,
        cloud: CloudReader,
        collectors: Sequence[Collector],
        clock: Clock,
        *,
        deadline: timedelta,
        deadlines: Mapping[str, timedelta] | None = None,
        keep: timedelta = timedelta(minutes=15),
    ) -> None:
        self._cloud = cloud
        self._collectors = tuple(collectors)
        self._clock = clock
        self._deadline = deadline
        self._deadlines = deadlines or {}
        self._keep = keep
        self._readings = store.Readings()
        self._facts: CloudFacts | None = None
        self._overdue: dict[str, asyncio.Task[Any]] = {}
        self._looking = asyncio.Lock()

    async def start(self) -> None:
        """Starts every collector, one after the other; raises what the first that cannot start raises."""
        for collector in self._collectors:
            await collector.start()

    async def stop(self) -> None:
        """Stops every collector."""
        await asyncio.gather(*(collector.stop() for collector in self._collectors))

    async def take_over(self, collectors: Sequence[Collector], deadline: timedelta) -> None:
        """Goes over to these collectors between two looks; what was read before ages in the store.

        Raises what their start raises; then those before go on.
        """
        async with self._looking:
            await self.stop()
            before, self._collectors, started = self._collectors, tuple(collectors), False
            try:
                await self.start()
                started = True
            finally:
                if not started:
                    await self.stop()
                    self._collectors = before
                    await self.start()
            self._deadline = deadline
            self._overdue = {name: task for name, task in self._overdue.items() if name == CLOUD}

    async def look(self) -> Look:
        """One look; takes as long as the slowest source, and never longer than the longest deadline and a second."""
        async with self._looking:
            return await self._look()

    async def _look(self) -> Look:
        seconds: dict[str, float] = {}
        (facts_error, facts_faults), answers = await asyncio.gather(
            self._read_cloud(seconds),
            asyncio.gather(*(self._collect(collector, seconds) for collector in self._collectors)),
        )
        batches = [(rank, batch) for rank, (found, _) in enumerate(answers) for batch in found]
        now = self._clock.now()
        self._readings = store.merged(self._readings, batches, forget_before=(now - self._keep).timestamp())
        return Look(
            at=now,
            facts=self._facts,
            facts_error=facts_error,
            readings=self._readings,
            faults=(*facts_faults, *(fault for _, faults in answers for fault in faults)),
            seconds=seconds,
        )

    async def _read_cloud(self, seconds: dict[str, float]) -> tuple[str | None, tuple[Fault, ...]]:
        deadline = self._deadlines.get(CLOUD, self._deadline)
        try:
            self._facts = await self._within(CLOUD, self._cloud.facts, deadline, seconds)
        except GdccError as error:
            reason = "timeout" if isinstance(error, _OverdueError) else "http"
            return str(error), (Fault(source=CLOUD, subject=CLOUD, reason=reason, detail=str(error)),)
        return None, tuple(
            Fault(source=CLOUD, subject="", reason="malformed", detail=flaw) for flaw in self._facts.flaws
        )

    async def _collect(
        self, collector: Collector, seconds: dict[str, float]
    ) -> tuple[Sequence[Batch], Sequence[Fault]]:
        deadline = self._deadlines.get(collector.name, self._deadline)
        try:
            return await self._within(collector.name, lambda: collector.collect(deadline), deadline + _GRACE, seconds)
        except _OverdueError as error:
            return (), (Fault(source=collector.name, subject="", reason="timeout", detail=str(error)),)

    async def _within(
        self,
        name: str,
        ask: Callable[[], Coroutine[Any, Any, Answer]],
        deadline: timedelta,
        seconds: dict[str, float],
    ) -> Answer:
        before = self._overdue.get(name)
        if before is not None and not before.done():
            raise _OverdueError("is still busy with an earlier look", where=name)
        began = self._clock.monotonic()
        task = asyncio.create_task(ask(), name=f"look at {name}")
        alarm = asyncio.create_task(self._clock.sleep(deadline), name=f"deadline of {name}")
        try:
            await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            seconds[name] = self._clock.monotonic() - began
            alarm.cancel()
            if not task.done():
                task.cancel()
                self._overdue[name] = task
        if not task.done():
            raise _OverdueError(f"gave no answer within {deadline.total_seconds():g} s", where=name)
        return task.result()

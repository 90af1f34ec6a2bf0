"""Tasks that go on until they are stopped. A defect of ours in one must neither end it unseen nor touch the others."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial

Failed = Callable[[BaseException], None]
"""Told of what ended a task that nobody stopped; may begin it anew."""


class Watches:
    """The tasks that are under way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[None, None, None], failed: Failed) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, failed))

    async def stop(self) -> None:
        """Ends all, those too that are begun anew meanwhile."""
        while tasks := tuple(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, failed: Failed, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            failed(error)

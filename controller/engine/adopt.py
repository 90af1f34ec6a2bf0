"""At start, and whenever an entry was left behind: every open intent is followed to its end, none is sent again.

An entry whose migration Nova shows is adopted; one that left no trace is closed as NOT_SENT, but only when its deadline
and the request's timeout have passed, no task is under way and no record exists (see `verdict`).
"""

import asyncio

from controller.engine.follow import Follower
from controller.engine.ports import Journal
from controller.model.migration import Entry


class Adopter:
    """Finds open entries that nobody in this process follows, and follows them with the `Follower` all share."""

    def __init__(self, journal: Journal, follower: Follower) -> None:
        self._journal = journal
        self._follower = follower

    def orphans(self) -> tuple[Entry, ...]:
        """Open entries that nobody here follows, oldest first."""
        return tuple(entry for entry in self._journal.open_entries() if entry.intent.id not in self._follower.held)

    async def adopt(self) -> tuple[Entry, ...]:
        """Follows every orphan to its end, side by side, and returns them ended.

        Raises what the journal raises, after all have ended or stopped; those left open are orphans again.
        """
        ended = await asyncio.gather(*(self._adopt(entry) for entry in self.orphans()), return_exceptions=True)
        for found in ended:
            if isinstance(found, BaseException):
                raise found
        return tuple(found for found in ended if isinstance(found, Entry))

    async def _adopt(self, entry: Entry) -> Entry:
        with self._follower.hold(entry.intent.id):
            return await self._follower.follow(entry)

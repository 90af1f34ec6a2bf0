"""The product over a replayed day: its loop, sight, planner, guard, migrator, follower and a journal of its own.

Real: everything in `controller.engine` and `controller.planner`, the SQLite journal, the twin's world, copies and
scheduler. Left out: HTTP, SNMP and JSON (`cloud`, `sensors` say the same), the daemon's signals and sockets, and the
seconds that planning itself takes, for the clock stands still meanwhile.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from controller.adapters.store import schema
from controller.adapters.store.journal import SqlJournal, open_journal
from controller.engine.adopt import Adopter
from controller.engine.drain import Drainer
from controller.engine.emptying import PlannedDrains
from controller.engine.follow import Follower
from controller.engine.loop import Loop
from controller.engine.migrate import Migrator
from controller.engine.observe import Observer
from controller.engine.places import Situation
from controller.engine.ports import Clock, Cloud, Collector
from controller.engine.sighting import Sight
from controller.engine.status import Published, Status
from controller.model.policy import Policy
from inventory.model import Estate

INTERVAL = timedelta(seconds=30)
"""The daemon's own."""


class Engine:
    """The loop and what it is made of. `published` is the newest status; `told` every sentence that was new."""

    def __init__(
        self,
        estate: Estate,
        cloud: Cloud,
        collectors: Sequence[Collector],
        clock: Clock,
        policy: Policy,
        journal: SqlJournal,
    ) -> None:
        self._clock = clock
        self.observer = Observer(cloud, collectors, clock, deadline=timedelta(seconds=20))
        follower = Follower(cloud, journal, clock, self._policy, self._situation)
        migrator = Migrator(
            cloud,
            journal,
            clock,
            policy=self._policy,
            situation=self._situation,
            follower=follower,
            epoch=journal.open_epoch("replay", clock.now()),
        )
        self.told: list[tuple[float, str]] = []
        plans = PlannedDrains(lambda: self.loop.memory.seen, self._policy, journal)
        self.loop = Loop(
            observer=self.observer,
            sight=Sight(estate, journal, INTERVAL),
            migrator=migrator,
            adopter=Adopter(journal, follower),
            drainer=Drainer(cloud, journal, clock, migrator=migrator, plan=plans),
            journal=journal,
            clock=clock,
            policy=policy,
            interval=INTERVAL,
            status=Status(version="0", estate=estate.name, mode=policy.mode, started_at=clock.now(), interval=INTERVAL),
            publish=self._publish,
        )

    async def live(self, length: timedelta, turned: Callable[["Engine"], None]) -> None:
        """Turns for so long, as `Loop.run` does, by this clock."""
        ends = self._clock.now() + length
        while self._clock.now() < ends:
            began = self._clock.now()
            await self.loop.turn()
            turned(self)
            await self._rest(min(began + INTERVAL, ends) - self._clock.now())
        self.loop.stop()

    async def _rest(self, left: timedelta) -> None:
        """Until the next turn is due, or somebody wakes the loop."""
        wake = asyncio.create_task(self.loop.wake.wait())
        alarm = asyncio.create_task(self._clock.sleep(max(left, timedelta(0))))
        await asyncio.wait({wake, alarm}, return_when=asyncio.FIRST_COMPLETED)
        for task in (wake, alarm):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self.loop.wake.clear()

    def _publish(self, published: Published) -> None:
        if not self.told or self.told[-1][1] != published.status.sentence:
            self.told.append((self._clock.now().timestamp(), published.status.sentence))

    def _policy(self) -> Policy:
        return self.loop.policy

    def _situation(self) -> Situation:
        return self.loop.situation()


@contextlib.contextmanager
def journal() -> Iterator[SqlJournal]:
    """A journal in a folder of its own, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="gdcc-replay-") as folder:
        address = f"sqlite:///{Path(folder, 'journal.db')}"
        schema.upgrade(address)
        with open_journal(address) as opened:
            yield opened

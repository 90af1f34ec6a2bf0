"""`gdcc run`: takes the journal's lock, wires the loop, serves it, and leaves in order."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from controller import config
from controller.adapters.clock import SystemClock
from controller.adapters.store.journal import SqlJournal
from controller.api import operators as socket_api
from controller.bootstrap import parts
from controller.engine.adopt import Adopter
from controller.engine.follow import Follower
from controller.engine.loop import Loop
from controller.engine.migrate import Migrator
from controller.engine.observe import Observer
from controller.engine.operators import Operators
from controller.engine.places import Situation
from controller.engine.ports import Cloud
from controller.engine.sighting import Sight
from controller.engine.status import Published, Status
from controller.errors import GdccError
from controller.model.policy import Policy
from inventory.model import Estate

_log = logging.getLogger(__name__)


def run(path: Path) -> None:
    """Runs until SIGTERM or SIGINT. Raises what the settings, the estate, the journal and the cloud raise at start."""
    settings = config.load(path)
    estate = parts.estate(settings)
    with parts.journal(settings, "gdcc run") as journal:
        asyncio.run(_serve(path, settings, estate, journal))


async def _serve(path: Path, settings: config.Config, estate: Estate, journal: SqlJournal) -> None:
    clock = SystemClock()
    cloud = parts.cloud(settings.cloud, settings.policy.migration.request_timeout)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(cloud.close)
        await cloud.prepare()
        observer = Observer(cloud, parts.collectors(settings, estate, clock), clock, deadline=settings.deadline)
        await observer.start()
        stack.push_async_callback(observer.stop)
        wired = Wired(settings, estate, journal=journal, cloud=cloud, observer=observer, clock=clock)
        await stack.enter_async_context(wired.serving(settings))
        _on_signals(wired, path)
        await wired.loop.run(turned=lambda: None)


class Wired:
    """The engine's parts around one loop."""

    def __init__(
        self,
        settings: config.Config,
        estate: Estate,
        *,
        journal: SqlJournal,
        cloud: Cloud,
        observer: Observer,
        clock: SystemClock,
    ) -> None:
        self.interval = settings.interval
        self.journal = journal
        self.published: Published | None = None
        follower = Follower(cloud, journal, clock, self._policy, self._situation)
        migrator = Migrator(
            cloud,
            journal,
            clock,
            policy=self._policy,
            situation=self._situation,
            follower=follower,
            epoch=journal.open_epoch("gdcc run", clock.now()),
        )
        self.loop = Loop(
            observer=observer,
            sight=Sight(estate, journal, settings.interval),
            migrator=migrator,
            adopter=Adopter(journal, follower),
            journal=journal,
            clock=clock,
            policy=settings.policy.policy(),
            interval=settings.interval,
            status=_first_status(settings, estate),
            publish=self._publish,
        )
        self.desk = Operators(self.loop, migrator, journal, clock)

    def _policy(self) -> Policy:
        return self.loop.policy

    def _situation(self) -> Situation:
        return self.loop.situation()

    def _publish(self, published: Published) -> None:
        self.published = published

    @contextlib.asynccontextmanager
    async def serving(self, settings: config.Config) -> AsyncIterator[None]:
        """Serves the operators' socket while the block runs."""
        runner = await socket_api.serve(self.desk, settings.socket.path, settings.socket.group)
        try:
            yield
        finally:
            await runner.cleanup()

    def reload(self, path: Path) -> None:
        """Takes over policy and estate of a valid configuration; keeps the old ones where it is not."""
        try:
            settings = config.load(path)
            estate = parts.estate(settings)
        except GdccError as error:
            _log.error("the configuration is not taken over", extra={"error": str(error)})
            return
        self.loop.policy = settings.policy.policy()
        self.loop.sight = Sight(estate, self.journal, self.interval)
        _log.info("the configuration is taken over")


def _first_status(settings: config.Config, estate: Estate) -> Status:
    return Status(
        version=version("gdcc-control"),
        estate=estate.name,
        mode=settings.policy.mode,
        started_at=datetime.now(UTC),
        interval=settings.interval,
    )


def _on_signals(wired: Wired, path: Path) -> None:
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, wired.loop.stop)
    running.add_signal_handler(signal.SIGHUP, wired.reload, path)

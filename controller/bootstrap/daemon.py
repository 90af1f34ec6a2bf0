"""`gdcc run`: takes the journal's lock, wires the loop, serves it, and leaves in order."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from controller import config
from controller.adapters import logs, snapshot_file
from controller.adapters.clock import SystemClock
from controller.adapters.dry_run import DryRunCloud
from controller.adapters.exposition import registry as exposition
from controller.adapters.exposition.campaigns import CampaignMetrics
from controller.adapters.snmp.metrics import SnmpMetrics
from controller.adapters.snmp.stats import Stats
from controller.adapters.store.journal import SqlJournal
from controller.adapters.systemd import Notifier
from controller.api import health
from controller.api import operators as socket_api
from controller.bootstrap import parts
from controller.bootstrap.campaigns import Campaigns
from controller.engine.adopt import Adopter
from controller.engine.campaign.fleet import LoopFleet
from controller.engine.drain import Drainer
from controller.engine.emptying import PlannedDrains
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
from controller.model.campaign import Progress
from controller.model.policy import Policy
from controller.planner.assignment import permission
from inventory.model import Estate

_log = logging.getLogger(__name__)

TAKEN_OVER = frozenset(
    {"policy", "estate", "interval", "deadline", "snmp", "prometheus", "exporters", "scrape_interval"}
)
"""What a reload takes over. The cloud, the journal, sockets, the log and the dry run wait for a restart."""


TURN_MAY_TAKE = timedelta(minutes=2)
"""Beyond ten intervals, before the loop counts as hung."""


def run(path: Path) -> None:
    """Runs until SIGTERM or SIGINT. Raises what the settings, the estate, the journal and the cloud raise at start."""
    settings = config.load(path)
    logs.set_up(settings.log_level)
    estate = parts.estate(settings)
    with parts.journal(settings, "gdcc run") as journal:
        asyncio.run(_serve(path, settings, estate, journal))


async def _serve(path: Path, settings: config.Config, estate: Estate, journal: SqlJournal) -> None:
    async with contextlib.AsyncExitStack() as stack:
        wired = await wire(stack, settings, estate, journal)
        wired.make_ready(settings)
        notifier = Notifier()
        stack.callback(notifier.close)
        await stack.enter_async_context(wired.serving(settings))
        stack.push_async_callback(_all_ended, listen_to_signals(wired, path, notifier))
        stack.push_async_callback(_ended, asyncio.create_task(_watchdog(wired, notifier), name="watchdog"))
        await stack.enter_async_context(wired.campaigns.going_on())
        _log.info("started", extra={"version": wired.loop.status.version, "estate": estate.name})
        notifier.ready("started, nothing seen yet")
        await wired.loop.run(turned=lambda: notifier.status(wired.loop.status.sentence))
        notifier.stopping("running migrations go on, to be adopted")
        _log.info("stopped")


async def wire(
    stack: contextlib.AsyncExitStack, settings: config.Config, estate: Estate, journal: SqlJournal
) -> "Wired":
    """The cloud reached, the collectors started, the engine around them; `stack` ends it all."""
    clock = SystemClock()
    reached = parts.cloud(settings.cloud, settings.policy.migration.request_timeout)
    stack.push_async_callback(reached.close)
    await reached.prepare()
    cloud: Cloud = DryRunCloud(reached) if settings.dry_run else reached
    wired = Wired(settings, estate, journal=journal, cloud=cloud, clock=clock)
    stack.push_async_callback(wired.observer.stop)
    await wired.observer.start()
    return wired


class Wired:
    """The engine's parts around one loop."""

    def __init__(
        self,
        settings: config.Config,
        estate: Estate,
        *,
        journal: SqlJournal,
        cloud: Cloud,
        clock: SystemClock,
    ) -> None:
        self._settings = settings
        self._clock, self._turned = clock, clock.monotonic()
        self._sources = parts.sources(settings, estate)
        self._reloading = asyncio.Lock()
        self._making: asyncio.Task[None] | None = None
        usage, self._snmp = parts.collectors(settings, estate, clock)
        self.observer = Observer(cloud, (usage, self._snmp), clock, deadline=settings.deadline)
        self.journal = journal
        self.published: Published | None = None
        self._progress: Progress | None = None
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
        drainer = Drainer(
            cloud,
            journal,
            clock,
            migrator=migrator,
            plan=PlannedDrains(lambda: self.loop.memory.seen, self._policy, journal),
        )
        self.loop = Loop(
            observer=self.observer,
            sight=Sight(estate, journal, settings.interval),
            migrator=migrator,
            adopter=Adopter(journal, follower),
            drainer=drainer,
            journal=journal,
            clock=clock,
            policy=settings.policy.policy(),
            interval=settings.interval,
            status=_first_status(settings, estate),
            publish=self._publish,
            dry_run=settings.dry_run,
        )
        self.desk = Operators(
            self.loop, migrator, drainer, journal, clock, campaigns=journal.campaigns, dry_run=settings.dry_run
        )
        fleet = LoopFleet(drainer, self.loop.wake.set)
        self.campaigns = Campaigns(settings, journal=journal, fleet=fleet, loop=lambda: self.loop, clock=clock)

    def _policy(self) -> Policy:
        return self.loop.policy

    def _situation(self) -> Situation:
        return self.loop.situation()

    def _snmp_stats(self) -> Stats:
        return self._snmp.stats()

    def _look_at_campaigns(self) -> None:
        self._progress = self.campaigns.newest()

    def _publish(self, published: Published) -> None:
        self.published, self._turned = published, self._clock.monotonic()

    @contextlib.asynccontextmanager
    async def serving(self, settings: config.Config) -> AsyncIterator[None]:
        """Serves the operators' socket, metrics and health while the block runs."""
        others = (SnmpMetrics(self._snmp_stats), CampaignMetrics(lambda: self._progress))
        metrics = exposition.registry(lambda: self.published, *others)
        async with contextlib.AsyncExitStack() as stack:
            http = settings.http
            address = http.host, http.port
            page = await health.serve(metrics, self._healthy, self._ready, address, look=self._look_at_campaigns)
            stack.push_async_callback(page.cleanup)
            given = settings.socket
            runner = await socket_api.serve(
                self.desk, given.path, given.group, self.campaigns.desk, logs.context, written=snapshot_file.content
            )
            stack.push_async_callback(runner.cleanup)
            yield

    def turning(self) -> bool:
        """Whether the loop has ended a turn lately, or began not long ago; the time of day may be set meanwhile."""
        return self._clock.monotonic() - self._turned < (10 * self.loop.interval + TURN_MAY_TAKE).total_seconds()

    def _healthy(self) -> str | None:
        return None if self.turning() else f"no turn has ended since {self.loop.status.turned_at}"

    def _ready(self) -> str | None:
        status = self.loop.status
        if self.loop.memory.seen is None:
            return f"nothing has been seen yet: {status.sentence}"
        return status.stopped

    async def reload(self, path: Path) -> None:
        """Takes over what `TAKEN_OVER` names of a valid configuration; keeps everything where it is not valid.

        The rest of the settings waits for a restart; the log says which.
        """
        async with self._reloading:
            try:
                settings = await asyncio.to_thread(config.load, path)
                estate = await asyncio.to_thread(parts.estate, settings)
                await self._observe_by(settings, estate)
            except GdccError as error:
                _log.error("the configuration is not taken over", extra={"error": str(error)})
                return
            self.loop.take_over(settings.policy.policy(), estate, settings.interval)
            self.make_ready(settings)
            waits = _restart_needed(self._settings, settings)
            _log.info("the configuration is taken over", extra={"waits_for_a_restart": waits})

    def make_ready(self, settings: config.Config) -> None:
        """Where policy asks for several searches a plan: what those after the first run is made now, and not while a
        plan waits for it.
        """
        if settings.policy.search_rounds == 1:
            return
        if permission.granted():
            self._making = asyncio.create_task(asyncio.to_thread(_machine_code), name="machine code")
        else:
            remedy = "install gdcc-controller.service.d/search-rounds.conf"
            _log.warning(permission.WITHOUT, extra={"remedy": remedy})

    async def _observe_by(self, settings: config.Config, estate: Estate) -> None:
        """Builds the collectors anew where anything that they are built from has changed."""
        sources = parts.sources(settings, estate)
        if sources == self._sources:
            return
        usage, snmp = parts.collectors(settings, estate, self._clock)
        await self.observer.take_over((usage, snmp), settings.deadline)
        self._sources, self._snmp = sources, snmp
        _log.info("the collectors are built anew")


def _machine_code() -> None:
    """Loaded from the disk in a second where this machine has made it before, else made in most of a minute."""
    from controller.planner import assigned  # noqa: PLC0415 - loads a compiler, which most daemons do without

    began = time.monotonic()
    assigned.make_ready()
    _log.info("searches after the first are ready", extra={"seconds": round(time.monotonic() - began, 1)})


def _restart_needed(before: config.Config, now: config.Config) -> tuple[str, ...]:
    """Names of changed settings that a running daemon does not take over."""
    fields = sorted(set(config.Config.model_fields) - TAKEN_OVER)
    return tuple(name for name in fields if getattr(before, name) != getattr(now, name))


def _first_status(settings: config.Config, estate: Estate) -> Status:
    return Status(
        version=version("gdcc-control"),
        estate=estate.name,
        mode=settings.policy.mode,
        started_at=datetime.now(UTC),
        interval=settings.interval,
    )


def listen_to_signals(wired: Wired, path: Path, notifier: Notifier) -> "set[asyncio.Task[None]]":
    """Begins to listen; the reloads under way, at any time."""
    running = asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()

    async def reload() -> None:
        try:
            await wired.reload(path)
        finally:
            notifier.ready(wired.loop.status.sentence)

    def begin_reload() -> None:
        notifier.reloading()
        task = running.create_task(reload(), name="reload")
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, wired.loop.stop)
    running.add_signal_handler(signal.SIGHUP, begin_reload)
    return reloads


async def _watchdog(wired: Wired, notifier: Notifier) -> None:
    """Signs of life as long as the event loop runs and the turns do."""
    if notifier.watchdog is None:
        return
    while True:
        if wired.turning():
            notifier.alive()
        await asyncio.sleep(notifier.watchdog.total_seconds() / 3)


async def _all_ended(tasks: "set[asyncio.Task[None]]") -> None:
    await asyncio.gather(*tasks)


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

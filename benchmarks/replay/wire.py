"""A piece of a day over the wire: the real adapters, HTTP, SNMP and exporters' pages, with clocks that run fast.

The twin and the controller share this process and its event loop, and nothing else: every fact and reading goes through
sockets on 127.0.0.0/8. The same piece is then lived through without the wire, and both are shown side by side. They
cannot be equal to the move: on the wire looks, polls and copies take time of the fast clock.
"""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from rich.table import Table

from benchmarks import twin as twin_benchmark
from benchmarks.replay import arms, engine
from benchmarks.replay.account import Accountant
from benchmarks.replay.arms import Day, Lived
from benchmarks.replay.site import BEGINS, Site
from controller.adapters.exporters.collector import ExporterCollector
from controller.adapters.openstack import OpenStackCloud, connect
from controller.adapters.snmp.collector import SnmpCollector
from controller.adapters.snmp.credentials import Community, Credential, User
from controller.adapters.snmp.target import targets
from controller.engine.ports import Collector
from controller.model.cloud import CloudFacts
from controller.model.ids import HostName, RequestId, ServerId
from controller.twin import credentials
from controller.twin.exporters import Exporters
from controller.twin.openstack.app import application
from controller.twin.snmp.agent import Agents
from inventory.model import Estate

PORT = 28775
SPEED = 12.0
"""Seconds of the day that go by in one."""
VMS, MEAN_RATIO, BEGINS_AT = 240, 0.40, timedelta(hours=8.5)


class FastClock:
    """`engine.ports.Clock`, beginning when the day begins. It stands still while anybody asks it to."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._stood = 0.0
        self._still_since = 0.0
        self._askers = 0

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """No time passes in this block."""
        if self._askers == 0:
            self._still_since = time.monotonic()
        self._askers += 1
        try:
            yield
        finally:
            self._askers -= 1
            if self._askers == 0:
                self._stood += time.monotonic() - self._still_since

    def now(self) -> datetime:
        return BEGINS + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        until = self._still_since if self._askers else time.monotonic()
        return (until - self._began - self._stood) * SPEED

    async def sleep(self, duration: timedelta) -> None:
        ends = self.monotonic() + duration.total_seconds()
        await asyncio.sleep(0)
        while (left := ends - self.monotonic()) > 0:  # noqa: ASYNC110 - it may stand still meanwhile
            await asyncio.sleep(max(left / SPEED, 0.005))


class FastCloud:
    """The real adapter, whose own clock is the machine's: its looks and deadlines are told in the fast clock's time.

    That stands still while the cloud answers: a machine that is busy would make it slow beyond all deadlines.
    """

    def __init__(self, cloud: OpenStackCloud, clock: FastClock) -> None:
        self._cloud, self._clock = cloud, clock

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def ask(*words: Any) -> Any:
            with self._clock.still():
                return await getattr(self._cloud, name)(*words)

        return ask

    async def facts(self) -> CloudFacts:
        with self._clock.still():
            return replace(await self._cloud.facts(), at=self._clock.now())

    async def live_migrate(self, server_id: ServerId, target: HostName, *, deadline: datetime) -> RequestId:
        with self._clock.still():
            left = deadline - self._clock.now()
            return await self._cloud.live_migrate(server_id, target, deadline=datetime.now(UTC) + left)


def snmp(estate: Estate, seed: int, clock: FastClock) -> SnmpCollector:
    """The real collector with the twin's secrets."""
    known: dict[str, Credential] = {
        name: Community(community=secret.community)
        if secret.community
        else User(name=secret.user, auth=secret.auth, priv=secret.priv)
        for name, secret in credentials.snmp_secrets(estate, seed).items()
    }
    return SnmpCollector(targets(estate), known, clock, interval=timedelta(seconds=30))


@contextlib.asynccontextmanager
async def served(site: Site, seed: int, port: int = PORT) -> AsyncIterator[None]:
    """The site's OpenStack, exporters and agents on their addresses."""
    site.cloud.base_url, site.cloud.password = f"http://127.0.0.1:{port}", "replay"
    agents, exporters = Agents(site.world, credentials.snmp_secrets(site.world.estate, seed)), Exporters(site.world)
    async with contextlib.AsyncExitStack() as stack:
        listening = [("127.0.0.1", port, application(site.cloud))]
        listening += [("0.0.0.0", each, exporters.application()) for each in exporters.ports]
        for host, its_port, app in listening:
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, host, its_port).start()
        agents.open()
        stack.callback(agents.close)
        yield


@contextlib.contextmanager
def connected(site: Site) -> Iterator[OpenStackCloud]:
    """The real adapter, with a clouds.yaml of its own."""
    with tempfile.TemporaryDirectory(prefix="gdcc-replay-") as folder:
        file = Path(folder, "clouds.yaml")
        credentials.write(file, credentials.clouds_yaml(site.cloud.base_url, site.cloud.password))
        yield connect(credentials.CLOUD, clouds_file=file)


async def _wired(day: Day, site: Site) -> Lived:
    began, accountant = time.perf_counter(), Accountant(site, day.policy)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(served(site, day.seed))
        cloud = stack.enter_context(connected(site))
        stack.push_async_callback(cloud.close)
        await cloud.prepare()
        clock = FastClock()
        moving = asyncio.create_task(_moved_on(site, clock))
        stack.callback(moving.cancel)
        interval = timedelta(seconds=15)
        exporters = ExporterCollector(day.estate.hosts.values(), clock, interval=interval)
        collectors: tuple[Collector, ...] = (exporters, snmp(day.estate, day.seed, clock))
        journal = stack.enter_context(engine.journal())
        running = engine.Engine(day.estate, FastCloud(cloud, clock), collectors, clock, day.policy, journal)  # type: ignore[arg-type]
        await running.observer.start()
        stack.push_async_callback(running.observer.stop)
        await running.live(day.length, lambda _: None)
        entries = journal.entries_since(BEGINS)
    account = accountant.close(lambda record: arms.rule_of(entries, record))
    return Lived(account=account, seconds=time.perf_counter() - began, cpu_seconds=0.0, entries=entries)


async def _moved_on(site: Site, clock: FastClock) -> None:
    while True:
        site.until(clock.now())
        await asyncio.sleep(0.02)


def compared(length: timedelta, seed: int) -> tuple[object, ...]:
    """Lives through the piece of the day with nobody, without the wire and over it; a title and a table."""
    estate = twin_benchmark.estate_of(VMS)
    day = Day(estate=estate, seed=seed, length=length, begins=BEGINS_AT, mean_ratio=MEAN_RATIO)
    found = {"nothing": arms.nothing(day), "controller, no wire": arms.controller(day)}
    found["controller, on the wire"] = asyncio.run(_wired(day, day.site()))
    shown = Table(title=f"{len(estate.hosts)} hosts, {VMS} VMs, {length}, {SPEED:g} times as fast")
    for title in ("", "hot CPU min", "hot power min", "moves", "failed", "twice an hour", "rules broken", "wall s"):
        shown.add_column(title, justify="right" if title else "left")
    for name, each in found.items():
        account = each.account
        figures = (account.hot_minutes["cpu"], account.power_minutes, account.moved, account.failed, account.again)
        shown.add_row(name, *(f"{n:.0f}" for n in (*figures, len(account.broken), each.seconds)))
    without, wired = ({entry.intent.source for entry in each.entries} for each in list(found.values())[1:])
    return (
        shown,
        f"hosts relieved without and on the wire: {len(without)} and {len(wired)}, both {len(without & wired)}",
    )

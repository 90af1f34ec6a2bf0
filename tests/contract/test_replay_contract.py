"""A replay without the wire says the same: its cloud as the real adapter, its sensors as the real collectors."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from benchmarks.replay import wire
from benchmarks.replay.cloud import SiteCloud
from benchmarks.replay.sensors import SiteSensors
from benchmarks.replay.site import BEGINS, Site
from controller.adapters.exporters.collector import ExporterCollector
from controller.adapters.exporters.fetch import HttpFetch
from controller.model.cloud import CloudFacts
from controller.model.sample import Kind, Quantity
from tests.contract.test_collectors_read_the_twin import ports, readings, snmp
from tests.fakes.clock import VirtualClock
from tests.fakes.small_estate import small_estate

APART = {Quantity.POWER_WATTS: 6.0, Quantity.INLET_CELSIUS: 0.6, Quantity.CPU_RATIO: 0.01}
"""How far devices' own rounding, and idle time's, may take a reading."""

_OWN = frozenset({"admin", "service"})


@pytest.fixture
def site() -> Site:
    snmp_port, node, libvirt = ports()
    estate = small_estate(snmp_port=snmp_port, node_port=node, libvirt_port=libvirt)
    made = Site(estate, 1, 0.3, begins_s=0.0, span_s=600.0)
    made.until(BEGINS + timedelta(seconds=20))
    return made


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(BEGINS + timedelta(seconds=20))


@pytest.fixture
async def served(site: Site) -> AsyncIterator[Site]:
    async with wire.served(site, 1, ports()[0]):
        yield site


def comparable(facts: CloudFacts) -> CloudFacts:
    """Without the order of rows, the time of the look and of services' reports, and OpenStack's own projects."""
    return replace(
        facts,
        at=BEGINS,
        servers=tuple(sorted(facts.servers, key=lambda each: each.id)),
        services=tuple(sorted((replace(each, updated_at=None) for each in facts.services), key=lambda each: each.id)),
        providers=tuple(sorted(facts.providers, key=lambda each: each.id)),
        groups=tuple(sorted(facts.groups, key=lambda each: each.id)),
        projects=tuple(sorted((p for p in facts.projects if p.name not in _OWN), key=lambda each: each.id)),
        migrations=tuple(sorted(facts.migrations, key=lambda each: each.id)),
    )


async def test_the_replays_cloud_says_what_the_real_adapter_reads(served: Site, clock: VirtualClock) -> None:
    inside = SiteCloud(served, clock)
    server = min(served.world.servers.values(), key=lambda each: each.flavor.memory_mib)
    served.orders.live_migrate(server, None, at_once=False)
    with wire.connected(served) as outside:
        try:
            assert comparable(await inside.facts()) == comparable(await outside.facts())
            one = min(served.world.servers)
            shown = await outside.server(one)  # type: ignore[arg-type]
            assert shown is not None and await inside.server(one) == shown  # type: ignore[arg-type]
            assert await inside.guest(shown) == await outside.guest(shown)
            assert await inside.ports_of(shown.id) == await outside.ports_of(shown.id)
            moving = await outside.migrations_of(server.id)  # type: ignore[arg-type]
            assert await inside.migrations_of(server.id) == moving  # type: ignore[arg-type]
            for host in served.world.topology.hosts:
                said = [await cloud.admits(shown, host) for cloud in (inside, outside)]  # type: ignore[arg-type]
                assert (said[0] is None) == (said[1] is None), said
        finally:
            await outside.close()


async def test_the_replays_sensors_say_what_the_real_collectors_read(served: Site, clock: VirtualClock) -> None:
    sensors = SiteSensors(served, clock)
    served.load.lay = lambda world, second: None  # type: ignore[method-assign]
    clock.advance(timedelta(seconds=25))
    batches, _ = await sensors.collect(timedelta(seconds=1))
    inside = {
        (batch.kind, batch.quantity, name): float(value)
        for batch in batches
        for name, value in zip(batch.names, batch.values, strict=True)
    }
    hosts, fetch = served.world.estate.hosts.values(), CountingFetch()
    usage = ExporterCollector(hosts, StandingClock(served), interval=timedelta(seconds=15), fetch=fetch)
    outside = await readings(snmp(served.world.estate), wanted=120)
    async with moved_on(served, fetch):
        outside |= await readings(usage, wanted=5 * 8 + 6 * 40)
    compared = [key for key in inside if key in outside]
    assert {(kind, quantity) for kind, quantity, _ in compared} >= {
        (Kind.HOST, Quantity.CPU_RATIO), (Kind.HOST, Quantity.MEMORY_BYTES), (Kind.HOST, Quantity.POWER_WATTS),
        (Kind.HOST, Quantity.NETWORK_BYTES_S), (Kind.HOST, Quantity.STORAGE_BYTES_S),
        (Kind.VM, Quantity.STORAGE_BYTES_S), (Kind.VM, Quantity.CPU_VCPUS), (Kind.VM, Quantity.MEMORY_BYTES),
        (Kind.VM, Quantity.DIRTY_BYTES_S), (Kind.FEED, Quantity.POWER_WATTS), (Kind.PHASE, Quantity.POWER_WATTS),
    }  # fmt: skip
    for key in compared:
        apart = APART.get(key[1], 0.0)
        assert outside[key] == pytest.approx(inside[key], rel=0.1, abs=apart), key


class StandingClock:
    """The site's own time, which stands still while pages are read."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def now(self) -> datetime:
        return BEGINS + timedelta(seconds=self._site.second)

    def monotonic(self) -> float:
        return self._site.second

    async def sleep(self, duration: timedelta) -> None:
        ends = self._site.second + duration.total_seconds()
        while self._site.second < ends:  # noqa: ASYNC110 - the test moves it
            await asyncio.sleep(0.01)


class CountingFetch(HttpFetch):
    """Counts the pages that came."""

    pages = 0

    async def page(self, address: str, within: timedelta) -> bytes:
        body = await super().page(address, within)
        self.pages += 1
        return body


@contextlib.asynccontextmanager
async def moved_on(site: Site, fetch: CountingFetch) -> AsyncIterator[None]:
    """The site's time goes on until each exporter was read, and then far enough for each to be read again."""
    exporters = sum(len(host.exporters) for host in site.world.estate.hosts.values())

    async def move() -> None:
        while fetch.pages < exporters:
            site.until(BEGINS + timedelta(seconds=site.second + 0.5))
            await asyncio.sleep(0.1)
        site.until(BEGINS + timedelta(seconds=site.second + 20.0))

    task = asyncio.create_task(move())
    yield
    await task

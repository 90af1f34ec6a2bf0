"""The page for machines: a scrape that takes its time holds up nobody."""

import asyncio
import threading
from collections.abc import Iterator

import aiohttp
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from controller.api import health


class Slow(Collector):
    """Waits, as long work does, until somebody else was answered."""

    def __init__(self) -> None:
        self.asked, self.answered = threading.Event(), threading.Event()

    def collect(self) -> Iterator[Metric]:
        self.asked.set()
        metric = Metric("gdcc_answered", "1 once somebody else was answered.", "gauge")
        metric.add_sample("gdcc_answered", {}, float(self.answered.wait(20)))
        yield metric

    def describe(self) -> list[Metric]:
        return []


async def test_others_are_answered_while_metrics_are_collected() -> None:
    slow, registry = Slow(), CollectorRegistry(auto_describe=False)
    registry.register(slow)
    runner = await health.serve(registry, lambda: None, lambda: None, ("127.0.0.1", 0))
    root = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:

        async def got(path: str) -> str:
            async with session.get(f"{root}/{path}") as answer:
                return await answer.text()

        scrape = asyncio.create_task(got("metrics"))
        await asyncio.to_thread(slow.asked.wait, 20)
        assert await got("healthz") == "ok\n"
        slow.answered.set()
        assert "gdcc_answered 1.0" in await scrape
    await runner.cleanup()

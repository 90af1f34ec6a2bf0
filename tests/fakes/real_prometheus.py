"""A real Prometheus of its own on loopback, for as long as a block runs."""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import yaml

from tests.fakes.free_ports import free_port

_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    url: str

    async def until(self, promql: str, count: int) -> None:
        """Returns when the query has so many results; TimeoutError after a minute."""
        async with asyncio.timeout(_PATIENCE_S), aiohttp.ClientSession() as session:
            while True:
                async with session.get(f"{self.url}/api/v1/query", params={"query": promql}) as response:
                    if len((await response.json())["data"]["result"]) == count:
                        return
                await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def prometheus(
    folder: Path, jobs: dict[str, list[str]], interval: str = "1s", *, history: str = ""
) -> AsyncIterator[Prometheus]:
    """Scrapes the jobs' targets (host:port) each interval. `history`: samples that it holds already (OpenMetrics)."""
    if history:
        _write_blocks(folder, history)
    program = shutil.which("prometheus")
    assert program, "prometheus is not installed: apt-get install -y prometheus"
    scrape = [{"job_name": job, "static_configs": [{"targets": targets}]} for job, targets in jobs.items()]
    config = {"global": {"scrape_interval": interval, "scrape_timeout": interval}, "scrape_configs": scrape}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    arguments = [
        f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
    ]  # fmt: skip
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(program, *arguments, stdout=quiet, stderr=quiet)
    try:
        server = Prometheus(url=f"http://127.0.0.1:{port}")
        await _ready(server.url)
        yield server
    finally:
        process.terminate()
        await process.wait()


def _write_blocks(folder: Path, history: str) -> None:
    """Puts samples into its database as promtool does for an operator."""
    (folder / "history.om").write_text(history + "# EOF\n")
    asked = ["promtool", "tsdb", "create-blocks-from", "openmetrics", folder / "history.om", folder / "data"]
    subprocess.run(asked, check=True, capture_output=True)


async def _ready(url: str) -> None:
    async with asyncio.timeout(_PATIENCE_S), aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{url}/-/ready") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.1)

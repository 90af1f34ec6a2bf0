"""A whole twin, running: one world, its clock, and every server around it, on one event loop."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from controller.errors import InputError
from controller.twin import credentials
from controller.twin.control import Control
from controller.twin.events import Timeline
from controller.twin.exporters import Exporters
from controller.twin.openstack.app import application
from controller.twin.openstack.cloud import PREFIXES, Cloud
from controller.twin.orders import Orders
from controller.twin.scenario import Scenario
from controller.twin.snmp.agent import Agents
from controller.twin.world import World
from inventory.model import Estate

TICK_S = 0.25
"""How often the world moves on."""


@dataclass(slots=True, kw_only=True)
class DataCentre:
    """A twin that is being served."""

    world: World
    cloud: Cloud
    timeline: Timeline
    agents: Agents
    base_url: str


def build(estate: Estate, scenario: Scenario, port: int, host: str = "127.0.0.1") -> DataCentre:
    """A twin of the estate, not yet served. Raises InputError where the estate's VMs have no place."""
    world = World(estate, scenario.nature, time.time())
    orders = Orders(world)
    base_url = f"http://{host}:{port}"
    password = credentials.derived(scenario.nature.seed, "openstack")
    cloud = Cloud(world=world, orders=orders, base_url=base_url, password=password)
    agents = Agents(world, credentials.snmp_secrets(estate, scenario.nature.seed))
    timeline = Timeline(cloud, scenario.events)
    return DataCentre(world=world, cloud=cloud, timeline=timeline, agents=agents, base_url=base_url)


@contextlib.asynccontextmanager
async def serving(centre: DataCentre, port: int, host: str = "127.0.0.1") -> AsyncIterator[None]:
    """Serves a twin while the block runs. Raises InputError for a port that is taken."""
    async with contextlib.AsyncExitStack() as stack:
        app = application(centre.cloud)
        app.add_routes(Control(centre.cloud, centre.timeline).routes())
        await _listen(stack, app, host, port)
        exporters = Exporters(centre.world)
        for exporter_port in exporters.ports:  # one listener for all of 127.0.0.0/8; other addresses answer 404
            await _listen(stack, exporters.application(), "0.0.0.0", exporter_port)  # noqa: S104
        centre.agents.open()
        stack.callback(centre.agents.close)
        clock = asyncio.create_task(_clock(centre))
        stack.push_async_callback(_ended, clock)
        yield


async def _listen(stack: contextlib.AsyncExitStack, app: web.Application, host: str, port: int) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        what, remedy = (
            f"TCP port {port} cannot be used: {os.strerror(error.errno or 0)}",
            "end what listens there, or use another port",
        )
        raise InputError(what, where=host, remedy=remedy) from error


async def _clock(centre: DataCentre) -> None:
    """Keeps the world's time with the machine's."""
    while True:
        await asyncio.sleep(TICK_S)
        step(centre, min(max(time.time() - centre.world.now, 0.0), 4 * TICK_S))


def receiver(address: str | None) -> tuple[str, int] | None:
    """Where traps go, from `host:port`. Raises InputError."""
    if address is None:
        return None
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InputError(f"{address!r} is no receiver of traps", where="--traps", remedy="write it as 127.0.0.1:16162")
    return host, int(port)


def hand_over(centre: DataCentre, estate: Path, state: Path) -> None:
    """Writes `clouds.yaml` and `daemon.yaml`, with every secret that a daemon needs, for their owner alone.

    Raises InputError where they cannot be written.
    """
    secrets = credentials.snmp_secrets(centre.world.estate, centre.world.nature.seed)
    try:
        credentials.write(state / "clouds.yaml", credentials.clouds_yaml(centre.base_url, centre.cloud.password))
        credentials.write(state / "daemon.yaml", credentials.daemon_yaml(estate, state, secrets))
    except OSError as error:
        raise InputError(f"credentials cannot be written: {error.strerror}", where=str(state)) from error


def described(centre: DataCentre, state: Path) -> Iterator[str]:
    """What is served where, a line each."""
    world = centre.world
    yield f"twin of {world.estate.name}: {len(world.topology.hosts)} hosts, {len(world.servers)} VMs"
    yield f"OpenStack  {centre.base_url}{PREFIXES['identity']}/v3  (clouds.yaml: {state / 'clouds.yaml'})"
    ports = sorted({device.address[1] for device in centre.agents.devices})
    yield f"SNMP       {len(centre.agents.devices)} agents on 127.0.0.0/8, UDP {', '.join(map(str, ports))}"
    yield f"exporters  on 127.0.0.0/8, TCP {', '.join(map(str, Exporters(world).ports))}"
    yield f"control    {centre.base_url}/twin/truth, /twin/faults"
    yield f"daemon     gdcc run --config {state / 'daemon.yaml'}"


def step(centre: DataCentre, dt: float) -> None:
    """Moves the whole twin on by `dt` seconds."""
    centre.world.advance(dt)
    centre.cloud.orders.step(dt)
    centre.timeline.step(dt)
    centre.agents.tell()


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

"""The fake, the twin and the lab behind one small interface, so that one set of tests holds all three."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol, TypeVar

import yaml
from aiohttp import web

from controller.adapters.openstack import connect, parse
from controller.engine.ports import Cloud
from controller.model.cloud import Server
from controller.model.ids import ServerId
from controller.twin.copying import Mode
from controller.twin.nature import Nature
from controller.twin.openstack.app import application
from controller.twin.openstack.cloud import Cloud as TwinState
from controller.twin.orders import Mishap, Orders
from controller.twin.world import World
from inventory import load
from inventory.model import Aggregate
from tests.fakes.clock import VirtualClock
from tests.fakes.cloud import FakeCloud
from tests.lab.fixtures import ESTATE, Lab

T = TypeVar("T")

NAME = "smart-bus-terminal-web-1"
"""A server of an open system: every host is cleared for it."""
GUEST = "contract"
"""The lab's server for these tests, beside those of its tenants."""


class Given(Protocol):
    """A cloud and the means to stir it. `fault` is check, copy or stall; `pause` lets a little time pass."""

    cloud: Cloud

    async def server(self) -> Server:
        """An ACTIVE server with nothing under way."""
        ...

    async def fault(self, server: Server, fault: str) -> None: ...

    async def shut_off(self, server: Server) -> None: ...

    async def delete(self, server: Server) -> None: ...

    def soft_deleted(self, server: Server) -> AbstractAsyncContextManager[None]:
        """As long as the context lasts, its owner has deleted it and Nova has not reclaimed it."""
        ...

    async def pause(self) -> None: ...


class Declared(Given, Protocol):
    """A cloud that an estate declares, in which a person may make an aggregate."""

    def aggregate(self, name: str, host: str, metadata: Mapping[str, str]) -> AbstractAsyncContextManager[None]:
        """An aggregate of that host, as long as the context lasts."""
        ...


async def until(given: Given, question: Callable[[], Awaitable[T | None]], tries: int = 240) -> T:
    """The answer, once there is one."""
    for _ in range(tries):
        if (found := await question()) is not None:
            return found
        await given.pause()
    raise AssertionError("it did not come to pass")


@dataclass(slots=True, kw_only=True)
class FakeGiven:
    cloud: FakeCloud
    clock: VirtualClock

    async def server(self) -> Server:
        return self.cloud.boot(NAME, "c1")

    async def fault(self, server: Server, fault: str) -> None:
        self.cloud.faults[server.id] = fault

    async def shut_off(self, server: Server) -> None:
        self.cloud.change(server.id, status="SHUTOFF")

    async def delete(self, server: Server) -> None:
        del self.cloud.servers[server.id]

    @contextlib.asynccontextmanager
    async def soft_deleted(self, server: Server) -> AsyncIterator[None]:
        self.cloud.change(server.id, status="SOFT_DELETED")
        yield
        self.cloud.change(server.id, status="ACTIVE")

    async def pause(self) -> None:
        self.clock.advance(timedelta(milliseconds=250))


@contextlib.asynccontextmanager
async def fake_cloud() -> AsyncIterator[Given]:
    clock = VirtualClock()
    yield FakeGiven(cloud=FakeCloud(clock), clock=clock)


MODES = {"check": Mode.REFUSE, "copy": Mode.FAIL, "stall": Mode.STALL}


@dataclass(slots=True, kw_only=True)
class TwinGiven:
    """The twin moves on by a quarter of a second whenever the test pauses."""

    cloud: Cloud
    state: TwinState

    async def server(self) -> Server:
        chosen = next(one.id for one in self.state.world.servers.values() if one.name == NAME)
        found = await self.cloud.server(ServerId(chosen))
        assert found is not None
        return found

    async def fault(self, server: Server, fault: str) -> None:
        self.state.orders.mishaps.append(Mishap(mode=MODES[fault], server_id=server.id, times=1))

    async def shut_off(self, server: Server) -> None:
        state = self.state.server(server.id)
        state.vm_state = "stopped"
        self.state.world.touch(state)

    async def delete(self, server: Server) -> None:
        self.state.world.remove_server(self.state.server(server.id))

    @contextlib.asynccontextmanager
    async def soft_deleted(self, server: Server) -> AsyncIterator[None]:
        state = self.state.server(server.id)
        state.vm_state = "soft-delete"
        yield
        state.vm_state = "active"

    @contextlib.asynccontextmanager
    async def aggregate(self, name: str, host: str, metadata: Mapping[str, str]) -> AsyncIterator[None]:
        world = self.state.world
        before = world.estate
        made = Aggregate(name=name, hosts=(host,), metadata=metadata)
        world.estate = replace(before, aggregates={**before.aggregates, name: made})
        yield
        world.estate = before

    async def pause(self) -> None:
        self.state.world.advance(0.25)
        self.state.orders.step(0.25)


@contextlib.asynccontextmanager
async def twin_cloud(directory: Path) -> AsyncIterator[Declared]:
    world = World(load.load(ESTATE), Nature(), time.time())
    state = TwinState(world=world, orders=Orders(world), base_url="", password="secret")
    runner = web.AppRunner(application(state), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    state.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    auth = {
        "auth_url": f"{state.base_url}/identity/v3", "username": "admin", "password": "secret", "project_name": "admin",
        "user_domain_name": "Default", "project_domain_name": "Default",
    }  # fmt: skip
    file = directory / "clouds.yaml"
    file.write_text(yaml.safe_dump({"clouds": {"twin": {"auth": auth, "region_name": "RegionOne"}}}))
    cloud = connect("twin", clouds_file=file)
    yield TwinGiven(cloud=cloud, state=state)
    await cloud.close()
    await runner.cleanup()


@dataclass(slots=True, kw_only=True)
class LabGiven:
    """The real thing. What tests leave behind is mended at the start of the next one: `server` makes it anew."""

    cloud: Cloud
    lab: Lab

    async def server(self) -> Server:
        admin = self.lab.admin
        row = await admin.find(GUEST)
        if row is not None and (row["status"], row["OS-EXT-STS:task_state"]) != ("ACTIVE", None):
            await admin.delete(row["id"])
            row = None
        if row is None:
            await admin.boot(GUEST, "open.2c4g")
            row = await admin.find(GUEST)
            assert row is not None
        return parse.server(row, zone_shown=True)

    async def fault(self, server: Server, fault: str) -> None:
        self.lab.fault(server.name, fault)

    async def shut_off(self, server: Server) -> None:
        await self.lab.admin.act(server.id, "os-stop", "SHUTOFF")

    async def delete(self, server: Server) -> None:
        await self.lab.admin.delete(server.id)

    @contextlib.asynccontextmanager
    async def soft_deleted(self, server: Server) -> AsyncIterator[None]:
        self.lab.vm_state(server.id, "soft-delete")
        yield
        self.lab.vm_state(server.id, "active")

    @contextlib.asynccontextmanager
    async def aggregate(self, name: str, host: str, metadata: Mapping[str, str]) -> AsyncIterator[None]:
        made = await self.lab.admin.make_aggregate(name, host, metadata)
        try:
            yield
        finally:
            await self.lab.admin.delete_aggregate(made, host)

    async def pause(self) -> None:
        await asyncio.sleep(0.25)


@contextlib.asynccontextmanager
async def lab_cloud(lab: Lab) -> AsyncIterator[Declared]:
    yield LabGiven(cloud=lab.cloud, lab=lab)

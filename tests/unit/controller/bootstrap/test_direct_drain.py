"""`gdcc drain --direct` over a fake cloud: it moves what the drain needs, nothing else, and says how it ended."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from controller.bootstrap import direct
from controller.errors import RefusedError
from controller.model.ids import HostName, ProjectId, ServerId
from controller.model.operation import Drain, DrainState
from controller.model.sample import Batch, Fault, Kind, Quantity
from tests.unit.controller.bootstrap.test_daemon_wiring import Daemon

H1, H3 = HostName("h1"), HostName("h3")


class Sensors:
    """A collector that reads every host and server now; h3's memory fails."""

    name = "sensors"

    def __init__(self, daemon: Daemon) -> None:
        self._cloud = daemon.cloud
        self._now = daemon.clock.now

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def collect(self, deadline: timedelta) -> tuple[Sequence[Batch], Sequence[Fault]]:
        hosts, servers = sorted(self._cloud.services), sorted(self._cloud.servers)
        return (
            self._batch(Kind.HOST, Quantity.CPU_RATIO, hosts, [0.2] * len(hosts)),
            self._batch(Kind.HOST, Quantity.MEMORY_BYTES, hosts, [2.0**34] * len(hosts)),
            self._batch(Kind.HOST, Quantity.MEMORY_HEALTH, hosts, [2.0 * (host == H3) for host in hosts]),
            self._batch(Kind.VM, Quantity.CPU_VCPUS, servers, [0.5] * len(servers)),
            self._batch(Kind.VM, Quantity.DIRTY_BYTES_S, servers, [1e6] * len(servers)),
        ), ()

    def _batch(self, kind: Kind, quantity: Quantity, names: Sequence[str], values: Sequence[float]) -> Batch:
        at = np.full(len(names), self._now().timestamp())
        return Batch(kind=kind, quantity=quantity, source=self.name, names=tuple(names), values=np.array(values), at=at)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A server on h1, and one on h3, which the controller would move of its own in mode auto."""
    made = Daemon(tmp_path)
    made.cloud.projects = {ProjectId("p"): "roads-buses"}
    for name, host in (("vm-1", "h1"), ("vm-3", "h3")):
        made.cloud.boot(name, host, project_id=ProjectId("p"), memory_mib=512, disk_gib=0)
    yield made
    made.journal.close_store()


def drained(daemon: Daemon, *, sure: bool = True) -> Drain:
    def confirm(_: tuple[str, ...]) -> None:
        if not sure:
            raise RefusedError("nothing was done", rule="unconfirmed")

    async def run() -> Drain:
        await daemon.wired.observer.take_over((Sensors(daemon),), timedelta(seconds=5))
        asked = direct.Asked(host=H1, why="disk", keep_shutoff=False, confirm=confirm)
        return await direct.drained(daemon.wired, asked)

    return asyncio.run(run())


def test_the_host_is_emptied_and_no_other_move_is_made(daemon: Daemon) -> None:
    ended = drained(daemon)
    assert ended.state is DrainState.EMPTY
    assert [start.server_id for start in daemon.cloud.starts] == ["vm-1"]
    assert daemon.cloud.servers[ServerId("vm-1")].host not in {H1, H3}
    assert (daemon.cloud.services[H1].disabled_reason or "").startswith("gdcc: drain drain-h1-")
    assert [entry.intent.id for entry in daemon.journal.entries_since(ended.since)] == [f"{ended.id}-1"]


def test_the_open_drain_of_another_host_waits_for_the_daemon(daemon: Daemon) -> None:
    now = daemon.clock.now()
    other = Drain(
        id="drain-h3-1", host=H3, who="malee", why="dimm", keep_shutoff=False, since=now, state=DrainState.EMPTYING
    )
    daemon.journal.save_drain(other)
    assert drained(daemon).state is DrainState.EMPTY
    assert [start.server_id for start in daemon.cloud.starts] == ["vm-1"]
    assert other in daemon.journal.drains()


def test_what_cannot_leave_ends_it_as_stuck_with_who_must_act(daemon: Daemon) -> None:
    daemon.cloud.change("vm-1", status="SUSPENDED")
    ended = drained(daemon)
    assert ended.state is DrainState.STUCK
    assert [one.who_must_act for one in ended.holdouts] == ["the project's owner: resume it"]
    assert daemon.cloud.starts == []
    assert daemon.wired.loop.status.drain_steps > 2, "it was given up for turns in which no drain was stepped"


def test_without_a_yes_nothing_is_done(daemon: Daemon) -> None:
    with pytest.raises(RefusedError, match="nothing was done"):
        drained(daemon, sure=False)
    assert daemon.cloud.services[H1].enabled and daemon.journal.drains() == ()

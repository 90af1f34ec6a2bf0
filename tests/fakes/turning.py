"""A whole controller's turns over a fake cloud, a real journal, virtual time, and readings that a test sets."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from controller.engine.campaign.fleet import LoopFleet
from controller.engine.drain import Drainer
from controller.engine.emptying import PlannedDrains
from controller.engine.loop import Loop
from controller.engine.observe import Observer
from controller.engine.operators import Operators
from controller.engine.places import Situation
from controller.engine.ports import Journal
from controller.engine.sighting import Sight
from controller.engine.status import Published, Status
from controller.errors import TransientError
from controller.model.ids import HostName, ProjectId, ServerId
from controller.model.policy import MigrationPolicy, Mode, Policy
from controller.model.sample import Batch, Fault, Kind, Quantity
from tests.fakes.cloud import FakeCloud
from tests.fakes.rig import HOSTS, Rig

INTERVAL = timedelta(seconds=30)
GIB = 2.0**30


class Sensors:
    """A collector. Hosts in `failing` report failing memory, those in `mute` tell no health, those in `blind` nothing,
    those in `hot` that all their threads are busy; servers are measured. `faults` come with every look.
    """

    name = "sensors"

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.failing: set[str] = set()
        self.mute: set[str] = set()
        self.blind: set[str] = set()
        self.hot: set[str] = set()
        self.faults: tuple[Fault, ...] = ()
        self.bug: Exception | None = None

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def collect(self, deadline: timedelta) -> tuple[Sequence[Batch], Sequence[Fault]]:
        if self.bug is not None:
            raise self.bug
        hosts = [name for name in HOSTS if name not in self.blind]
        servers = sorted(self._rig.cloud.servers)
        telling = [name for name in hosts if name not in self.mute]
        health = [2.0 if name in self.failing else 0.0 for name in telling]
        return (
            self._batch(Kind.HOST, Quantity.CPU_RATIO, hosts, [0.99 if name in self.hot else 0.2 for name in hosts]),
            self._batch(Kind.HOST, Quantity.MEMORY_BYTES, hosts, [64 * GIB] * len(hosts)),
            self._batch(Kind.HOST, Quantity.MEMORY_HEALTH, telling, health),
            self._batch(Kind.VM, Quantity.CPU_VCPUS, servers, [0.5] * len(servers)),
            self._batch(Kind.VM, Quantity.MEMORY_BYTES, servers, [2 * GIB] * len(servers)),
            self._batch(Kind.VM, Quantity.DIRTY_BYTES_S, servers, [1e6] * len(servers)),
        ), self.faults

    def _batch(self, kind: Kind, quantity: Quantity, names: Sequence[str], values: Sequence[float]) -> Batch:
        at = np.full(len(names), self._rig.clock.now().timestamp())
        return Batch(kind=kind, quantity=quantity, source=self.name, names=tuple(names), values=np.array(values), at=at)


class BrittleJournal:
    """A journal on a disk that fills: while `full` names a call (or is `*` for all), it raises and writes nothing."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.full: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if name in self.full or "*" in self.full:
            return self._fail
        return getattr(self._journal, name)

    @staticmethod
    def _fail(*_: object, **__: object) -> None:
        raise TransientError("the disk under the journal is full", where="journal.db", remedy="free space")


class Turning:
    """Four hosts, `servers` on c1, and the loop over them; `restart` is a new process."""

    def __init__(self, folder: Path, *, servers: int = 2, **policy: Any) -> None:
        values: dict[str, Any] = {
            "mode": Mode.AUTO,
            "sustained": timedelta(0),
            "migration": MigrationPolicy(cooldown=timedelta(0), settle=timedelta(0), poll=timedelta(seconds=3)),
        }
        self.rig = Rig(folder, policy=Policy(**values | policy))
        self.cloud: FakeCloud = self.rig.cloud
        self.cloud.projects = {ProjectId("p-web"): "p-web", ProjectId("p-db"): "p-db"}
        for n in range(1, servers + 1):
            self.cloud.boot(f"vm-{n}", "c1", project_id=ProjectId("p-web" if n % 2 else "p-db"), disk_gib=0)
        self.sensors = Sensors(self.rig)
        self.published: list[Published] = []
        self.wire()

    def wire(self, *, dry_run: bool = False) -> None:
        rig = self.rig
        self.journal = BrittleJournal(rig.journal)
        rig.situation = self._situation  # type: ignore[method-assign]
        rig.start(rig.cloud, self.journal)  # type: ignore[arg-type]
        journal: Journal = self.journal  # type: ignore[assignment]
        plans = PlannedDrains(lambda: self.loop.memory.seen, self.policy, journal)
        drainer = Drainer(rig.cloud, journal, rig.clock, migrator=rig.migrator, plan=plans)
        self.loop = Loop(
            observer=Observer(rig.cloud, [self.sensors], rig.clock, deadline=timedelta(seconds=20)),
            sight=Sight(rig.estate, journal, INTERVAL),
            migrator=rig.migrator,
            adopter=rig.adopter,
            drainer=drainer,
            journal=journal,
            clock=rig.clock,
            policy=rig.policy,
            interval=INTERVAL,
            status=Status(
                version="0", estate="test", mode=rig.policy.mode, started_at=rig.clock.now(), interval=INTERVAL
            ),
            publish=self.published.append,
            dry_run=dry_run,
        )
        self.desk = Operators(
            self.loop, rig.migrator, drainer, journal, rig.clock, campaigns=rig.journal.campaigns, dry_run=dry_run
        )
        self.fleet = LoopFleet(drainer, self.loop.wake.set)

    def _situation(self) -> Situation:
        return self.loop.situation()

    def policy(self) -> Policy:
        return self.loop.policy

    def change_policy(self, **changes: Any) -> None:
        self.rig.policy = self.loop.policy = replace(self.loop.policy, **changes)

    async def die(self) -> None:
        """Ends this process; what it began goes on in the cloud."""
        self.loop.stop()
        await self.loop.run(turned=lambda: None)

    def restart(self, *, dry_run: bool = False) -> None:
        """A new process on the same journal and cloud."""
        self.rig.restart()
        self.wire(dry_run=dry_run)

    async def turns(self, count: int = 1) -> str:
        """That many turns, each after what the one before started has ended or 30 s have passed; the last sentence."""
        for _ in range(count):
            await self.loop.turn()
            await self.settle()
        return self.loop.status.sentence

    async def settle(self, longest: timedelta = INTERVAL) -> None:
        """Lets what runs beside the turns go on for so long."""
        await self.rig.clock.sleep(longest)
        for _ in range(3):
            await asyncio.sleep(0)

    def host_of(self, name: str) -> HostName | None:
        return self.cloud.servers[ServerId(name)].host

    def started(self) -> list[tuple[str, str]]:
        """What Nova was asked to start, in order."""
        return [(start.server_id, start.target) for start in self.cloud.starts]

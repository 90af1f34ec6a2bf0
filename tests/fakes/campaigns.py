"""Hosts that campaigns work on: playbooks that change them, reboots that take time, and a fleet whose drains do too.

`World` outlives every process of the controller; the fake playbooks and fleet are what a process sees of it. The world
counts what was really done to each host.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controller.engine.ports import Clock, Journal
from controller.errors import GdccError, InputError, PermanentError, TransientError
from controller.model.ids import HostName
from controller.model.operation import Drain, DrainState
from controller.model.playbook import (
    HostResult,
    PlaybookResult,
    PlaybookRun,
    TaskEvent,
    TaskFailure,
    TaskStatus,
)

STEP = timedelta(seconds=20)
"""How long anything takes in this world."""


@dataclass(slots=True, kw_only=True)
class Machine:
    """One host as it really is. `boot` counts its boots; it does not answer before `up_at`."""

    boot: int = 1
    version: str = "old"
    reboot_required: bool = False
    enabled: bool = True
    disabled_for: str = ""
    up_at: datetime | None = None


@dataclass(slots=True)
class World:
    """`broken`: hosts whose named playbook fails, and what it says; `failures`: the same in all detail.

    `silent`: hosts that never answer. `errors`: playbooks that Ansible cannot run at all. `late`: hosts onto which a
    server came after they were empty; `late_in_line`: it comes while the named playbook waits for others to end.
    `at_once`: playbooks that go on side by side in one process.
    `nova_is_down`: it answers no look. `refuses_to_enable`: it says no, to a drain that has ended.
    """

    machines: dict[HostName, Machine]
    broken: dict[tuple[HostName, str], str] = field(default_factory=dict)
    failures: dict[tuple[HostName, str], TaskFailure] = field(default_factory=dict)
    errors: dict[str, GdccError] = field(default_factory=dict)
    silent: set[HostName] = field(default_factory=set)
    stuck: set[HostName] = field(default_factory=set)
    late: set[HostName] = field(default_factory=set)
    late_in_line: set[tuple[HostName, str]] = field(default_factory=set)
    at_once: int = 1000
    nova_is_down: bool = False
    refuses_to_enable: bool = False
    done: Counter[tuple[HostName, str]] = field(default_factory=Counter)
    runs: list[PlaybookRun] = field(default_factory=list)
    on_change: Callable[[], None] = lambda: None

    def out(self) -> frozenset[HostName]:
        """Hosts out of service now."""
        return frozenset(name for name, machine in self.machines.items() if not machine.enabled)

    def switch(self, host: HostName, enabled: bool) -> None:
        """Nova's service of the host is enabled or disabled."""
        self.machines[host].enabled = enabled
        self.on_change()


class FakePlaybooks:
    """`engine.ports.Playbooks` over a world: patch, boot-id, reboot and verify behave as the real ones do."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._clock = clock
        self._places = asyncio.Semaphore(world.at_once)

    async def run(
        self,
        run: PlaybookRun,
        progress: Callable[[TaskEvent], None],
        ready: Callable[[], Awaitable[None]] | None = None,
    ) -> PlaybookResult:
        async with self._places:
            for host, playbook in self._world.late_in_line & {(host, run.playbook) for host in run.hosts}:
                self._world.late_in_line.discard((host, playbook))
                self._world.late.add(host)
            if ready is not None:
                await ready()
            return await self._run(run, progress)

    async def _run(self, run: PlaybookRun, progress: Callable[[TaskEvent], None]) -> PlaybookResult:
        if any(before.id == run.id for before in self._world.runs):
            raise InputError(f"run {run.id} was made before")
        if run.playbook in self._world.errors:
            raise self._world.errors[run.playbook]
        self._world.runs.append(run)
        hosts = {host: await self._host(run, host, progress) for host in run.hosts}
        return PlaybookResult(run=run, hosts=hosts, ended_at=self._clock.now(), artifacts=f"/runs/{run.id}")

    async def _host(self, run: PlaybookRun, host: HostName, progress: Callable[[TaskEvent], None]) -> HostResult:
        machine = self._world.machines[host]
        progress(TaskEvent(host=host, task="Begin", status=TaskStatus.STARTED, at=self._clock.now()))
        await self._clock.sleep(STEP)
        if self._silent(host):
            lost = TaskFailure(task="Begin", said="Connection timed out", unreachable=True)
            return HostResult(host=host, ended=False, ok=0, failure=lost)
        said = self._world.broken.get((host, run.playbook))
        if said is not None:
            return HostResult(host=host, ended=False, ok=1, failure=TaskFailure(task="Prove it", said=said))
        failure = self._world.failures.get((host, run.playbook))
        if failure is not None:
            return HostResult(host=host, ended=False, ok=1, failure=failure)
        facts: dict[str, object] = {}
        if run.playbook == "host-patch.yml":
            facts = await self._patch(host, machine)
        elif run.playbook == "host-boot-id.yml":
            facts = {"boot_id": f"{host}-{machine.boot}"}
        elif run.playbook == "host-reboot.yml":
            facts = await self._reboot(run, host, machine)
        return HostResult(host=host, ended=True, ok=3, facts=facts)

    async def _patch(self, host: HostName, machine: Machine) -> dict[str, object]:
        """Idempotent: the upgrade happens once however often it is run."""
        if machine.version == "old":
            machine.version, machine.reboot_required = "new", True
            self._world.done[host, "patch"] += 1
        await self._clock.sleep(STEP)
        return {"reboot_required": machine.reboot_required}

    async def _reboot(self, run: PlaybookRun, host: HostName, machine: Machine) -> dict[str, object]:
        before = f"{host}-{machine.boot}"
        if run.variables["reboot_boot_id"] in {"", before}:
            machine.boot += 1
            machine.reboot_required = False
            machine.up_at = self._clock.now() + 2 * STEP
            self._world.done[host, "reboot"] += 1
            await self._clock.sleep(2 * STEP)
        return {"boot_id": f"{host}-{machine.boot}", "rebooted": True}

    def _silent(self, host: HostName) -> bool:
        up_at = self._world.machines[host].up_at
        return host in self._world.silent or (up_at is not None and self._clock.now() < up_at)


class FakeFleet:
    """`engine.campaign.ports.Fleet` whose drains empty a host a while after they began, by `tend`."""

    def __init__(self, world: World, journal: Journal, clock: Clock) -> None:
        self._world = world
        self._journal = journal
        self._clock = clock

    async def drain(self, host: HostName, who: str, why: str, *, keep_shutoff: bool) -> Drain:
        now = self._clock.now()
        drain = Drain(
            id=f"drain-{host}-{now:%H%M%S%f}", host=host, who=who, why=why, keep_shutoff=keep_shutoff, since=now,
            state=DrainState.EMPTYING,
        )  # fmt: skip
        self._journal.save_drain(drain)
        await self._clock.sleep(timedelta(seconds=1))
        self._disable(drain)
        return drain

    async def look(self, drain: Drain) -> Drain:
        if self._world.nova_is_down:
            raise TransientError("Nova does not answer", where=drain.host)
        return replace(drain, state=DrainState.EMPTYING) if drain.host in self._world.late else drain

    async def holds(self, host: HostName, why: str) -> bool:
        machine = self._world.machines[host]
        return not machine.enabled and machine.disabled_for == why

    async def enable(self, host: HostName, who: str, *, force: bool) -> str:
        await self._clock.sleep(timedelta(seconds=1))
        for drain in self._journal.drains():
            if drain.host == host:
                self._journal.save_drain(replace(drain, state=DrainState.ENDED))
        await self._clock.sleep(timedelta(seconds=1))
        if self._world.machines[host].enabled:
            return f"{host} is enabled already."
        if self._world.refuses_to_enable:
            raise PermanentError("403: policy does not allow it", where=host)
        self._world.done[host, "enable"] += 1
        self._world.switch(host, True)
        return f"{host} is enabled."

    def tend(self) -> None:
        """What the loop does each turn: goes on with every open drain."""
        for drain in self._journal.drains():
            self._disable(drain)
            if drain.state is DrainState.EMPTYING and self._clock.now() >= drain.since + STEP:
                state = DrainState.STUCK if drain.host in self._world.stuck else DrainState.EMPTY
                self._journal.save_drain(replace(drain, state=state))

    def _disable(self, drain: Drain) -> None:
        if self._world.machines[drain.host].enabled:
            self._world.machines[drain.host].disabled_for = drain.why
            self._world.done[drain.host, "disable"] += 1
            self._world.switch(drain.host, False)

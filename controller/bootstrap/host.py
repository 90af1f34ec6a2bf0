"""`gdcc host`: the playbooks' parts from the settings, and the controller in this process where no daemon runs."""

import asyncio
import contextlib
import getpass
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from controller import config
from controller.adapters.ansible.playbooks import AnsiblePlaybooks
from controller.adapters.store.journal import SqlJournal
from controller.api import host_runs
from controller.bootstrap import ansible, parts
from controller.bootstrap.daemon import Wired, wire
from controller.engine.host_work.controller import Emptying
from controller.errors import PermanentError, TransientError
from controller.model.host_run import HostRun, HostStep, HostVerb
from controller.model.ids import HostName
from controller.model.operation import Drain, paused_everywhere
from controller.model.policy import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What `gdcc host` works with. `timeout` is that of one playbook; `looks_at_once`: hosts of one that only looks."""

    playbooks: AnsiblePlaybooks
    artifacts: Path
    timeout: timedelta
    looks_at_once: int
    socket: Path
    dry_run: bool


def tools(path: Path) -> Tools:
    """From the settings at `path`. Raises `InputError` for what is wrong with them."""
    settings = config.load(path)
    made = ansible.site(settings)
    return Tools(
        playbooks=AnsiblePlaybooks(made),
        artifacts=made.artifacts,
        timeout=settings.ansible.timeout,
        looks_at_once=settings.ansible.forks,
        socket=settings.socket.path,
        dry_run=settings.dry_run,
    )


@contextlib.asynccontextmanager
async def direct(path: Path, *, drains: Collection[HostName]) -> AsyncIterator["DirectController"]:
    """The controller in this process, holding the journal's lock; with hosts that it may drain it turns its loop.

    Raises `RefusedError` (rule `journal-locked`) while a daemon runs.
    """
    settings = parts.beside_a_daemon(config.load(path))
    with parts.journal(settings, "gdcc host --direct") as journal:
        if not drains:
            yield DirectController(journal, None)
            return
        quiet = settings.model_copy(update={"policy": settings.policy.model_copy(update={"mode": Mode.OBSERVE})})
        async with contextlib.AsyncExitStack() as stack:
            wired = await wire(stack, quiet, parts.estate(settings), journal)
            async with turning(wired, drains):
                yield DirectController(journal, wired)


@contextlib.asynccontextmanager
async def turning(wired: Wired, drains: Collection[HostName]) -> AsyncIterator[None]:
    """The loop turns and carries on the drains of these hosts alone: those of others wait for the daemon.

    Raises `TransientError` where nothing is seen.
    """
    wired.loop.only_drains = frozenset(drains)
    await wired.loop.turn()
    if wired.loop.memory.seen is None:
        raise TransientError(wired.loop.status.sentence, where="cloud")
    turns = asyncio.create_task(wired.loop.run(turned=lambda: None))
    try:
        yield
    finally:
        wired.loop.stop()
        await turns


class DirectController:
    """`engine.host_work.controller.Controller` over parts of this process."""

    def __init__(self, journal: SqlJournal, wired: Wired | None) -> None:
        self._journal = journal
        self._wired = wired
        self._who = getpass.getuser()

    async def open_runs(self) -> tuple[HostRun, ...]:
        return self._journal.host_runs.open_runs()

    async def runs(self) -> tuple[HostRun, ...]:
        """The open ones, and those of the last day."""
        return tuple(host_runs.shown(self._journal.host_runs, datetime.now(UTC)))

    async def begin(self, host: HostName, verb: HostVerb, step: HostStep) -> HostRun:
        run = host_runs.new(host, verb, step, who=self._who, now=datetime.now(UTC))
        self._journal.host_runs.begin(run)
        return run

    async def save(self, run: HostRun) -> None:
        self._journal.host_runs.save(replace(run, changed_at=datetime.now(UTC)))

    async def drains(self) -> tuple[Drain, ...]:
        return self._journal.drains()

    async def unknowns(self, host: HostName) -> tuple[str, ...]:
        return await self._turning.desk.drain_unknowns(host)

    async def drain(self, host: HostName, why: str, *, keep_shutoff: bool) -> Drain:
        return await self._turning.desk.drain(host, self._who, why, keep_shutoff=keep_shutoff)

    async def emptying(self, drain: Drain) -> Emptying:
        found = next((one for one in self._journal.drains() if one.id == drain.id), None)
        entries = self._journal.entries_since(drain.since)
        own = [entry for entry in entries if entry.intent.id.startswith(f"{drain.id}-")]
        moving = any(one.outcome is None for one in own)
        steps, paused = self._turning.loop.status.drain_steps, paused_everywhere(self._journal.pauses())
        return Emptying(drain=found, moves=len(own), moving=moving, steps=steps, paused=paused)

    async def look(self, drain: Drain) -> Drain:
        return await self._turning.desk.look(drain.host)

    async def enable(self, host: HostName) -> str:
        return await self._turning.desk.enable(host, self._who, force=False)

    @property
    def _turning(self) -> Wired:
        if self._wired is None:
            raise PermanentError("this verb takes no host out of service", where="gdcc host --direct")
        return self._wired

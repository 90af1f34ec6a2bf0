"""`gdcc drain --direct`: a drain with no daemon, holding the journal's lock, making no other move."""

import asyncio
import contextlib
import getpass
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from controller import config
from controller.adapters.store.journal import SqlJournal
from controller.bootstrap import parts
from controller.bootstrap.daemon import Wired, wire
from controller.errors import TransientError
from controller.model.ids import HostName
from controller.model.operation import Drain, DrainState
from controller.model.policy import Mode
from inventory.model import Estate

Confirm = Callable[[tuple[str, ...]], None]
"""Given what is not known; returns to go on, raises not to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A drain, as an operator asks for it."""

    host: HostName
    why: str
    keep_shutoff: bool
    confirm: Confirm


def drain(path: Path, asked: Asked) -> Drain:
    """Drains to its end, EMPTY or STUCK. Raises RefusedError (rule `journal-locked`) while a daemon runs."""
    settings = parts.beside_a_daemon(config.load(path))
    quiet = settings.model_copy(update={"policy": settings.policy.model_copy(update={"mode": Mode.OBSERVE})})
    estate = parts.estate(settings)
    with parts.journal(settings, "gdcc drain --direct") as journal:
        return asyncio.run(_drain(quiet, estate, journal, asked))


async def _drain(settings: config.Config, estate: Estate, journal: SqlJournal, asked: Asked) -> Drain:
    async with contextlib.AsyncExitStack() as stack:
        return await drained(await wire(stack, settings, estate, journal), asked)


async def drained(wired: Wired, asked: Asked) -> Drain:
    """Looks, has it confirmed, and turns until the drain has ended. Other hosts' open drains wait for the daemon."""
    wired.loop.only_drains = frozenset({asked.host})
    await wired.loop.turn()
    if wired.loop.memory.seen is None:
        raise TransientError(wired.loop.status.sentence, where=asked.host)
    asked.confirm(await wired.desk.drain_unknowns(asked.host))
    begun = await wired.desk.drain(asked.host, getpass.getuser(), asked.why, keep_shutoff=asked.keep_shutoff)
    turns = asyncio.create_task(wired.loop.run(turned=lambda: None))
    try:
        return await _ended(wired, begun)
    finally:
        wired.loop.stop()
        await turns


async def _ended(wired: Wired, begun: Drain) -> Drain:
    """Until it is EMPTY, or STUCK and has moved nothing in two steps of drains: what can leave, leaves first."""
    journal, moved, still_since = wired.journal, 0, wired.loop.status.drain_steps
    while True:
        await asyncio.sleep(1)
        found = next((one for one in journal.drains() if one.id == begun.id), None)
        if found is None or found.state is DrainState.EMPTY:
            return found or begun
        entries = [entry for entry in journal.entries_since(begun.since) if entry.intent.id.startswith(f"{begun.id}-")]
        busy = found.state is DrainState.EMPTYING or any(entry.outcome is None for entry in entries)
        if busy or len(entries) != moved:
            moved, still_since = len(entries), wired.loop.status.drain_steps
        elif wired.loop.status.drain_steps > still_since + 2:
            return found

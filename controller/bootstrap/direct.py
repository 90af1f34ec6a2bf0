"""`gdcc drain --direct`: a drain with no daemon, holding the journal's lock, making no other move."""

import asyncio
import contextlib
import getpass
from collections.abc import Callable
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


def drain(path: Path, host: str, why: str, *, keep_shutoff: bool, confirm: Confirm) -> Drain:
    """Drains to its end, EMPTY or STUCK. Raises RefusedError (rule `journal-locked`) while a daemon runs."""
    settings = config.load(path)
    quiet = settings.model_copy(update={"policy": settings.policy.model_copy(update={"mode": Mode.OBSERVE})})
    estate = parts.estate(settings)
    with parts.journal(settings, "gdcc drain --direct") as journal:
        drained = _drain(quiet, estate, journal, HostName(host), why=why, keep_shutoff=keep_shutoff, confirm=confirm)
        return asyncio.run(drained)


async def _drain(
    settings: config.Config,
    estate: Estate,
    journal: SqlJournal,
    host: HostName,
    *,
    why: str,
    keep_shutoff: bool,
    confirm: Confirm,
) -> Drain:
    async with contextlib.AsyncExitStack() as stack:
        wired = await wire(stack, settings, estate, journal)
        await wired.loop.turn()
        if wired.loop.memory.seen is None:
            raise TransientError(wired.loop.status.sentence, where=host)
        confirm(await wired.desk.drain_unknowns(host))
        begun = await wired.desk.drain(host, getpass.getuser(), why, keep_shutoff=keep_shutoff)
        turns = asyncio.create_task(wired.loop.run(turned=lambda: None))
        try:
            return await _ended(wired, journal, begun)
        finally:
            wired.loop.stop()
            await turns


async def _ended(wired: Wired, journal: SqlJournal, begun: Drain) -> Drain:
    """Until it is EMPTY, or STUCK and has moved nothing for two turns: what can leave, leaves first."""
    moved, still_since = 0, wired.loop.status.turns.count
    while True:
        await asyncio.sleep(1)
        found = next((one for one in journal.drains() if one.id == begun.id), None)
        if found is None or found.state is DrainState.EMPTY:
            return found or begun
        entries = [entry for entry in journal.entries_since(begun.since) if entry.intent.id.startswith(f"{begun.id}-")]
        busy = found.state is DrainState.EMPTYING or any(entry.outcome is None for entry in entries)
        if busy or len(entries) != moved:
            moved, still_since = len(entries), wired.loop.status.turns.count
        elif wired.loop.status.turns.count > still_since + 2:
            return found

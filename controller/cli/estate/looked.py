"""What a look at the stacks gave, before it is told: what differs, what was added by hand, when credentials end."""

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from controller.adapters import drift_textfile
from controller.adapters.pulumi import added, drift, settling, state
from controller.adapters.pulumi.added import Added
from controller.adapters.pulumi.runs import Run, State
from controller.adapters.pulumi.stacks import FOUNDATION
from controller.adapters.pulumi.tool import Tool
from controller.errors import GdccError

_ALL_PAGES = ("--page-size", "0")
"""Without a size the CLI tells the last ten runs alone, and the first could not be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look at one stack: what it holds, what of that differs, and what was added to it by hand.

    What a killed run left open (`run.pending`) is not as declared either: nobody knows whether the cloud has it. What a
    run that is going on has under way (`run.beside`) is no drift.
    `unread` says why it could not be looked at, in whole or in part; empty where it was.
    """

    run: Run
    held: tuple[drift.Held, ...] = ()
    differences: tuple[drift.Difference, ...] = ()
    added: tuple[Added, ...] = ()
    unread: str = ""

    @property
    def drifted(self) -> int:
        """How many things are not as declared."""
        return len(self.differences) + len(self.added) + len(self.run.pending)


def at(tool: Tool, run: Run) -> Look:
    """What the events of a stack's look say, once it is over."""
    if run.state is not State.DONE:
        return Look(run=run, unread=run.said)
    events = (run.folder / "drift" / "events").read_text(encoding="utf-8").splitlines()
    found, held = drift.differences(events), drift.held(events)
    if not found:
        return Look(run=run, held=held)
    modified = {each.urn: each.modified for each in state.export(tool, run.stack).resources}
    history = json.loads(tool.call("stack", "history", "--json", *_ALL_PAGES, "--stack", run.stack))
    return Look(run=run, held=held, differences=drift.dated(found, modified, history))


def with_added(open_cloud: settling.OpenCloud, looks: Sequence[Look], known: Collection[str]) -> list[Look]:
    """The same, with what was added to what they hold. `known` are all stacks there are.

    Where the cloud does not tell, none of them was looked at in whole.
    """
    holding = {each.run.stack: each.held for each in looks if not each.unread}
    shared = () if set(known) <= set(holding) else (FOUNDATION,)
    try:
        found = asyncio.run(_asked(open_cloud, holding, shared)) if holding else {}
    except GdccError as error:
        why = f"what was added by hand could not be looked for: {error}"
        return [replace(each, unread=each.unread or why) for each in looks]
    return [replace(each, added=found.get(each.run.stack, ())) for each in looks]


async def _asked(
    open_cloud: settling.OpenCloud, holding: dict[str, tuple[drift.Held, ...]], shared: Collection[str]
) -> dict[str, tuple[Added, ...]]:
    async with open_cloud() as cloud:
        return await added.to(cloud, holding, shared)


def write(to: Path, looks: Sequence[Look], now: datetime, seconds: float) -> None:
    """Tells Prometheus. Raises `InputError` where the file cannot be written."""
    ends = {each.run.stack: drift.credentials_end(each.held) for each in looks}
    seen = drift_textfile.Look(
        drifted={each.run.stack: each.drifted for each in looks if not each.unread},
        unread=[each.run.stack for each in looks if each.unread],
        at=now,
        seconds=seconds,
        credentials_end={stack: end for stack, end in ends.items() if end is not None},
    )
    drift_textfile.write(to, drift_textfile.ESTATE, seen)

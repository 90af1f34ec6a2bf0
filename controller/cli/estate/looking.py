"""`gdcc estate drift`: the cloud against the stacks' last runs."""

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from controller.adapters import drift_textfile
from controller.adapters.pulumi import drift, stack_files, state
from controller.adapters.pulumi.runs import Run, State
from controller.adapters.pulumi.stacks import Verb
from controller.adapters.pulumi.tool import Tool
from controller.cli.estate import deploying, proposing, running
from controller.cli.estate.select import Selection
from controller.cli.output import WRONG_USE, drift_status, people, print_json

NOT_DEPLOYED = "not deployed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at one stack gave: its differences, None where it could not be looked at."""

    run: Run
    differences: tuple[drift.Difference, ...] | None


def look(chosen: Selection, asked: bool, parallel: int, to: Path | None, as_json: bool) -> None:
    """Looks at every chosen stack, tells what differs, and ends with 0 (none), 1 (drift) or 2 (could not look).

    Stacks that are not deployed are told and passed over, unless they were asked for by name or were made once: then
    this is another backend. Without names, all that the backend has are looked at, also what the estate has no more.
    """
    began = time.monotonic()
    orders = deploying.orders(chosen)
    stacks = list(chosen.stacks) if asked else _made(chosen, orders.known)
    runs = running.run(Verb.DRIFT, stacks, orders, parallel=parallel, as_json=as_json)
    looks = [_look(chosen.tool, run) for run in runs]
    now = datetime.now(UTC)
    absent = [stack for stack in chosen.stacks if stack not in stacks]
    if to is not None:
        drifted = {each.run.stack: len(each.differences) for each in looks if each.differences is not None}
        unread = [each.run.stack for each in looks if each.differences is None]
        seconds = time.monotonic() - began
        seen = drift_textfile.Look(drifted=drifted, unread=unread, at=now, seconds=seconds)
        drift_textfile.write(to, drift_textfile.ESTATE, seen)
    proposed = proposing.sentences(chosen)
    if as_json:
        rows = [_row(each) for each in looks]
        print_json({"at": now.isoformat(), "stacks": rows, "not_deployed": absent, "proposals": proposed})
    else:
        _tell(looks, absent)
        for sentence in proposed:
            people.print(sentence, markup=False, soft_wrap=True)
    raise typer.Exit(status(looks))


def _made(chosen: Selection, known: Collection[str]) -> list[str]:
    root, strange = chosen.tool.root, sorted(set(known) - set(chosen.stacks))
    return [*(each for each in chosen.stacks if each in known or stack_files.set_up(root, each)), *strange]


def status(looks: Sequence[Look]) -> int:
    """2 where a stack could not be looked at, or none was, else 1 where there is drift, else 0."""
    return drift_status(each.differences for each in looks) if looks else WRONG_USE


def _look(tool: Tool, run: Run) -> Look:
    if run.state is not State.DONE:
        return Look(run=run, differences=None)
    with (run.folder / "drift" / "events").open(encoding="utf-8") as events:
        found = drift.differences(events)
    if not found:
        return Look(run=run, differences=())
    modified = {each.urn: each.modified for each in state.export(tool, run.stack).resources}
    history = json.loads(tool.call("stack", "history", "--json", "--stack", run.stack))
    return Look(run=run, differences=drift.dated(found, modified, history))


def _row(each: Look) -> dict[str, object]:
    if each.differences is None:
        return {"stack": each.run.stack, "looked": False, "says": each.run.said, "resources": None}
    return {
        "stack": each.run.stack,
        "looked": True,
        "says": "drifted" if each.differences else "as declared",
        "resources": [_resource(one) for one in each.differences],
    }


def _resource(one: drift.Difference) -> dict[str, object]:
    return {
        "urn": one.urn,
        "type": one.type,
        "name": one.name,
        "gone": one.gone,
        "fields": [{"name": field.name, "declared": field.declared, "found": field.found} for field in one.fields],
        "since": None if one.since is None else {"run": one.since.number, "at": one.since.at.isoformat()},
        "says": str(one),
    }


def _tell(looks: Sequence[Look], absent: Sequence[str]) -> None:
    drifted = sum(1 for each in looks if each.differences)
    unread = [each for each in looks if each.differences is None]
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("stack", "resource", "declared", "found", "since"):
        shown.add_column(column, overflow="fold")
    for each in looks:
        for one in each.differences or ():
            _add(shown, each.run.stack, one)
    if drifted:
        people.print(shown)
    for each in unread:
        people.print(f"{each.run.stack}: could not look: {each.run.said}", markup=False, soft_wrap=True)
    count = f"{len(looks)} {'stack' if len(looks) == 1 else 'stacks'}"
    told = f"{count}: {len(looks) - drifted - len(unread)} as declared, {drifted} drifted"
    more = f", {len(unread)} could not be looked at" if unread else ""
    none = f"; {len(absent)} {NOT_DEPLOYED}" if absent else ""
    people.print(told + more + none)


def _add(shown: Table, stack: str, one: drift.Difference) -> None:
    name = f"{one.type.rpartition(':')[2]} {one.name}"
    since = "" if one.since is None else str(one.since)
    if one.gone:
        shown.add_row(stack, name, "there", "gone", since)
    for field in one.fields:
        shown.add_row(stack, Text(name), Text(f"{field.name}: {field.declared}"), Text(field.found), since)

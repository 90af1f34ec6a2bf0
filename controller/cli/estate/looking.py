"""`gdcc estate drift`: the cloud against the stacks' last runs."""

import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from controller.adapters.pulumi import added, drift, settling, stack_files
from controller.adapters.pulumi.runs import State
from controller.adapters.pulumi.stacks import Verb
from controller.cli.estate import deploying, looked, proposing, running
from controller.cli.estate.looked import Look
from controller.cli.estate.select import Selection
from controller.cli.output import WRONG_USE, drift_status, people, print_json

NOT_DEPLOYED = "not deployed"
NO_CLOUD = "what was added by hand was not looked for: no OS_CLOUD, OS_AUTH_URL or openstack:cloud says in which cloud"


def look(
    chosen: Selection,
    asked: bool,
    parallel: int,
    to: Path | None,
    as_json: bool,
    open_cloud: settling.OpenCloud | None = None,
) -> None:
    """Looks at every chosen stack, tells what differs, and ends with 0 (none), 1 (drift) or 2 (could not look).

    Stacks that are not deployed are told and passed over, unless they were asked for by name or were made once: then
    this is another backend. Without names, all that the backend has are looked at, also what the estate has no more.
    What was added by hand is looked for in that cloud; where the environment names none, that is told.
    """
    began = time.monotonic()
    orders = deploying.orders(chosen)
    stacks = list(chosen.stacks) if asked else _made(chosen, orders.known)
    runs = running.run(Verb.DRIFT, stacks, orders, parallel=parallel, as_json=as_json)
    looks = [looked.at(chosen.tool, run) for run in runs]
    if open_cloud is not None:
        looks = looked.with_added(open_cloud, looks, orders.known)
    now = datetime.now(UTC)
    absent = [stack for stack in chosen.stacks if stack not in stacks]
    if to is not None:
        looked.write(to, looks, now, time.monotonic() - began)
    proposed = proposing.sentences(chosen)
    if as_json:
        rows = [_row(each) for each in looks]
        whole = {"at": now.isoformat(), "added_looked_for": open_cloud is not None, "stacks": rows}
        print_json({**whole, "not_deployed": absent, "proposals": proposed})
    else:
        _tell(looks, absent)
        for sentence in [*proposed, *([] if open_cloud else [NO_CLOUD])]:
            people.print(sentence, markup=False, soft_wrap=True)
    raise typer.Exit(status(looks))


def _made(chosen: Selection, known: Collection[str]) -> list[str]:
    root, strange = chosen.tool.root, sorted(set(known) - set(chosen.stacks))
    return [*(each for each in chosen.stacks if each in known or stack_files.set_up(root, each)), *strange]


def status(looks: Sequence[Look]) -> int:
    """2 where a stack could not be looked at, or none was, else 1 where there is drift, else 0."""
    return drift_status(None if each.unread else range(each.drifted) for each in looks) if looks else WRONG_USE


def _row(each: Look) -> dict[str, object]:
    done = each.run.state is State.DONE
    return {
        "stack": each.run.stack,
        "looked": not each.unread,
        "says": each.unread or ("drifted" if each.drifted else "as declared"),
        "resources": [_resource(one) for one in each.differences] if done else None,
        "added": [_added(one) for one in each.added],
        "pending": [str(one) for one in each.run.pending],
        "beside": each.run.beside,
    }


def _added(one: added.Added) -> dict[str, object]:
    return {"kind": one.kind, "what": one.what, "id": one.id, "urn": one.to.urn, "says": str(one)}


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
    drifted = sum(1 for each in looks if each.drifted and not each.unread)
    unread = [each for each in looks if each.unread]
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("stack", "resource", "declared", "found", "since"):
        shown.add_column(column, overflow="fold")
    for each in looks:
        for difference in each.differences:
            _add(shown, each.run.stack, difference)
        for one in each.run.pending:
            shown.add_row(each.run.stack, Text(one.name), "there", Text(one.unknown), "")
        for extra in each.added:
            shown.add_row(each.run.stack, Text(str(extra.to)), "nothing", Text(f"{extra.kind} {extra.what}"), "")
    if shown.row_count:
        people.print(shown)
    for each in looks:
        if each.run.beside:
            people.print(f"{each.run.stack}: {each.run.beside}", markup=False, soft_wrap=True)
    for each in unread:
        people.print(f"{each.run.stack}: could not look: {each.unread}", markup=False, soft_wrap=True)
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

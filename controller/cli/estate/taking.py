"""`gdcc estate import`: a cloud that already lives, taken under management."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from controller.adapters.pulumi import adopting, finding, importing, settling, state, undeclared, urns, work
from controller.adapters.pulumi.runs import Run, Runner, State, StepFailedError
from controller.adapters.pulumi.stacks import FOUNDATION, Verb
from controller.bootstrap import estate as wiring
from controller.cli.estate import deploying, running, screen
from controller.cli.estate.select import Selection
from controller.cli.output import people, print_json
from controller.errors import GdccError
from inventory.names import CONTROL_PROJECT


@dataclass(slots=True, kw_only=True)
class Taken:
    """What a stack's import found: of what is `wanted`, beside what is `standing` in the stack already.

    `file` is what `pulumi import` reads; `strangers` are declared nowhere.
    """

    wanted: tuple[importing.Declared, ...] = ()
    standing: tuple[importing.Declared, ...] = ()
    found: importing.Found = field(default_factory=lambda: importing.Found(ids={}, missing=(), ambiguous={}))
    file: Path | None = None
    strangers: Sequence[undeclared.Stranger] = ()

    @property
    def count(self) -> int:
        """How many things were found."""
        return len(self.found.ids) + len(self.found.later)


def take(
    chosen: Selection,
    orders: work.Orders,
    write: bool,
    parallel: int,
    as_json: bool,
    open_cloud: settling.OpenCloud | None = None,
) -> None:
    """Looks for what each stack declares and has not; with `write` imports what was found."""
    look_through = open_cloud or wiring.living(chosen.tool.root).opened
    taken: dict[str, Taken] = {stack: Taken() for stack in chosen.stacks}

    async def one(runner: Runner, run: Run) -> None:
        await _find(chosen, look_through, run, taken[run.stack])
        if write:
            await _write(orders, runner, run, taken[run.stack])

    runs = running.run(
        Verb.IMPORT, chosen.stacks, replace(orders, take=one, looking=not write), parallel=parallel, as_json=as_json
    )
    if as_json:
        print_json({"stacks": [_row(run, taken[run.stack]) for run in runs]})
    else:
        _tell(runs, taken, write)
    raise typer.Exit(running.status(runs))


async def _find(chosen: Selection, open_cloud: settling.OpenCloud, run: Run, taken: Taken) -> None:
    preview = json.loads(run.output("preview").read_text(encoding="utf-8"))
    taken.wanted, taken.standing = importing.declared(preview), importing.standing(preview)
    run.step = "find"
    standing = (await asyncio.to_thread(state.export, chosen.tool, run.stack)).resources
    async with open_cloud() as cloud:
        taken.found = await importing.found(cloud, taken.wanted, standing)
        try:
            taken.strangers = await _strangers(cloud, chosen, run.stack, standing, taken.found)
        except GdccError as error:
            run.settled = (*run.settled, f"what is declared nowhere was not listed: {error}")
    _refuse(taken.found)
    run.said = f"{taken.count} found, {len(taken.found.missing)} to create"
    if taken.count:
        taken.file = adopting.write_file(run.folder / "import.json", taken.wanted, taken.found.ids)


async def _write(orders: work.Orders, runner: Runner, run: Run, taken: Taken) -> None:
    """Imports what was found, and completes with it what an import that was killed had taken in."""
    completed = await adopting.adopt(runner, run, taken.wanted, taken.found.ids, "import", standing=taken.standing)
    if not taken.count and not completed:
        return
    if taken.found.later:
        await _import_later(orders, runner, run, taken)
    await _look(orders, runner, run)
    await work.changes_allowed(run, orders, "check")
    _refuse_losses(run)
    preview = json.loads(run.output("check").read_text(encoding="utf-8"))
    run.settled = (*run.settled, *importing.closed(preview))
    earlier = "" if taken.count else f"{completed} of an earlier import completed, "
    run.said = f"{earlier}{taken.count} imported, {len(taken.found.missing)} to create at the next up"


def _refuse(found: importing.Found) -> None:
    if found.barred or found.unasked:
        raise StepFailedError(State.FAILED, "; ".join((*found.barred, *found.unasked)))
    if found.ambiguous:
        urn, ids = next(iter(found.ambiguous.items()))
        raise StepFailedError(State.FAILED, f"the cloud has {len(ids)} like {urns.name_of(urn)}: {', '.join(ids)}")


async def _import_later(orders: work.Orders, runner: Runner, run: Run, taken: Taken) -> None:
    """Makes the logins that these things hang on, and nothing else; then imports the things by them.

    The policies have judged the whole in the preview before; the pack would find the parts that are not yet updated.
    """
    later = taken.found.later
    await _look(orders, runner, run)
    preview = json.loads(run.output("check").read_text(encoding="utf-8"))
    targets = [word for urn in importing.logins(preview, later) for word in ("--target", urn)]
    await runner.step(run, "login", "up", "--yes", "--skip-preview", *targets)
    await adopting.adopt(runner, run, taken.wanted, later, "import-later")


async def _look(orders: work.Orders, runner: Runner, run: Run) -> None:
    """What the next `up` would do."""
    await runner.step(run, "check", "preview", "--json", *work.policy(orders))


def _refuse_losses(run: Run) -> None:
    """The first update after an import takes nothing away; where it would, that is said now."""
    preview = json.loads(run.output("check").read_text(encoding="utf-8"))
    lost = [step["urn"] for step in preview["steps"] if step["op"] in {"delete", "replace"}]
    if lost:
        said = f"imported, and the next up would delete or replace {len(lost)}: {', '.join(map(urns.name_of, lost))}"
        raise StepFailedError(State.FAILED, said)


async def _strangers(
    cloud: finding.Cloud, chosen: Selection, stack: str, standing: Sequence[state.Resource], found: importing.Found
) -> list[undeclared.Stranger]:
    ids = {each.id for each in standing if each.id} | set(found.ids.values()) | set(found.later.values())
    projects = {each.id for each in standing if each.id and each.type.endswith(":Project")}
    projects |= {each for urn, each in found.ids.items() if urn.rpartition("::")[0].endswith(":Project")}
    images = {each.id for each in chosen.estate.images.values()}
    within = await undeclared.of_projects(cloud, projects, ids, images)
    if stack != FOUNDATION:
        return within
    named = {system.project for system in chosen.estate.systems.values()}
    return [
        *await undeclared.of_the_cloud(cloud, ids, undeclared.named(chosen.estate)),
        *await undeclared.projects(cloud, named, ids),
        *await undeclared.elsewhere(cloud, {*named, CONTROL_PROJECT}, ids),
        *within,
    ]


def _row(run: Run, taken: Taken) -> dict[str, object]:
    return {
        **deploying.row(run),
        "found": {**taken.found.ids, **taken.found.later},
        "missing": list(taken.found.missing),
        "ambiguous": {urn: list(ids) for urn, ids in taken.found.ambiguous.items()},
        "file": str(taken.file) if taken.file else None,
        "undeclared": [{"kind": each.kind, "name": each.name, "id": each.id} for each in taken.strangers],
    }


def _tell(runs: Sequence[Run], taken: dict[str, Taken], write: bool) -> None:
    for run in runs:
        found = taken[run.stack].found
        shown = Table(title=run.stack, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for column in ("kind", "name", "id in the cloud"):
            shown.add_column(column, overflow="fold")
        for urn, each in {**found.ids, **found.later}.items():
            shown.add_row(urns.kind_of(urn), Text(urns.name_of(urn)), Text(each))
        for urn in found.missing:
            shown.add_row(urns.kind_of(urn), Text(urns.name_of(urn)), "not there: to create")
        people.print(shown)
        for stranger in taken[run.stack].strangers:
            people.print(f"declared nowhere: {stranger.kind} {stranger.name} ({stranger.id})", markup=False)
    for run in runs:
        for sentence in run.settled:
            people.print(f"{run.stack}: {sentence}", markup=False, soft_wrap=True)
    people.print(screen.table(runs, screen.counted(runs)))
    if not write:
        people.print("nothing was written; --write imports what was found", markup=False)

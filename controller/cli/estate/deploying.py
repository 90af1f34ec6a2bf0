"""How stacks are changed from the command line: what was asked is made sure of, carried out and reported."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import typer

from controller.adapters.pulumi import stack_files, unlocking, work
from controller.adapters.pulumi.runs import Run, Runner, State
from controller.adapters.pulumi.stacks import Verb
from controller.bootstrap import estate as wiring
from controller.cli.estate import proposing, running, screen
from controller.cli.estate.select import Selection
from controller.cli.output import errors, people, print_json, refuse


def carry_out(verb: Verb, chosen: Selection, orders: work.Orders, parallel: int, as_json: bool) -> None:
    """Runs the verb on the chosen stacks, tells how each ended, and ends with the exit status."""
    runs = running.run(verb, chosen.stacks, orders, parallel=parallel, as_json=as_json)
    _report(runs, _proposed(verb, chosen), as_json)


def _proposed(verb: Verb, chosen: Selection) -> list[str]:
    if verb is Verb.UP:
        return [f"warning: {each}" for each in proposing.open_to_all(chosen)]
    return proposing.sentences(chosen) if verb is Verb.PREVIEW else []


def orders(
    chosen: Selection,
    *,
    refresh: bool = False,
    policy: bool = True,
    unprotect: frozenset[str] = frozenset(),
    secrets_provider: str | None = None,
    take: Callable[[Runner, Run], Awaitable[None]] | None = None,
) -> work.Orders:
    cloud = wiring.living(chosen.tool.root)
    return work.Orders(
        tool=chosen.tool,
        estate=chosen.estate_path,
        today=datetime.now(UTC).date(),
        take=take,
        settle=cloud.settler(),
        beside=cloud.guard(),
        roles=cloud.default_roles,
        login_project=cloud.login_project,
        login_quota=cloud.login_quota,
        cloud=cloud.entry,
        known=stack_files.existing(chosen.tool),
        secrets_provider=secrets_provider,
        policy=policy,
        refresh=refresh,
        unprotect=unprotect,
    )


def confirm(names: tuple[str, ...], given: set[str]) -> None:
    """Goes on only when every stack was named whole; a stack that was named and is not meant is wrong use."""
    strange = sorted(given - set(names))
    if strange:
        raise typer.BadParameter(f"not chosen: {', '.join(strange)}", param_hint="--yes")
    for name in names:
        if name in given:
            continue
        if not people.is_terminal or people.input(f"type {name} to destroy what it holds: ", markup=False) != name:
            refuse(f"{name}: was not confirmed, nothing was destroyed (type its name, or --yes {name})")


def unlock(chosen: Selection, names: list[str]) -> None:
    """Takes away locks that were asked for, never one whose process still runs here."""
    for name in names:
        said = [f"was {lock}; unlocked" for lock in unlocking.unlock(chosen.tool, name)]
        for sentence in said or ["is not locked"]:
            errors.print(f"{name}: {sentence}", markup=False)


def _report(runs: list[Run], proposed: list[str], as_json: bool) -> None:
    if as_json:
        print_json({"stacks": [row(run) for run in runs], "proposals": proposed})
    else:
        people.print(screen.table(runs, screen.counted(runs)))
        for run in runs:
            warned = (f"warning: {each}" for each in run.tally.warnings)
            beside = [run.beside] if run.beside else []
            for sentence in (*run.settled, *beside, *map(str, run.pending), *run.tally.waits, *warned):
                people.print(f"{run.stack}: {sentence}", markup=False, soft_wrap=True)
            if run.state in {State.FAILED, State.LOCKED}:
                people.print(f"{run.stack}: see {run.folder}", markup=False, soft_wrap=True)
        for sentence in proposed:
            people.print(sentence, markup=False, soft_wrap=True)
    raise typer.Exit(running.status(runs))


def row(run: Run) -> dict[str, object]:
    """A run for machines."""
    return {
        "stack": run.stack,
        "state": run.state,
        "says": run.said,
        "changes": run.tally.changes,
        "seconds": round(run.seconds, 1),
        "settled": list(run.settled),
        "waits": list(run.tally.waits),
        "pending": [str(each) for each in run.pending],
        "beside": run.beside,
        "warnings": list(run.tally.warnings),
        "errors": run.tally.errors,
        "violations": [{"policy": each.policy, "urn": each.urn, "says": each.message} for each in run.tally.violations],
        "folder": str(run.folder),
    }

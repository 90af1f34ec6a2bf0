"""The end of the demonstration: before and after, why, what went wrong, and how to look further."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from controller.cli.demo import verdict
from controller.cli.demo.problems import Problem
from controller.cli.demo.screen import amounts
from controller.cli.demo.watch import Json, Story


def report(story: Story, problems: Sequence[Problem]) -> Iterator[RenderableType]:
    """Everything that the demonstration has shown, most important first."""
    yield ""
    yield before_and_after(story, problems)
    yield counts(story)
    yield from examples(story, problems)
    for lack in verdict.missing(story, problems):
        yield Text(f"MISSING: {lack}", style="bold red")


def before_and_after(story: Story, problems: Sequence[Problem]) -> Table:
    """One row a problem: the twin's truth and the daemon's own numbers, against the limit."""
    table = Table(title="before and after", title_justify="left")
    table.add_column("problem")
    for name in ("limit", "before\n(twin's truth)", "after\n(twin's truth)", "before\n(daemon)", "after\n(daemon)"):
        table.add_column(name, justify="right")
    table.add_column("moves", justify="right")
    table.add_column("cured")
    for row in verdict.rows(story, problems):
        told = (row.limit, row.before, row.after, row.daemon_before, row.daemon_after)
        cells = ("" if value is None else amounts(value, row.unit) for value in told)
        word = Text("yes", style="green") if row.cured else Text("NO", style="bold red")
        table.add_row(f"{row.problem.title}\n({row.problem.amount_is})", *cells, str(row.moves), word)
    return table


def counts(story: Story) -> Text:
    """Rules broken, moves failed, and what the moves cost, in one line."""
    broken = len(set(story.truth["broken"]) | story.rules_broken)
    failed = sum(1 for move in story.moves if move["state"] not in verdict.OPEN | {"succeeded"})
    done = [move["outcome"] for move in story.moves if move["state"] == "succeeded"]
    copied = sum((outcome.get("copied_bytes") or 0) for outcome in done) / 2**30
    line = f"rules broken {broken}, moves failed {failed}, VMs moved live {len(done)}"
    cost = f", {copied:.0f} GiB copied" if copied else ""
    return Text(line + cost, style="bold red" if broken or failed else "bold green")


def examples(story: Story, problems: Sequence[Problem]) -> Iterator[RenderableType]:
    """For each problem its first move, and the plan's reasons for it."""
    planned = [(move, story.planned(move)) for move in story.moves]
    for problem in problems:
        own = next((words for _, words in planned if words is not None and words["breach"] == problem.key), None)
        if own is not None:
            yield Text.assemble(("\nwhy, for example: ", "bold"), own["why"])
            yield from _alternative(own)


def _alternative(words: Json) -> Iterator[RenderableType]:
    other = words["alternative"]
    if other is not None:
        ruled_out = f"{other['ruled_out_by']}: {other['detail']}"
        yield Text(f"  next best target {other['host']}, ruled out by {ruled_out}", style="dim")


def further(folder: Path, settings: Path, metrics: str, truth: str) -> Iterator[RenderableType]:
    """How to look further, while it stays up."""
    socket = folder / "gdcc.sock"
    yield Text("\nlook further (in another terminal; `source .venv/bin/activate` first):", style="bold")
    for command in (
        f"gdcc status --socket {socket}",
        f"gdcc moves --socket {socket}",
        f"gdcc explain cmp0001 --config {settings}",
        f"curl -s {metrics} | grep ^gdcc_",
        f"curl -s {truth}",
        f"less {folder / 'daemon.log'}",
    ):
        yield Text(f"  {command}", overflow="fold")

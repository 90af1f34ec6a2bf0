"""The end of the demonstration: before and after, what went wrong, and how to look further."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from controller.cli.demo import verdict
from controller.cli.demo.problems import Problem
from controller.cli.demo.screen import amounts
from controller.cli.demo.watch import Story


def report(story: Story, problems: Sequence[Problem]) -> Iterator[RenderableType]:
    """Everything that the demonstration has shown, most important first."""
    yield ""
    yield before_and_after(story, problems)
    yield counts(story)
    for lack in verdict.missing(story, problems):
        yield Text(f"MISSING: {lack}", style="bold red")


def before_and_after(story: Story, problems: Sequence[Problem]) -> Table:
    """One row a problem: the twin's truth and the daemon's own numbers, against the limit."""
    table = Table(title="before and after", title_justify="left", box=SIMPLE_HEAD, show_lines=True)
    table.add_column("problem", ratio=1)
    table.add_column("by")
    for name in ("limit", "before", "after", "moves"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("cured")
    for row in verdict.rows(story, problems):
        word = Text("yes", style="bold green") if row.cured else Text("NO", style="bold red")
        before, after = _both(row, row.before, row.daemon_before), _both(row, row.after, row.daemon_after)
        title = f"{row.problem.title}\n({row.problem.amount_is})"
        table.add_row(title, "truth\ndaemon", amounts(row.limit, row.unit), before, after, str(row.moves), word)
    return table


def _both(row: verdict.Row, truth: float, daemon: float | None) -> str:
    """The twin's truth above the daemon's own number."""
    return f"{amounts(truth, row.unit)}\n{'not known' if daemon is None else amounts(daemon, row.unit)}"


def counts(story: Story) -> Text:
    """Rules broken, moves failed, and what the moves cost, in one line."""
    broken = len(set(story.truth["broken"]) | story.rules_broken)
    failed = sum(1 for move in story.moves if move["state"] not in verdict.OPEN | {"succeeded"})
    done = [move["outcome"] for move in story.moves if move["state"] == "succeeded"]
    copied = sum((outcome.get("copied_bytes") or 0) for outcome in done) / 2**30
    line = f"rules broken {broken}, moves failed {failed}, VMs moved live {len(done)}"
    cost = f", {copied:.0f} GiB copied" if copied else ""
    return Text(line + cost, style="bold red" if broken or failed else "bold green")


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

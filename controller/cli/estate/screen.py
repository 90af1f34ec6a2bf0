"""How runs are shown: a table that lives on a terminal, one line for each change elsewhere."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from rich import box
from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from controller.adapters.pulumi.runs import OVER, Run, State

_COLOURS = {
    State.RUNNING: "cyan",
    State.DONE: "green",
    State.FAILED: "red",
    State.LOCKED: "red",
    State.STOPPED: "yellow",
    State.SKIPPED: "yellow",
}
_MOST_ROWS = 30


class Screen:
    """Shows runs while they go on. Use it as a context; call `changed` on every change."""

    def __init__(self, runs: Sequence[Run], console: Console, *, quiet: bool = False) -> None:
        self._runs = runs
        self._console = console
        self._quiet = quiet
        self._told: dict[str, tuple[State, str]] = {}
        self._live: Live | None = None
        if console.is_terminal and not quiet:
            self._live = Live(get_renderable=self._table, console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> "Screen":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def changed(self, run: Run) -> None:
        """Takes note of a change; without a terminal a line for each new state or step."""
        if self._quiet or self._live is not None or self._told.get(run.stack) == (run.state, run.step):
            return
        self._told[run.stack] = (run.state, run.step)
        said = run.said or run.step
        if said:
            self._console.print(f"{run.stack}: {run.state}: {said}", markup=False, soft_wrap=True)

    def say(self, sentence: str) -> None:
        """A sentence beside the table, as an answer to Ctrl-C is."""
        self._console.print(sentence, markup=False, soft_wrap=True)

    def _table(self) -> RenderableType:
        shown = [run for run in self._runs if run.state not in {State.WAITING, State.DONE, State.SKIPPED}]
        return table(shown[:_MOST_ROWS], counted(self._runs))


def table(runs: Sequence[Run], title: str) -> Table:
    """A row a run: its state, what it has seen, its changes, its time, its words."""
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("stack", "state", "step", "seen", "time"):
        shown.add_column(column, justify="right" if column in {"seen", "time"} else "left", no_wrap=True)
    shown.add_column("says", overflow="fold")
    for run in runs:
        seconds = str(timedelta(seconds=round(run.seconds)))
        state = Text(run.state, style=_COLOURS.get(run.state, ""))
        shown.add_row(run.stack, state, run.step, str(run.tally.seen), seconds, Text(run.said or _doing(run)))
    return shown


def counted(runs: Sequence[Run]) -> str:
    """`472 stacks: 12 done, 2 running, 458 waiting`."""
    counts = Counter(run.state for run in runs)
    told = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    return f"{len(runs)} {'stack' if len(runs) == 1 else 'stacks'}: {told}"


def _doing(run: Run) -> str:
    if run.state in OVER or not run.tally.under_way:
        return ""
    urn, op = next(iter(run.tally.under_way.items()))
    more = f" and {len(run.tally.under_way) - 1} more" if len(run.tally.under_way) > 1 else ""
    return f"{op} {urn.rpartition('::')[2]}{more}"

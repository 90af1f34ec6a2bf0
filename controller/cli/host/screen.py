"""How work on hosts is shown: a table that lives on a terminal, one line for each step and change elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from controller.engine.host_work.order import Ended, Outcome
from controller.model.host_run import HostStep
from controller.model.ids import HostName
from controller.model.playbook import TaskEvent, TaskStatus

_TOLD = frozenset({TaskStatus.CHANGED, TaskStatus.FAILED, TaskStatus.UNREACHABLE})
_COLOURS = {Ended.DONE: "green", Ended.FAILED: "red", Ended.BROKEN_OFF: "yellow", Ended.NOT_BEGUN: "yellow"}
_MOST_ROWS = 40


@dataclass(slots=True)
class _Row:
    step: str = "waits"
    task: str = ""
    changed: int = 0
    ended: Ended | None = None


class Screen:
    """`engine.host_work.work.Watcher`. Use it as a context; `quiet` shows nothing."""

    def __init__(self, hosts: Sequence[HostName], console: Console, *, quiet: bool = False) -> None:
        self._rows = {host: _Row() for host in hosts}
        self._console = console
        self._quiet = quiet
        self._live: Live | None = None
        if console.is_terminal and not quiet:
            self._live = Live(get_renderable=self.table, console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> "Screen":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def step(self, hosts: Sequence[HostName], step: HostStep) -> None:
        for host in hosts:
            self._rows[host].step, self._rows[host].task = step, ""
        self._line(f"{', '.join(hosts)}: {step}")

    def task(self, event: TaskEvent) -> None:
        row = self._rows[event.host]
        row.task = event.task
        row.changed += event.status is TaskStatus.CHANGED
        if event.status in _TOLD:
            self._line(f"{event.host}: {event.status}: {event.task}")

    def waits(self, host: HostName, why: str) -> None:
        self._rows[host].task = why
        self._line(f"{host}: {why}")

    def ended(self, outcome: Outcome) -> None:
        self._rows[outcome.host].ended = outcome.ended
        self._rows[outcome.host].task = outcome.said

    def table(self) -> Table:
        """How far each host is now that is not done."""
        ended = sum(row.ended is not None for row in self._rows.values())
        title = f"{len(self._rows)} hosts, {ended} ended"
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for column in ("host", "step", "changed", "task"):
            table.add_column(column, overflow="fold" if column == "task" else "ellipsis")
        going = [(host, row) for host, row in self._rows.items() if row.ended is not Ended.DONE]
        for host, row in going[:_MOST_ROWS]:
            state = Text(row.ended or row.step, style=_COLOURS[row.ended] if row.ended else "cyan")
            table.add_row(Text(host), state, str(row.changed), Text(row.task))
        return table

    def _line(self, line: str) -> None:
        if self._live is None and not self._quiet:
            self._console.print(line, markup=False, soft_wrap=True)


def summary(outcomes: Sequence[Outcome]) -> Table:
    """A row a host: how it ended and what is to be said of it."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("host", "ended", "changed", "says"):
        table.add_column(column, overflow="fold", justify="right" if column == "changed" else "left")
    for one in outcomes:
        said = Text(one.said.removeprefix(f"{one.host}: "))
        table.add_row(Text(one.host), Text(one.ended, style=_COLOURS[one.ended]), str(one.changes), said)
    return table

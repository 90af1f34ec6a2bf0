"""What the demonstration looks like: a picture that is redrawn on a terminal, plain lines where there is none."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from controller.cli.demo import verdict
from controller.cli.demo.problems import Problem
from controller.cli.demo.watch import Json, Story, amount

MOVES_SHOWN = 10
STATES = {"succeeded": ("done", "green"), "verifying": ("checking", "cyan"), "intended": ("asking Nova", "cyan")}


class Screen:
    """Tells each thing once, when it is new, above a picture of how things stand."""

    def __init__(self, console: Console, problems: Sequence[Problem]) -> None:
        self._console = console
        self.problems = problems
        self._began = time.monotonic()
        self._told: set[str] = set()
        self._live: Live | None = None
        self._cured: set[str] = set()

    def live(self) -> AbstractContextManager[object]:
        """Within it, `show` redraws a picture where the output is a terminal."""
        if not self._console.is_terminal:
            return nullcontext()
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)
        return self._live

    def say(self, text: str, style: str = "", *, key: str | None = None) -> None:
        """One line with the time since the start, told once for each key."""
        if (key or text) in self._told:
            return
        self._told.add(key or text)
        self._line(text, style)

    def _line(self, text: str, style: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        line = Text.assemble((f"{minutes}:{seconds:02}  ", "dim"), (text, style))
        self._console.print(line, soft_wrap=not self._console.is_terminal)

    def show(self, story: Story) -> None:
        """What is new since the last look, and the picture."""
        for key, text, style in news(story, self.problems):
            self.say(text, style, key=key)
        for row in verdict.rows(story, self.problems):
            if row.cured != (row.problem.key in self._cured):
                self._cured ^= {row.problem.key}
                self._line(*turned(row))
        if self._live is not None:
            self._live.update(picture(story, self.problems, self._console.height))


def news(story: Story, problems: Sequence[Problem]) -> Iterator[tuple[str, str, str]]:
    """Key, line and style of everything worth a line: problems found and cured, plans, moves that ended."""
    titles = {problem.key: problem.title for problem in problems}
    for row in verdict.rows(story, problems):
        if row.found_as is not None:
            yield f"found {row.problem.key}", f"FOUND   {row.found_as}", "yellow"
    for plan in story.plans.values():
        yield f"plan {plan['id']}", f"PLAN    {_plan(plan)}", ""
        for move in plan["moves"]:
            if move["breach"] in titles:
                yield f"why {move['breach']}", f"WHY     {_why(move)}", "cyan"
    for move in story.moves:
        if move["state"] not in verdict.OPEN:
            yield f"move {move['intent']['id']}", f"MOVED   {_ended(story, move, titles)}", _style(move["state"])


def turned(row: verdict.Row) -> tuple[str, str]:
    """Line and style for a problem that was cured, or came back."""
    now = f"{amounts(row.after, row.unit)}, limit {amounts(row.limit, row.unit)}"
    if row.cured:
        return f"CURED   {row.problem.subject}: {now}; the daemon and the twin's truth agree", "bold green"
    return f"AGAIN   {row.problem.subject}: {now}", "yellow"


def _why(move: Json) -> str:
    other = move["alternative"]
    instead = f"; next best {other['host']}, ruled out by {other['ruled_out_by']}: {other['detail']}" if other else ""
    return f"{move['why']}{instead}"


def _plan(plan: Json) -> str:
    waves = max((move["wave"] for move in plan["moves"]), default=0)
    aims = sorted({move["breach"] for move in plan["moves"]})
    return f"{plan['id']}: {_count(len(plan['moves']), 'move')} in {_count(waves, 'wave')} for {', '.join(aims)}"


def _ended(story: Story, move: Json, titles: dict[str, str]) -> str:
    intent, outcome = move["intent"], move["outcome"] or {}
    planned = story.planned(move)
    breach = str(planned["breach"]) if planned else ""
    found: Json = story.breaches.get(breach) or intent
    reason = titles.get(breach) or found["why"]
    head = f"{intent['server_name']}  {intent['source']} > {intent['target']}"
    if move["state"] != "succeeded":
        return f"{head}  {move['state'].upper()}: {outcome.get('why', '')}"
    seconds = outcome.get("seconds")
    return f"{head}" + (f"  in {seconds:.0f} s" if seconds is not None else "") + f", since {reason}"


def picture(story: Story, problems: Sequence[Problem], height: int) -> RenderableType:
    """How things stand: the three problems, what the daemon says, the moves under way and what they are for."""
    parts: list[RenderableType] = ["", _standing(story, problems)]
    if story.status is not None:
        parts.append(Text.assemble(("the daemon says: ", "dim"), story.status["sentence"] or "not a word yet"))
    running = [move for move in story.moves if move["state"] in verdict.OPEN]
    if running and height >= 24:
        parts.append(_running(running[-MOVES_SHOWN:]))
    return Group(*parts)


def _standing(story: Story, problems: Sequence[Problem]) -> Table:
    table = Table("problem", "now", "limit", "state", title="by the twin's ground truth", title_justify="left")
    for column in table.columns[1:3]:
        column.justify = "right"
    for row in verdict.rows(story, problems):
        now, limit, unit = amount(story.truth, row.problem.key)
        word, style = _state(row)
        cells = (amounts(now, unit), amounts(limit, unit))
        table.add_row(row.problem.title, *cells, Text(word, style=style))
    return table


def _state(row: verdict.Row) -> tuple[str, str]:
    if row.found_as is None:
        return "not found yet", "red"
    if row.cured:
        return "cured", "green"
    return (f"being cured, {_count(row.moves, 'move')} so far", "cyan") if row.moves else ("found", "yellow")


def _running(moves: Sequence[Json]) -> Table:
    table = Table("VM", "from", "to", "state", "why", title="live migrations under way", title_justify="left")
    table.columns[4].ratio = 1
    for move in moves:
        intent = move["intent"]
        word, style = STATES.get(move["state"], ("copying", "cyan"))
        where = (intent["server_name"], intent["source"], intent["target"])
        table.add_row(*where, Text(word, style=style), Text(_aim(intent)))
    return table


def _aim(intent: Json) -> str:
    """The breach of a move's reason, without the numbers of the move itself."""
    return str(intent["why"]).partition(f": {intent['server_name']}")[0]


def _style(state: str) -> str:
    return "" if state == "succeeded" else "bold red"


def amounts(value: float, unit: str) -> str:
    """An amount as people read it: 81.3%, 9,650 W, 7 VMs."""
    if math.isnan(value):
        return "not known"
    if unit == "ratio":
        return f"{value:.1%}"
    return f"{value:,.0f} {unit}".strip()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

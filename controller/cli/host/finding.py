"""`gdcc host facts`: what `host-facts.yml` found on each host, beside what is declared where something is."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from controller.adapters import drift_textfile
from controller.adapters.clock import SystemClock
from controller.bootstrap.host import Tools
from controller.cli.host.doing import Asked, Ready, ready
from controller.cli.host.screen import Screen
from controller.cli.output import drift_status, people, print_json, refuse
from controller.engine.host_work import looking
from controller.model.host_run import HostStep
from controller.model.playbook import HostResult, PlaybookResult, PlaybookRun, RunId, TaskEvent

PLAYBOOK = "host-facts.yml"
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One row; `declared` is empty where nothing is."""

    name: str
    declared: str
    found: str
    differs: bool


def facts(asked: Asked, to: Path | None) -> None:
    """Shows them, and ends with 0 (as declared), 1 (one differs) or 2 (a host could not be looked at).

    Raises `GdccError` where nothing could be looked at, or `to` cannot be written.
    """
    began = time.monotonic()
    result = looked(ready(asked), PLAYBOOK, quiet=asked.as_json)
    differing = {host: _differing(each) for host, each in result.hosts.items()}
    if to is not None:
        counts = {str(host): len(each) for host, each in differing.items() if each is not None}
        unread = [str(host) for host, each in differing.items() if each is None]
        seconds = time.monotonic() - began
        seen = drift_textfile.Look(drifted=counts, unread=unread, at=result.ended_at, seconds=seconds)
        drift_textfile.write(to, drift_textfile.FACTS, seen)
    if asked.as_json:
        print_json({host: _plain(each) for host, each in result.hosts.items()})
    else:
        for host, each in result.hosts.items():
            people.print(_table(host, each) if each.succeeded else Text(f"{host}: {why(result, each)}", style="red"))
    raise typer.Exit(drift_status(differing.values()))


def looked(
    found: Ready, playbook: str, *, quiet: bool, check: bool = False, tags: tuple[str, ...] = ()
) -> PlaybookResult:
    """What a playbook that changes nothing says of these hosts. Ends with 1 where it could not be run at all."""
    run = PlaybookRun(
        id=RunId(f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{'check-' * check}{playbook.removesuffix('.yml')}"),
        playbook=playbook,
        hosts=found.hosts,
        timeout=found.tools.timeout,
        tags=tags,
        check=check,
    )
    try:
        with Screen(found.hosts, people, quiet=quiet or not people.is_terminal) as screen:
            screen.step(found.hosts, HostStep.LOOK)
            return asyncio.run(_looked(found.tools, run, screen.task))
    except KeyboardInterrupt:
        refuse("interrupted: Ansible was ended, and had changed nothing")


async def _looked(tools: Tools, run: PlaybookRun, progress: Callable[[TaskEvent], None]) -> PlaybookResult:
    found = looking.results(tools.playbooks, run, tools.looks_at_once, SystemClock(), progress)
    return looking.whole(run, [part async for part in found])


def why(result: PlaybookResult, host: HostResult) -> str:
    """Why a host could not be looked at, in one line."""
    if host.failure is None:
        return looking.broken_off(result)
    at = f"{host.failure.task}: " if host.failure.task else ""
    return f"{at}{host.failure.said}"


def rows(facts: Mapping[str, object], above: str = "") -> Iterator[Fact]:
    """Every fact, by name."""
    for name, value in sorted(facts.items()):
        whole = f"{above}{name}"
        if isinstance(value, Mapping) and "found" in value:
            declared, found = words(value.get("declared")), words(value["found"])
            yield Fact(name=whole, declared=declared, found=found, differs=differs(value))
        elif isinstance(value, Mapping):
            yield from rows(value, f"{whole}.")
        else:
            yield Fact(name=whole, declared="", found=words(value), differs=False)


def judged(facts: Mapping[str, object]) -> dict[str, object]:
    """The facts with `differs` on each of which something is declared."""
    return {name: _judged(value) if isinstance(value, Mapping) else value for name, value in facts.items()}


def differs(fact: Mapping[str, object]) -> bool:
    """As the playbook says, else by words; lists by what they hold, in whatever order."""
    declared, said = fact.get("declared"), fact.get("differs")
    if not words(declared):
        return False
    return said if isinstance(said, bool) else _held(declared) != _held(fact["found"])


def words(value: object) -> str:
    """A value in plain words."""
    match value:
        case None | "":
            return ""
        case list():
            return ", ".join(map(words, value))
        case Mapping():
            return ", ".join(f"{name}={words(each)}" for name, each in sorted(value.items()))
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _table(host: str, result: HostResult) -> Table:
    table = Table(title=host, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("fact", "declared", "found", "differs"):
        table.add_column(column, overflow="fold")
    for fact in rows(result.facts):
        found = Text(_short(fact.found), style="red" if fact.differs else "")
        table.add_row(Text(fact.name), Text(_short(fact.declared)), found, words(fact.differs) if fact.differs else "")
    return table


def _differing(result: HostResult) -> list[Fact] | None:
    """None where the host could not be looked at."""
    return [fact for fact in rows(result.facts) if fact.differs] if result.succeeded else None


def _judged(value: Mapping[str, object]) -> dict[str, object]:
    if "found" not in value:
        return judged(value)
    return {**value, "differs": differs(value)} if words(value.get("declared")) else dict(value)


def _held(value: object) -> frozenset[str]:
    return frozenset(map(words, value if isinstance(value, list) else [value]))


def _short(text: str) -> str:
    """What a table shows of it; JSON holds the whole."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _plain(result: HostResult) -> dict[str, object]:
    failure = None if result.failure is None else {"task": result.failure.task, "says": result.failure.said}
    return {"looked": result.succeeded, "failure": failure, "facts": judged(result.facts)}

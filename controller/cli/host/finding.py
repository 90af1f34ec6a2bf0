"""`gdcc host facts`: what `host-facts.yml` found on each host, beside what is declared where something is."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from controller.adapters.clock import SystemClock
from controller.bootstrap.host import Tools
from controller.cli.host.doing import Asked, Ready, ready
from controller.cli.host.screen import Screen
from controller.cli.output import DONE, REFUSED, people, print_json, refuse, told
from controller.engine.host_work import looking
from controller.model.host_run import HostStep
from controller.model.playbook import HostResult, PlaybookResult, PlaybookRun, RunId, TaskEvent

PLAYBOOK = "host-facts.yml"
_LONGEST = 200


def facts(asked: Asked) -> None:
    """Shows them; ends with 1 where a host could not be looked at."""
    found = ready(asked)
    with told():
        result = looked(found, PLAYBOOK, quiet=asked.as_json)
    if asked.as_json:
        print_json({host: _plain(each) for host, each in result.hosts.items()})
    else:
        for host, each in result.hosts.items():
            people.print(_table(host, each) if each.succeeded else Text(f"{host}: {why(result, each)}", style="red"))
    raise typer.Exit(DONE if result.succeeded else REFUSED)


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


def rows(facts: Mapping[str, object], above: str = "") -> Iterator[tuple[str, str, str]]:
    """Name, declared and found of each fact; declared is empty where nothing is."""
    for name, value in sorted(facts.items()):
        whole = f"{above}{name}"
        if isinstance(value, Mapping) and "found" in value:
            yield whole, words(value.get("declared")), words(value["found"])
        elif isinstance(value, Mapping):
            yield from rows(value, f"{whole}.")
        else:
            yield whole, "", words(value)


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
    for column in ("fact", "declared", "found"):
        table.add_column(column, overflow="fold")
    for name, declared, found in rows(result.facts):
        style = "red" if declared and declared != found else ""
        table.add_row(Text(name), Text(_short(declared)), Text(_short(found), style=style))
    return table


def _short(text: str) -> str:
    """What a table shows of it; JSON holds the whole."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _plain(result: HostResult) -> dict[str, object]:
    failure = None if result.failure is None else {"task": result.failure.task, "says": result.failure.said}
    return {"looked": result.succeeded, "failure": failure, "facts": dict(result.facts)}

"""`gdcc host drain`, and the records: hosts taken out until somebody enables them, what is open, what is given up."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import typer

from controller.adapters.ansible import held
from controller.adapters.clock import SystemClock
from controller.bootstrap import host as parts
from controller.cli import tables
from controller.cli.host.doing import Asked, confirm, controller, ready
from controller.cli.output import DONE, REFUSED, people, print_json, refuse, told
from controller.engine.host_work import service
from controller.errors import GdccError
from controller.model.host_run import HostRun, HostRunState
from controller.model.ids import HostName


def drain(asked: Asked, why: str, keep_shutoff: bool) -> None:
    """Drains one host after the other until each is empty; ends with 1 where one cannot be."""
    found = ready(asked)
    with told():
        said = asyncio.run(_drained(asked, found.tools, found.hosts, (why, keep_shutoff)))
    if asked.as_json:
        print_json({"hosts": [{"host": host, "empty": not flaw, "says": flaw or "empty"} for host, flaw in said]})
    raise typer.Exit(REFUSED if any(flaw for _, flaw in said) else DONE)


async def _drained(
    asked: Asked, tools: parts.Tools, hosts: Sequence[HostName], how: tuple[str, bool]
) -> list[tuple[HostName, str]]:
    why, keep_shutoff = how
    ended: list[tuple[HostName, str]] = []
    async with controller(asked, tools, drains=True) as reached:
        await confirm(reached, hosts, "drain them", asked.yes)
        for host in hosts:
            try:
                open_ = next((each for each in await reached.drains() if each.host == host), None)
                begun = open_ or await reached.drain(host, why, keep_shutoff=keep_shutoff)
                await service.until_empty(reached, SystemClock(), begun)
                ended.append((host, ""))
            except GdccError as error:
                ended.append((host, str(error)))
            if not asked.as_json:
                people.print(ended[-1][1] or f"{host} is empty.", markup=False, soft_wrap=True)
    return ended


def show(asked: Asked) -> None:
    """What was done to hosts in the last day, and what is open."""
    with told():
        runs = asyncio.run(_runs(asked, parts.tools(asked.config)))
    if asked.as_json:
        print_json([tables.plain(run) for run in runs])
    elif runs:
        people.print(tables.host_runs([tables.plain(run) for run in runs]))
    else:
        people.print("Nothing was done to a host in the last day, and nothing is open.")


async def _runs(asked: Asked, tools: parts.Tools) -> tuple[HostRun, ...]:
    async with controller(asked, tools, drains=False) as reached:
        return await reached.runs()


def forget(asked: Asked) -> None:
    """Ends the open records of these hosts; refused while a process works on one."""
    found = ready(asked)
    with told(), held.hosts(found.tools.artifacts, found.hosts):
        ended = asyncio.run(_forgotten(asked, found.tools, found.hosts))
    if not ended:
        refuse("nothing is open on these hosts")
    for run in ended:
        people.print(f"{run.verb} of {run.host} is given up at {run.step}; nothing was undone.", soft_wrap=True)


async def _forgotten(asked: Asked, tools: parts.Tools, hosts: Sequence[HostName]) -> list[HostRun]:
    async with controller(asked, tools, drains=False) as reached:
        found = [run for run in await reached.open_runs() if run.host in hosts]
        for run in found:
            await reached.save(replace(run, state=HostRunState.FAILED, said=f"given up at {run.step}"))
    return found

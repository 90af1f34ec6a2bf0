"""`gdcc host drain`, and the records: hosts taken out until somebody enables them, what is open, what is given up."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import typer

from controller.adapters.ansible import held
from controller.adapters.clock import SystemClock
from controller.bootstrap import host as parts
from controller.cli import tables
from controller.cli.host.doing import Asked, confirm, controller, ready, require_deeds
from controller.cli.output import DONE, REFUSED, people, print_json, refuse, told
from controller.engine.host_work import draining
from controller.engine.host_work.order import Ended, Outcome
from controller.model.host_run import HostRun, HostRunState
from controller.model.ids import HostName


def drain(asked: Asked, why: str, keep_shutoff: bool) -> None:
    """Drains one host after the other until each is empty; ends with 1 where one cannot be."""
    found = ready(asked)
    require_deeds(found.tools)
    with told():
        outcomes = asyncio.run(_drained(asked, found.tools, found.hosts, (why, keep_shutoff)))
    if asked.as_json:
        rows = [{"host": one.host, "empty": one.ended is Ended.DONE, "says": one.said} for one in outcomes]
        print_json({"hosts": rows})
    raise typer.Exit(DONE if all(one.ended is Ended.DONE for one in outcomes) else REFUSED)


async def _drained(
    asked: Asked, tools: parts.Tools, hosts: Sequence[HostName], how: tuple[str, bool]
) -> tuple[Outcome, ...]:
    def shown(outcome: Outcome) -> None:
        if not asked.as_json:
            people.print(outcome.said, markup=False, soft_wrap=True)

    def waits(host: HostName, reason: str) -> None:
        if not asked.as_json:
            people.print(f"{host}: {reason}", markup=False, soft_wrap=True)

    why, keep_shutoff = how
    async with controller(asked, tools, drains=hosts) as reached:
        await confirm(reached, hosts, "drain them", asked.yes)
        return await draining.drained(
            reached, SystemClock(), hosts, why, keep_shutoff=keep_shutoff, told=shown, waits=waits
        )


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
    async with controller(asked, tools, drains=()) as reached:
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
    async with controller(asked, tools, drains=()) as reached:
        found = [run for run in await reached.open_runs() if run.host in hosts]
        for run in found:
            await reached.save(replace(run, state=HostRunState.FAILED, said=f"given up at {run.step}"))
    return found

"""`gdcc host drain`: hosts taken out one after the other, each until somebody enables it."""

from collections.abc import Awaitable, Callable, Sequence

from controller.engine.campaign import course
from controller.engine.host_work import service
from controller.engine.host_work.controller import Controller
from controller.engine.host_work.order import WHY, Ended, Outcome
from controller.engine.ports import Clock
from controller.errors import GdccError, RefusedError
from controller.model.ids import HostName
from controller.model.operation import Drain

_OF_CAMPAIGNS = course.why("")


async def drained(
    controller: Controller,
    clock: Clock,
    hosts: Sequence[HostName],
    why: str,
    *,
    keep_shutoff: bool,
    told: Callable[[Outcome], None],
    waits: service.Waits,
) -> tuple[Outcome, ...]:
    """An outcome for each host, in order; the first that cannot be emptied is the last that was begun."""

    async def empty(host: HostName) -> None:
        found = next((each for each in await controller.drains() if each.host == host), None)
        if found is not None:
            await _require_lasting(controller, found)
        begun = found or await controller.drain(host, why, keep_shutoff=keep_shutoff)
        await service.until_empty(controller, clock, begun, waits)

    outcomes: list[Outcome] = []
    for host in hosts:
        if any(outcome.ended is not Ended.DONE for outcome in outcomes):
            said = f"{host}: not begun, since a host before it failed"
            outcomes.append(Outcome(host=host, ended=Ended.NOT_BEGUN, said=said))
        else:
            outcomes.append(await _outcome(host, empty))
        told(outcomes[-1])
    return tuple(outcomes)


async def _outcome(host: HostName, empty: Callable[[HostName], Awaitable[None]]) -> Outcome:
    try:
        await empty(host)
    except GdccError as error:
        return Outcome(host=host, ended=Ended.FAILED, said=str(error))
    return Outcome(host=host, ended=Ended.DONE, said=f"{host} is empty.")


async def _require_lasting(controller: Controller, drain: Drain) -> None:
    """Raises `RefusedError` (rule `drain-ends-itself`) for a drain whose owner gives the host back by itself."""
    of_verb = drain.why.startswith(WHY) and any(run.host == drain.host for run in await controller.open_runs())
    if of_verb or drain.why.startswith(_OF_CAMPAIGNS):
        raise RefusedError(
            f"{drain.why} by {drain.who} has drained it, and may give it back at any time",
            rule="drain-ends-itself",
            where=drain.host,
            remedy="wait for its end, or end it first",
        )

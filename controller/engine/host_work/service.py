"""Taking a host out of service and giving it back, through the controller."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from controller.engine.host_work.controller import Controller
from controller.engine.host_work.order import WHY, Order
from controller.engine.ports import Clock
from controller.errors import RefusedError, TransientError
from controller.model.host_run import HostRun
from controller.model.ids import HostName
from controller.model.operation import Drain, DrainState

_POLL = timedelta(seconds=1)
_QUIET_STEPS = 2
"""A drain that is stuck is given up once so many steps of drains have moved nothing of it.

Turns do not count: in many the controller's own moves go first.
"""


Waits = Callable[[HostName, str], None]
"""Told why a host waits, and that it waits no more."""


async def emptied(controller: Controller, clock: Clock, order: Order, run: HostRun, waits: Waits) -> HostRun:
    """Returns once the host is empty and verified so, the run telling whether it is ours to give back.

    Raises `RefusedError` (rule `not-empty`) with who must act where it cannot be emptied.
    """
    found = next((each for each in await controller.drains() if each.host == run.host), None)
    if found is None:
        try:
            found = await controller.drain(run.host, order.why, keep_shutoff=order.keep_shutoff)
        except RefusedError as error:
            if error.rule == "unknown-host" and run.host in order.elsewhere:
                return replace(run, drained=False)
            raise
    _require_fit(found, order)
    await until_empty(controller, clock, found, waits)
    return replace(run, drained=found.why.startswith(WHY))


async def given_back(controller: Controller, run: HostRun, *, asked: bool) -> str:
    """Enables a host that this verb took out, or whose enabling was asked for; what is said of it."""
    if not run.drained and not asked:
        return f"{run.host} is left as it was: it was not taken out of service by this verb."
    found = next((each for each in await controller.drains() if each.host == run.host), None)
    if found is not None and not found.why.startswith(WHY) and not asked:
        return f"{run.host} stays drained by {found.who}: {found.why}."
    try:
        return await controller.enable(run.host)
    except RefusedError as error:
        if asked or error.rule not in {"not-ours", "unknown-host"}:
            raise
        return f"{run.host} stays disabled: {error}."


def _require_fit(drain: Drain, order: Order) -> None:
    if drain.keep_shutoff and not order.keep_shutoff:
        raise RefusedError(
            f"its drain by {drain.who} lets servers that are shut off stay, and nothing may stay for {order.verb}",
            rule="not-empty",
            where=drain.host,
            remedy=f"gdcc enable {drain.host}, then this verb again",
        )


async def until_empty(controller: Controller, clock: Clock, drain: Drain, waits: Waits) -> None:
    """Returns once the drain is EMPTY by its record, and the host by what Nova says then.

    Raises `RefusedError` (rule `not-empty`) where it is stuck or was ended. While everything is paused, and where Nova
    does not answer, it waits, and says so.
    """
    moves, still_since, told = -1, 0, ""
    while True:
        now = await controller.emptying(drain)
        if now.drain is None:
            raise RefusedError("its drain was ended meanwhile", rule="not-empty", where=drain.host)
        seen, unheard = await _seen(controller, now.drain)
        if seen.state is DrainState.EMPTY and not unheard:
            return
        hindered = unheard or now.paused
        if hindered != told:
            told = hindered
            waits(drain.host, told or "nothing holds its drain up any more; it goes on")
        if seen.state is DrainState.EMPTYING or now.moving or now.moves != moves or hindered:
            moves, still_since = now.moves, now.steps
        elif now.steps > still_since + _QUIET_STEPS:
            raise _stuck(seen)
        await clock.sleep(_POLL)


async def _seen(controller: Controller, drain: Drain) -> tuple[Drain, str]:
    """The drain as it is, looked at anew where its record says EMPTY; and why nobody knows whether it still is."""
    if drain.state is not DrainState.EMPTY:
        return drain, ""
    try:
        return await controller.look(drain), ""
    except TransientError as error:
        return drain, f"it was empty, and nobody can say whether it still is: {error}"


def _stuck(drain: Drain) -> RefusedError:
    held = "; ".join(f"{one.server_name} {one.why} ({one.who_must_act})" for one in drain.holdouts)
    return RefusedError(
        f"it cannot be emptied: {held or 'nothing says why'}",
        rule="not-empty",
        where=drain.host,
        remedy=f"it stays disabled; once they have acted run this verb again, or gdcc enable {drain.host}",
    )

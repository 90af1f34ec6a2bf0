"""Taking a host out of service and giving it back, through the controller."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from controller.engine.host_work.controller import Controller, Emptying
from controller.engine.host_work.order import WHY, Order
from controller.engine.ports import Clock
from controller.errors import RefusedError
from controller.model.host_run import HostRun
from controller.model.ids import HostName
from controller.model.operation import Drain, DrainState

_POLL = timedelta(seconds=1)
_QUIET_TURNS = 2
"""A drain that is stuck is given up once it has moved nothing for so many turns."""


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
    """Returns once the drain is EMPTY. Raises `RefusedError` (rule `not-empty`) where it is stuck or was ended.

    While everything is paused it waits, and says so.
    """
    moves, still_since, paused = -1, 0, ""
    while True:
        now = await controller.emptying(drain)
        if now.drain is None:
            raise RefusedError("its drain was ended meanwhile", rule="not-empty", where=drain.host)
        if now.drain.state is DrainState.EMPTY:
            return
        if now.paused != paused:
            paused = now.paused
            waits(drain.host, paused or "nothing is paused any more; its drain goes on")
        if now.drain.state is DrainState.EMPTYING or now.moving or now.moves != moves or paused:
            moves, still_since = now.moves, now.turn
        elif now.turn > still_since + _QUIET_TURNS:
            raise _stuck(now)
        await clock.sleep(_POLL)


def _stuck(now: Emptying) -> RefusedError:
    assert now.drain is not None
    held = "; ".join(f"{one.server_name} {one.why} ({one.who_must_act})" for one in now.drain.holdouts)
    return RefusedError(
        f"it cannot be emptied: {held or 'nothing says why'}",
        rule="not-empty",
        where=now.drain.host,
        remedy=f"it stays disabled; once they have acted run this verb again, or gdcc enable {now.drain.host}",
    )

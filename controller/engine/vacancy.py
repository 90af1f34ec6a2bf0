"""What Nova says of a host right now: the journal's word is as old as Nova's last answer to the loop."""

from dataclasses import replace

from controller.engine import holdouts
from controller.engine.drain import LONGEST_REASON, Drainer, ours
from controller.errors import RefusedError
from controller.model.ids import HostName
from controller.model.operation import Drain, DrainState


async def looked_at(drainer: Drainer, drain: Drain) -> Drain:
    """The drain as Nova shows its host now: EMPTY only where its service is disabled, too. Changes nothing.

    Raises what the cloud raises: where it does not answer nobody knows, and `RefusedError` (rule `unknown-host`).
    """
    remains, held = await drainer.look(drain.host)
    state = holdouts.state(drain, remains, held)
    if state is DrainState.EMPTY and remains.service.enabled:
        state = DrainState.EMPTYING
    return replace(drain, state=state, holdouts=held)


async def disabled_for(drainer: Drainer, host: HostName, why: str) -> bool:
    """Whether a drain of ours for that reason has disabled the host, which may outlive it; Nova can refuse to enable.

    Raises what the cloud raises.
    """
    try:
        remains, _ = await drainer.look(host)
    except RefusedError:
        return False
    reason = remains.service.disabled_reason or ""
    return ours(remains.service) and (reason.endswith(f": {why}") or len(reason) == LONGEST_REASON)

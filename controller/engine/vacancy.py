"""What Nova says of a host right now: the journal's word is as old as Nova's last answer to the loop."""

from dataclasses import replace

from controller.engine import holdouts
from controller.engine.drain import Drainer
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

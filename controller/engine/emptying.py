"""Drains beside the turns: one step at a time over every open drain, planned on the newest look."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from controller.engine import scoping
from controller.engine.drain import Drainer
from controller.engine.migrate import UNLEARNED
from controller.engine.ports import Journal
from controller.engine.sighting import Seen
from controller.errors import PermanentError, TransientError
from controller.model.operation import Drain, DrainState
from controller.model.plan import Plan
from controller.model.policy import Mode, Policy
from controller.planner import plan as planner

_log = logging.getLogger(__name__)

WORKING = frozenset({DrainState.EMPTYING, DrainState.STUCK, DrainState.EMPTY})
"""A stuck drain is looked at again, since others may have acted; an empty one too, since a server may still come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """What a step came to. `still`: ids of the drains of which nothing moved or changed its state, so that their next
    step may wait; `progressed`: others got on. `waits`: why drains wait.
    """

    progressed: bool
    still: frozenset[str]
    waits: tuple[str, ...]


class PlannedDrains:
    """`drain.PlanDrain` over the newest look, leaving alone what is paused."""

    def __init__(self, seen: Callable[[], Seen | None], policy: Callable[[], Policy], journal: Journal) -> None:
        self._seen = seen
        self._policy = policy
        self._journal = journal

    async def __call__(self, drain: Drain) -> Plan:
        seen = self._seen()
        if seen is None or not _draining(seen, drain):
            raise TransientError(f"the drain of {drain.host} waits for the next look", where=drain.id)
        cold = () if drain.keep_shutoff else (drain.host,)
        policy = self._policy()
        part = scoping.restricted(seen.cluster, seen.situation, policy, tuple(Mode), self._journal.pauses())
        only = (drain.host,)
        return await asyncio.to_thread(
            planner.plan, part, policy, seen.look.at, only=only, cold=cold, before=seen.tables
        )


async def step_all(drains: Sequence[Drain], journal: Journal, drainer: Drainer, yields: Callable[[], bool]) -> Stepped:
    """One step of each of these drains, cut short after a wave where it yields; a drain that fails is told and tried
    again at the next turn.
    """
    still, waits = set[str](), list[str]()
    for drain in drains:
        before = _got_on(journal, drain)
        try:
            after = await drainer.step(drain, yields)
            if after.standing == drain.standing and _got_on(journal, drain) == before:
                still.add(drain.id)
        except (TransientError, PermanentError) as error:
            still.add(drain.id)
            waits.append(f"the drain of {drain.host} waits: {error}")
            _log.warning("a drain waits", extra={"drain": drain.id, "error": str(error)})
    return Stepped(progressed=len(still) < len(drains), still=frozenset(still), waits=tuple(waits))


def going_on(drains: Iterable[Drain]) -> str | None:
    """The drain that goes before the controller's own moves, in a sentence; None for none."""
    for drain in drains:
        if drain.state is DrainState.EMPTYING:
            return f"the drain of {drain.host} goes first"
    return None


def _got_on(journal: Journal, drain: Drain) -> int:
    """Entries from which the next step learns something: what Nova did not take teaches nothing by itself."""
    return sum(
        entry.outcome is None or (entry.outcome.state, entry.outcome.rule) not in UNLEARNED
        for entry in journal.entries_since(drain.since)
    )


def _draining(seen: Seen, drain: Drain) -> bool:
    hosts = seen.cluster.hosts
    return drain.host in hosts.names and bool(hosts.draining[hosts.names.index(drain.host)])

"""An operator's drain of a host: disable it with our reason, empty it, verify that it is empty; and the way back.

It acts in every mode and in a freeze, stops in a pause, and never touches what Nova cannot move by a migration: nothing
here calls evacuate, force-down or reset-state. Where a crash falls: the drain is journaled before the service is
disabled, so a restart goes on with it; it is journaled as ended before the service is enabled, so that no restart
disables it again (the operator, who got no answer, asks again).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from controller.engine import holdouts, order
from controller.engine.holdouts import Remains
from controller.engine.migrate import Migrator, succeeded
from controller.engine.ports import Clock, Cloud, Journal
from controller.errors import PermanentError, RefusedError, TransientError
from controller.model.cloud import Server, Service
from controller.model.ids import HostName, ServerId
from controller.model.operation import Drain, DrainState, Holdout
from controller.model.plan import Plan

_log = logging.getLogger(__name__)

OURS = "gdcc:"
"""How the reason of every disable of ours begins."""

LONGEST_REASON = 255
"""Characters that Nova takes as disabled_reason (its JSON schema for os-services)."""

PlanDrain = Callable[[Drain], Awaitable[Plan]]
"""Asks the planner for moves off a drain's host, on a look that is newer than the drain's last move.

The plan covers nothing but this drain, with SHUTOFF servers as cold moves unless `keep_shutoff`; its holds say why a
server has no target.
"""

Yields = Callable[[], bool]
"""Whether something more urgent waits, so that a step makes no further wave."""


def _never() -> bool:
    return False


Require = Callable[[HostName], None]
"""Called right before the journal is written, with nothing between: raises where somebody else has the host."""


def _nobody_else(_: HostName) -> None: ...


class Drainer:
    """Begins, continues and ends drains. One per process, since `enable` must not meet a disable halfway."""

    def __init__(self, cloud: Cloud, journal: Journal, clock: Clock, *, migrator: Migrator, plan: PlanDrain) -> None:
        self._cloud = cloud
        self._journal = journal
        self._clock = clock
        self._migrator = migrator
        self._plan = plan
        self._switch = asyncio.Lock()

    async def begin(
        self, host: HostName, *, who: str, why: str, keep_shutoff: bool, require: Require = _nobody_else
    ) -> Drain:
        """Journals the drain, disables the service and says at once what cannot be moved.

        Raises what `require` raises, `RefusedError` (rule `unknown-host`, `already-draining`), and `PermanentError`
        where Nova refuses: the drain has ended then. Raises `TransientError` where Nova did not answer: the drain
        stands, and `step` goes on with it.
        """
        await self._service(host)
        require(host)
        now = self._clock.now()
        drain = Drain(
            id=f"drain-{host}-{now:%Y%m%d%H%M%S%f}",
            host=host,
            who=who,
            why=why,
            keep_shutoff=keep_shutoff,
            since=now,
            state=DrainState.EMPTYING,
        )
        self._journal.save_drain(drain)
        self._journal.note(now, who, f"drains {host}: {why}")
        try:
            await self._disable(drain)
            return self._saved(drain, await self._remains(drain.host))
        except TransientError as error:
            what = f"the drain is journaled and goes on by itself, but Nova does not answer: {error.what}"
            raise TransientError(what, where=error.where, retry_after_s=error.retry_after_s) from error
        except PermanentError as error:
            self._end(host)
            self._journal.note(self._clock.now(), "controller", f"ends the drain of {host}, which was refused: {error}")
            raise

    async def step(self, drain: Drain, yields: Yields = _never) -> Drain:
        """Makes what moves are possible now, and returns the drain as it then stands, ENDED where it was enabled.

        Once it `yields` no further wave is begun; the next step goes on from there.
        To be called again until it is EMPTY: a STUCK drain too, for others may have acted. It stays STUCK until there
        is a move to make. Raises the cloud's and the journal's errors; nothing is lost by one. Where Nova refuses, or
        does not know the host any more, it waits for a person, STUCK unless it was EMPTY.
        """
        try:
            return await self._step(drain, yields)
        except PermanentError:
            if self._is_open(drain) and drain.state is DrainState.EMPTYING:
                self._journal.save_drain(replace(drain, state=DrainState.STUCK, holdouts=()))
            raise

    async def _step(self, drain: Drain, yields: Yields) -> Drain:
        if await self._cloud.service(drain.host) is None:
            raise _unknown(drain.host, f"if it was taken out on purpose, gdcc enable {drain.host} ends its drain")
        await self._disable(drain)
        remains = await self._remains(drain.host)
        can_move = holdouts.movable(drain, remains)
        if not can_move or not remains.up or not self._is_open(drain):
            return self._saved(drain, remains)
        plan = await self._plan(drain)
        if any(move.vm in can_move for move in plan.moves):
            drain = self._saved(drain, remains)
        servers = {server.id: server for server in remains.servers if server.id in can_move}
        await self._run(drain, plan, servers, yields)
        remains = await self._remains(drain.host)
        unplaced = holdouts.unplaced(plan.holds, remains.servers, holdouts.movable(drain, remains))
        return self._saved(drain, remains, unplaced)

    async def enable(self, host: HostName, *, who: str, force: bool, require: Require = _nobody_else) -> str:
        """Ends the host's drain and enables its service; answers with one sentence.

        A host that Nova does not know any more only has its drain ended. Raises what `require` raises, and
        `RefusedError` (rule `unknown-host` where it has none; `not-ours` for somebody else's disable, unless `force`).
        """
        async with self._switch:
            service = await self._cloud.service(host)
            require(host)
            if service is None:
                return self._end_of_vanished(host, who)
            reason = service.disabled_reason or "no reason given"
            if not service.enabled and not ours(service) and not force:
                raise RefusedError(
                    f"{host} was disabled by somebody else: {reason}",
                    rule="not-ours",
                    where=host,
                    remedy="ask them, or use --force",
                )
            self._end(host)
            if service.enabled:
                return f"{host} is enabled already."
            self._journal.note(self._clock.now(), who, f"enables {host}, which was disabled: {reason}")
            await self._cloud.enable_service(service)
            return f"{host} is enabled."

    async def holds(self, host: HostName, why: str) -> bool:
        """Whether a drain of ours for that reason has disabled the host, which may outlive it: Nova can refuse to
        enable. Raises what the cloud raises.
        """
        service = await self._cloud.service(host)
        if service is None or not ours(service):
            return False
        reason = service.disabled_reason or ""
        return reason.endswith(f": {why}") or len(reason) == LONGEST_REASON

    async def look(self, host: HostName) -> tuple[Remains, tuple[Holdout, ...]]:
        """What is on a host, and which of it a drain could not move (see `confirmation`). Changes nothing."""
        remains = await self._remains(host)
        return remains, holdouts.holdouts(remains)

    async def _run(self, drain: Drain, plan: Plan, servers: Mapping[ServerId, Server], yields: Yields) -> None:
        """Runs the plan's waves while each succeeds, nothing more urgent waits and nobody has ended the drain."""
        number = self._next_number(drain)
        flavors = {key: server.flavor_name for key, server in servers.items()}
        for wave in plan.waves:
            moves = [move for move in wave if move.source == drain.host and move.vm in servers]
            orders = [order.drained(drain.id, n, plan, move, flavors) for n, move in enumerate(moves, start=number)]
            number += len(orders)
            results = await self._migrator.run_wave(orders, lambda: self._ended(drain))
            for result in results:
                if result.refusal is not None:
                    _log.info("drain %s: %s", drain.id, result.refusal)
            if not all(map(succeeded, results)) or not self._is_open(drain) or yields():
                return

    def _next_number(self, drain: Drain) -> int:
        """Move ids of a drain go on where they stopped, over every restart."""
        prefix = f"{drain.id}-"
        ids = [entry.intent.id for entry in self._journal.entries_since(drain.since)]
        return max((int(one.removeprefix(prefix)) for one in ids if one.startswith(prefix)), default=0) + 1

    async def _disable(self, drain: Drain) -> None:
        """Sees to it that no new server comes; a disable by somebody else is left as it is."""
        async with self._switch:
            if not self._is_open(drain):
                return
            service = await self._service(drain.host)
            if service.enabled:
                reason = f"{OURS} drain {drain.id} by {drain.who}: {drain.why}"
                await self._cloud.disable_service(service, reason[:LONGEST_REASON])

    async def _remains(self, host: HostName) -> Remains:
        """Reads migrations before servers: what ends in between is seen where it went."""
        running = self._migrator.under_way(await self._cloud.running_migrations())
        own = [entry.intent for entry in self._journal.open_entries() if entry.intent.source == host]
        own_ids = frozenset(intent.server_id for intent in own)
        leaving, arriving, resized = holdouts.flights_of(host, running, own_ids)
        service, servers, found = await asyncio.gather(
            self._service(host),
            self._cloud.servers_on(host),
            asyncio.gather(*map(self._cloud.server, sorted(resized))),
        )
        away = tuple(one for one in found if one is not None and one.host != host)
        waiting = tuple(one for one in away if one.status == "VERIFY_RESIZE")
        return Remains(service=service, servers=servers, resized=waiting, leaving=leaving | own_ids, arriving=arriving)

    def _saved(self, drain: Drain, remains: Remains, unplaced: tuple[Holdout, ...] = ()) -> Drain:
        """Journals where the drain stands, unless it was ended meanwhile."""
        if not self._is_open(drain):
            return replace(drain, state=DrainState.ENDED, holdouts=())
        held = (*holdouts.holdouts(remains, keep_shutoff=drain.keep_shutoff), *unplaced)
        now = replace(drain, state=holdouts.state(drain, remains, held), holdouts=held)
        if (now.state, now.holdouts) != (drain.state, drain.holdouts):
            self._journal.save_drain(now)
        if now.standing != drain.standing:
            self._journal.note(self._clock.now(), "controller", _sentence(now, remains))
        return now

    def _end(self, host: HostName) -> bool:
        """Ends the host's drain; whether it had one."""
        found = [drain for drain in self._journal.drains() if drain.host == host]
        for drain in found:
            self._journal.save_drain(replace(drain, state=DrainState.ENDED, holdouts=()))
        return bool(found)

    def _end_of_vanished(self, host: HostName, who: str) -> str:
        if not self._end(host):
            raise _unknown(host)
        self._journal.note(self._clock.now(), who, f"ends the drain of {host}, which is not in Nova any more")
        return f"{host} is not in Nova any more; its drain is ended."

    def _ended(self, drain: Drain) -> str | None:
        return None if self._is_open(drain) else f"the drain of {drain.host} was ended"

    def _is_open(self, drain: Drain) -> bool:
        return any(found.id == drain.id for found in self._journal.drains())

    async def _service(self, host: HostName) -> Service:
        service = await self._cloud.service(host)
        if service is None:
            raise _unknown(host)
        return service


def _unknown(host: HostName, remedy: str = "") -> RefusedError:
    return RefusedError("Nova has no compute service of this name", rule="unknown-host", where=host, remedy=remedy)


def ours(service: Service) -> bool:
    """Whether the service was disabled by this program."""
    return not service.enabled and (service.disabled_reason or "").startswith(OURS)


def _sentence(drain: Drain, remains: Remains) -> str:
    if drain.state is DrainState.STUCK:
        return f"drain of {drain.host} cannot finish: {len(drain.holdouts)} servers wait for somebody else"
    if drain.state is DrainState.EMPTY:
        kept = f", {len(remains.servers)} SHUTOFF servers stay" if remains.servers else ""
        return f"{drain.host} is empty{kept}"
    return f"drain of {drain.host} goes on: {len(remains.servers)} servers are on it"

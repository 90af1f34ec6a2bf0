"""Drains beside the turns: one step at a time over every open drain, planned on the newest look."""

import asyncio
import logging
from collections.abc import Callable

from controller.engine.drain import Drainer
from controller.engine.ports import Journal
from controller.engine.sighting import Seen
from controller.errors import RefusedError, TransientError
from controller.model.ids import HostName
from controller.model.operation import Drain, DrainState
from controller.model.plan import Plan
from controller.model.policy import Policy
from controller.planner import plan as planner

_log = logging.getLogger(__name__)

WORKING = frozenset({DrainState.EMPTYING, DrainState.STUCK})
"""A stuck drain is looked at again too: others may have acted."""


class PlannedDrains:
    """`drain.PlanDrain` over the newest look."""

    def __init__(self, seen: Callable[[], Seen | None], policy: Callable[[], Policy]) -> None:
        self._seen = seen
        self._policy = policy

    async def __call__(self, drain: Drain) -> Plan:
        seen = self._seen()
        if seen is None or not _draining(seen, drain):
            raise TransientError(f"the drain of {drain.host} waits for the next look", where=drain.id)
        cold = () if drain.keep_shutoff else (drain.host,)
        return await asyncio.to_thread(
            planner.plan, seen.cluster, self._policy(), seen.look.at, only=(drain.host,), cold=cold
        )


async def step_all(journal: Journal, drainer: Drainer) -> None:
    """One step of every open drain, oldest first; a drain that fails is told and tried again at the next turn."""
    for drain in journal.drains():
        if drain.state in WORKING:
            try:
                await drainer.step(drain)
            except (TransientError, RefusedError) as error:
                _log.info("a drain waits", extra={"drain": drain.id, "error": str(error)})


def going_on(journal: Journal) -> str | None:
    """The drain that goes before the controller's own moves, in a sentence; None for none."""
    for drain in journal.drains():
        if drain.state is DrainState.EMPTYING:
            return f"the drain of {drain.host} goes first"
    return None


def unknowns(seen: Seen, host: HostName) -> tuple[str, ...]:
    """What is not known about a drain of this host, a sentence each. Raises RefusedError for no such host."""
    cluster = seen.cluster
    if host not in cluster.hosts.names:
        raise RefusedError("Nova shows no compute host of this name", rule="unknown-host", where=host)
    row = cluster.hosts.names.index(host)
    found = [f"the controller is frozen: {cluster.freeze}"] if cluster.freeze else []
    if not cluster.hosts.known[row]:
        found.append(f"{host} is not in the inventory: its rack, feeds and clearance are not known")
    found += [f"{host} has no trusted readings: {why}" for name, why in seen.report.untrusted if name == host]
    here = [vm for vm in range(len(cluster.vms.ids)) if cluster.vms.host[vm] == row]
    strangers = [cluster.vms.names[vm] for vm in here if cluster.vms.system[vm] < 0]
    if strangers:
        found.append(f"the inventory does not know whose these servers are: {', '.join(strangers)}")
    bound = [cluster.vms.names[vm] for vm in here if not cluster.vms.fit_known[vm]]
    if bound:
        found.append(f"pinned, NUMA or PCI guests whose fit elsewhere cannot be shown: {', '.join(bound)}")
    return tuple(found)


def _draining(seen: Seen, drain: Drain) -> bool:
    hosts = seen.cluster.hosts
    return drain.host in hosts.names and bool(hosts.draining[hosts.names.index(drain.host)])

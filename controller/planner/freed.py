"""Which hosts the waves of a plan leave empty of those that it would free; what would free others is not worth a copy.

A search frees hosts wholly, but waves may leave out one of its moves, or end before it. Then the others of that host
are made in vain, and so are those after which a kind of host would lack its reserve.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from controller.model.plan import Concern, Freed
from controller.planner import copies, reserve
from controller.planner.choice import Choice
from controller.planner.load import Load
from controller.planner.situation import Situation
from controller.planner.waves import Wave


def in_vain(facts: Situation, made: Sequence[Wave]) -> frozenset[int]:
    """The VMs that move to free a host which the waves do not leave empty, or whose kind would miss it."""
    freeing = _by_host(facts, made)
    if not freeing:
        return frozenset()
    after = Load(facts)
    for wave in made:
        for choice in wave:
            after.move(choice.vm, choice.target)
    return frozenset(
        choice.vm for host, choices in freeing.items() if not _is_freed(after, host, choices) for choice in choices
    )


def hosts(before: Load, made: Sequence[Wave]) -> tuple[Freed, ...]:
    """What the waves free, by name; all of it where nothing is moved in vain."""
    names, saving = before.situation.cluster.hosts.names, before.situation.saving
    gib = {
        host: float(copies.sent_gib(before, np.array([choice.vm for choice in choices], np.int32)).sum())
        for host, choices in _by_host(before.situation, made).items()
    }
    return tuple(
        Freed(host=names[host], idle_watts=float(saving.idle_watts[host]), copied_gib=gib[host]) for host in sorted(gib)
    )


def _is_freed(after: Load, host: int, choices: Sequence[Choice]) -> bool:
    kind = after.situation.saving.kind
    touched = {int(kind[host]), *(int(kind[choice.target]) for choice in choices)}
    return after.vms_on[host] == 0 and reserve.holds(after, touched)


def _by_host(facts: Situation, made: Sequence[Wave]) -> dict[int, list[Choice]]:
    """The moves that free a host, by the host."""
    found: defaultdict[int, list[Choice]] = defaultdict(list)
    for choice in (choice for wave in made for choice in wave):
        if choice.breach.concern is Concern.CONSOLIDATION:
            found[int(facts.cluster.vms.host[choice.vm])].append(choice)
    return found

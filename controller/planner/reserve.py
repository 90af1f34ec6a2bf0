"""The reserve: what hosts in use must keep free, so that some may be lost while those that were freed are powered down.

Of each kind of host (`saving`), over the hosts in use, and for vCPUs, memory and disk as Placement counts:

    sum of free >= sum of the `spare_hosts` largest of (asked + free)      free = max(0, capacity - asked), 0 if closed

which is what can be lost, whichever hosts it is: a set L of hosts leaves `sum of free - free(L)`, and needs `asked(L)`.
Hosts without a VM count for nothing in it, since they may be off. It is a sum: that each server of a lost host finds a
host to fit on is not shown (`gdcc whatif --all-single-failures` shows it).
"""

from collections.abc import Collection

import numpy as np

from controller.planner import rules
from controller.planner.load import Load


def holds(load: Load, kinds: Collection[int], without: int | None = None) -> bool:
    """Whether these kinds of host keep their reserve; `without`: as if this host were freed already."""
    spare = load.situation.policy.consolidation.spare_hosts
    return not spare or all(_holds(load, kind, spare, without) for kind in kinds)


def _holds(load: Load, kind: int, spare: int, without: int | None) -> bool:
    situation = load.situation
    in_use = np.equal(situation.saving.kind, kind) & (load.vms_on > 0)
    if without is not None:
        in_use[without] = False
    hosts = np.flatnonzero(in_use)
    opened = situation.standing.open[hosts]
    if not opened.any():
        return False
    asked = load.asked[:, hosts]
    free = np.where(opened, np.maximum(situation.capacity[:, hosts] - asked, 0.0), 0.0)
    largest = np.sort(asked + free, axis=1)[:, -spare:]
    return bool(rules.fits(largest.sum(axis=1), free.sum(axis=1)).all())

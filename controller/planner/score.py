"""The objective: a number a level, lower is better, compared in policy's order: no later gain pays for an earlier loss.

    broken = VMs on failing hosts + VMs above their host's clearance + VMs to be moved to where Nova would put them
             + excess of groups
             + sum over hosts and resources of max(0, asked / capacity - 1)
    hot    = sum over hosts of max(0, used / limit - 1) for CPU, memory, network, storage
             + sum over feeds, PDUs, phases of max(0, load / limit - 1)
           + sum over pools and resources of what is short of the reserve / all that their hosts may hold   (`failover`)
    drain  = VMs on hosts that an operator drains
    uneven = sum over hosts of max(0, busy / threads - mean of the rack - uneven_ratio)     busy: see `balance`
    consolidation = hosts in use that policy lets be freed; 0 where consolidation is off

The mean of a rack is what is busy of it over its threads; by CPU alone a move inside the rack leaves it where it was.
With consolidation on it is that of its hosts in use: an emptied host takes its threads out of it, and makes no other
uneven.
"""

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.plan import Concern, Hold, Plan
from controller.model.sample import FloatColumn, IntColumn
from controller.planner.load import Load

Score = tuple[float, ...]

OF_WHOLE = frozenset({"down", "facility", "not-asked", "freeze", "not-sustained", "balance", "told-only",
                      "too-many-misfits"})  # fmt: skip
"""Rules that hold a breach as a whole, so that no search mends it."""
OF_VM = frozenset({
    "no-host", "migrating", "busy", "state", "requirement-unknown", "window", "unknown-system", "locked", "fit-unknown",
    "cooldown", "at-once", "out-of-host", "agency-budget", "system-budget",
})  # fmt: skip
"""Rules that hold a VM where it is, so that no search moves it (`eligibility`)."""

DIGITS = 9
"""Scores are rounded to this many digits, so that the rounding of sums is no gain."""
LEAST_LIMIT = 1e-3
"""A limit of nothing counts as this much, so that what stands against it is far over."""
DUST = 1e-9
"""Less than this over a tolerance is rounding."""


def of_load(load: Load) -> Score:
    """The whole cluster's score."""
    levels = {
        Concern.BROKEN: broken(load),
        Concern.HOT: hot(load),
        Concern.DRAIN: float(load.vms_on[load.situation.cluster.hosts.draining].sum()),
        Concern.UNEVEN: float(unevenness(load).sum()),
        Concern.CONSOLIDATION: float(in_use(load).sum()),
    }
    return tuple(round(levels[concern], DIGITS) for concern in load.situation.policy.objective)


def unmended(plan: Plan) -> bool:
    """Whether the plan leaves anything wrong or uneven that another search might mend: something that policy asks for
    now, and that no rule holds whatever is searched.
    """
    holds: dict[str, list[Hold]] = {}
    for hold in plan.holds:
        holds.setdefault(hold.breach, []).append(hold)
    return any(not all(map(_settled, held)) for held in holds.values())


def _settled(hold: Hold) -> bool:
    on_battery = hold.rule == "on-battery" and hold.breach.startswith(f"{Concern.UNEVEN}:")
    return on_battery or hold.rule in (OF_WHOLE if hold.vm is None else OF_VM)


def broken(load: Load) -> float:
    """What is broken now."""
    situation = load.situation
    over = np.maximum(load.asked / np.maximum(situation.capacity, 1.0) - 1.0, 0.0)
    return float(load.vms_on[situation.standing.failing].sum() + load.misplaced + load.excess_of.sum() + over.sum())


def hot(load: Load) -> float:
    """What is above its safety limit."""
    situation = load.situation
    hosts = excess(load.used, situation.limit)
    supplies = excess(load.least, situation.cluster.power.limit_watts)
    short = 0.0 if load.failover is None else load.failover.shares.sum()
    return float(hosts.sum() + supplies.sum() + short)


def unevenness(load: Load) -> FloatColumn:
    """How far each host is above its rack's mean and the tolerance; 0 where it is not."""
    hosts = np.flatnonzero(load.in_mean).astype(np.int32)
    over = np.zeros(len(load.in_mean))
    over[hosts] = np.maximum(busy_ratio(load, hosts) - even_ratio(load, hosts), 0.0)
    return over


def in_use(load: Load) -> BoolColumn:
    """The hosts that policy lets be freed and on which a VM stands."""
    return load.situation.saving.freeable & (load.vms_on > 0)


def busy_ratio(load: Load, hosts: IntColumn) -> FloatColumn:
    """Busy share of each of the hosts, by what is balanced (`balance`)."""
    situation = load.situation
    busy = situation.balance.busy(load.used, hosts)
    ratio: FloatColumn = busy / np.maximum(situation.cluster.hosts.threads[hosts], 1e-9)
    return ratio


def even_ratio(load: Load, hosts: IntColumn) -> FloatColumn:
    """The busy share above which each of the hosts is uneven: its rack's mean and the tolerance."""
    return rack_means(load, hosts) + load.situation.policy.thresholds.uneven_ratio


def rack_means(load: Load, hosts: IntColumn) -> FloatColumn:
    """For each of the hosts what is busy of its rack over its rack's threads; NaN where neither is known."""
    racks = load.situation.cluster.hosts.rack[hosts]
    mean: FloatColumn = (load.rack_busy / load.rack_threads)[racks]
    return mean


def excess(load: FloatColumn, limit: FloatColumn) -> FloatColumn:
    """`max(0, load / limit - 1)`, 0 where either is not known."""
    over: FloatColumn = np.fmax(load / np.maximum(limit, LEAST_LIMIT) - 1.0, 0.0)
    return over

"""Every limit's load before a plan and after it: hosts' CPU, memory, link and storage path, racks' CPU, feeds, PDUs and
phases, and what pools need for hosts that may be lost.
"""

from collections.abc import Iterator

import numpy as np

from controller.model.plan import LimitState
from controller.planner import amounts, classify, supplies
from controller.planner.load import Load


def states(before: Load, after: Load) -> tuple[LimitState, ...]:
    """All of them, hosts first, by name; what is not measured is left out."""
    return (*_hosts(before, after), *_racks(before, after), *_power(before, after), *_reserves(before, after))


def _hosts(before: Load, after: Load) -> Iterator[LimitState]:
    situation = before.situation
    names = situation.cluster.hosts.names
    whole = amounts.whole(situation.cluster.hosts)
    for quantity, rule in enumerate(amounts.MEASURED):
        hosts = np.flatnonzero(np.isfinite(before.used[quantity]) & (whole[quantity] > 0))
        shares = (
            (table[quantity, hosts] / whole[quantity, hosts]).tolist()
            for table in (situation.limit, before.used, after.used)
        )
        for host, limit, was, then in zip(hosts.tolist(), *shares, strict=True):
            name = names[host]
            yield LimitState(key=f"{rule}:{name}", subject=name, unit="ratio", limit=limit, before=was, after=then)


def _racks(before: Load, after: Load) -> Iterator[LimitState]:
    """Each rack's busy threads over its threads, those of empty hosts too, against the same threshold as a host's."""
    limit = before.situation.policy.thresholds.cpu_ratio
    names, hosts = before.situation.cluster.racks.names, before.situation.cluster.hosts
    measured = before.measured
    racks = hosts.rack[measured]
    threads = np.bincount(racks, weights=hosts.threads[measured], minlength=len(names))
    was, then = (
        np.bincount(racks, weights=load.used[amounts.CPU, measured], minlength=len(names)) for load in (before, after)
    )
    for rack in np.flatnonzero(threads).tolist():
        name = names[rack]
        yield LimitState(
            key=f"rack:{name}", subject=name, unit="ratio", limit=limit,
            before=float(was[rack] / threads[rack]), after=float(then[rack] / threads[rack]),
        )  # fmt: skip


def _power(before: Load, after: Load) -> Iterator[LimitState]:
    power = before.situation.cluster.power
    for row in np.flatnonzero(np.isfinite(before.least) & np.isfinite(power.limit_watts)).tolist():
        yield LimitState(
            key=supplies.key(power, row), subject=power.names[row], unit="W",
            limit=float(power.limit_watts[row]), before=float(before.least[row]), after=float(after.least[row]),
            unread=float(before.most[row] - before.least[row]),
        )  # fmt: skip


def _reserves(before: Load, after: Load) -> Iterator[LimitState]:
    """What each pool needs over what it has free, of the resource of which that is most."""
    if before.failover is None or after.failover is None:
        return
    was, then = (
        (each.needed / np.maximum(each.free, 1.0)).max(axis=1).tolist() for each in (before.failover, after.failover)
    )
    for pool, name in enumerate(before.failover.pools.names):
        key = f"{classify.RESERVE}:{name}"
        yield LimitState(key=key, subject=name, unit="ratio", limit=1.0, before=was[pool], after=then[pool])

"""Mends what is wrong: for each breach the VMs that may mend it, and in which order they are asked to leave."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.plan import Breach
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import amounts, canonical, classify, copies, likeness, supplies
from controller.planner.failover import Failover
from controller.planner.mover import Mover

NEGLIGIBLE = 0.001
"""A VM that uses less than this share of its host is not worth moving to cool it."""

SPARE = 0.01
"""What was too hot is left this share below its limit, so that the next reading does not start it all again."""

URGENCY = ("clearance", "health", "inlet", "admission", "capacity", "group")
"""Which of the broken is mended first."""


def mend(search: Mover) -> None:
    """One pass over everything that is wrong and has lasted."""
    for breach in sorted(classify.breaches(search.load), key=lambda breach: urgency(search, breach)):
        if search.asked_to_stop():
            return
        if breach.rule in MENDERS and classify.lasting(search.load, breach):
            MENDERS[breach.rule](search, breach)


def urgency(search: Mover, breach: Breach) -> tuple[int, int, float, tuple[float, int], str]:
    """By policy's order of concerns; among equals the furthest over its limit first, and then by what they are of."""
    prefers = search.prefers
    rank = prefers.rank(URGENCY.index(breach.rule), len(URGENCY)) if breach.rule in URGENCY else len(URGENCY)
    over = prefers.amount(breach.amount / breach.limit) if breach.limit > 0 else 0.0
    like = search.situation.likeness.of_breach(breach)
    return search.situation.policy.rank(breach.concern), rank, -likeness.nearly(over), like, breach.key


def _empty(search: Mover, breach: Breach) -> None:
    """Everything leaves the host, the largest first."""
    vms = search.on(search.hosts[breach.subject])
    order = search.situation.likeness.vms[vms]
    for vm in vms[np.lexsort((order, -search.prefers.costs(search.situation.asked[1, vms])))].tolist():
        if search.asked_to_stop():
            return
        search.place(vm, breach)


def _replace(search: Mover, breach: Breach) -> None:
    """The one VM leaves the host it may not be on; one that has made room for another stands well already."""
    cluster, load = search.situation.cluster, search.load
    vm = canonical.at(cluster.vms.ids, breach.subject)
    if load.misfit[vm] or cluster.vms.classification[vm] > cluster.hosts.clearance[load.host[vm]]:
        search.place(vm, breach)


def _unload(search: Mover, breach: Breach) -> None:
    """VMs leave until Placement would admit what is left."""
    host = search.hosts[breach.subject]
    for asked, load, capacity in zip(
        search.situation.asked, search.load.asked, search.situation.capacity[:, host], strict=True
    ):
        over = _over(load, host, float(capacity))
        need = Need(vms=search.on(host), relief=asked.__getitem__, excess=over, broken=over)
        _relieve(search, breach, need)


def _cool(search: Mover, breach: Breach) -> None:
    """VMs leave until the host is below its threshold, with a little to spare.

    On a full host what its VMs wait for must go too: as one leaves, the others take what it had.
    """
    host, quantity = search.hosts[breach.subject], amounts.MEASURED.index(breach.rule)
    limit = float(search.situation.limit[quantity, host])
    waiting = search.waiting(quantity)
    vms = search.on(host)
    vms = vms[search.relief(vms, quantity) > NEGLIGIBLE * limit]

    def over(most: float) -> float:
        return float(search.load.used[quantity, host] + waiting[search.on(host)].sum()) - most

    if search.load.used[quantity, host] <= limit:
        return
    need = Need(
        vms=vms,
        relief=lambda left: search.relief(left, quantity) + waiting[left],
        excess=lambda: over((1.0 - SPARE) * limit),
        broken=lambda: over(limit),
    )
    _relieve(search, breach, need)


def _ease(search: Mover, breach: Breach) -> None:
    """VMs leave the hosts of a feed, PDU or phase, those first that take most watts off it for least copying."""
    row = search.situation.supplies[breach.key]
    watts, hosts = search.situation.watts, search.situation.cluster.hosts
    fed = supplies.hosts_on(hosts, row)
    vms = np.flatnonzero(np.append(fed, False)[search.load.host]).astype(np.int32)
    vms = vms[search.relief(vms, amounts.CPU) > NEGLIGIBLE * hosts.threads[search.load.host[vms]]]
    limit = float(search.situation.cluster.power.limit_watts[row])
    broken = _over(search.load.least, row, limit)
    if broken() <= 0:
        return
    need = Need(
        vms=vms,
        relief=lambda left: search.relief(left, amounts.CPU) * watts.per_thread_out[search.load.host[left]],
        excess=_over(search.load.least, row, (1.0 - SPARE) * limit),
        broken=broken,
        within=~fed,
    )
    _relieve(search, breach, need)


def _make_free(search: Mover, breach: Breach) -> None:
    """Servers that could stand elsewhere leave a pool's hosts, those first that give it most for least copying."""
    failover = search.load.failover
    assert failover is not None
    pool = failover.number(breach.subject)
    for quantity in np.flatnonzero(failover.short[pool]).tolist():
        missing = _missing(failover, pool, quantity)
        need = Need(
            vms=failover.fillers(pool, search.load.host),
            relief=partial(_gives, search, failover, pool, quantity),
            excess=missing,
            broken=missing,
            within=~failover.pools.hosts[pool],
        )
        _relieve(search, breach, need)


def _missing(failover: Failover, pool: int, quantity: int) -> Callable[[], float]:
    return lambda: float(failover.short[pool, quantity])


def _gives(search: Mover, failover: Failover, pool: int, quantity: int, vms: IntColumn) -> FloatColumn:
    return failover.relief(pool, quantity, vms, search.load.host)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """VMs that could relieve something, by how much each, and where they may go.

    `excess`: what is still more than it should be, a little to spare; `broken`: more than its limit.
    """

    vms: IntColumn
    relief: Callable[[IntColumn], FloatColumn]
    excess: Callable[[], float]
    broken: Callable[[], float]
    within: BoolColumn | None = None


def _over(loads: FloatColumn, row: int, limit: float) -> Callable[[], float]:
    return lambda: float(loads[row]) - limit


def _relieve(search: Mover, breach: Breach, need: Need) -> None:
    """Moves VMs until nothing is in excess: the cheapest that mends it alone, else what mends most for its cost."""
    left = need.vms
    while len(left) and need.excess() > amounts.ROUNDING and not search.asked_to_stop():
        left = left[search.movable(left, breach)]
        left = _best_first(search, left, need.relief(left), need.excess())
        moved = next((at for at, vm in enumerate(left.tolist()) if search.move(vm, breach, need.within)), len(left))
        left = left[moved + 1 :]
    _squeeze(search, breach, need)


def _best_first(search: Mover, vms: IntColumn, mends: FloatColumn, excess: float) -> IntColumn:
    """Those that mend it alone, the cheapest first; then the others, by what they mend for their cost."""
    cost = search.prefers.costs(copies.sent_gib(search.load, vms))
    alone = likeness.same(mends) >= np.float32(excess)
    worth = likeness.same(np.where(alone, cost, -mends / cost))
    order = np.lexsort((search.situation.likeness.vms[vms], worth, ~alone))
    ordered: IntColumn = vms[order[mends[order] > 0]]
    return ordered


def _squeeze(search: Mover, breach: Breach, need: Need) -> None:
    """Where that was not enough to mend it, others make room for VMs that would."""
    if need.broken() <= amounts.ROUNDING:
        return
    left = np.array([vm for vm in need.vms.tolist() if search.standing(vm)], np.int32)
    for vm in search.most(_best_first(search, left, need.relief(left), need.broken())).tolist():
        if need.broken() <= amounts.ROUNDING or search.asked_to_stop():
            return
        search.squeeze(vm, breach, need.within)


def _regroup(search: Mover, breach: Breach) -> None:
    """Members leave the domains that hold too many, the smallest first; where too few domains hold any, one with
    another member in its domain goes to a domain that has none.
    """
    for number, bond in enumerate(search.situation.bonds):
        if bond.group.name != breach.subject or not bond.hard:
            continue
        members = bond.group.members[search.load.host[bond.group.members] >= 0]
        costs = likeness.same(search.prefers.costs(copies.sent_gib(search.load, members)))
        for vm in members[np.lexsort((search.situation.likeness.vms[members], costs))].tolist():
            domain = int(bond.domain_of[search.load.host[vm]])
            for within in bond.reliefs(search.load.members[number], domain):
                if search.place(vm, breach, within):
                    break


MENDERS: Mapping[str, Callable[[Mover, Breach], None]] = {
    **dict.fromkeys(classify.OF_VM, _replace),
    "health": _empty,
    "inlet": _empty,
    "drain": _empty,
    "capacity": _unload,
    "group": _regroup,
    "cpu": _cool,
    "memory": _cool,
    "network": _cool,
    "storage": _cool,
    "feed": _ease,
    "pdu": _ease,
    "phase": _ease,
    classify.RESERVE: _make_free,
}

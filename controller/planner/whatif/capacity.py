"""How many more servers of each flavor and classification have a place, with N+1 held and without.

On a host

    fits = min over what a server needs of floor(room / amount)

where a new server asks for its flavor and uses what its like use on the mean. Supplies bound the sum over their hosts:
of hosts whose servers a supply cannot carry, the last in the snapshot's order take fewer.

N+1 is held for a loss while everything that it takes down has a place elsewhere. New servers that it takes down too
must fit there, and those outside stand there already: so no more of them than fit beside the restarted ones,

    kept = min(least over losses of (sum over hosts of fits),  sum over hosts of (least over losses of fits))

since they have one place each, whichever loss comes: with so many, as many on each host as every loss that it outlasts
leaves there, none stands where a restarted one must start, and those that a loss takes down fit beside all. A loss
of a rack is worse than that of a host in it, unless it takes all of a group that must stand together and the host takes
a part: what is left ties that to where it stands, while the whole starts anywhere. So racks and feeds are looked at,
and hosts of such groups or of no known rack.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from controller.model import cluster as model
from controller.model.sample import FloatColumn, IntColumn
from controller.model.whatif import Fit, Loss, Resource
from controller.planner import amounts, domains, eligibility
from controller.planner.whatif import loss as losing
from controller.planner.whatif.restart import restart
from controller.planner.whatif.spare import HARD, Left, Spare
from inventory.model import Classification, Domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """Of a flavor and classification: how many there are, one that the most hosts may start, what a new one needs."""

    servers: int
    model: int
    need: FloatColumn


def likes(spare: Spare) -> tuple[Like, ...]:
    """Every flavor and classification of which a server runs, in the order of their names."""
    cluster = spare.situation.cluster
    vms = cluster.vms
    known = vms.fit_known & (vms.requirement >= 0) & eligibility.live(vms)
    groups: dict[tuple[str, int], list[int]] = {}
    for vm in np.flatnonzero(known).tolist():
        groups.setdefault((cluster.flavors[int(vms.flavor[vm])], int(vms.classification[vm])), []).append(vm)
    return tuple(_like(spare, servers) for _, servers in sorted(groups.items()))


def losses(cluster: model.Cluster) -> tuple[Loss, ...]:
    """Those that N+1 has to be held for; see above."""
    racked = cluster.hosts.rack >= 0
    alone = set(itertools.compress(cluster.hosts.names, ~racked | _tied(cluster)))
    return tuple(each for each in losing.every_single(cluster) if each.kind is not Domain.HOST or each.name in alone)


def _tied(cluster: model.Cluster) -> model.BoolColumn:
    """(H,) hosts of one rack on which all of a group stands that is in their domains, and that must stand together."""
    tied, domain_of = np.zeros(len(cluster.hosts.names), np.bool_), domains.of_hosts(cluster)
    for group in cluster.groups:
        if group.kind is not model.GroupKind.AFFINITY:
            continue
        hosts = np.unique(cluster.vms.host[group.members])
        hosts = hosts[hosts >= 0]
        domain, rack = domain_of[group.domain][hosts], cluster.hosts.rack[hosts]
        for each in np.unique(rack):
            here = rack == each
            tied[hosts[here]] |= np.count_nonzero(here) > 1 and not np.isin(domain[~here], domain[here]).any()
    return tied


def after(spare: Spare, loss: Loss) -> Left | None:
    """What is left once everything that the loss takes down has started elsewhere; None where it has no place."""
    down = losing.hosts_down(spare.situation, [loss])
    placed = restart(spare, down, spare.servers_on(down))
    return None if placed.unplaced else placed.left


def fit(spare: Spare, like: Like, held: Sequence[tuple[Loss, Left | None]]) -> Fit:
    """How many more of them there is a place for, at the least; `held`: what each loss leaves."""
    found, cluster = _Count(spare, like, spare.now()), spare.situation.cluster
    on_each, kept = found.on_each(), list[tuple[int, Loss]]()
    for loss, left in held:
        count = None if left is None else _Count(spare, like, left)
        kept.append((0 if count is None else count.total, loss))
        if count is not None:
            on_each = np.where(count.down, on_each, np.minimum(on_each, count.on_each()))
    least = min(kept, key=lambda each: each[0], default=(found.total, None))
    binding = [(each, int(np.count_nonzero(found.short_of == n))) for n, each in enumerate(Resource)]
    return Fit(
        flavor=cluster.flavors[int(cluster.vms.flavor[like.model])],
        classification=Classification(int(cluster.vms.classification[like.model])).name.lower(),
        servers=like.servers,
        hosts=len(found.hosts),
        now=found.total,
        kept=min(least[0], int(on_each.sum())),
        kept_for=least[1],
        binding=tuple(sorted(((each, count) for each, count in binding if count), key=lambda item: -item[1])),
        in_pieces=found.in_pieces(),
    )


def _like(spare: Spare, servers: Sequence[int]) -> Like:
    widest = max(servers, key=lambda vm: (len(spare.open_to(vm)), -vm))
    need = np.concatenate([spare.amount[:HARD, widest], spare.amount[HARD:, servers].mean(axis=1)])
    return Like(servers=len(servers), model=widest, need=need)


class _Count:
    """`hosts` that may start one, `counts` how many on each, `short_of` the number of what each runs out of first.

    `down` (H,): the hosts that are.
    """

    def __init__(self, spare: Spare, like: Like, left: Left) -> None:
        self._watts, self._left, self._need = spare.situation.watts, left, like.need
        hosts = np.sort(spare.open_to(like.model))
        self.down = left.down
        self.hosts: IntColumn = hosts[~left.down[hosts]]
        self._power = spare.situation.cluster.hosts.power[self.hosts]
        needed = np.flatnonzero(like.need > 0)
        room = np.maximum(left.room[np.ix_(needed, self.hosts)], 0.0)
        fits = np.floor(room / like.need[needed, None]) if len(needed) else np.zeros((1, len(self.hosts)))
        self.short_of = needed[np.argmin(fits, axis=0)] if len(needed) else np.full(len(self.hosts), -1)
        self.counts: FloatColumn = fits.min(axis=0)
        for row in self._overloaded():
            self._trim(row)

    @property
    def total(self) -> int:
        """How many on all of them together."""
        return int(self.counts.sum())

    def on_each(self) -> FloatColumn:
        """(H,) how many on every host of the snapshot."""
        counts = np.zeros(len(self.down))
        counts[self.hosts] = self.counts
        return counts

    def in_pieces(self) -> int:
        """How many more Placement would admit if all that the hosts have left were one host's."""
        needed = np.flatnonzero(self._need[:HARD] > 0)
        if not len(needed) or not len(self.hosts):
            return 0
        room = np.maximum(self._left.room[np.ix_(needed, self.hosts)], 0.0)
        need = self._need[needed, None]
        whole = np.floor(room.sum(axis=1, keepdims=True) / need).min()
        return int(whole - np.floor(room / need).min(axis=0).sum())

    def _added(self, hosts: IntColumn, counts: FloatColumn) -> FloatColumn:
        """Watts that so many more servers add on each of the hosts."""
        return self._watts.added(self._need[HARD] * counts, hosts, self._left.arrived[hosts])

    def _overloaded(self) -> list[int]:
        """The supplies that could not carry what their hosts would take."""
        added = np.repeat(self._added(self.hosts, self.counts)[:, None], self._power.shape[1], axis=1)
        hung = self._power >= 0
        load = np.bincount(self._power[hung], weights=added[hung], minlength=len(self._left.watts))
        over: list[int] = np.flatnonzero(load > np.maximum(self._left.watts, 0.0) * (1.0 + amounts.ROUNDING)).tolist()
        return over

    def _trim(self, row: int) -> None:
        """Has the last of a supply's hosts take fewer, until it can carry what all of them take."""
        on = np.flatnonzero((self._power == row).any(axis=1) & (self.counts > 0))
        hosts, counts = self.hosts[on], self.counts[on]
        added = self._added(hosts, counts)
        room = self._left.watts[row] - (np.cumsum(added) - added)
        first = self._added(hosts, np.ones(len(on)))
        each = np.maximum(self._watts.per_thread_in[hosts] * self._need[HARD], 1e-9)
        carried = np.where(room >= first, np.minimum(counts, np.floor((room - first) / each) + 1.0), 0.0)
        self.short_of[on[carried < counts]] = list(Resource).index(Resource.POWER)
        self.counts[on] = carried

"""How many more servers of each flavor and classification have a place, with N+1 held and without.

Flavors are those of which a server runs, at the level of each, and all that the inventory declares, at theirs.

On a host

    fits = min over what a server needs of floor(room / amount)

where a new server asks for its flavor and uses what its like use on the mean, or all that it may where none runs.
Supplies bound the sum over their hosts:
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
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from controller import errors
from controller.model import cluster as model
from controller.model.ids import ServerId
from controller.model.sample import FloatColumn, IntColumn
from controller.model.whatif import Binding, Fit, Loss, Resource
from controller.planner import amounts, domains, eligibility
from controller.planner.whatif import appended
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


def with_catalog(
    cluster: model.Cluster, only: Collection[str] | None = None
) -> tuple[model.Cluster, tuple[ServerId, ...]]:
    """The snapshot with a server that stands nowhere of each declared flavor and level of which none runs, and these.

    Left out are flavors of which nobody can show where one fits. `only`: of these; `InputError` for one that neither
    the inventory declares nor a server has.
    """
    if unknown := sorted(set(only or ()) - {*cluster.flavors, *cluster.catalog.names}):
        raise errors.InputError(f"the snapshot knows no flavor {', '.join(unknown)}")
    table, vms = cluster.catalog, cluster.vms
    running = {_kind(cluster, vm) for vm in np.flatnonzero(_counted(vms)).tolist()}
    levels = table.classification.tolist()
    wanted = [row for row, name in enumerate(table.names) if table.fit_known[row] and (not only or name in only)]
    missing = [row for row in wanted if (table.names[row], levels[row]) not in running]
    flavors = (*cluster.flavors, *(table.names[row] for row in missing if table.names[row] not in cluster.flavors))
    ids = tuple(map(ServerId, appended.names("catalog", len(missing), vms.ids)))
    servers = [
        {**appended.server(table, row, flavors), "ids": server, "names": server}
        for server, row in zip(ids, missing, strict=True)
    ]
    return replace(cluster, flavors=flavors, vms=appended.made(vms, servers)), ids


def likes(spare: Spare, declared: Collection[ServerId] = (), only: Collection[str] | None = None) -> tuple[Like, ...]:
    """Every flavor and classification of which a server runs, and those of `declared`, in the order of their names.

    `only`: of these flavors.
    """
    cluster = spare.situation.cluster
    vms = cluster.vms
    added = frozenset(declared)
    groups: dict[tuple[str, int], list[int]] = {}
    for vm in np.flatnonzero(_counted(vms)).tolist():
        groups.setdefault(_kind(cluster, vm), []).append(vm)
    return tuple(
        _like(spare, servers, running=sum(vms.ids[vm] not in added for vm in servers) if added else len(servers))
        for (flavor, _), servers in sorted(groups.items())
        if not only or flavor in only
    )


def named(spare: Spare, like: Like) -> tuple[str, str]:
    """Flavor and classification."""
    flavor, level = _kind(spare.situation.cluster, like.model)
    return flavor, Classification(level).name.lower()


def _kind(cluster: model.Cluster, vm: int) -> tuple[str, int]:
    return cluster.flavors[int(cluster.vms.flavor[vm])], int(cluster.vms.classification[vm])


def _counted(vms: model.Vms) -> model.BoolColumn:
    counted: model.BoolColumn = vms.fit_known & (vms.requirement >= 0) & eligibility.live(vms)
    return counted


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
    found = _Count(spare, like, spare.now())
    on_each, kept = found.on_each(), list[tuple[int, Loss]]()
    for loss, left in held:
        count = None if left is None else _Count(spare, like, left)
        kept.append((0 if count is None else count.total, loss))
        if count is not None:
            on_each = np.where(count.down, on_each, np.minimum(on_each, count.on_each()))
    least = min(kept, key=lambda each: each[0], default=(found.total, None))
    binding = [(each, int(np.count_nonzero(found.short_of == n))) for n, each in enumerate(Resource)]
    flavor, classification = named(spare, like)
    return Fit(
        flavor=flavor,
        classification=classification,
        servers=like.servers,
        hosts=len(found.hosts),
        now=found.total,
        kept=min(least[0], int(on_each.sum())),
        kept_for=least[1],
        binding=tuple(sorted(((each, count) for each, count in binding if count), key=lambda item: -item[1])),
        where=tuple(sorted(found.where(), key=lambda each: -each.hosts)),
        in_pieces=found.in_pieces(),
    )


def count(spare: Spare, like: Like, left: Left) -> int:
    """How many more of them there is a place for in what is left."""
    return _Count(spare, like, left).total


def short_of_power(spare: Spare, like: Like) -> model.BoolColumn:
    """(H,) hosts on a supply that could not carry what its hosts have room for as things stand."""
    full = _Count(spare, like, spare.now()).full
    short: model.BoolColumn = np.logical_or.reduce(np.isin(spare.situation.cluster.hosts.power, full), axis=1)
    return short


def _like(spare: Spare, servers: Sequence[int], *, running: int) -> Like:
    widest = max(servers, key=lambda vm: (len(spare.open_to(vm)), -vm))
    need = np.concatenate([spare.amount[:HARD, widest], spare.amount[HARD:, servers].mean(axis=1)])
    return Like(servers=running, model=widest, need=need)


class _Count:
    """`hosts` that may start one, `counts` how many on each, `short_of` the number of what each runs out of first.

    `down` (H,): the hosts that are. `full`: supplies that could not carry what all of their hosts have room for.
    """

    def __init__(self, spare: Spare, like: Like, left: Left) -> None:
        self._watts, self._left, self._need = spare.situation.watts, left, like.need
        self._cluster = spare.situation.cluster
        hosts = np.sort(spare.open_to(like.model))
        self.down = left.down
        self.hosts: IntColumn = hosts[~left.down[hosts]]
        self._power = self._cluster.hosts.power[self.hosts]
        needed = np.flatnonzero(like.need > 0)
        room = np.maximum(left.room[np.ix_(needed, self.hosts)], 0.0)
        fits = np.floor(room / like.need[needed, None]) if len(needed) else np.zeros((1, len(self.hosts)))
        self.short_of = needed[np.argmin(fits, axis=0)] if len(needed) else np.full(len(self.hosts), -1)
        self.counts: FloatColumn = fits.min(axis=0)
        self.full = self._overloaded()
        if self.full:
            self._trim()

    @property
    def total(self) -> int:
        """How many on all of them together."""
        return int(self.counts.sum())

    def on_each(self) -> FloatColumn:
        """(H,) how many on every host of the snapshot."""
        counts = np.zeros(len(self.down))
        counts[self.hosts] = self.counts
        return counts

    def where(self) -> list[Binding]:
        """Of each resource that binds, on how many hosts, and in which racks and rooms these stand."""
        cluster = self._cluster
        found = []
        for number, resource in enumerate(Resource):
            bound = self.hosts[self.short_of == number]
            if len(bound):
                rack = cluster.hosts.rack[bound]
                room = np.append(cluster.racks.room, -1)[rack]
                found.append(
                    Binding(
                        resource=resource,
                        hosts=len(bound),
                        racks=_most_first(cluster.racks.names, rack),
                        rooms=_most_first(cluster.rooms.names, room),
                    )
                )
        return found

    def in_pieces(self) -> int:
        """How many more there would be room for if all that the hosts have left were one host's, supplies aside."""
        needed = np.flatnonzero(self._need > 0)
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

    def _trim(self) -> None:
        """Has the last of each full supply's hosts take fewer, until it can carry what all of them take.

        A column of the power table at a time: a host hangs on one supply in each.
        """
        full, spent = np.isin(np.arange(len(self._left.watts)), self.full), np.zeros(len(self._left.watts))
        for column in self._power.T:
            on = np.flatnonzero((column >= 0) & full[column] & (self.counts > 0))
            on = on[np.argsort(column[on], kind="stable")]
            hosts, counts, rows = self.hosts[on], self.counts[on], column[on]
            added = self._added(hosts, counts)
            before = np.cumsum(added) - added
            _, start, of_row = np.unique(rows, return_index=True, return_inverse=True)
            room = (self._left.watts - spent)[rows] - (before - before[start][of_row])
            first = self._added(hosts, np.ones(len(on)))
            each = np.maximum(self._watts.per_thread_in[hosts] * self._need[HARD], 1e-9)
            carried = np.where(room >= first, np.minimum(counts, np.floor((room - first) / each) + 1.0), 0.0)
            self.short_of[on[carried < counts]] = list(Resource).index(Resource.POWER)
            self.counts[on] = carried
            spent += np.bincount(rows, weights=self._added(hosts, carried), minlength=len(spent))


def _most_first(names: Sequence[str], rows: IntColumn) -> tuple[tuple[str, int], ...]:
    """How many of the rows each name has, the most first; what has none is left out."""
    counts = Counter(names[row] for row in rows.tolist() if row >= 0)
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

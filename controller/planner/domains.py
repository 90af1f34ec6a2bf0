"""Which fault domain each host stands in, as a number a domain; -1 where it is not known."""

import itertools
from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from controller.model import cluster as model
from controller.model.sample import IntColumn
from inventory.model import Domain


def of_hosts(cluster: model.Cluster) -> Mapping[Domain, IntColumn]:
    """For each kind of domain the number of each host's, equal for hosts in the same one.

    Hosts share a feed domain when they hang on exactly the same feeds: they lose power together, and a host with two
    feeds survives the loss of one.
    """
    rack = cluster.hosts.rack
    room = _through(rack, cluster.racks.room)
    sites = _numbered([name or None for name in cluster.rooms.site])
    return {
        Domain.HOST: np.arange(len(cluster.hosts.names), dtype=np.int32),
        Domain.RACK: rack,
        Domain.FEED: _feed_sets(cluster.hosts.power, cluster.power.kind),
        Domain.ZONE: _through(rack, cluster.racks.zone),
        Domain.ROOM: room,
        Domain.SITE: _through(room, sites),
    }


def name(cluster: model.Cluster, domain: Domain, host: int) -> str:
    """The name of the host's domain of that kind, for people."""
    rack = int(cluster.hosts.rack[host])
    if domain is Domain.HOST:
        return cluster.hosts.names[host]
    if domain is Domain.FEED:
        feeds = _feeds(cluster, cluster.hosts.power[host]) or ()
        return "+".join(cluster.power.names[row] for row in feeds) or "?"
    if rack < 0:
        return "?"
    if domain is Domain.RACK:
        return cluster.racks.names[rack]
    if domain is Domain.ZONE:
        return _named(cluster.zones.names, int(cluster.racks.zone[rack]))
    room = int(cluster.racks.room[rack])
    return _named(cluster.rooms.names if domain is Domain.ROOM else cluster.rooms.site, room)


def hosts_of(domain: IntColumn, count: int) -> tuple[IntColumn, ...]:
    """The hosts of each of so many domains, in order."""
    rows = np.argsort(domain, kind="stable").astype(np.int32)
    ends = np.searchsorted(domain[rows], np.arange(count + 1)).tolist()
    return tuple(rows[first:last] for first, last in itertools.pairwise(ends))


def _named(names: Sequence[str], row: int) -> str:
    return names[row] if row >= 0 else "?"


def _through(rows: IntColumn, column: IntColumn) -> IntColumn:
    """`column[rows]`, and -1 where the row is -1."""
    return np.append(column, np.int32(-1)).astype(np.int32)[rows]


def _feeds(cluster: model.Cluster, rows: IntColumn) -> tuple[int, ...] | None:
    """The feeds among a host's power rows; None where there are none."""
    feeds = {int(row) for row in rows if row >= 0 and cluster.power.kind[row] == model.PowerKind.FEED}
    return tuple(sorted(feeds)) or None


def _feed_sets(cords: IntColumn, kind: model.ByteColumn) -> IntColumn:
    """A number for each distinct set of feeds among hosts' power rows, in the order of hosts; -1 for none."""
    is_feed = np.append(np.equal(kind, model.PowerKind.FEED), False)
    feeds = np.sort(np.where(is_feed[cords], cords, -1), axis=1)
    feeds[:, 1:][feeds[:, 1:] == feeds[:, :-1]] = -1
    return _numbered([tuple(feed for feed in row if feed >= 0) or None for row in feeds.tolist()])


def _numbered(keys: Sequence[Hashable | None]) -> IntColumn:
    """A number for each distinct key, -1 for None."""
    numbers: dict[Hashable, int] = {}
    return np.array([-1 if key is None else numbers.setdefault(key, len(numbers)) for key in keys], np.int32)

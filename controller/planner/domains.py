"""Which fault domain each host stands in, as a number a domain; -1 where it is not known."""

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
        Domain.FEED: _numbered(_feeds(cluster)),
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
        feeds = _feeds(cluster)[host] or ()
        return "+".join(cluster.power.names[row] for row in feeds) or "?"
    if rack < 0:
        return "?"
    if domain is Domain.RACK:
        return cluster.racks.names[rack]
    if domain is Domain.ZONE:
        return _named(cluster.zones.names, int(cluster.racks.zone[rack]))
    room = int(cluster.racks.room[rack])
    return _named(cluster.rooms.names if domain is Domain.ROOM else cluster.rooms.site, room)


def _named(names: Sequence[str], row: int) -> str:
    return names[row] if row >= 0 else "?"


def _through(rows: IntColumn, column: IntColumn) -> IntColumn:
    """`column[rows]`, and -1 where the row is -1."""
    return np.append(column, np.int32(-1)).astype(np.int32)[rows]


def _feeds(cluster: model.Cluster) -> list[tuple[int, ...] | None]:
    """The feeds among each host's power rows; None where there are none."""
    feed = np.append(np.equal(cluster.power.kind, model.PowerKind.FEED), False)
    table = np.where(feed[cluster.hosts.power], cluster.hosts.power, -1)
    return [tuple(sorted({row for row in rows if row >= 0})) or None for rows in table.tolist()]


def _numbered(keys: Sequence[Hashable | None]) -> IntColumn:
    """A number for each distinct key, -1 for None."""
    numbers: dict[Hashable, int] = {}
    return np.array([-1 if key is None else numbers.setdefault(key, len(numbers)) for key in keys], np.int32)

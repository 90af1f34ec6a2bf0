"""Which hosts go down with what is lost.

A host goes down with its rack, zone, room and site, and with the last feed that it hangs on.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from controller import errors
from controller.model import cluster as model
from controller.model.ids import HostName
from controller.model.sample import IntColumn
from controller.model.whatif import Loss
from inventory.model import Domain

SINGLE = (Domain.HOST, Domain.RACK, Domain.FEED)
"""What N+1 is proved for."""


def every_single(cluster: model.Cluster) -> tuple[Loss, ...]:
    """Every host, rack and feed of the snapshot, each on its own."""
    return tuple(Loss(kind=kind, name=name) for kind in SINGLE for name in _names(cluster, kind))


def hosts_down(cluster: model.Cluster, losses: Iterable[Loss]) -> model.BoolColumn:
    """(H,) the hosts that go down; `InputError` names what the snapshot does not know."""
    down = np.zeros(len(cluster.hosts.names), np.bool_)
    feeds: set[int] = set()
    for loss in losses:
        if loss.kind is Domain.FEED:
            feeds.add(feed_row(cluster, loss.name))
        elif loss.kind is Domain.HOST and loss.name in cluster.hosts.names:
            down[cluster.hosts.names.index(HostName(loss.name))] = True
        else:
            down |= _standing_in(cluster, loss)
    return down | _unfed(cluster, feeds) if feeds else down


def feed_row(cluster: model.Cluster, name: str) -> int:
    """The feed's row of the power table; `InputError` where there is none."""
    rows = [row for row in _feeds(cluster) if cluster.power.names[row] == name]
    if not rows:
        raise _unknown(cluster, Loss(kind=Domain.FEED, name=name))
    return rows[0]


def _standing_in(cluster: model.Cluster, loss: Loss) -> model.BoolColumn:
    names = _names(cluster, loss.kind)
    if loss.name not in names:
        raise _unknown(cluster, loss)
    rows = [row for row, name in enumerate(names) if name == loss.name]
    inside: model.BoolColumn = np.isin(_place(cluster, loss.kind), rows)
    return inside


def _unfed(cluster: model.Cluster, feeds: set[int]) -> model.BoolColumn:
    """Hosts that hang on feeds, all of them lost."""
    power = cluster.hosts.power
    fed = np.isin(power, _feeds(cluster))
    lost = np.isin(power, sorted(feeds)) & fed
    unfed: model.BoolColumn = fed.any(axis=1) & (lost == fed).all(axis=1)
    return unfed


def _place(cluster: model.Cluster, kind: Domain) -> IntColumn:
    """The row of each host's place of that kind in `_names`, -1 where it is not known."""
    rack = cluster.hosts.rack
    room = np.append(cluster.racks.room, np.int32(-1))[rack]
    return {
        Domain.HOST: np.arange(len(cluster.hosts.names), dtype=np.int32),
        Domain.RACK: rack,
        Domain.ZONE: np.append(cluster.racks.zone, np.int32(-1))[rack],
        Domain.ROOM: room,
        Domain.SITE: room,
    }[kind]


def _names(cluster: model.Cluster, kind: Domain) -> Sequence[str]:
    """The name at each row of `_place`; a site's stands once for each of its rooms."""
    return {
        Domain.HOST: cluster.hosts.names,
        Domain.RACK: cluster.racks.names,
        Domain.FEED: [cluster.power.names[row] for row in _feeds(cluster)],
        Domain.ZONE: cluster.zones.names,
        Domain.ROOM: cluster.rooms.names,
        Domain.SITE: cluster.rooms.site,
    }[kind]


def _feeds(cluster: model.Cluster) -> list[int]:
    return [int(row) for row in np.flatnonzero(cluster.power.kind == model.PowerKind.FEED)]


def _unknown(cluster: model.Cluster, loss: Loss) -> errors.InputError:
    known = sorted(set(_names(cluster, loss.kind)))
    some = ", ".join(known[:5]) + (", …" if len(known) > 5 else "")
    remedy = f"name one of its {len(known)}: {some}" if known else ""
    return errors.InputError(f"the snapshot knows no {loss.kind} {loss.name}", remedy=remedy)

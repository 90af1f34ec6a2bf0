"""Which hosts go down with what is lost.

A host goes down with its rack, zone, room and site, and with the last feed that it hangs on; with any of them where its
power supplies have lost their redundancy, since nobody says which of them still works.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from controller import errors
from controller.model import cluster as model
from controller.model.sample import Health
from controller.model.whatif import Loss
from controller.planner.situation import Situation
from inventory.model import Domain

SINGLE = (Domain.HOST, Domain.RACK, Domain.FEED)
"""What N+1 is proved for."""

_TOLD_BY = {Domain.SITE: Domain.ROOM}
"""A site has no table of its own: it is its rooms."""


def every_single(cluster: model.Cluster) -> tuple[Loss, ...]:
    """Every host, rack and feed of the snapshot, each on its own."""
    return tuple(Loss(kind=kind, name=name) for kind in SINGLE for name in _names(cluster, kind))


def hosts_down(situation: Situation, losses: Iterable[Loss]) -> model.BoolColumn:
    """(H,) the hosts that go down; `InputError` names what the snapshot does not know."""
    cluster = situation.cluster
    down = np.zeros(len(cluster.hosts.names), np.bool_)
    feeds: set[int] = set()
    for loss in losses:
        if loss.kind is Domain.FEED:
            feeds.add(feed_row(cluster, loss.name))
        else:
            down |= _standing_in(situation, loss)
    return down | _unfed(cluster, feeds) if feeds else down


def feed_row(cluster: model.Cluster, name: str) -> int:
    """The feed's row of the power table; `InputError` where there is none."""
    rows = [row for row in _feeds(cluster) if cluster.power.names[row] == name]
    if not rows:
        raise _unknown(cluster, Loss(kind=Domain.FEED, name=name))
    return rows[0]


def _standing_in(situation: Situation, loss: Loss) -> model.BoolColumn:
    names = _names(situation.cluster, loss.kind)
    rows = [row for row, name in enumerate(names) if name == loss.name]
    if not rows:
        raise _unknown(situation.cluster, loss)
    inside: model.BoolColumn = np.isin(situation.domains[_TOLD_BY.get(loss.kind, loss.kind)], rows)
    return inside


def _unfed(cluster: model.Cluster, feeds: set[int]) -> model.BoolColumn:
    """Hosts that hang on feeds, all of them lost, or one of them where a power supply warns or has failed."""
    power = cluster.hosts.power
    fed = np.isin(power, _feeds(cluster))
    lost = np.isin(power, sorted(feeds)) & fed
    unfed: model.BoolColumn = fed.any(axis=1) & (lost == fed).all(axis=1)
    psu = cluster.hosts.psu_health
    return unfed | (lost.any(axis=1) & psu.fresh & np.greater_equal(psu.values, Health.WARNING))


def _names(cluster: model.Cluster, kind: Domain) -> Sequence[str]:
    """The name of each of the situation's domains of that kind; a site's stands once for each of its rooms."""
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

"""What must carry more than it may once a feed is lost: its partner, and PDUs and phases behind the partner.

Each carries all watts of every host with a cord on it then, as its limit is meant (`power`). Of the PDUs and phases on
the partner those count on which a host hangs that hung on the lost feed too.
"""

from collections.abc import Collection, Iterable, Iterator

import numpy as np

from controller.model import cluster as model
from controller.model.whatif import Loss, Overload
from controller.planner import supplies
from controller.planner.whatif import loss as losing
from controller.planner.whatif.spare import Left
from inventory.model import Domain


def of_losses(cluster: model.Cluster, losses: Iterable[Loss], left: Left) -> tuple[Overload, ...]:
    """Feeds first, then what hangs on them, each by row; `left`: what supplies may still carry then."""
    power = cluster.power
    lost = {losing.feed_row(cluster, loss.name) for loss in losses if loss.kind is Domain.FEED}
    partners = sorted({int(power.partner[feed]) for feed in lost} - lost - {-1})
    rows = [(partner, partner) for partner in partners]
    rows += [(row, partner) for partner in partners for row in _behind(cluster, lost, partner, left)]
    return tuple(
        Overload(
            feed=power.names[partner],
            supply=supplies.key(power, row),
            watts=float(power.limit_watts[row] - left.watts[row]),
            limit_watts=float(power.limit_watts[row]),
        )
        for row, partner in rows
        if left.watts[row] < 0
    )


def _behind(cluster: model.Cluster, lost: Collection[int], partner: int, left: Left) -> Iterator[int]:
    """The rows of PDUs and phases on the partner that carry what hung on a lost feed and still runs."""
    cords, power = cluster.hosts.power, cluster.power
    both = np.isin(cords, sorted(lost)).any(axis=1) & ~left.down
    for row in np.unique(cords[both]).tolist():
        if row >= 0 and power.feed[row] == partner and power.kind[row] != model.PowerKind.FEED:
            yield row

"""How many moves may run at once and be started in the hour, less what Nova shows already running or begun.

Migrations under way at the snapshot, whoever started them, hold their places in every wave: nobody knows when they end.
"""

from dataclasses import dataclass

import numpy as np

from controller.model import cluster as model
from controller.model.policy import Limits
from controller.model.sample import IntColumn

UNLIMITED = 2**30
_UNKNOWN = 1
"""What an unknown owner has left, at the end of a column: always something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """Places still free: at once (`total`, a host out and in, a rack's uplink, agency, system) and in this hour."""

    total: int
    out_of: IntColumn
    into: IntColumn
    across: IntColumn
    agency: IntColumn
    system: IntColumn
    hour: int
    agency_hour: IntColumn
    system_hour: IntColumn


def free(cluster: model.Cluster, limits: Limits) -> Free:
    """What the limits leave. A resize that waits for its owner copies nothing and takes no place."""
    vms, hosts = cluster.vms, cluster.hosts
    running = np.flatnonzero(vms.busy & (vms.target >= 0) & (vms.host >= 0))
    source, target = vms.host[running], vms.target[running]
    systems = vms.system[running]
    agencies = _agency_of(cluster)[systems]
    crossing = hosts.rack[source] != hosts.rack[target]
    racks = np.concatenate([hosts.rack[source[crossing]], hosts.rack[target[crossing]]])
    count = len(hosts.names)
    return Free(
        total=limits.at_once - len(running),
        out_of=limits.out_of_host - _counts(source, count),
        into=limits.into_host - _counts(target, count),
        across=limits.across_rack - _counts(racks, len(cluster.racks.names)),
        agency=_least(cluster.agencies.at_once, limits.per_agency) - _counts(agencies, len(cluster.agencies.names)),
        system=_least(cluster.systems.at_once, limits.per_system) - _counts(systems, len(cluster.systems.names)),
        hour=limits.per_hour - cluster.moved_last_hour,
        agency_hour=_least(cluster.agencies.per_hour, UNLIMITED) - cluster.agencies.moved_last_hour,
        system_hour=_least(cluster.systems.per_hour, UNLIMITED) - cluster.systems.moved_last_hour,
    )


class Ledger:
    """The hour's budget as a plan spends it. A VM that is sent elsewhere a second time costs nothing more."""

    def __init__(self, cluster: model.Cluster, places: Free, max_moves: int) -> None:
        self._left = min(places.hour, max_moves)
        self._max_moves = max_moves
        self._moves = 0
        self._agency = np.append(places.agency_hour, _UNKNOWN).astype(np.int64)
        self._system = np.append(places.system_hour, _UNKNOWN).astype(np.int64)
        self._system_of = cluster.vms.system
        self._agency_of = _agency_of(cluster)[cluster.vms.system]

    def refuses(self, vm: int) -> str:
        """The rule that forbids one more move of this VM's owner, "" for none."""
        if self._left <= 0:
            return "max-moves" if self._moves >= self._max_moves else "hour-budget"
        if self._agency[self._agency_of[vm]] <= 0:
            return "agency-hour-budget"
        return "system-hour-budget" if self._system[self._system_of[vm]] <= 0 else ""

    def refusing(self, vms: IntColumn) -> model.BoolColumn:
        """Which of these VMs one more move is forbidden."""
        if self._left <= 0:
            return np.ones(len(vms), np.bool_)
        refused: model.BoolColumn = np.less_equal(self._agency[self._agency_of[vms]], 0)
        return refused | np.less_equal(self._system[self._system_of[vms]], 0)

    def spend(self, vm: int, moves: int = 1) -> None:
        """Counts a move, or gives it back with -1."""
        self._left -= moves
        self._moves += moves
        if self._system_of[vm] >= 0:
            self._system[self._system_of[vm]] -= moves
        if self._agency_of[vm] >= 0:
            self._agency[self._agency_of[vm]] -= moves


def agency_of_vms(cluster: model.Cluster) -> IntColumn:
    """Each VM's agency, -1 where its project is unknown."""
    return _agency_of(cluster)[cluster.vms.system]


def _agency_of(cluster: model.Cluster) -> IntColumn:
    """Each system's agency, and -1 at the end for the unknown system."""
    return np.append(cluster.systems.agency, np.int32(-1)).astype(np.int32)


def _least(budget: IntColumn, limit: int) -> IntColumn:
    """The budget where there is one, and never more than the limit."""
    return np.where(budget < 0, limit, np.minimum(budget, limit)).astype(np.int32)


def _counts(rows: IntColumn, count: int) -> IntColumn:
    return np.bincount(rows[rows >= 0], minlength=count).astype(np.int32)

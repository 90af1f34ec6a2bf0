"""Feeds that run on their UPS's battery, and the hosts with a cord on one.

A battery lasts minutes, and nobody can say which of them ends first: the outage or the battery. So nothing is moved
onto such a host, in an operator's drain neither: its servers stand well where they are, and a copy that arrives when
the feed goes dark may be lost. Nothing leaves it for balance, since a copy costs both hosts watts; what is broken or
hot still leaves.

A UPS that said so and went silent counts as on battery until it says otherwise: an outage is what silences it.
"""

import numpy as np

from controller.model import cluster as model
from controller.model.sample import IntColumn


def feeds(power: model.Power) -> model.BoolColumn:
    """The rows of feeds whose UPS runs on battery, by a fresh reading or by its last word."""
    on: model.BoolColumn = power.on_battery.fresh & np.greater(power.on_battery.values, 0.0)
    return (on | power.silent_on_battery) & np.equal(power.kind, model.PowerKind.FEED)


def hosts(cluster: model.Cluster) -> model.BoolColumn:
    """The hosts with a cord on one of them."""
    row_of = np.append(feeds(cluster.power), False)
    found: model.BoolColumn = np.logical_or.reduce(row_of[cluster.hosts.power], axis=1)
    return found


def of_host(cluster: model.Cluster, host: int) -> str:
    """The host's feeds on battery in words."""
    rows = cluster.hosts.power[host]
    on = np.zeros(len(cluster.power.names), np.bool_)
    on[rows[rows >= 0]] = True
    return _words(cluster, np.flatnonzero(on & feeds(cluster.power)).astype(np.int32))


def everywhere(cluster: model.Cluster) -> str:
    """All feeds on battery in words."""
    return _words(cluster, np.flatnonzero(feeds(cluster.power)).astype(np.int32))


def _words(cluster: model.Cluster, rows: IntColumn) -> str:
    """`feed A1 (UPS ups-A1, 12 min left)`, the next after a comma."""
    return ", ".join(f"feed {cluster.power.names[row]} ({_unit(cluster, row)})" for row in rows.tolist())


def _unit(cluster: model.Cluster, row: int) -> str:
    power = cluster.power
    name = f"UPS {power.ups[row]}" if power.ups[row] else "UPS not in the inventory"
    if power.silent_on_battery[row]:
        minutes = (cluster.taken_at.timestamp() - power.on_battery.at[row]) / 60
        return f"{name}, silent since it said so {minutes:.0f} min ago"
    left = power.battery_minutes
    return f"{name}, {left.values[row]:.0f} min left" if left.fresh[row] else name

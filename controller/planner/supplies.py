"""Feeds, PDUs and phases: what they are called where breaches and limits name them, and who hangs on them."""

from collections.abc import Mapping

import numpy as np

from controller.model import cluster as model

KINDS: Mapping[int, str] = {
    model.PowerKind.FEED: "feed",
    model.PowerKind.PDU: "pdu",
    model.PowerKind.PHASE: "phase",
}

RULES = frozenset(KINDS.values())
"""Of the breaches of supplies."""


def key(power: model.Power, row: int) -> str:
    """The row's key: `feed:A1`, `pdu:r1-a`, `phase:r1-a/2`."""
    return f"{KINDS[int(power.kind[row])]}:{power.names[row]}"


def keys(cluster: model.Cluster) -> dict[str, int]:
    """The row of each key."""
    rows = zip(cluster.power.kind.tolist(), cluster.power.names, strict=True)
    return {f"{KINDS[kind]}:{name}": row for row, (kind, name) in enumerate(rows)}


def hosts_on(hosts: model.Hosts, row: int) -> model.BoolColumn:
    """The hosts with a cord on a row."""
    on: model.BoolColumn = np.logical_or.reduce(np.equal(hosts.power, row), axis=1)
    return on

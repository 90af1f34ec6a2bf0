"""Where the checker finds in the snapshot what a plan names."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from controller.model import cluster as model
from controller.model.plan import Move


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The row of each VM and of each host that moves name; the last where a name stands twice."""

    vms: Mapping[str, int]
    hosts: Mapping[str, int]


def of_moves(cluster: model.Cluster, moves: Sequence[Move]) -> Rows:
    """What is not in the snapshot has no row."""
    return Rows(
        vms=_rows(cluster.vms.ids, {move.vm for move in moves}),
        hosts=_rows(cluster.hosts.names, {name for move in moves for name in (move.source, move.target)}),
    )


def _rows(names: Sequence[str], wanted: Collection[str]) -> dict[str, int]:
    return {name: row for row, name in enumerate(names) if name in wanted}

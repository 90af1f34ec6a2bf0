"""One order for the rows of a snapshot, so that the order they came in changes nothing.

Hosts and groups are sorted by name, VMs by id, power rows by kind and name; every reference between tables follows.
"""

import itertools
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from controller import errors
from controller.model import cluster as model
from controller.model.sample import IntColumn

Table = TypeVar("Table", model.Hosts, model.Vms, model.Power)


def canonical(cluster: model.Cluster) -> model.Cluster:
    """The same snapshot in canonical order; `InputError` where a host, a VM or a power row stands in it twice."""
    rows = [f"{kind} {name}" for kind, name in zip(cluster.power.kind.tolist(), cluster.power.names, strict=True)]
    hosts, vms, power = _order(cluster.hosts.names), _order(cluster.vms.ids), _order(rows)
    _refuse_twice("host", cluster.hosts.names, hosts)
    _refuse_twice("VM", cluster.vms.ids, vms)
    _refuse_twice("power row", rows, power)
    host_at, vm_at, power_at = _inverse(hosts), _inverse(vms), _inverse(power)
    return replace(
        cluster,
        hosts=_hosts(cluster.hosts, hosts, power_at),
        vms=_vms(cluster.vms, vms, host_at),
        power=_power(cluster.power, power, power_at),
        aggregates=tuple(replace(a, hosts=np.sort(host_at[a.hosts])) for a in cluster.aggregates),
        groups=tuple(sorted((replace(g, members=np.sort(vm_at[g.members])) for g in cluster.groups), key=_group_order)),
        refusals=tuple(replace(r, vm=int(vm_at[r.vm]), host=int(host_at[r.host])) for r in cluster.refusals),
    )


def row(names: Sequence[str], name: str) -> int | None:
    """The row of a name in a canonical column; None where it is not there."""
    at = bisect_left(names, name)
    return at if at < len(names) and names[at] == name else None


def _group_order(group: model.Group) -> tuple[str, str, str, int, list[int]]:
    return group.name, group.kind, group.domain, group.max_per_domain, group.members.tolist()


def _order(names: Sequence[str]) -> IntColumn:
    return np.array(sorted(range(len(names)), key=names.__getitem__), np.int32)


def _refuse_twice(kind: str, names: Sequence[str], order: IntColumn) -> None:
    for first, second in itertools.pairwise(order):
        if names[first] == names[second]:
            raise errors.InputError(
                f"{kind} {names[first]!r} stands in the snapshot twice", remedy="take the snapshot again"
            )


def _inverse(order: IntColumn) -> IntColumn:
    """Where each old row went; one more entry at the end keeps -1 at -1."""
    at = np.full(len(order) + 1, -1, np.int32)
    at[order] = np.arange(len(order), dtype=np.int32)
    return at


def _hosts(hosts: model.Hosts, order: IntColumn, power_at: IntColumn) -> model.Hosts:
    taken = _taken(hosts, order)
    return replace(taken, power=np.sort(power_at[taken.power], axis=1))


def _vms(vms: model.Vms, order: IntColumn, host_at: IntColumn) -> model.Vms:
    taken = _taken(vms, order)
    return replace(taken, host=host_at[taken.host], target=host_at[taken.target])


def _power(power: model.Power, order: IntColumn, power_at: IntColumn) -> model.Power:
    taken = _taken(power, order)
    return replace(taken, partner=power_at[taken.partner])


def _taken(table: Table, order: IntColumn) -> Table:
    """The rows of a table in another order."""
    if np.array_equal(order, np.arange(len(order))):
        return table
    return replace(table, **{f.name: _column(getattr(table, f.name), order) for f in fields(table)})


def _column(column: Any, order: IntColumn) -> Any:
    if isinstance(column, model.Reading):
        return model.Reading(**{f.name: getattr(column, f.name)[order] for f in fields(column)})
    if isinstance(column, tuple):
        return tuple(column[i] for i in order)
    return column[order]

"""One order for the rows of a snapshot, so that the order they came in changes nothing.

Hosts and groups are sorted by name, VMs by id, power rows by kind and name; every reference between tables follows.
"""

import itertools
import operator
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np

from controller import errors
from controller.model import cluster as model
from controller.model.sample import IntColumn

Table = TypeVar("Table", model.Hosts, model.Vms, model.Power)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`rows`: the rows of a table as they are to stand. `at`: where each of them went, and -1 at the end for none.

    `kept`: they stand so already.
    """

    rows: IntColumn
    at: IntColumn
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Of the tables that are put in order."""

    hosts: Order
    vms: Order
    power: Order


def canonical(cluster: model.Cluster, orders: Orders | None = None) -> model.Cluster:
    """The same snapshot in canonical order; `InputError` where a host, a VM or a power row stands in it twice.

    `orders`: of these names, where they are known.
    """
    orders = orders or Orders(
        hosts=order_of("host", cluster.hosts.names),
        vms=order_of("VM", cluster.vms.ids),
        power=order_of("power row", power_rows(cluster.power)),
    )
    host_at, vm_at = orders.hosts.at, orders.vms.at
    return replace(
        cluster,
        hosts=_hosts(cluster.hosts, orders.hosts, orders.power),
        vms=_vms(cluster.vms, orders.vms, orders.hosts),
        power=_power(cluster.power, orders.power),
        aggregates=tuple(replace(a, hosts=np.sort(host_at[a.hosts])) for a in cluster.aggregates),
        groups=tuple(sorted((replace(g, members=np.sort(vm_at[g.members])) for g in cluster.groups), key=_group_order)),
        refusals=tuple(replace(r, vm=int(vm_at[r.vm]), host=int(host_at[r.host])) for r in cluster.refusals),
    )


def power_rows(power: model.Power) -> tuple[str, ...]:
    """What tells the rows of the power table apart."""
    return tuple(f"{kind} {name}" for kind, name in zip(power.kind.tolist(), power.names, strict=True))


def order_of(kind: str, names: Sequence[str]) -> Order:
    """By name; `InputError` where one stands there twice."""
    kept = all(map(operator.lt, names, names[1:]))
    sort = range(len(names)) if kept else sorted(range(len(names)), key=names.__getitem__)
    rows = np.array(sort, np.int32)
    if not kept:
        _refuse_twice(kind, [names[row] for row in sort])
    at = np.full(len(rows) + 1, -1, np.int32)
    at[rows] = np.arange(len(rows), dtype=np.int32)
    return Order(rows=rows, at=at, kept=kept)


def row(names: Sequence[str], name: str) -> int | None:
    """The row of a name in a canonical column; None where it is not there."""
    at = bisect_left(names, name)
    return at if at < len(names) and names[at] == name else None


def at(names: Sequence[str], name: str) -> int:
    """The row of a name that is in a canonical column."""
    return bisect_left(names, name)


def _group_order(group: model.Group) -> tuple[str, str, str, int, int, list[int]]:
    return group.name, group.kind, group.domain, group.max_per_domain, group.min_domains, group.members.tolist()


def _refuse_twice(kind: str, ordered: Sequence[str]) -> None:
    for first, second in itertools.pairwise(ordered):
        if first == second:
            raise errors.InputError(f"{kind} {first!r} stands in the snapshot twice", remedy="take the snapshot again")


def _hosts(hosts: model.Hosts, order: Order, power: Order) -> model.Hosts:
    taken = _taken(hosts, order)
    return replace(taken, power=np.sort(power.at[taken.power], axis=1))


def _vms(vms: model.Vms, order: Order, hosts: Order) -> model.Vms:
    taken = _taken(vms, order)
    return taken if hosts.kept else replace(taken, host=hosts.at[taken.host], target=hosts.at[taken.target])


def _power(power: model.Power, order: Order) -> model.Power:
    if order.kept:
        return power
    taken = _taken(power, order)
    return replace(taken, partner=order.at[taken.partner], feed=order.at[taken.feed])


def _taken(table: Table, order: Order) -> Table:
    """The rows of a table in another order."""
    if order.kept:
        return table
    return replace(table, **{f.name: _column(getattr(table, f.name), order.rows) for f in fields(table)})


def _column(column: Any, rows: IntColumn) -> Any:
    if isinstance(column, model.Reading):
        return model.Reading(**{f.name: getattr(column, f.name)[rows] for f in fields(column)})
    if isinstance(column, tuple):
        return tuple(column[i] for i in rows.tolist())
    return column[rows]

"""Tables of what rarely changes, made once and used again for as long as the columns that they are made of are equal.

Each is a function of its columns and of nothing else. So a table of an earlier snapshot, wherever its columns are those
of the new one, is what would be made of the new one, and no plan depends on what it was prepared from. Loads, readings,
budgets and the places of VMs are in none of them.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from controller.model import cluster as model
from controller.model.sample import IntColumn
from controller.planner import admission, canonical, domains, power, supplies
from controller.planner.canonical import Order, Orders, order_of
from inventory.model import Domain

Table = TypeVar("Table")
Column = NDArray[Any] | tuple[Hashable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Generic[Table]):
    """A table and the columns that it was made of, which are never written to."""

    columns: tuple[Column, ...]
    table: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """`domains`: see `domains.of_hosts`. `rack_hosts`: the hosts of each rack. `supplies`: power rows by their keys."""

    domains: Mapping[Domain, IntColumn]
    rack_hosts: tuple[IntColumn, ...]
    cords: power.Cords
    supplies: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The orders of names, where hosts stand and what they hang on, what Nova's scheduler goes by of each host."""

    hosts: Made[Order]
    vms: Made[Order]
    power: Made[Order]
    topology: Made[Topology]
    kinds: Made[admission.Kinds]


def tidied(cluster: model.Cluster, before: Prepared | None = None) -> tuple[model.Cluster, Prepared]:
    """The snapshot in canonical order, and its tables, those of an earlier one wherever they are still right.

    Raises what `canonical.canonical` raises.
    """
    hosts = _made(
        before.hosts if before else None,
        (cluster.hosts.names,),
        lambda: order_of("host", cluster.hosts.names),
    )
    vms = _made(before.vms if before else None, (cluster.vms.ids,), lambda: order_of("VM", cluster.vms.ids))
    named = cluster.power.kind, cluster.power.names
    rows = _made(
        before.power if before else None,
        named,
        lambda: order_of("power row", canonical.power_rows(cluster.power)),
    )
    tidy = canonical.canonical(cluster, Orders(hosts=hosts.table, vms=vms.table, power=rows.table))
    return tidy, Prepared(
        hosts=hosts,
        vms=vms,
        power=rows,
        topology=_made(before.topology if before else None, _places(tidy), lambda: _topology(tidy)),
        kinds=_made(before.kinds if before else None, _demanded(tidy), lambda: admission.Kinds.of_hosts(tidy)),
    )


def _places(tidy: model.Cluster) -> tuple[Column, ...]:
    hosts, racks, power_table = tidy.hosts, tidy.racks, tidy.power
    return (
        (len(hosts.names), len(racks.names)), hosts.rack, hosts.power, racks.zone, racks.room, tidy.rooms.site,
        power_table.kind, power_table.names,
    )  # fmt: skip


def _topology(tidy: model.Cluster) -> Topology:
    of_hosts = domains.of_hosts(tidy)
    return Topology(
        domains=of_hosts,
        rack_hosts=domains.hosts_of(of_hosts[Domain.RACK], len(tidy.racks.names)),
        cords=power.cords(tidy.hosts.power),
        supplies=supplies.keys(tidy),
    )


def _demanded(tidy: model.Cluster) -> tuple[Column, ...]:
    hosts, aggregates = tidy.hosts, tidy.aggregates
    return (
        hosts.traits, hosts.availability_zone, hosts.type, tidy.host_types.numa,
        tuple(frozenset(aggregate.metadata.items()) for aggregate in aggregates),
        *(aggregate.hosts for aggregate in aggregates),
    )  # fmt: skip


def _made(before: Made[Table] | None, columns: tuple[Column, ...], make: Callable[[], Table]) -> Made[Table]:
    """The table made before, if it was made of the same; it keeps the newest columns, which are found equal at once."""
    same = before is not None and len(before.columns) == len(columns) and all(map(_same, before.columns, columns))
    return Made(columns=columns, table=before.table if before is not None and same else make())


def _same(one: Column, other: Column) -> bool:
    if one is other:
        return True
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return isinstance(one, tuple) and isinstance(other, tuple) and one == other

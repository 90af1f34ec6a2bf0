"""The same snapshot with more in it: hosts like one that stands, servers like one that an agency has.

A new host stands where the one that it is like stands, hangs on the same supplies, is in the same aggregates, and
carries nothing; its power supplies are taken to draw what that one draws. A new server stands nowhere yet and is in no
group.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from controller import errors
from controller.model import cluster as model
from controller.model.ids import HostName, ServerId
from controller.planner import budget, eligibility

Table = TypeVar("Table", model.Hosts, model.Vms)

_COLUMNS = ("values", "at", "source", "trust")


def with_hosts(cluster: model.Cluster, like: str, count: int) -> model.Cluster:
    """`count` more hosts like that one, or like the first in service of that type.

    `InputError` where the snapshot knows neither.
    """
    row, before = _like(cluster, like), len(cluster.hosts.names)
    hosts = _more(cluster.hosts, row, count)
    hosts = replace(
        hosts,
        names=(*cluster.hosts.names, *map(HostName, _names(like, count, cluster.hosts.names))),
        draining=_set(hosts.draining, before, value=False),
        cpu_ratio=_nothing(hosts.cpu_ratio, before),
        cpu_high_ratio=_set(hosts.cpu_high_ratio, before, value=np.nan),
        memory_bytes=_nothing(hosts.memory_bytes, before),
        network_bytes_s=_nothing(hosts.network_bytes_s, before),
        network_high_bytes_s=_set(hosts.network_high_bytes_s, before, value=np.nan),
    )
    power = cluster.power
    drawn = float(np.nan_to_num(cluster.hosts.power_watts.values[row])) * count
    rows = cluster.hosts.power[row]
    meters = power.power_watts.values.copy()
    meters[rows[rows >= 0]] += drawn
    return replace(
        cluster,
        hosts=hosts,
        power=replace(power, power_watts=replace(power.power_watts, values=meters)),
        aggregates=tuple(
            replace(each, hosts=np.concatenate([each.hosts, np.arange(before, before + count, dtype=np.int32)]))
            if row in each.hosts
            else each
            for each in cluster.aggregates
        ),
    )


def with_servers(
    cluster: model.Cluster, agency: str, flavor: str, count: int
) -> tuple[model.Cluster, tuple[ServerId, ...]]:
    """`count` more servers of that flavor and agency, like the first that it has of which is known where it fits (the
    first of all where that is known of none), and what they are called.

    `InputError` where it has none: what such a server requires of a host cannot be known then.
    """
    if agency not in cluster.agencies.names:
        raise errors.InputError(f"the snapshot knows no agency {agency}")
    if flavor not in cluster.flavors:
        raise errors.InputError(f"the snapshot knows no flavor {flavor}")
    owner = budget.agency_of_vms(cluster)
    same = eligibility.live(cluster.vms) & (owner == cluster.agencies.names.index(agency))
    same &= cluster.vms.flavor == cluster.flavors.index(flavor)
    if not same.any():
        raise errors.InputError(
            f"agency {agency} has no running server of flavor {flavor}, so nobody knows what one requires of a host",
            remedy="name a flavor of which it has one",
        )
    known = same & cluster.vms.fit_known & (cluster.vms.requirement >= 0)
    row, before = int(np.flatnonzero(known if known.any() else same)[0]), len(cluster.vms.ids)
    vms = _more(cluster.vms, row, count)
    new = tuple(map(ServerId, _names(f"{agency}+{flavor}", count, cluster.vms.ids)))
    vms = replace(
        vms,
        ids=(*cluster.vms.ids, *new),
        names=(*cluster.vms.names, *new),
        host=_set(vms.host, before, value=-1),
        target=_set(vms.target, before, value=-1),
        busy=_set(vms.busy, before, value=False),
    )
    return replace(cluster, vms=vms), new


def _like(cluster: model.Cluster, like: str) -> int:
    hosts, types = cluster.hosts, cluster.host_types.names
    if like in hosts.names:
        return hosts.names.index(HostName(like))
    if like not in types:
        what = f"the snapshot knows no host {like}, and no type of that name"
        raise errors.InputError(what, remedy="name a host that the new ones are like, or a type: " + ", ".join(types))
    of_type = np.equal(hosts.type, types.index(like))
    serving = np.flatnonzero(of_type & hosts.enabled & hosts.up & ~hosts.draining)
    if not len(serving):
        what = f"no host of type {like} is in service, so nobody knows what Placement admits on one"
        raise errors.InputError(what, remedy="name a host that the new ones are like")
    return int(serving[0])


def _names(like: str, count: int, known: Iterable[str]) -> Iterator[str]:
    """`c17+1`, `c17+2` …, those left out that there are."""
    there = frozenset(known)
    numbered = (f"{like}+{n}" for n in itertools.count(1))
    return itertools.islice((name for name in numbered if name not in there), count)


def _more(table: Table, row: int, count: int) -> Table:
    """The table with its row `row` standing in it `count` times more, at the end."""

    def column(value: Any) -> Any:
        if isinstance(value, model.Reading):
            return model.Reading(**{name: column(getattr(value, name)) for name in _COLUMNS})
        if isinstance(value, tuple):
            return (*value, *(value[row],) * count)
        return np.concatenate([value, np.repeat(value[row : row + 1], count, axis=0)])

    return replace(table, **{each.name: column(getattr(table, each.name)) for each in fields(table)})


def _set(column: Any, start: int, *, value: Any) -> Any:
    changed = column.copy()
    changed[start:] = value
    return changed


def _nothing(reading: model.Reading, start: int) -> model.Reading:
    idle = np.where(np.isnan(reading.values[start:]), np.nan, 0.0)
    return replace(reading, values=_set(reading.values, start, value=idle))

"""What hosts and VMs used lately, as a distribution: one column of fresh readings every so often, and their quantile.

A host's history is that of the VMs on it: what comes adds its own, for all of the time, and what leaves takes its own
away, so that a host's peaks are of what stands on it now. While a copy runs from or to a host it is not sampled: the
copy's traffic is nobody's load.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from controller.engine import readings as store
from controller.model import cluster as model
from controller.model.ids import HostName
from controller.model.policy import Recent
from controller.model.sample import FloatColumn, IntColumn, Kind
from controller.planner import amounts

SAMPLES = 30
"""So many readings of each thing are kept over the window."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Samples (S, N) of one quantity at `times` (S,), NaN where a reading was not fresh, and their quantile (N,)."""

    times: FloatColumn
    samples: Samples
    high: FloatColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """What was seen so far of each kind of thing: whose it is, and a column each of CPU and network.

    `standing` (V,): the host's row of each VM at the last look. `recent`: the policy that it was judged by.
    """

    names: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[Kind, tuple[Column, ...]] = field(default_factory=dict)
    standing: IntColumn = field(default_factory=lambda: np.zeros(0, np.int32))
    recent: Recent | None = None


def looked(
    lately: Lately, cluster: model.Cluster, recent: Recent, at: datetime, moving: Collection[HostName] = ()
) -> tuple[Lately, model.Cluster]:
    """With one more look, and the snapshot with the high quantiles of what has been seen.

    `moving`: hosts from or to which a move of ours runs, beside those of which the snapshot shows it.
    """
    if not recent.window:
        return Lately(), cluster
    hosts, vms, now = cluster.hosts, cluster.vms, at.timestamp()
    quiet = ~_copying(cluster, moving)
    anew = recent != lately.recent or lately.names.get(Kind.VM) != vms.ids or lately.names.get(Kind.HOST) != hosts.names
    anew |= not np.array_equal(lately.standing, vms.host)
    host_was = store.positions(lately.names.get(Kind.HOST, ()), hosts.names)
    vm_was = store.positions(lately.names.get(Kind.VM, ()), vms.ids)
    of_hosts = _aligned(lately, Kind.HOST, hosts.names, host_was)
    of_vms = _aligned(lately, Kind.VM, vms.ids, vm_was)
    if anew and lately.names:
        of_hosts = _followed(lately, cluster, of_hosts, of_vms, host_was=host_was, vm_was=vm_was)
    host_cpu, host_network = (
        _looked(column, np.where(quiet, amounts.usable(reading), np.nan), recent, now, anew=anew)
        for column, reading in zip(of_hosts, (hosts.cpu_ratio, hosts.network_bytes_s), strict=True)
    )
    vm_cpu, vm_network = (
        _looked(column, amounts.usable(reading), recent, now, anew=anew)
        for column, reading in zip(of_vms, (vms.cpu_vcpus, vms.network_bytes_s), strict=True)
    )
    seen = Lately(
        names={Kind.HOST: hosts.names, Kind.VM: vms.ids},
        columns={Kind.HOST: (host_cpu, host_network), Kind.VM: (vm_cpu, vm_network)},
        standing=vms.host,
        recent=recent,
    )
    return seen, replace(
        cluster,
        hosts=replace(hosts, cpu_high_ratio=host_cpu.high, network_high_bytes_s=host_network.high),
        vms=replace(vms, cpu_high_vcpus=vm_cpu.high, network_high_bytes_s=vm_network.high),
    )


def quantile(samples: Samples, times: FloatColumn, recent: Recent, now: float) -> FloatColumn:
    """The nearest-rank quantile of each column's known samples: the smallest that at least this share is not above.

    NaN where what is known does not reach back for half of the window.
    """
    known = np.isfinite(samples)
    count = np.count_nonzero(known, axis=0)
    first = np.where(known, times[:, None], np.inf).min(axis=0, initial=np.inf)
    enough = (now - first >= recent.window.total_seconds() / 2) & (count > 0)
    rank = np.maximum(np.ceil(recent.quantile * count).astype(np.intp) - 1, 0)
    ordered = np.sort(samples, axis=0)  # NaN last
    found = np.take_along_axis(ordered, rank[None, :], axis=0)[0] if len(samples) else np.full(samples.shape[1], np.nan)
    return np.where(enough, found, np.nan).astype(np.float64)


def _copying(cluster: model.Cluster, moving: Collection[HostName]) -> model.BoolColumn:
    """(H,) from or to which hosts a copy runs."""
    vms, copying = cluster.vms, np.isin(np.array(cluster.hosts.names, dtype=object), list(moving))
    for ends in (vms.host, vms.target):
        copying[ends[(vms.target >= 0) & (ends >= 0)]] = True
    return copying


def _followed(
    lately: Lately,
    cluster: model.Cluster,
    of_hosts: tuple[Column, ...],
    of_vms: tuple[Column, ...],
    *,
    host_was: IntColumn,
    vm_was: IntColumn,
) -> tuple[Column, ...]:
    """The hosts' history with that of what has come since the last look, and without that of what has left or ended.

    What has no history counts with what it uses now. `host_was`, `vm_was`: the row of each at the last look, or -1.
    """
    hosts, vms = cluster.hosts, cluster.vms
    was_on = np.append(_rows_now(host_was, len(lately.names[Kind.HOST])), -1)[lately.standing]
    gone = _rows_now(vm_was, len(was_on)) < 0
    was = np.append(was_on, -1)[vm_was]
    moved = np.flatnonzero(was != vms.host)
    whole = np.ones(len(hosts.names))
    shares = (np.divide(whole, hosts.threads, out=np.zeros(len(whole)), where=hosts.threads > 0), whole)
    uses = (amounts.usable(vms.cpu_vcpus), amounts.usable(vms.network_bytes_s))
    found = []
    for number, (column, share) in enumerate(zip(of_hosts, shares, strict=True)):
        samples, history = column.samples.copy(), of_vms[number].samples[:, moved]
        own = np.where(np.isfinite(history), history, uses[number][moved])
        ended = lately.columns[Kind.VM][number].samples[:, gone]
        for change, rows in ((own, vms.host[moved]), (-own, was[moved]), (-ended, was_on[gone])):
            on = rows >= 0
            np.add.at(samples.T, rows[on], np.nan_to_num(change[:, on] * share[rows[on]], nan=0.0).T)
        found.append(replace(column, samples=np.maximum(samples, 0.0).astype(np.float32)))
    return tuple(found)


def _rows_now(was: IntColumn, count: int) -> IntColumn:
    """Of each of the `count` rows of the last look the row that it has now, -1 where it has none."""
    now = np.full(count, -1, np.int32)
    now[was[was >= 0]] = np.flatnonzero(was >= 0)
    return now


def _looked(column: Column, values: FloatColumn, recent: Recent, now: float, *, anew: bool) -> Column:
    """A sample is added when the last one is old enough; the quantile is reckoned anew where they changed."""
    window = recent.window.total_seconds()
    kept = (column.times > now - window) & (column.times <= now)
    due = not kept.any() or now - column.times[kept].max() >= window / SAMPLES
    if not (due or anew) and kept.all():
        return column
    times, samples = column.times[kept], column.samples[kept]
    if due:
        times = np.append(times, now)
        samples = np.concatenate([samples, values.astype(np.float32)[None, :]])
    return Column(times=times, samples=samples, high=quantile(samples, times, recent, now))


def _aligned(lately: Lately, kind: Kind, names: tuple[str, ...], was: IntColumn) -> tuple[Column, ...]:
    """The same history for these names; nothing is known of those that it does not have."""
    if kind not in lately.names:
        nothing = np.zeros((0, len(names)), np.float32)
        return (Column(times=np.zeros(0), samples=nothing, high=np.full(len(names), np.nan)),) * 2
    if lately.names[kind] == names:
        return lately.columns[kind]
    return tuple(_rows(column, was) for column in lately.columns[kind])


def _rows(column: Column, at: IntColumn) -> Column:
    unknown = np.full((len(column.samples), 1), np.nan, np.float32)
    samples = np.append(column.samples, unknown, axis=1)[:, at]
    return Column(times=column.times, samples=samples, high=np.append(column.high, np.nan)[at])

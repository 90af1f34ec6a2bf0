"""What hosts and VMs used lately, as a distribution: one column of fresh readings every so often, and their quantile.

Kept by name, so that a VM brings its own history to where it goes. What left a host still counts in the host's, which
closes it to others for a while and never opens it too early.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from controller.engine import readings as store
from controller.model import cluster as model
from controller.model.policy import Recent
from controller.model.sample import FloatColumn, IntColumn, Kind

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

    `recent`: the policy that it was last judged by.
    """

    names: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[Kind, tuple[Column, ...]] = field(default_factory=dict)
    recent: Recent | None = None


def looked(lately: Lately, cluster: model.Cluster, recent: Recent, at: datetime) -> tuple[Lately, model.Cluster]:
    """With one more look, and the snapshot with the high quantiles of what has been seen."""
    if not recent.window:
        return Lately(), cluster
    hosts, vms, now = cluster.hosts, cluster.vms, at.timestamp()
    names = {Kind.HOST: hosts.names, Kind.VM: vms.ids}
    readings = {
        Kind.HOST: (hosts.cpu_ratio, hosts.network_bytes_s),
        Kind.VM: (vms.cpu_vcpus, vms.network_bytes_s),
    }
    columns = {
        kind: tuple(
            _looked(column, reading, recent, now, anew=recent != lately.recent or names[kind] != lately.names.get(kind))
            for column, reading in zip(_aligned(lately, kind, names[kind]), readings[kind], strict=True)
        )
        for kind in names
    }
    (host_cpu, host_network), (vm_cpu, vm_network) = columns[Kind.HOST], columns[Kind.VM]
    return Lately(names=names, columns=columns, recent=recent), replace(
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


def _looked(column: Column, reading: model.Reading, recent: Recent, now: float, *, anew: bool) -> Column:
    """A sample is added when the last one is old enough; the quantile is reckoned anew where they changed."""
    window = recent.window.total_seconds()
    kept = (column.times > now - window) & (column.times <= now)
    due = not kept.any() or now - column.times[kept].max() >= window / SAMPLES
    if not (due or anew) and kept.all():
        return column
    times, samples = column.times[kept], column.samples[kept]
    if due:
        times = np.append(times, now)
        fresh = np.where(reading.fresh & np.isfinite(reading.values), reading.values, np.nan)
        samples = np.concatenate([samples, fresh.astype(np.float32)[None, :]])
    return Column(times=times, samples=samples, high=quantile(samples, times, recent, now))


def _aligned(lately: Lately, kind: Kind, names: tuple[str, ...]) -> tuple[Column, ...]:
    """The same history for these names; nothing is known of those that it does not have."""
    if kind not in lately.names:
        nothing = np.zeros((0, len(names)), np.float32)
        return (Column(times=np.zeros(0), samples=nothing, high=np.full(len(names), np.nan)),) * 2
    if lately.names[kind] == names:
        return lately.columns[kind]
    at = store.positions(lately.names[kind], names)
    return tuple(_rows(column, at) for column in lately.columns[kind])


def _rows(column: Column, at: IntColumn) -> Column:
    unknown = np.full((len(column.samples), 1), np.nan, np.float32)
    samples = np.append(column.samples, unknown, axis=1)[:, at]
    return Column(times=column.times, samples=samples, high=np.append(column.high, np.nan)[at])

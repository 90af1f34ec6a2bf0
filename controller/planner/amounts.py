"""How much each VM brings to a host and takes from it.

Measured quantities, in this order in every (4, N) table: busy threads, memory bytes, network bytes a second, storage
bytes a second (read and written). Of a storage path that nobody declares nothing is judged: its limit is NaN.

A VM with a fresh reading brings what it uses. One without brings all that it may use and relieves nothing: its vCPUs
and its memory and its host's link, and no more than its host uses beyond what its measured VMs do. Of storage,
which few exporters tell of VMs, it brings an equal part of what its host uses, and nothing where that is not read.
On a full host VMs wait for each other: there each also brings what it waits for, by its steal, up to its vCPUs.
A host is relieved of no more than it uses: where its VMs' readings sum to more than its own, each relieves its share.
Loads are distributions: beside what a VM brings now stands what it adds at its peaks, and a host is filled to what
leaves room for its own.
"""

import numpy as np
from numpy.typing import NDArray

from controller.model import cluster as model
from controller.model.policy import Recent, Thresholds
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import precopy

MIB = float(2**20)
GIB = float(2**30)

CPU, MEMORY, NETWORK, STORAGE = 0, 1, 2, 3
MEASURED = ("cpu", "memory", "network", "storage")

FULL = 0.97
"""Busy share of its threads from which a host is full: below it, steal is a quota of the guest's own, or noise."""

ROUNDING = 1e-9
"""Sums of floats differ by their order; a limit holds up to this share of it."""

Table = NDArray[np.float64]


def capacity(hosts: model.Hosts) -> Table:
    """What Placement admits: vCPUs, MiB, GiB (3, H)."""
    return np.stack([hosts.vcpus, hosts.memory_mib, hosts.disk_gib]).astype(np.float64)


def asked(vms: model.Vms) -> Table:
    """What each VM's flavor takes of it (3, V)."""
    return np.stack([vms.vcpus, vms.memory_mib, vms.disk_gib]).astype(np.float64)


def bound(limit: Table) -> Table:
    """What a sum may come to where it is to stay within the limit: what it differs by for its order is allowed."""
    return limit + ROUNDING * (1.0 + np.abs(limit))


def whole(hosts: model.Hosts) -> Table:
    """All its threads, its physical memory, its migration link, its storage path (4, H)."""
    return np.stack(
        [hosts.threads, hosts.physical_memory_mib * MIB, hosts.migration_mib_s * MIB, hosts.storage_mib_s * MIB]
    )


def limits(hosts: model.Hosts, thresholds: Thresholds) -> Table:
    """Above these a host is hot (4, H)."""
    ratios = np.array(
        [thresholds.cpu_ratio, thresholds.memory_ratio, thresholds.network_ratio, thresholds.storage_ratio]
    )
    return ratios[:, None] * whole(hosts)


def judged(limit: Table) -> int:
    """How many of the quantities, of the first, have a limit somewhere: without storage where no path is known."""
    return len(limit) if np.isfinite(limit[STORAGE]).any() else STORAGE


def used(hosts: model.Hosts) -> Table:
    """What each host uses now, NaN where no fresh reading says (4, H)."""
    rest = (hosts.memory_bytes, hosts.network_bytes_s, hosts.storage_bytes_s)
    return np.stack([usable(hosts.cpu_ratio) * hosts.threads, *map(usable, rest)])


def usable(reading: model.Reading) -> FloatColumn:
    """The fresh, finite values, negative ones as 0; NaN elsewhere."""
    return np.where(reading.fresh & np.isfinite(reading.values), np.maximum(reading.values, 0.0), np.nan)


def brought_and_relieved(hosts: model.Hosts, vms: model.Vms, busy: Table, waits: FloatColumn) -> tuple[Table, Table]:
    """What each VM adds where it arrives and takes where it was at the start (4, V). `waits`: see `waiting`."""
    link = _at_host(hosts.migration_mib_s * MIB, vms.host)
    bounds = (vms.vcpus.astype(np.float64), vms.memory_mib * MIB, link, _equal_part(busy[STORAGE], vms))
    readings = (vms.cpu_vcpus, vms.memory_bytes, vms.network_bytes_s, vms.storage_bytes_s)
    off = np.equal(vms.state, model.VmState.SHUTOFF)
    brought, relieved = [], []
    for reading, bound, row in zip(readings, bounds, busy, strict=True):
        known = np.where(off, 0.0, usable(reading))
        together = _together(known, vms.host, len(row))
        beyond = _at_host(np.maximum(row - together, 0.0), vms.host)
        brought.append(np.where(np.isnan(known), np.nan_to_num(np.fmin(bound, beyond), nan=0.0), known))
        relieved.append(_share(known, _at_host(row, vms.host), _at_host(together, vms.host)))
    brought[CPU] += waits
    return np.stack(brought), np.stack(relieved)


def at_its_peaks(brought: Table, vms: model.Vms, recent: Recent) -> Table:
    """What each VM adds where it arrives (4, V): the greatest of now, its high quantile and what it will use by its
    forecast, each where it is known.
    """
    off = np.equal(vms.state, model.VmState.SHUTOFF)
    ahead = usable(vms.cpu_ahead_vcpus) if recent.forecast else np.full(len(vms.ids), np.nan)
    peaks = brought.copy()
    for row, high in ((CPU, np.fmax(vms.cpu_high_vcpus, ahead)), (NETWORK, vms.network_high_bytes_s)):
        peaks[row] = np.where(off, brought[row], np.fmax(brought[row], high))
    return peaks


def filled_to(limit: Table, hosts: model.Hosts, vms: model.Vms, used: Table, recent: Recent) -> Table:
    """Up to what each host is filled (4, H): its limit less how much more it uses at its peaks than now.

    That is the greater of `high quantile - now` and the sum over its VMs of `forecast - now`, where they are known.
    """
    unknown = np.full(len(hosts.names), np.nan)
    high = np.stack([hosts.cpu_high_ratio * hosts.threads, unknown, hosts.network_high_bytes_s, unknown])
    more = np.fmax(high - used, 0.0)
    if recent.forecast:
        change = np.nan_to_num(usable(vms.cpu_ahead_vcpus) - usable(vms.cpu_vcpus), nan=0.0)
        running = (vms.host >= 0) & np.not_equal(vms.state, model.VmState.SHUTOFF)
        ahead = np.bincount(vms.host[running], weights=change[running], minlength=len(hosts.names))
        more[CPU] = np.fmax(more[CPU], ahead)
    filled: Table = limit - np.nan_to_num(more, nan=0.0)
    return filled


def waiting(hosts: model.Hosts, vms: model.Vms) -> FloatColumn:
    """Threads that each VM asks for and does not get, as others on its full host have them; with what it uses no more
    than its vCPUs.
    """
    full = np.append(usable(hosts.cpu_ratio) >= FULL, False)[vms.host]
    waits = np.nan_to_num(np.minimum(usable(vms.steal_ratio), 1.0), nan=0.0) * vms.vcpus
    uses = usable(vms.cpu_vcpus)
    left = np.maximum(vms.vcpus - uses, 0.0)
    measured = np.isfinite(uses) & np.not_equal(vms.state, model.VmState.SHUTOFF)
    return np.where(full & measured, np.minimum(waits, left), 0.0)


def dirty_bytes_s(vms: model.Vms) -> FloatColumn:
    """How fast each VM writes to its memory; where nobody measures it, a modelled rate for each busy vCPU."""
    assumed = precopy.ASSUMED_DIRTY_BYTES_S * np.fmin(usable(vms.cpu_vcpus), vms.vcpus)
    measured = usable(vms.dirty_bytes_s)
    unread = np.where(np.isnan(assumed), precopy.ASSUMED_DIRTY_BYTES_S * vms.vcpus, assumed)
    rate = np.where(np.isnan(measured), unread, measured)
    return np.where(np.equal(vms.state, model.VmState.ACTIVE), rate, 0.0)


def _at_host(column: FloatColumn, host: IntColumn) -> FloatColumn:
    """Each VM's host's value, NaN where it has none."""
    values: FloatColumn = np.append(column, np.nan)[host]
    return values


def _together(known: FloatColumn, host: IntColumn, hosts: int) -> FloatColumn:
    """What each host's measured VMs use together."""
    counts = (host >= 0) & np.isfinite(known)
    return np.bincount(host[counts], weights=known[counts], minlength=hosts).astype(np.float64)


def _equal_part(row: FloatColumn, vms: model.Vms) -> FloatColumn:
    """What of its host's each VM there would have if all that run had as much; NaN where the host is not read."""
    running = vms.host[(vms.host >= 0) & np.not_equal(vms.state, model.VmState.SHUTOFF)]
    part: FloatColumn = row / np.maximum(np.bincount(running, minlength=len(row)), 1)
    return _at_host(part, vms.host)


def _share(known: FloatColumn, busy: FloatColumn, together: FloatColumn) -> FloatColumn:
    """Each VM's part of what its host uses."""
    factor = np.ones(len(known))
    np.divide(np.nan_to_num(busy, nan=0.0), together, out=factor, where=together > 0)
    return np.nan_to_num(known, nan=0.0) * np.minimum(factor, 1.0)

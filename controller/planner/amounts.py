"""How much each VM brings to a host and takes from it.

Measured quantities, in this order in every (3, N) table: busy threads, memory bytes, network bytes a second.

A VM with a fresh reading brings what it uses. One without brings all it may use and relieves nothing: its vCPUs and
its memory, and for the network what its whole host carries, each no more than the host it is on uses. A host is
relieved of no more than it uses: where its VMs' readings sum to more than its own, each relieves its share of it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from controller.model import cluster as model
from controller.model.policy import Thresholds
from controller.model.sample import FloatColumn
from controller.planner import precopy

MIB = float(2**20)
GIB = float(2**30)

CPU, MEMORY, NETWORK = 0, 1, 2
MEASURED = ("cpu", "memory", "network")

Table = NDArray[np.float64]


def capacity(hosts: model.Hosts) -> Table:
    """What Placement admits: vCPUs, MiB, GiB (3, H)."""
    return np.stack([hosts.vcpus, hosts.memory_mib, hosts.disk_gib]).astype(np.float64)


def asked(vms: model.Vms) -> Table:
    """What each VM's flavor takes of it (3, V)."""
    return np.stack([vms.vcpus, vms.memory_mib, vms.disk_gib]).astype(np.float64)


def whole(hosts: model.Hosts) -> Table:
    """All its threads, its physical memory, its migration link (3, H)."""
    return np.stack([hosts.threads, hosts.physical_memory_mib * MIB, hosts.migration_mib_s * MIB])


def limits(hosts: model.Hosts, thresholds: Thresholds) -> Table:
    """Above these a host is hot (3, H)."""
    ratios = np.array([thresholds.cpu_ratio, thresholds.memory_ratio, thresholds.network_ratio])
    return ratios[:, None] * whole(hosts)


def used(hosts: model.Hosts) -> Table:
    """What each host uses now, NaN where no fresh reading says (3, H)."""
    return np.stack(
        [usable(hosts.cpu_ratio) * hosts.threads, usable(hosts.memory_bytes), usable(hosts.network_bytes_s)]
    )


def usable(reading: model.Reading) -> FloatColumn:
    """The fresh, finite values, negative ones as 0; NaN elsewhere."""
    return np.where(reading.fresh & np.isfinite(reading.values), np.maximum(reading.values, 0.0), np.nan)


def brought_and_relieved(vms: model.Vms, busy: Table) -> tuple[Table, Table]:
    """What each VM adds where it arrives and takes where it was at the start (3, V)."""
    bounds = [vms.vcpus.astype(np.float64), vms.memory_mib * MIB, np.full(len(vms.ids), np.inf)]
    readings = [usable(reading) for reading in (vms.cpu_vcpus, vms.memory_bytes, vms.network_bytes_s)]
    on_host = [_at_host(row, vms.host) for row in busy]
    off = np.equal(vms.state, model.VmState.SHUTOFF)
    brought = [
        np.where(off, 0.0, _bounded(reading, bound, host))
        for reading, bound, host in zip(readings, bounds, on_host, strict=True)
    ]
    relieved = [np.where(off, 0.0, _share(reading, vms, row)) for reading, row in zip(readings, busy, strict=True)]
    return np.stack(brought), np.stack(relieved)


def dirty_bytes_s(vms: model.Vms) -> FloatColumn:
    """How fast each VM writes to its memory; where nobody measures it, a modelled rate for each busy vCPU."""
    assumed = precopy.ASSUMED_DIRTY_BYTES_S * np.fmin(usable(vms.cpu_vcpus), vms.vcpus)
    measured = usable(vms.dirty_bytes_s)
    unread = np.where(np.isnan(assumed), precopy.ASSUMED_DIRTY_BYTES_S * vms.vcpus, assumed)
    rate = np.where(np.isnan(measured), unread, measured)
    return np.where(np.equal(vms.state, model.VmState.ACTIVE), rate, 0.0)


def _at_host(column: FloatColumn, host: Sequence[int] | NDArray[np.int32]) -> FloatColumn:
    """Each VM's host's value, NaN where it has none."""
    return np.append(column, np.nan)[host]


def _bounded(reading: FloatColumn, bound: FloatColumn, on_host: FloatColumn) -> FloatColumn:
    """The reading, or else the least of what it may use and what its host uses; 0 where nothing bounds it at all."""
    most = np.fmin(bound, on_host)
    return np.where(np.isnan(reading), np.where(np.isfinite(most), most, 0.0), reading)


def _share(reading: FloatColumn, vms: model.Vms, busy: FloatColumn) -> FloatColumn:
    known = np.nan_to_num(reading, nan=0.0)
    placed = vms.host >= 0
    total = np.bincount(vms.host[placed], weights=known[placed], minlength=len(busy))
    factor = np.divide(np.nan_to_num(busy, nan=0.0), total, out=np.ones(len(busy)), where=total > 0)
    return known * np.nan_to_num(_at_host(np.minimum(factor, 1.0), vms.host), nan=0.0)

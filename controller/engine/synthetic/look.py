"""What collectors would have read of a synthetic estate, and the snapshot made of it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

import numpy as np

from controller.engine import readings
from controller.engine.assemble import assemble, uplinks
from controller.engine.assemble.places import phase_name
from controller.engine.synthetic import loads as physics
from controller.engine.synthetic.facts import facts
from controller.model.cloud import CloudFacts
from controller.model.cluster import Cluster
from controller.model.policy import Policy
from controller.model.sample import Batch, FloatColumn, Kind, Quantity
from inventory.model import Estate

SOURCE = "synthetic"
_OLDEST_S = 20.0
_LEAVES_ITS_RACK = 0.7
_RECEIVED = 0.6
"""Shares of what VMs send and receive; modelled."""


def snapshot(estate: Estate, seed: int, now: datetime) -> Cluster:
    """The estate as a controller would see it at `now` (aware); raises `InputError` where its VMs do not fit."""
    seen = facts(estate, seed, now)
    taken = readings.merged(
        readings.Readings(), ((0, batch) for batch in batches(estate, seen, seed, now)), forget_before=0.0
    )
    return assemble(estate, seen, taken, Policy(), now)


def batches(estate: Estate, seen: CloudFacts, seed: int, now: datetime) -> Iterator[Batch]:
    """Every quantity of hosts, VMs, racks' uplinks and power, read within the last seconds before `now`."""
    rng = np.random.default_rng(seed)
    load = physics.loads(estate, seen, rng)

    def batch(kind: Kind, quantity: Quantity, names: Iterable[str], values: FloatColumn) -> Batch:
        names = tuple(names)
        at = now.timestamp() - np.round(rng.uniform(0.0, _OLDEST_S, len(names)), 3)
        values = values.astype(np.float64)
        return Batch(kind=kind, quantity=quantity, source=SOURCE, names=names, values=values, at=at)

    hosts = tuple(host.name for host in load.hosts)
    for quantity, values in _of_hosts(estate, load).items():
        yield batch(Kind.HOST, quantity, hosts, values)
    ids = tuple(server.id for server in seen.servers)
    for quantity, values in _of_vms(load).items():
        yield batch(Kind.VM, quantity, ids, values)
    feeds, pdus = sorted(estate.feeds), sorted(estate.pdus)
    phases = [phase_name(pdu, n) for pdu in pdus for n in range(1, estate.pdus[pdu].phases + 1)]
    watts = physics.power_rows(estate, load)
    for kind, names in ((Kind.FEED, feeds), (Kind.PDU, pdus), (Kind.PHASE, phases)):
        yield batch(kind, Quantity.POWER_WATTS, names, watts[kind.value])
    names, into, out = _of_ports(estate, load)
    yield batch(Kind.PORT, Quantity.UPLINK_IN_BYTES_S, names, into)
    yield batch(Kind.PORT, Quantity.UPLINK_OUT_BYTES_S, names, out)
    yield batch(Kind.FEED, Quantity.ON_BATTERY, feeds, np.zeros(len(feeds)))
    yield batch(Kind.FEED, Quantity.BATTERY_MINUTES, feeds, np.full(len(feeds), 12.0))
    yield batch(Kind.HOST, Quantity.STORAGE_BYTES_S, hosts, _summed(load, load.vm_storage_bytes_s))
    yield batch(Kind.VM, Quantity.STORAGE_BYTES_S, ids, load.vm_storage_bytes_s)


def _of_hosts(estate: Estate, load: physics.Loads) -> dict[Quantity, FloatColumn]:
    count = len(load.hosts)
    threads = np.array([estate.host_types[host.type].vcpus for host in load.hosts], np.float64)
    healthy = np.zeros(count)
    return {
        Quantity.CPU_RATIO: load.busy_threads / threads,
        Quantity.MEMORY_BYTES: physics.OWN_MEMORY_BYTES + _summed(load, load.vm_memory_bytes),
        Quantity.MEMORY_PRESSURE_RATIO: healthy,
        Quantity.NETWORK_BYTES_S: _summed(load, load.vm_network_bytes_s),
        Quantity.POWER_WATTS: np.round(load.watts),
        Quantity.INLET_CELSIUS: np.round(load.inlet_celsius, 1),
        Quantity.MEMORY_HEALTH: load.memory_health,
        Quantity.PSU_HEALTH: healthy,
        Quantity.FAN_HEALTH: healthy,
        Quantity.DISK_HEALTH: healthy,
    }


def _of_ports(estate: Estate, load: physics.Loads) -> tuple[list[str], FloatColumn, FloatColumn]:
    """Every uplink with its part of what its rack's VMs send and receive beyond it."""
    ports = uplinks.ports(estate)
    sharing = Counter(rack for rack, _ in ports)
    passing: Counter[str] = Counter()
    for host, bytes_s in zip(load.hosts, _summed(load, load.vm_network_bytes_s).tolist(), strict=True):
        passing[host.rack] += bytes_s * _LEAVES_ITS_RACK
    each = np.array([passing[rack] / sharing[rack] for rack, _ in ports], np.float64)
    return [name for _, name in ports], _RECEIVED * each, (1.0 - _RECEIVED) * each


def _of_vms(load: physics.Loads) -> dict[Quantity, FloatColumn]:
    return {
        Quantity.CPU_VCPUS: load.vm_vcpus,
        Quantity.STEAL_RATIO: np.zeros(len(load.vm_vcpus)),
        Quantity.MEMORY_BYTES: load.vm_memory_bytes,
        Quantity.NETWORK_BYTES_S: load.vm_network_bytes_s,
        Quantity.DIRTY_BYTES_S: load.vm_dirty_bytes_s,
    }


def _summed(load: physics.Loads, of_vms: FloatColumn) -> FloatColumn:
    return np.bincount(load.host_of, weights=of_vms, minlength=len(load.hosts)).astype(np.float64)

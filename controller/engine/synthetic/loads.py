"""What the VMs of a synthetic estate use, and what their hosts then draw. Every number is modelled.

Most VMs idle and a few work hard (a beta distribution with mean 0.18). On top of that trouble is made on purpose: some
hot hosts, a hot rack, a feed that could not carry its racks alone, and a host whose memory fails.
"""

from dataclasses import dataclass, replace

import numpy as np

from controller.engine.assemble.places import phase_name
from controller.engine.synthetic.seats import expected_hosts
from controller.model.cloud import CloudFacts
from controller.model.sample import FloatColumn, Health, IntColumn
from inventory.model import Estate, Host, host_feeds, host_zone

_MIB = 1024.0 * 1024.0
OWN_MEMORY_BYTES = 4096.0 * _MIB
"""What the host itself uses beside its VMs."""
_OWN_THREADS = 0.5
_STORED_BYTES_S = 3.0 * _MIB
"""What a VM reads from its disks and writes to them, for each vCPU that it keeps busy."""
_HOT_SHARE = 0.01
_HOT_CPU_RATIO = (0.84, 0.95)
_RACK_CPU_RATIO = 0.72
_FEED_OVERLOAD = 1.03
_FULL_CPU_RATIO = 0.78


@dataclass(frozen=True, slots=True, kw_only=True)
class Loads:
    """By row of `hosts` (sorted by name) and `servers` (in the facts' order). `host_of`: each server's host row."""

    hosts: tuple[Host, ...]
    host_of: IntColumn
    vm_vcpus: FloatColumn
    vm_memory_bytes: FloatColumn
    vm_network_bytes_s: FloatColumn
    vm_dirty_bytes_s: FloatColumn
    busy_threads: FloatColumn
    watts: FloatColumn
    inlet_celsius: FloatColumn
    memory_health: FloatColumn

    @property
    def vm_storage_bytes_s(self) -> FloatColumn:
        """What each VM reads from its disks and writes to them."""
        return _STORED_BYTES_S * self.vm_vcpus


def loads(estate: Estate, facts: CloudFacts, rng: np.random.Generator) -> Loads:
    """Loads of every VM and host."""
    hosts = expected_hosts(estate)
    rows = {host.name: row for row, host in enumerate(hosts)}
    host_of = np.array([rows[server.host or ""] for server in facts.servers], np.int32)
    vcpus = np.array([server.vcpus for server in facts.servers], np.float64)
    memory = np.array([server.memory_mib for server in facts.servers], np.float64) * _MIB
    count = len(vcpus)
    calm = Loads(
        hosts=hosts,
        host_of=host_of,
        vm_vcpus=vcpus * rng.beta(0.9, 4.1, count),
        vm_memory_bytes=memory * rng.uniform(0.35, 0.92, count),
        vm_network_bytes_s=vcpus * rng.lognormal(12.0, 1.2, count),
        vm_dirty_bytes_s=np.minimum(vcpus * rng.lognormal(14.5, 1.0, count), 0.5e9),
        busy_threads=np.zeros(len(hosts)),
        watts=np.zeros(len(hosts)),
        inlet_celsius=_inlets(estate, hosts, rng),
        memory_health=np.zeros(len(hosts)),
    )
    return _troubled(estate, _settled(estate, calm, vcpus), vcpus, rng) if count else _settled(estate, calm, vcpus)


def power_rows(estate: Estate, load: Loads) -> dict[str, FloatColumn]:
    """Metered watts by kind, `feed`, `pdu` and `phase`, in sorted name order: each cord carries its even share."""
    feeds = dict.fromkeys(sorted(estate.feeds), 0.0)
    pdus = dict.fromkeys(sorted(estate.pdus), 0.0)
    phases = {phase_name(pdu, n): 0.0 for pdu in pdus for n in range(1, estate.pdus[pdu].phases + 1)}
    for host, watts in zip(load.hosts, load.watts.tolist(), strict=True):
        for cord in host.cords:
            share = watts / len(host.cords)
            feeds[estate.pdus[cord.pdu].feed] += share
            pdus[cord.pdu] += share
            phases[phase_name(cord.pdu, cord.phase)] += share
    tables = {"feed": feeds, "pdu": pdus, "phase": phases}
    return {kind: np.array(list(table.values()), np.float64) for kind, table in tables.items()}


def _inlets(estate: Estate, hosts: tuple[Host, ...], rng: np.random.Generator) -> FloatColumn:
    warning = np.array([host_zone(estate, host).warning_celsius for host in hosts])
    return np.minimum(rng.normal(22.5, 0.8, len(hosts)), warning - 1.0)


def _settled(estate: Estate, load: Loads, vcpus: FloatColumn) -> Loads:
    """Hosts' busy threads and watts from their VMs; a host that is asked for more than it has shares it out."""
    types = [estate.host_types[host.type] for host in load.hosts]
    threads = np.array([type_.vcpus for type_ in types], np.float64)
    asked = np.minimum(load.vm_vcpus, vcpus)
    sums = np.bincount(load.host_of, weights=asked, minlength=len(threads))
    squeeze = np.minimum(1.0, (threads * 0.98 - _OWN_THREADS) / np.maximum(sums, 1e-9))
    given = asked * squeeze[load.host_of]
    busy = np.bincount(load.host_of, weights=given, minlength=len(threads)).astype(np.float64) + _OWN_THREADS
    idle = np.array([type_.idle_watts for type_ in types])
    peak = np.array([type_.peak_watts for type_ in types])
    return replace(load, vm_vcpus=given, busy_threads=busy, watts=idle + (peak - idle) * busy / threads)


def _troubled(estate: Estate, load: Loads, vcpus: FloatColumn, rng: np.random.Generator) -> Loads:
    """Trouble on distinct hosts, most of it on hosts with VMs."""
    threads = np.array([estate.host_types[host.type].vcpus for host in load.hosts], np.float64)
    wanted = np.zeros(len(threads))
    hot = rng.choice(len(threads), max(1, round(_HOT_SHARE * len(threads))), replace=False)
    wanted[hot] = rng.uniform(*_HOT_CPU_RATIO, len(hot))
    racks = np.array([host.rack for host in load.hosts])
    wanted[racks == rng.choice(np.unique(racks))] = _RACK_CPU_RATIO
    load = _raised(estate, load, vcpus, wanted * threads)
    load = _raised(estate, load, vcpus, _feed_threads(estate, load, threads))
    sick = load.memory_health.copy()
    filled = np.unique(load.host_of)
    sick[int(rng.choice(filled))] = Health.FAILED
    return replace(load, memory_health=sick)


def _raised(estate: Estate, load: Loads, vcpus: FloatColumn, wanted_threads: FloatColumn) -> Loads:
    """The loads with each host's VMs working so hard that it reaches `wanted_threads`, as far as their vCPUs allow.

    Of what a VM leaves idle the same share is used on every VM of a host.
    """
    room = np.bincount(load.host_of, weights=vcpus - load.vm_vcpus, minlength=len(wanted_threads))
    missing = np.maximum(0.0, wanted_threads - load.busy_threads)
    share = np.minimum(1.0, missing / np.maximum(room, 1e-9))
    return _settled(
        estate, replace(load, vm_vcpus=load.vm_vcpus + (vcpus - load.vm_vcpus) * share[load.host_of]), vcpus
    )


def _feed_threads(estate: Estate, load: Loads, threads: FloatColumn) -> FloatColumn:
    """The busy threads that bring the feed with the least headroom just over what it may carry alone."""
    on_feed = {name: np.zeros(len(threads), np.bool_) for name in sorted(estate.feeds)}
    for row, host in enumerate(load.hosts):
        for name in host_feeds(estate, host):
            on_feed[name][row] = True
    limits = {name: feed.rated_watts * feed.derating_ratio for name, feed in estate.feeds.items()}
    used = {name: float(load.watts[on].sum()) / limits[name] for name, on in on_feed.items() if on.any()}
    if not used:
        return np.zeros(len(threads))
    tight = max(sorted(used), key=lambda name: used[name])
    on = on_feed[tight]
    spans = [estate.host_types[host.type] for host in load.hosts]
    per_thread = np.array([(type_.peak_watts - type_.idle_watts) / type_.vcpus for type_ in spans])
    room = np.where(on, np.maximum(0.0, _FULL_CPU_RATIO * threads - load.busy_threads), 0.0)
    missing = _FEED_OVERLOAD * limits[tight] - used[tight] * limits[tight]
    share = min(1.0, max(0.0, missing / max(float(room @ per_thread), 1e-9)))
    return np.where(on, load.busy_threads + room * share, 0.0)

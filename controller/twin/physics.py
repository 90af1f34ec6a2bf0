"""The physics of the twin: pure functions from columns to columns. Randomness and time are arguments.

VM load -> host CPU (contention, steal) -> watts -> cords, phases, PDUs and feeds, and -> inlet temperature, slowly.
"""

from dataclasses import dataclass

import numpy as np

from controller.twin.topology import Flags, Floats, Rows, Topology

HOST_MEMORY_MIB = 6144.0
"""What a host's own system holds."""
HOST_CPU_RATIO = 0.01
"""What a host's own system keeps busy."""
RECEIVED = 0.6
"""The part of a VM's traffic that it receives."""
STORED_MIB_S = 3.0
"""What a VM reads from its disks and writes to them a second, for each vCPU that it keeps busy."""
READ = 0.4
"""The part of it that it reads."""
COPY_THREADS = 0.5
"""Threads that one live migration keeps busy on its source and on its target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Who got what of the hosts' threads. `used` and `steal` are per VM, `cpu_ratio` per host."""

    used: Floats
    steal: Floats
    cpu_ratio: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Electricity:
    """Watts drawn now. `supplied` says which hosts still have a live cord."""

    phase: Floats
    pdu: Floats
    feed: Floats
    supplied: Flags


def noise(before: Floats, draws: Floats, dt: float, seconds: float) -> Floats:
    """One step of an Ornstein-Uhlenbeck walk of unit variance that forgets itself in `seconds`."""
    keep = np.exp(-dt / seconds)
    step: Floats = before * keep + draws * np.sqrt(1.0 - keep * keep)
    return step


def daily(day_ratio: float, peak_at: Floats, swing: Floats) -> Floats:
    """The factor on each VM's load at this part of the day (0 to 1): 1 on average, `1 + swing` at `peak_at`."""
    wave: Floats = 1.0 + swing * np.cos(2.0 * np.pi * (day_ratio - peak_at))
    return wave


def contention(demand: Floats, host: Rows, threads: Floats, other: Floats) -> Shared:
    """Shares each host's threads among its VMs' demand (vCPUs' worth) after `other` threads that its system takes.

    Where the demand exceeds the threads, every VM gets the same share of what it asked for; the rest is steal.
    """
    count = len(threads)
    asked = np.bincount(host, weights=demand, minlength=count)[:count]
    free = np.maximum(threads - other, 1e-9)
    grant = np.minimum(1.0, free / np.maximum(asked, 1e-9))
    share = grant[host]
    used = demand * share
    busy = np.minimum(asked, free) + np.minimum(other, threads)
    return Shared(used=used, steal=1.0 - share, cpu_ratio=np.minimum(1.0, busy / threads))


def watts(cpu_ratio: Floats, idle: Floats, peak: Floats) -> Floats:
    """A host's draw: from idle to peak, a little steeper at low load than at high, as measured servers are."""
    bent = 1.15 * cpu_ratio - 0.15 * cpu_ratio * cpu_ratio
    drawn: Floats = idle + (peak - idle) * bent
    return drawn


def electricity(host_watts: Floats, feed_live: Flags, topology: Topology) -> Electricity:
    """Splits each host's draw evenly over its cords whose feed is live; a dead feed carries nothing."""
    count = len(topology.hosts)
    cord_pdu = topology.phase_pdu[topology.cord_phase]
    live = feed_live[topology.pdu_feed[cord_pdu]]
    cords = np.bincount(topology.cord_host, weights=live, minlength=count)[:count]
    per_cord = np.where(cords > 0, host_watts / np.maximum(cords, 1.0), 0.0)
    drawn = np.where(live, per_cord[topology.cord_host], 0.0)
    phases = len(topology.phases)
    base = np.where(feed_live[topology.pdu_feed[topology.phase_pdu]], topology.phase_base_watts, 0.0)
    phase = base + _sum(drawn, topology.cord_phase, phases)
    pdu = _sum(phase, topology.phase_pdu, len(topology.pdus))
    return Electricity(phase=phase, pdu=pdu, feed=_sum(pdu, topology.pdu_feed, len(topology.feeds)), supplied=cords > 0)


def failover_watts(host_watts: Floats, topology: Topology) -> Electricity:
    """What each phase, PDU and feed would carry with its partner failed: all watts of every host with a cord on it."""
    phases, pdus, feeds = len(topology.phases), len(topology.pdus), len(topology.feeds)
    cord_pdu = topology.phase_pdu[topology.cord_phase]
    phase_base = topology.phase_failover_base_watts
    pdu_base = _sum(phase_base, topology.phase_pdu, pdus)
    feed_base = _sum(pdu_base, topology.pdu_feed, feeds)
    cord_feed = topology.pdu_feed[cord_pdu]
    return Electricity(
        phase=phase_base + _distinct(topology.cord_phase, topology.cord_host, host_watts, phases),
        pdu=pdu_base + _distinct(cord_pdu, topology.cord_host, host_watts, pdus),
        feed=feed_base + _distinct(cord_feed, topology.cord_host, host_watts, feeds),
        supplied=np.ones(len(topology.hosts), np.bool_),
    )


def uplinks(net_bytes_s: Floats, leaves_ratio: float, topology: Topology) -> tuple[Floats, Floats]:
    """Bytes/s into each rack and out of it, of what each host's VMs send and receive."""
    passing = leaves_ratio * _sum(net_bytes_s, topology.host_rack, len(topology.racks))
    return RECEIVED * passing, (1.0 - RECEIVED) * passing


def inlet(before: Floats, supply: Floats, rise: Floats, dt: float, seconds: float) -> Floats:
    """Air at each host's inlet, drawn towards the zone's supply plus the local rise, with time constant `seconds`."""
    after: Floats = before + (supply + rise - before) * (1.0 - np.exp(-dt / seconds))
    return after


def _sum(values: Floats, into: Rows, count: int) -> Floats:
    return np.bincount(into, weights=values, minlength=count)[:count].astype(np.float64)


def _distinct(group: Rows, host: Rows, host_watts: Floats, count: int) -> Floats:
    """Sums each host once into every group that one of its cords hangs on."""
    pairs = np.unique(np.stack([group, host]), axis=1)
    return _sum(host_watts[pairs[1]], pairs[0], count)

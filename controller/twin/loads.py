"""How events change the load of the twin's VMs: one host's, a rack's, or as much as a feed needs to be overloaded."""

import numpy as np

from controller.twin import physics, scheduling
from controller.twin.topology import Flags, Floats
from controller.twin.world import World

_MOST = 20.0
"""A load is multiplied by this at most."""


def hosts_of(world: World, kind: str, row: int) -> Flags:
    """Which hosts a host, a rack or a feed is about."""
    topo = world.topology
    if kind == "host":
        return np.asarray(np.arange(len(topo.hosts)) == row, np.bool_)
    if kind == "rack":
        return np.asarray(topo.host_rack == row, np.bool_)
    on_feed = np.zeros(len(topo.hosts), np.bool_)
    on_feed[topo.cord_host[topo.pdu_feed[topo.phase_pdu[topo.cord_phase]] == row]] = True
    return on_feed


def grow(world: World, hosts: Flags, factor: float) -> None:
    """Multiplies the load of the VMs that stand on these hosts."""
    vms = world.vms
    vms.scale[(vms.host >= 0) & hosts[vms.host]] *= factor


def crowd(world: World, claims: scheduling.Claims, host: int, ratio: float) -> None:
    """Seats VMs of the same rack's other hosts on this one until together they demand `ratio` of its threads.

    Only what Nova admits; within a rack no spread rule but the host's own can be broken by it.
    """
    topo = world.topology
    wanted = ratio * float(topo.threads[host])
    others = np.flatnonzero((topo.host_rack == topo.host_rack[host]) & (np.arange(len(topo.hosts)) != host))
    guests = [server for row in others for server in world.servers_on(int(row)) if server.task_state is None]
    for server in sorted(guests, key=lambda each: (-each.flavor.vcpus, each.id)):
        if float(_demand(world)[host]) >= wanted:
            return
        cleared = world.estate.hosts[topo.hosts[host]].clearance >= world.system_of(server).classification
        if cleared and scheduling.refusal(world, claims, server, host) is None:
            world.place(server, host)


def make_noisy(world: World, host: int, ratio: float) -> None:
    """Pins a host's largest VM at full load, and lifts the others until together they demand `ratio` of its threads."""
    vms = world.vms
    rows = np.flatnonzero((vms.host == host) & vms.running & np.isnan(vms.pinned))
    if not len(rows):
        return
    loudest = rows[np.argmax(vms.vcpus[rows])]
    vms.pinned[loudest] = 1.0
    wanted = ratio * float(world.topology.threads[host])
    low, high = 0.0, _MOST
    before = vms.scale[rows].copy()
    for _ in range(40):
        middle = (low + high) / 2.0
        vms.scale[rows] = before * middle
        low, high = (middle, high) if float(_demand(world)[host]) < wanted else (low, middle)
    vms.scale[rows] = before * max(low, 1.0)


def load_feed(world: World, feed: int, ratio: float) -> bool:
    """Scales the VMs on a feed's hosts until the feed alone would carry `ratio` of its rating; False where it cannot.

    No host is loaded above 0.75 of its threads, so that the feed is all that is wrong.
    """
    vms, topo = world.vms, world.topology
    hosts = hosts_of(world, "feed", feed)
    rows = np.flatnonzero((vms.host >= 0) & hosts[vms.host])
    before = vms.scale[rows].copy()
    low, high = 0.0, _MOST
    for _ in range(40):
        middle = (low + high) / 2.0
        vms.scale[rows] = before * middle
        _cap(world, hosts, 0.75)
        low, high = (middle, high) if _carried(world, feed) < ratio * topo.feed_limit[feed] else (low, middle)
    if _carried(world, feed) >= 0.998 * ratio * float(topo.feed_limit[feed]):
        return True
    vms.scale[rows] = before
    return False


def _cap(world: World, hosts: Flags, most: float) -> None:
    """Scales the VMs of hosts that would be busier than `most` down to it."""
    vms, topo = world.vms, world.topology
    for _ in range(3):
        over = _demand(world) / (topo.threads * most)
        hot = np.flatnonzero(hosts & (over > 1.0))
        for host in hot:
            vms.scale[vms.host == host] /= over[host]


def _demand(world: World) -> Floats:
    """Threads that each host's VMs ask for now, their noise left out."""
    vms, count = world.vms, len(world.topology.hosts)
    shape = physics.daily(world.day_ratio, vms.peak_at, vms.swing)
    free = np.clip(vms.base * vms.scale * shape, 0.005, 1.0)
    demand = np.where(vms.running & (vms.host >= 0), np.where(np.isnan(vms.pinned), free, vms.pinned) * vms.vcpus, 0.0)
    return np.bincount(np.maximum(vms.host, 0), weights=demand, minlength=count)[:count].astype(np.float64)


def _carried(world: World, feed: int) -> float:
    """What a feed would carry alone at the loads as they are scaled now."""
    topo = world.topology
    ratio = np.minimum(1.0, _demand(world) / topo.threads + physics.HOST_CPU_RATIO)
    drawn = physics.watts(ratio, topo.idle_watts, topo.peak_watts)
    return float(physics.failover_watts(drawn, topo).feed[feed])

"""What moving one server takes, by the link that its copy will have."""

import numpy as np

from controller.model import cluster as model
from controller.model.cluster import BoolColumn
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import amounts, completion, precopy, rules
from controller.planner.load import Load


def estimate(load: Load, vm: int, target: int) -> precopy.Estimate:
    """Of a live migration, forced to its end where it would else take too long; of a cold one of a server that is off.

    Its copy may be infinite, where no rule would let it go there.
    """
    facts = load.situation
    link = _link(load, vm, target)
    if facts.cluster.vms.state[vm] == model.VmState.SHUTOFF:
        return precopy.cold(float(facts.asked[2, vm]) * amounts.GIB, link)
    memory = float(facts.asked[1, vm]) * amounts.MIB
    if forced(load, vm, target):
        return completion.estimate(float(facts.pause_s[vm]), memory, link, facts.policy.migration)
    return precopy.estimate(memory, float(facts.dirty_bytes_s[vm]), link, _disk_bytes(load, vm, target))


def forced(load: Load, vm: int, target: int) -> bool:
    """Whether the copy would take too long or never converge, and is forced to its end in time."""
    facts = load.situation
    if not facts.pause_s[vm] or facts.cluster.vms.state[vm] == model.VmState.SHUTOFF:
        return False
    link = np.array([_link(load, vm, target)])
    alone_s, forced_s = rules.live_copy_s(load, vm, link, _disk_bytes(load, vm, target))
    return bool(alone_s[0] > rules.longest_copy_s(load, vm) >= forced_s[0])


def sent_gib(load: Load, vms: IntColumn) -> FloatColumn:
    """What moving each of them sends: `B + M L / (L - D)`, pre-copy's bound at its host's share of the link, and its
    disk where that stands on its host's own.

    Infinite where it would never converge, unless it may be forced to its end: then at most what that sends. The part
    for the dirty rate, `L / (L - D)`, is rounded down to a power of two: a rate of one minute tells no more, and VMs
    that differ by less are chosen by what they relieve.
    """
    memory = np.maximum(load.situation.asked[1, vms] / 1024.0, 2**-10)
    link, dirty = rules.leaving_bytes_s(load, vms), load.situation.dirty_bytes_s[vms]
    rounds = np.full(len(vms), np.inf)
    np.divide(link, link - dirty, out=rounds, where=link > dirty)
    disk = local_disk_gib(load, vms)
    sent: FloatColumn = disk + memory * np.exp2(np.floor(np.log2(rounds)))
    waited = load.situation.policy.migration.force_complete_after.total_seconds()
    may_force: BoolColumn = np.greater(load.situation.pause_s[vms], 0)
    may_force &= disk * amounts.GIB <= waited * link
    most: FloatColumn = waited * link / amounts.GIB + memory
    return np.where(may_force, np.fmin(sent, most), sent)


def local_disk_gib(load: Load, vms: IntColumn) -> FloatColumn:
    """What of each VM's disk stands on its host's own disks, which a live migration copies."""
    cluster = load.situation.cluster
    local = ~np.append(cluster.hosts.shared_storage, True)[load.origin[vms]]
    live = np.not_equal(cluster.vms.state[vms], model.VmState.SHUTOFF)
    disk: FloatColumn = np.where(local & live, load.situation.asked[2, vms], 0.0)
    return disk


def words(load: Load, vm: int) -> str:
    """What a copy of it holds: `8 GiB`, `8 GiB and a local disk of 40 GiB`."""
    memory = f"{load.situation.asked[1, vm] / 1024:.0f} GiB"
    disk = float(local_disk_gib(load, np.array([vm], np.int32))[0])
    if disk <= 0:
        return memory
    if load.situation.cluster.hosts.unsaid_storage[load.origin[vm]]:
        return f"{memory} and a disk of {disk:,.0f} GiB that counts as local, for host_types.shared_storage is not said"
    return f"{memory} and a local disk of {disk:,.0f} GiB"


def _disk_bytes(load: Load, vm: int, target: int) -> float:
    shared = rules.shares_disk(load, vm, np.array([target], np.int32))[0]
    return 0.0 if shared else rules.disk_bytes(load, vm)


def _link(load: Load, vm: int, target: int) -> float:
    return float(rules.link_bytes_s(load, vm, np.array([target], np.int32))[0])

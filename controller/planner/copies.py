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
        return completion.estimate(int(facts.completion[vm]), memory, link, facts.policy.migration)
    return precopy.estimate(memory, float(facts.dirty_bytes_s[vm]), link)


def forced(load: Load, vm: int, target: int) -> bool:
    """Whether the copy would take too long or never converge, and is forced to its end in time."""
    facts = load.situation
    if facts.completion[vm] == completion.Way.NONE or facts.cluster.vms.state[vm] == model.VmState.SHUTOFF:
        return False
    alone_s, forced_s = rules.live_copy_s(load, vm, np.array([_link(load, vm, target)]))
    return bool(alone_s[0] > rules.longest_copy_s(load, vm) >= forced_s[0])


def sent_gib(load: Load, vms: IntColumn) -> FloatColumn:
    """What moving each of them sends: `M L / (L - D)`, pre-copy's bound at its host's share of the link.

    Infinite where it would never converge, unless it may be forced to its end: then at most what that sends. The part
    for the dirty rate, `L / (L - D)`, is rounded down to a power of two: a rate of one minute tells no more, and VMs
    that differ by less are chosen by what they relieve.
    """
    memory = np.maximum(load.situation.asked[1, vms] / 1024.0, 2**-10)
    link, dirty = rules.leaving_bytes_s(load, vms), load.situation.dirty_bytes_s[vms]
    rounds = np.full(len(vms), np.inf)
    np.divide(link, link - dirty, out=rounds, where=link > dirty)
    sent: FloatColumn = memory * np.exp2(np.floor(np.log2(rounds)))
    may_force: BoolColumn = np.not_equal(load.situation.completion[vms], completion.Way.NONE)
    waited = load.situation.policy.migration.force_complete_after.total_seconds()
    most: FloatColumn = waited * link / amounts.GIB + memory
    return np.where(may_force, np.fmin(sent, most), sent)


def _link(load: Load, vm: int, target: int) -> float:
    return float(rules.link_bytes_s(load, vm, np.array([target], np.int32))[0])

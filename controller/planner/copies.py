"""What moving one server takes, by the link that its copy will have."""

import numpy as np

from controller.model import cluster as model
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import amounts, precopy, rules
from controller.planner.load import Load


def estimate(load: Load, vm: int, target: int) -> precopy.Estimate:
    """Of a live migration; of a cold one where the server is off."""
    facts = load.situation
    link = float(rules.link_bytes_s(load, vm, np.array([target], np.int32))[0])
    if facts.cluster.vms.state[vm] == model.VmState.SHUTOFF:
        return precopy.cold(float(facts.asked[2, vm]) * amounts.GIB, link)
    return precopy.estimate(float(facts.asked[1, vm]) * amounts.MIB, float(facts.dirty_bytes_s[vm]), link)


def sent_gib(load: Load, vms: IntColumn) -> FloatColumn:
    """What moving each of them sends: `M L / (L - D)`, pre-copy's bound at its host's share of the link.

    Infinite where it would never converge. The part for the dirty rate, `L / (L - D)`, is rounded down to a power
    of two: a rate of one minute tells no more, and VMs that differ by less are chosen by what they relieve.
    """
    memory = np.maximum(load.situation.asked[1, vms] / 1024.0, 2**-10)
    link, dirty = rules.leaving_bytes_s(load, vms), load.situation.dirty_bytes_s[vms]
    rounds = np.full(len(vms), np.inf)
    np.divide(link, link - dirty, out=rounds, where=link > dirty)
    sent: FloatColumn = memory * np.exp2(np.floor(np.log2(rounds)))
    return sent

"""What moving one server takes, by the link that its copy will have."""

import numpy as np

from controller.model import cluster as model
from controller.planner import amounts, precopy, rules
from controller.planner.load import Load


def estimate(load: Load, vm: int, target: int) -> precopy.Estimate:
    """Of a live migration; of a cold one where the server is off."""
    facts = load.situation
    link = float(rules.link_bytes_s(load, vm, np.array([target], np.int32))[0])
    if facts.cluster.vms.state[vm] == model.VmState.SHUTOFF:
        return precopy.cold(float(facts.asked[2, vm]) * amounts.GIB, link)
    return precopy.estimate(float(facts.asked[1, vm]) * amounts.MIB, float(facts.dirty_bytes_s[vm]), link)

"""The fewest moves that could bring every host below its limits, whatever the rules and wherever to."""

import numpy as np

from controller.planner.load import Load


def fewest(load: Load) -> int:
    """For each host the fewest of its VMs that together are its excess, of the quantity that takes most; summed.

    A host's VMs leave it one by one, and none of them leaves two hosts, so no plan mends all with fewer.
    """
    facts = load.situation
    quantities = [
        *zip(load.asked, facts.capacity, facts.asked, strict=True),
        *zip(load.used, facts.limit, facts.relieves, strict=True),
    ]
    most = np.zeros(len(facts.cluster.hosts.names), np.int64)
    for carried, limit, of_vms in quantities:
        for host in np.flatnonzero(carried > limit * (1.0 + 1e-9)).tolist():
            shares = np.sort(of_vms[load.host == host])[::-1].cumsum()
            most[host] = max(most[host], 1 + int(np.searchsorted(shares, carried[host] - limit[host])))
    return int(np.minimum(most, np.bincount(load.host[load.host >= 0], minlength=len(most))).sum())

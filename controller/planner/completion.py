"""Which live migrations are planned to be forced to their end, since pre-copy alone would not get there in time.

After `N = migration.force_complete_after` Nova is asked to force the copy. Where the source permits post-copy (its type
says so in the estate, and `migration.post_copy` that hosts are configured for it) the guest then runs on the target and
fetches what is missing. Elsewhere it is paused until the rest is copied: servers of tiers in
`migration.force_complete_tiers` for at most `migration.max_pause`, and those whose agency says so in the estate
(`systems.pause`) for as long as it says, in its windows. At the worst all of the memory `M` is left when it is forced,
over a link `L`:

    copy = N + M / L      sent = N L + M      blackout = M / L where it is paused, else the pause that pre-copy ends in

A disk `B` that is copied too must be over by then, `B / L <= N`: a guest that is paused before would wait for the rest
of its disk, and post-copy cannot begin.
"""

import math

import numpy as np

from controller.model import cluster as model
from controller.model.policy import MigrationPolicy
from controller.model.sample import FloatColumn
from controller.planner import precopy


def pauses_s(cluster: model.Cluster, policy: MigrationPolicy) -> FloatColumn:
    """(V,) for how long each guest may be paused where it stands, by its tier or its agency, whichever is longer.

    Infinite where its source permits post-copy, which pauses none; 0 where its copy may not be forced. Nobody says how
    much pause a VM of no known system bears.
    """
    systems, vms = cluster.systems, cluster.vms
    by_tier = np.isin(systems.tier, [int(each) for each in policy.force_complete_tiers])
    longest = np.maximum(systems.pause_s, np.where(by_tier, policy.max_pause.total_seconds(), 0.0))
    post_copy = policy.post_copy & np.append(cluster.hosts.post_copy, False)[vms.host]
    pauses: FloatColumn = np.where(post_copy, np.inf, np.append(longest, 0.0)[vms.system])
    return pauses


def longest_s(
    pause_s: float, memory_bytes: float, links_bytes_s: FloatColumn, policy: MigrationPolicy, disk_bytes: float = 0.0
) -> FloatColumn:
    """`N + M / L` for each link; infinite where the VM may not be forced over it, or paused for so long."""
    rest = np.full(len(links_bytes_s), np.inf)
    np.divide(memory_bytes, links_bytes_s, out=rest, where=links_bytes_s > 0)
    waited = policy.force_complete_after.total_seconds()
    may = (rest <= pause_s) & (pause_s > 0) & (precopy.disk_s(disk_bytes, links_bytes_s) <= waited)
    seconds: FloatColumn = np.where(may, waited + rest, np.inf)
    return seconds


def estimate(pause_s: float, memory_bytes: float, link_bytes_s: float, policy: MigrationPolicy) -> precopy.Estimate:
    """One migration that is forced."""
    waited, rest = policy.force_complete_after.total_seconds(), memory_bytes / link_bytes_s
    return precopy.Estimate(
        copy_s=waited + rest,
        sent_bytes=waited * link_bytes_s + memory_bytes,
        blackout_s=precopy.DOWNTIME_S if math.isinf(pause_s) else rest,
        forced=True,
    )

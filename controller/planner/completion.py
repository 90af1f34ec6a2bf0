"""Which live migrations are planned to be forced to their end, since pre-copy alone would not get there in time.

After `N = migration.force_complete_after` Nova is asked to force the copy. Where the source permits post-copy (its type
says so in the estate, and `migration.post_copy` that hosts are configured for it) the guest then runs on the target and
fetches what is missing. Elsewhere it is paused until the rest is copied, so only tiers of
`migration.force_complete_tiers` are planned so, and only for a pause of at most `migration.max_pause`. At the worst all
of the memory `M` is left when it is forced, over a link `L`:

    copy = N + M / L      sent = N L + M      blackout = M / L where it is paused, else the pause that pre-copy ends in

A disk `B` that is copied too must be over by then, `B / L <= N`: a guest that is paused before would wait for the rest
of its disk, and post-copy cannot begin.
"""

from enum import IntEnum

import numpy as np

from controller.model import cluster as model
from controller.model.cluster import ByteColumn
from controller.model.policy import MigrationPolicy
from controller.model.sample import FloatColumn
from controller.planner import precopy


class Way(IntEnum):
    """How a copy may be forced."""

    NONE = 0
    PAUSE = 1
    POST_COPY = 2


def ways(cluster: model.Cluster, policy: MigrationPolicy) -> ByteColumn:
    """(V,) of each VM where it stands; nobody says how much pause a VM of no known system bears."""
    vms = cluster.vms
    tier = np.append(cluster.systems.tier, np.int8(0))[vms.system]
    paused = np.isin(tier, [int(each) for each in policy.force_complete_tiers]) & (vms.system >= 0)
    found = np.where(paused, Way.PAUSE, Way.NONE)
    post_copy = policy.post_copy & np.append(cluster.hosts.post_copy, False)[vms.host]
    return np.where(post_copy, Way.POST_COPY, found).astype(np.int8)


def longest_s(
    way: int, memory_bytes: float, links_bytes_s: FloatColumn, policy: MigrationPolicy, disk_bytes: float = 0.0
) -> FloatColumn:
    """`N + M / L` for each link; infinite where the VM may not be forced over it."""
    rest = np.full(len(links_bytes_s), np.inf)
    np.divide(memory_bytes, links_bytes_s, out=rest, where=links_bytes_s > 0)
    allowed = {Way.NONE: -1.0, Way.PAUSE: policy.max_pause.total_seconds(), Way.POST_COPY: np.inf}[Way(way)]
    waited = policy.force_complete_after.total_seconds()
    may = (rest <= allowed) & (precopy.disk_s(disk_bytes, links_bytes_s) <= waited)
    seconds: FloatColumn = np.where(may, waited + rest, np.inf)
    return seconds


def estimate(way: int, memory_bytes: float, link_bytes_s: float, policy: MigrationPolicy) -> precopy.Estimate:
    """One migration that is forced."""
    waited, rest = policy.force_complete_after.total_seconds(), memory_bytes / link_bytes_s
    return precopy.Estimate(
        copy_s=waited + rest,
        sent_bytes=waited * link_bytes_s + memory_bytes,
        blackout_s=precopy.DOWNTIME_S if way == Way.POST_COPY else rest,
        forced=True,
    )

"""What hosts could take when servers were shown a way to them, against what they can take now. Pure."""

from collections.abc import Collection

import numpy as np

from controller.model.cluster import Cluster, Hosts
from controller.model.ids import HostName

TOLERANCE = 0.01
"""The share by which a capacity may shrink: what Placement tells of one is rounded and measured."""


def lost(before: Cluster, now: Cluster, leaving: Collection[HostName]) -> str | None:
    """Of which host that could receive servers less is left, in a sentence; None for none.

    Hosts that came or grew take nothing from a proof, and those that are `leaving` receive nothing.
    """
    then = before.hosts
    serving = then.enabled & then.up & ~then.draining & then.known
    rows = {name: row for row, name in enumerate(now.hosts.names)}
    for old in np.flatnonzero(serving):
        name = then.names[old]
        if name in leaving:
            continue
        new = rows.get(name)
        found = "has left Nova" if new is None else _gone(now.hosts, new) or _shrunk(then, int(old), now.hosts, new)
        if found:
            return f"{name} {found}"
    return None


def _gone(hosts: Hosts, row: int) -> str:
    if hosts.draining[row]:
        return "is being drained"
    if not hosts.enabled[row]:
        return "was disabled"
    if not hosts.up[row]:
        return "went down"
    return "" if hosts.known[row] else "is in the inventory no more"


def _shrunk(then: Hosts, old: int, hosts: Hosts, new: int) -> str:
    """Disk counts where it is the host's own: of what many hosts share each look tells something else."""
    columns = [
        ("vCPUs", then.vcpus[old], hosts.vcpus[new]),
        ("MiB of memory", then.memory_mib[old], hosts.memory_mib[new]),
    ]
    if not hosts.shared_storage[new]:
        columns.append(("GiB of disk", then.disk_gib[old], hosts.disk_gib[new]))
    for unit, could, can in columns:
        if can < could * (1 - TOLERANCE):
            return f"can take {can:,.0f} {unit}, which were {could:,.0f}"
    return ""

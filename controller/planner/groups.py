"""Groups of VMs that a rule binds, and what each VM's place in a fault domain costs its groups.

With `n(g, d)` the members of group `g` that have a copy in fault domain `d`:

    anti-affinity: excess(g) = sum over d of max(0, n(g, d) - max_per_domain)
    affinity:      excess(g) = sum over d other than the anchor of n(g, d)

The anchor is the domain that held most members when the plan began, the first of equals. Soft kinds have no excess;
they are a preference. A member whose domain is not known counts in none.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from controller.model import cluster as model
from controller.model.sample import IntColumn
from inventory.model import Domain

HARD = frozenset({model.GroupKind.AFFINITY, model.GroupKind.ANTI_AFFINITY})
APART = frozenset({model.GroupKind.ANTI_AFFINITY, model.GroupKind.SOFT_ANTI_AFFINITY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """One group as the planner holds it: `domain_of[host]`, and the anchor of an affinity group of two or more."""

    group: model.Group
    domain_of: IntColumn
    hard: bool
    anchor: int | None
    start: Counter[int]

    def excess(self, domain: int, members: int) -> int:
        """What `members` in that domain cost; 0 for soft kinds."""
        if not self.hard:
            return 0
        if self.group.kind in APART:
            return max(0, members - self.group.max_per_domain)
        return 0 if self.anchor is None or domain == self.anchor else members

    def admits(self, members: Mapping[int, int], there: IntColumn, anchor: int | None) -> model.BoolColumn:
        """For each of the domains whether one more member may stand in it, with so many `members` in each now."""
        if self.group.kind in APART:
            full = [domain for domain, count in members.items() if count >= self.group.max_per_domain]
            return ~np.isin(there, full)
        return np.ones(len(there), np.bool_) if anchor is None else np.equal(there, anchor)


def bonds(cluster: model.Cluster, domains: Mapping[Domain, IntColumn]) -> tuple[Bond, ...]:
    """Every group with its members counted where they are now, copies under way included."""
    return tuple(_bond(cluster, group, domains[group.domain]) for group in cluster.groups)


def by_vm(cluster: model.Cluster) -> dict[int, tuple[int, ...]]:
    """The groups of each VM that has any."""
    found: dict[int, list[int]] = {}
    for number, group in enumerate(cluster.groups):
        for vm in group.members.tolist():
            found.setdefault(vm, []).append(number)
    return {vm: tuple(numbers) for vm, numbers in found.items()}


def _bond(cluster: model.Cluster, group: model.Group, domain_of: IntColumn) -> Bond:
    start: Counter[int] = Counter()
    for vm in group.members.tolist():
        hosts = {int(cluster.vms.host[vm]), int(cluster.vms.target[vm])} - {-1}
        start.update({int(domain_of[host]) for host in hosts} - {-1})
    together = group.kind not in APART
    anchor = min(start, key=lambda domain: (-start[domain], domain)) if together and start.total() > 1 else None
    return Bond(group=group, domain_of=domain_of, hard=group.kind in HARD, anchor=anchor, start=start)

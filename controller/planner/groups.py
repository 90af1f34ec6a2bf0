"""Groups of VMs that a rule binds, and what each VM's place in a fault domain costs its groups.

With `n(g, d)` the members of group `g` that have a copy in fault domain `d`:

    anti-affinity: excess(g) = sum over d of max(0, n(g, d) - max_per_domain)
    affinity:      excess(g) = sum over d other than the anchor of n(g, d)

The anchor is the domain that held most members when the plan began, of equals the one where most memory is free
for them. Soft kinds have no excess; they are a preference. A member whose domain is not known counts in none.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from controller.model import cluster as model
from controller.model.sample import FloatColumn, IntColumn
from controller.planner.likeness import Likeness
from inventory.model import Domain

HARD = frozenset({model.GroupKind.AFFINITY, model.GroupKind.ANTI_AFFINITY})
APART = frozenset({model.GroupKind.ANTI_AFFINITY, model.GroupKind.SOFT_ANTI_AFFINITY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """One group as the planner holds it: `domain_of[host]`, and the anchor of an affinity group of two or more.

    `start`: its members by domain when the plan began.
    """

    group: model.Group
    domain_of: IntColumn
    hard: bool
    anchor: int | None
    start: Counter[int]

    def excesses(self, members: Mapping[int, int]) -> int:
        """What so many members in each domain cost together."""
        return sum(self.excess(domain, count) for domain, count in members.items()) if self.hard else 0

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


def bonds(
    cluster: model.Cluster, domains: Mapping[Domain, IntColumn], opened: model.BoolColumn, likeness: Likeness
) -> tuple[Bond, ...]:
    """Every group with its members counted where they are now, copies under way included. `opened`: hosts that may
    receive.
    """
    starts, free = _starts(cluster, domains), _Free(cluster, opened, likeness)
    return tuple(
        _bond(group, domains[group.domain], start, free) for group, start in zip(cluster.groups, starts, strict=True)
    )


def by_vm(cluster: model.Cluster) -> dict[int, tuple[int, ...]]:
    """The groups of each VM that has any."""
    found: dict[int, list[int]] = {}
    for number, group in enumerate(cluster.groups):
        for vm in group.members.tolist():
            found.setdefault(vm, []).append(number)
    return {vm: tuple(numbers) for vm, numbers in found.items()}


def _starts(cluster: model.Cluster, domains: Mapping[Domain, IntColumn]) -> list[Counter[int]]:
    """How many members of each group have a copy in each domain; two copies in one domain count once."""
    groups = cluster.groups
    if not groups:
        return []
    number = np.repeat(np.arange(len(groups)), [len(group.members) for group in groups])
    members = np.concatenate([group.members for group in groups])
    kinds = list(domains)
    kind = np.array([kinds.index(group.domain) for group in groups])[number]
    domain_of = np.stack([np.append(domains[each], -1) for each in kinds]).astype(np.int64)
    here, there = (domain_of[kind, column[members]] for column in (cluster.vms.host, cluster.vms.target))
    there = np.where(there == here, -1, there)
    width = int(domain_of.max(initial=0)) + 1
    pairs = np.concatenate([(number * width + domain)[domain >= 0] for domain in (here, there)])
    found: list[Counter[int]] = [Counter() for _ in groups]
    for pair, count in zip(*(each.tolist() for each in np.unique(pairs, return_counts=True)), strict=True):
        found[pair // width][pair % width] = count
    return found


def _bond(group: model.Group, domain_of: IntColumn, start: Counter[int], free: "_Free") -> Bond:
    together = group.kind not in APART
    anchor = free.anchor(group, domain_of, start) if together and start.total() > 1 else None
    return Bond(group=group, domain_of=domain_of, hard=group.kind in HARD, anchor=anchor, start=start)


class _Free:
    """How much more fault domains could take of a group: for telling those apart that hold as many of it."""

    def __init__(self, cluster: model.Cluster, opened: model.BoolColumn, likeness: Likeness) -> None:
        self._cluster, self._opened, self._likeness = cluster, opened, likeness

    @cached_property
    def _memory(self) -> FloatColumn:
        """Of each host, in MiB, 0 where it may receive nothing (H,)."""
        vms, hosts = self._cluster.vms, self._cluster.hosts
        placed = vms.host >= 0
        asked = np.bincount(vms.host[placed], weights=vms.memory_mib[placed], minlength=len(hosts.names))
        return np.where(self._opened, np.maximum(hosts.memory_mib - asked, 0.0), 0.0)

    def anchor(self, group: model.Group, domain_of: IntColumn, start: Counter[int]) -> int:
        """The domain that holds most; of equals the one with most memory free on hosts cleared for every member."""
        most = max(start.values())
        largest = [domain for domain, count in start.items() if count == most]
        if len(largest) == 1:
            return largest[0]
        cleared = self._cluster.hosts.clearance >= self._cluster.vms.classification[group.members].max()

        def last(domain: int) -> tuple[float, int]:
            there = domain_of == domain
            return -float(self._memory[there & cleared].sum()), int(self._likeness.hosts[there].min())

        return min(largest, key=last)

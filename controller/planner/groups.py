"""Groups of VMs that a rule binds, and what each VM's place in a fault domain costs its groups.

With `n(g, d)` the members of group `g` that have a copy in fault domain `d`:

    anti-affinity: excess(g) = sum over d of max(0, n(g, d) - max_per_domain) + missing(g)
                   missing(g) = max(0, min(min_domains, members, sum over d of n(g, d)) - domains with n(g, d) > 0)
    affinity:      excess(g) = sum over d other than the anchor of n(g, d)

The anchor is the domain that held most members when the plan began, of equals the one where most memory is free
for them. Soft kinds have no excess; they are a preference. A member whose domain is not known counts in none.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from controller.model import cluster as model
from controller.model.sample import FloatColumn, IntColumn
from controller.planner.likeness import Likeness
from inventory.model import Domain

Place = TypeVar("Place", bound=Hashable)

HARD = frozenset({model.GroupKind.AFFINITY, model.GroupKind.ANTI_AFFINITY})
APART = frozenset({model.GroupKind.ANTI_AFFINITY, model.GroupKind.SOFT_ANTI_AFFINITY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """One group as the planner holds it: `domain_of[host]`, and the anchor of an affinity group of two or more.

    `start`: its members by domain when the plan began. `under_way`: from which domain to which other its members were
    migrating then (-1: not known), where it wants several domains.
    """

    group: model.Group
    domain_of: IntColumn
    hard: bool
    anchor: int | None
    start: Counter[int]
    under_way: tuple[tuple[int, int], ...] = ()

    def excesses(self, members: Mapping[int, int]) -> int:
        """What so many members in each domain cost together."""
        if not self.hard:
            return 0
        return sum(self.excess(domain, count) for domain, count in members.items()) + self.missing(members)

    @property
    def wants_several(self) -> bool:
        """Whether its members are to stand in two domains or more."""
        return self.group.min_domains > 1 and self.hard and self.group.kind in APART

    def missing(self, members: Mapping[int, int]) -> int:
        """How many more domains should hold a member; 0 for kinds that want no number of them."""
        return missing(self.group, members) if self.wants_several else 0

    def excess(self, domain: int, members: int) -> int:
        """What `members` in that domain cost, however many domains hold any; 0 for soft kinds."""
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

    def keeps_domains(self, members: Mapping[int, int], here: int, there: IntColumn) -> model.BoolColumn:
        """For each of the domains whether a member may leave `here` for it, by the least number of domains:

        `domains after >= min(min_domains, domains now)`, wherever members under way arrive, and no more missing than
        now. None leaves a known domain for an unknown one.
        """
        if not self.wants_several:
            return np.ones(len(there), np.bool_)
        kept = self._keeps_counted(members, here, there)
        if not self.under_way:
            return kept
        least = certain(self.sure(members), self.known_ways, self.group.min_domains)
        stays = self.sure(Counter(members) - Counter([here]))
        sure = {each: surely(stays | {each}, self.known_ways, least) for each in np.unique(there).tolist()}
        return kept & (np.array([sure[each] for each in there.tolist()], np.bool_) | np.equal(there, here))

    def _keeps_counted(self, members: Mapping[int, int], here: int, there: IntColumn) -> model.BoolColumn:
        """The same where members under way count as holding both their domains."""
        held = [domain for domain, count in members.items() if count > 0]
        new = ~np.isin(there, held)
        if here < 0:
            counted = min(self.group.min_domains, len(self.group.members)) <= sum(members.values())
            return np.less(there, 0) | new | counted
        left = len(held) - (members[here] == 1)
        return np.equal(there, here) | ((there >= 0) & (new | (left >= min(self.group.min_domains, len(held)))))

    @property
    def known_ways(self) -> tuple[tuple[int, int], ...]:
        """Those of `under_way` of which both domains are known."""
        return tuple(way for way in self.under_way if min(way) >= 0)

    def sure(self, members: Mapping[int, int]) -> frozenset[int]:
        """The domains that hold one of so many `members` wherever those under way, who count on both ends, arrive."""
        unsure = Counter(domain for way in self.under_way for domain in way)
        return frozenset(domain for domain, count in members.items() if count > unsure[domain])

    def reliefs(self, members: Mapping[int, int], here: int) -> Iterator[model.BoolColumn]:
        """(H,) the hosts to which a member that leaves `here` lessens the excess, the best of them first; none where
        its leaving lessens nothing.
        """
        if here < 0 or not self.hard:
            return
        if members[here] > 1 and self.missing(members):
            held = [domain for domain, count in members.items() if count > 0]
            yield ~np.isin(self.domain_of, held) & (self.domain_of >= 0)
        if self.excess(here, members[here]):
            yield np.not_equal(self.domain_of, here)


def missing(group: model.Group, members: Mapping[int, int]) -> int:
    """How many more domains should hold a member, with so many of them in each now (see above)."""
    wanted = min(group.min_domains, len(group.members), sum(members.values()))
    return max(0, wanted - sum(count > 0 for count in members.values()))


def surely(held: frozenset[Place], moving: Sequence[tuple[Place, Place]], least: int) -> bool:
    """Whether so many domains hold a member, whichever of its two each of the `moving` ends in.

    `held` are those of members that stay. Moves of which no two have a domain in common hold one each; only where these
    are too few is every outcome looked at.
    """
    left = [each for each in moving if held.isdisjoint(each)]
    alone, seen = len(held), set[Place]()
    for each in left:
        if seen.isdisjoint(each):
            seen.update(each)
            alone += 1
    if alone >= least or not left:
        return alone >= least
    return all(surely(held | {domain}, left[1:], least) for domain in left[0])


def certain(held: frozenset[Place], moving: Sequence[tuple[Place, Place]], wanted: int) -> int:
    """How many domains hold a member whatever the outcome, `wanted` at the most."""
    return next((number for number in range(wanted, 0, -1) if surely(held, moving, number)), 0)


def bonds(
    cluster: model.Cluster, domains: Mapping[Domain, IntColumn], opened: model.BoolColumn, likeness: Likeness
) -> tuple[Bond, ...]:
    """Every group with its members counted where they are now, copies under way included. `opened`: hosts that may
    receive.
    """
    starts, free = _starts(cluster, domains), _Free(cluster, opened, likeness)
    return tuple(
        _bond(cluster, group, domains[group.domain], start, free)
        for group, start in zip(cluster.groups, starts, strict=True)
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


def _bond(cluster: model.Cluster, group: model.Group, domain_of: IntColumn, start: Counter[int], free: "_Free") -> Bond:
    together = group.kind not in APART
    anchor = free.anchor(group, domain_of, start) if together and start.total() > 1 else None
    ways = tuple(_ways(cluster.vms, group, domain_of)) if group.min_domains > 1 else ()
    return Bond(group=group, domain_of=domain_of, hard=group.kind in HARD, anchor=anchor, start=start, under_way=ways)


def _ways(vms: model.Vms, group: model.Group, domain_of: IntColumn) -> Iterator[tuple[int, int]]:
    migrating = group.members[(vms.host[group.members] >= 0) & (vms.target[group.members] >= 0)]
    for vm in migrating.tolist():
        here, there = int(domain_of[vms.host[vm]]), int(domain_of[vms.target[vm]])
        if here != there:
            yield here, there


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

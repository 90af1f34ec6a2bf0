"""Which groups' rules are broken of the servers that are lost or move: before, while they are down, and afterwards.

Of a group with `n(d)` members in fault domain `d` the rule is broken

    apart       where any n(d) > max_per_domain, or fewer domains hold one than min_domains and than there are members
    together    where members stand in more than one domain

soft kinds too: of these nothing keeps anybody from a place, so a restart may break them. While servers are down, those
that stand apart for one to outlast the other may all be down at once. A server without a place counts nowhere
afterwards.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from controller.model import cluster as model
from controller.model.whatif import BrokenRule
from controller.planner import groups
from controller.planner.situation import Situation
from controller.planner.whatif.restart import NOWHERE, Placed


def of_systems(situation: Situation, placed: Placed) -> Mapping[int, tuple[BrokenRule, ...]]:
    """By the system of each server concerned, sorted by rule; systems of which no rule is broken are left out."""
    vms = situation.cluster.vms
    touched: dict[int, set[int]] = {}
    for vm in placed.target:
        for number in situation.bonds_of.get(vm, ()):
            touched.setdefault(number, set()).add(vm)
    found: dict[int, list[BrokenRule]] = {}
    for number, concerned in touched.items():
        bond = situation.bonds[number]
        when = _when(situation, placed, bond, concerned)
        if any(when):
            rule = BrokenRule(rule=bond.group.name, before=when.before, down=when.down, after=when.after)
            for system in {int(vms.system[vm]) for vm in concerned} - {-1}:
                found.setdefault(system, []).append(rule)
    return {system: tuple(sorted(rules, key=lambda each: each.rule)) for system, rules in found.items()}


class _When(NamedTuple):
    before: bool
    down: bool
    after: bool


def _when(situation: Situation, placed: Placed, bond: groups.Bond, concerned: set[int]) -> _When:
    vms, after = situation.cluster.vms, Counter(bond.start)
    for vm in concerned:
        here, there = (int(bond.domain_of[host]) if host >= 0 else -1 for host in (vms.host[vm], vms.target[vm]))
        if here >= 0 and here != there:
            after[here] -= 1
        if placed.target[vm] != NOWHERE and (domain := int(bond.domain_of[placed.target[vm]])) >= 0:
            after[domain] += 1
    return _When(_broken(bond.group, bond.start), _all_down(situation, placed, bond.group), _broken(bond.group, after))


def _broken(group: model.Group, members: Mapping[int, int]) -> bool:
    counts = [count for count in members.values() if count > 0]
    if group.kind not in groups.APART:
        return len(counts) > 1
    return any(count > group.max_per_domain for count in counts) or groups.missing(group, members) > 0


def _all_down(situation: Situation, placed: Placed, group: model.Group) -> bool:
    """Whether a group of members that stand apart has two or more, and none of them runs until it has started again."""
    if placed.running or group.kind not in groups.APART or len(group.members) < 2:
        return False
    hosts = situation.cluster.vms.host[group.members]
    return bool((hosts >= 0).all() and placed.left.down[hosts].all())

"""What has no place, in words: a VM by the rules of its conflict, many VMs grouped by agency and by what holds them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from controller.planner import batteries, copies, describe
from controller.planner.conflict import FEW, Conflict
from controller.planner.load import Load
from inventory.model import Classification


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why a VM stays. `rule`: what holds it wherever to, else the rule that rules most hosts out; "" where it could go.

    `conflict`: where it may move and has no target.
    """

    vm: int
    rule: str
    conflict: Conflict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """VMs of one agency, or of many, that the same rules hold: how many, the first few names, the rules, a sentence."""

    agency: str
    vms: int
    names: tuple[str, ...]
    rules: tuple[str, ...]
    sentence: str


def reason(load: Load, verdict: Verdict) -> str:
    """Why this one VM stays, "" where it could go.

    `every target is ruled out: clearance (secret) rules out 40 of 47 hosts, capacity the other 7 (rack r4)`
    """
    conflict = verdict.conflict
    if conflict is None:
        words = {"": "", "same-host": "there is no other host"}
        return words.get(verdict.rule, describe.RULES.get(verdict.rule, verdict.rule))
    parts = []
    for at, share in enumerate(conflict.shares):
        verb = " rules out" if at == 0 else ""
        parts.append(f"{label(load, share.rule, verdict.vm)}{verb} {_hosts(conflict, at)}{_where(conflict, at)}")
    on_battery = "on-battery" in conflict.rules
    feeds = f"; on battery: {batteries.everywhere(load.situation.cluster)}" if on_battery else ""
    return f"every target is ruled out: {', '.join(parts)}{feeds}"


def ring(load: Load, vms: Sequence[int]) -> str:
    """`a to c2 and b to c1 would have to be at once: each needs the next one gone first …`."""
    cluster = load.situation.cluster
    hosts = [cluster.hosts.names[int(load.host[vm])] for vm in vms]
    ways = [f"{cluster.vms.names[vm]} to {to}" for vm, to in zip(vms, (*hosts[1:], hosts[0]), strict=True)]
    return (
        f"{', '.join(ways[:-1])} and {ways[-1]} would have to be at once: each needs the next one gone first, and no "
        "other host can take one for the moment"
    )


def label(load: Load, rule: str, vm: int) -> str:
    """The rule with what the VM asks of a host by it."""
    cluster = load.situation.cluster
    if rule == "clearance":
        return f"clearance ({_level(load, vm)})"
    if rule == "group":
        bonds = (load.situation.bonds[number] for number in load.situation.bonds_of.get(vm, ()))
        return f"group ({', '.join(bond.group.name for bond in bonds if bond.hard)})"
    if rule == "pre-copy" and copies.local_disk_gib(load, np.array([vm], np.int32))[0] > 0:
        return f"{rule} ({copies.words(load, vm)}; see host_types.shared_storage)"
    if rule == "availability-zone":
        return f"{rule} ({cluster.requirements[int(cluster.vms.requirement[vm])].availability_zone})"
    return rule


def grouped(load: Load, verdicts: Iterable[Verdict]) -> tuple[Stuck, ...]:
    """The VMs by rules, by classification where clearance is among these, and by agency where these are few; most VMs
    first.
    """
    kinds: dict[tuple[tuple[str, ...], str, bool], list[Verdict]] = {}
    for verdict in verdicts:
        rules, held = verdict.conflict.rules if verdict.conflict else (verdict.rule or "gain",), not verdict.conflict
        kinds.setdefault((rules, _level(load, verdict.vm) if "clearance" in rules else "", held), []).append(verdict)
    found = [_stuck(load, whose, kind[0], those) for kind, of in kinds.items() for whose, those in _owned(load, of)]
    return tuple(sorted(found, key=lambda group: (-group.vms, group.agency, group.rules, group.names)))


def _owned(load: Load, verdicts: Sequence[Verdict]) -> Iterable[tuple[str, Sequence[Verdict]]]:
    """By agency, or together where more agencies share them than a sentence can name."""
    owners: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        owners.setdefault(_agency(load, verdict.vm), []).append(verdict)
    return owners.items() if len(owners) <= FEW else [(f"{len(owners)} agencies", verdicts)]


def briefly(groups: Sequence[Stuck]) -> str:
    """The sentences of the first few groups, and the rules of the others."""
    said = "; ".join(group.sentence for group in groups[:FEW])
    others = groups[FEW:]
    rules = ", ".join(sorted({rule for group in others for rule in group.rules}))
    count = describe.counted(sum(group.vms for group in others), "more VM", "more VMs")
    return said + (f"; and {count} by {rules}" if others else "")


def _stuck(load: Load, agency: str, rules: tuple[str, ...], verdicts: Sequence[Verdict]) -> Stuck:
    names = tuple(load.situation.cluster.vms.names[verdict.vm] for verdict in verdicts[:FEW])
    whose = f"{describe.counted(len(verdicts), 'VM', 'VMs')} of {agency}"
    return Stuck(
        agency=agency, vms=len(verdicts), names=names, rules=rules, sentence=f"{whose} {_predicate(load, verdicts)}"
    )


def _predicate(load: Load, verdicts: Sequence[Verdict]) -> str:
    one = len(verdicts) == 1
    conflicts = [verdict.conflict for verdict in verdicts if verdict.conflict]
    if not conflicts:
        rule = verdicts[0].rule or "gain"
        return f"{'is' if one else 'are'} held by {rule} ({reason(load, verdicts[0]) or describe.RULES[rule]})"
    vms = [verdict.vm for verdict in verdicts]
    clauses = [_clause(load, vms, conflicts, at) for at in range(len(conflicts[0].shares))]
    said = ", and ".join(filter(None, (", ".join(clauses[:-1]), clauses[-1])))
    if conflicts[0].shares[0].rule == "clearance":
        return f"{'needs' if one else 'need'} {said}"
    return f"{'has' if one else 'have'} no target: {said}"


def _clause(load: Load, vms: Sequence[int], conflicts: Sequence[Conflict], at: int) -> str:
    """What one rule does to the hosts that those before it leave: `rack r4 is full`; of all the VMs, so without what
    is not the same for each.
    """
    shares = [conflict.shares[at] for conflict in conflicts]
    first, alike = shares[0], len({share.rest for share in shares}) == 1
    hosts = _hosts(conflicts[0], at) if alike else _at_most(conflicts, at)
    one, racks = alike and first.rest == 1, {share.racks for share in shares}
    where = _where(conflicts[0], at) if alike and len(racks) == 1 else ""
    if at == 0 and first.rule == "clearance":
        return f"clearance {_level(load, vms[0])}, which {hosts} lack{'s' if one else ''}"
    if first.rule == "capacity":
        if len(racks) == 1 and all(share.whole for share in shares):
            named = ", ".join(first.racks)
            return f"racks {named} are full" if len(first.racks) > 1 else f"rack {named} is full"
        return f"{hosts}{where} {'is' if one else 'are'} full"
    labels = {label(load, first.rule, vm) for vm in vms}
    return f"{labels.pop() if len(labels) == 1 else first.rule} rules out {hosts}{where}"


def _at_most(conflicts: Sequence[Conflict], at: int) -> str:
    """Of VMs from which a rule takes not the same hosts: `up to 40 of 47 hosts`, `up to 3 more`, `the others`."""
    most = max(conflict.shares[at].rest for conflict in conflicts)
    if at == 0:
        return f"up to {most} of {conflicts[0].pairs // conflicts[0].vms} hosts"
    return f"up to {most} more" if at < len(conflicts[0].shares) - 1 else "the others"


def _hosts(conflict: Conflict, at: int) -> str:
    """How many hosts a rule of a conflict takes from what is left: `40 of 47 hosts`, `3 more`, `the other 4 hosts`."""
    share, hosts = conflict.shares[at], conflict.pairs // conflict.vms
    if at == 0:
        if share.rest < hosts:
            return f"{share.rest} of {hosts} hosts"
        return f"all {hosts} hosts" if hosts > 1 else "the only other host"
    if at < len(conflict.shares) - 1:
        return f"{share.rest} more"
    return f"the other {share.rest} hosts" if share.rest > 1 else "the other host"


def _where(conflict: Conflict, at: int) -> str:
    """The racks of what a rule takes, where they are few and not simply all."""
    racks = conflict.shares[at].racks
    if not racks or len(conflict.shares) == 1:
        return ""
    return f" ({'racks' if len(racks) > 1 else 'rack'} {', '.join(racks)})"


def _level(load: Load, vm: int) -> str:
    return Classification(int(load.situation.cluster.vms.classification[vm])).name.lower()


def _agency(load: Load, vm: int) -> str:
    agency = int(load.situation.agency[vm])
    return load.situation.cluster.agencies.names[agency] if agency >= 0 else "no agency"

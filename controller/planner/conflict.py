"""Why nothing has a place: a minimal set of rules that together leave no target.

For a pair of a VM and another host let P be all the rules that rule the pair out. A set S of rules is

    conflicting   where S & P is not empty for every pair: these rules alone leave no target
    minimal       where each rule of S is the only one of S in some P: without it these rules would leave a target

Found by deletion: of all rules each is dropped whose others still are conflicting, the one that rules out fewest pairs
first, of equals the later in order. That gives one minimal set and always the same one; there may be others.

A set of rules is the bits of an integer, so that thousands of hosts come to a few distinct P.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.model.cluster import BoolColumn
from controller.model.ids import HostName
from controller.model.sample import IntColumn
from controller.planner import rules
from controller.planner.load import Load

Bits = NDArray[np.int64]
"""For each pair the rules that rule it out, bit n for rule n."""

Patterns = Mapping[int, int]
"""Distinct bits with how many pairs have each."""

FEW = 3
"""Hosts or racks that a sentence can name."""

RELIEF = "relief"
"""The rule that a move must leave what it is to relieve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one rule of the set does. `rules_out`: pairs that it rules out in all; `rest`: those of them that no earlier
    rule of the set does, all in `racks` where these are few, and on every host of them where `whole`.

    `alone`: hosts that nothing else of all rules keeps a VM from, the first few of them.
    """

    rule: str
    rules_out: int
    rest: int
    racks: tuple[str, ...]
    whole: bool
    alone: tuple[HostName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A minimal conflicting set over `pairs` of VMs and other hosts, `vms` VMs."""

    vms: int
    pairs: int
    shares: tuple[Share, ...]

    @property
    def rules(self) -> tuple[str, ...]:
        """The set's rules."""
        return tuple(share.rule for share in self.shares)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs of `vms` VMs with the hosts they are not on: each pair's host, and the rules against it (bits of names)."""

    names: tuple[str, ...]
    hosts: IntColumn
    bits: Bits
    vms: int = 1

    def patterns(self) -> Patterns:
        """The distinct P, and how many pairs have each."""
        distinct, counts = np.unique(self.bits, return_counts=True)
        return dict(zip(distinct.tolist(), counts.tolist(), strict=True))


def first(names: Sequence[str], patterns: Patterns) -> Counter[str]:
    """How many pairs each rule is the first to rule out, "" for those that no rule does."""
    found: Counter[str] = Counter()
    for bits, count in patterns.items():
        found[names[(bits & -bits).bit_length() - 1] if bits else ""] += count
    return found


class Bars:
    """Which rules bar a VM from each host, under one load."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._shut = load.situation.standing.shut
        self._static = rules.STATIC[1:]
        self._others = (*rules.PER_VM, *rules.DYNAMIC)
        self._kinds: dict[tuple[int, int], Bits] = {}
        of_rules = tuple(rule.name for rule in (*self._static, *self._others))
        self.names = (*self._shut, *of_rules, RELIEF)
        self._every = np.arange(len(load.situation.cluster.hosts.names), dtype=np.int32)

    def pairs(self, vm: int, within: IntColumn | None = None) -> Pairs:
        """The VM with every host but its own; a move relieves what it is made for where it goes `within` these."""
        bits, start = self._kind(vm).copy(), len(self._shut) + len(self._static)
        for bit, rule in enumerate(self._others, start=start):
            bits |= _bit(~rule.admits(self._load, vm, self._every), bit)
        if within is not None:
            bits |= _bit(~np.isin(self._every, within), len(self.names) - 1)
        others = self._every[self._every != self._load.host[vm]]
        return Pairs(names=self.names, hosts=others, bits=bits[others])

    def _kind(self, vm: int) -> Bits:
        """What rules of the host and the kind of VM alone say, remembered."""
        vms = self._load.situation.cluster.vms
        kind = int(vms.requirement[vm]), int(vms.classification[vm])
        if kind not in self._kinds:
            masks = [*self._shut.values(), *(~rule.admits(self._load, vm, self._every) for rule in self._static)]
            bits = np.zeros(len(self._every), np.int64)
            for bit, mask in enumerate(masks):
                bits |= _bit(mask, bit)
            self._kinds[kind] = bits
        return self._kinds[kind]


def _bit(mask: BoolColumn, bit: int) -> Bits:
    bits: Bits = np.left_shift(mask.astype(np.int64), bit)
    return bits


def together(pairs: Sequence[tuple[str, Pairs]]) -> Pairs:
    """The pairs of several VMs; the rule that holds a VM wherever to, where there is one, stands against all of its.

    What holds one VM and bars hosts to another (no trusted readings, say) is one rule.
    """
    of_hosts = pairs[0][1].names
    held = tuple(sorted({rule for rule, _ in pairs if rule and rule not in of_hosts}))
    names = (*held, *of_hosts)
    assert len(names) < np.iinfo(np.int64).bits, "one bit a rule"
    bits = [
        np.left_shift(each.bits, len(held)) | (1 << names.index(rule) if rule else np.int64(0)) for rule, each in pairs
    ]
    hosts = np.concatenate([each.hosts for _, each in pairs])
    return Pairs(names=names, hosts=hosts, bits=np.concatenate(bits), vms=len(pairs))


def minimal(patterns: Patterns) -> tuple[int, ...]:
    """The bits of a minimal conflicting set, in order; none where there is no such set."""
    kept = 0
    for bits in patterns:
        kept |= bits
    if not kept or 0 in patterns:
        return ()
    rules_ = [bit for bit in range(kept.bit_length()) if kept >> bit & 1]
    covered = {bit: sum(count for bits, count in patterns.items() if bits >> bit & 1) for bit in rules_}
    for bit in sorted(rules_, key=lambda rule: (covered[rule], -rule)):
        without = kept & ~(1 << bit)
        if all(bits & without for bits in patterns):
            kept = without
    return tuple(bit for bit in rules_ if kept >> bit & 1)


def found(load: Load, pairs: Pairs, patterns: Patterns | None = None) -> Conflict | None:
    """The minimal conflicting set of these pairs; None where some pair is ruled out by nothing, or there is none.

    `patterns` are those of the pairs, where they are at hand.
    """
    kept = minimal(pairs.patterns() if patterns is None else patterns)
    if not kept:
        return None
    left = np.ones(len(pairs.bits), np.bool_)
    shares = []
    for bit in kept:
        out = (pairs.bits >> bit) & 1 == 1
        shares.append(_share(load, pairs, bit, out, left & out))
        left &= ~out
    return Conflict(vms=pairs.vms, pairs=len(pairs.bits), shares=tuple(shares))


def _share(load: Load, pairs: Pairs, bit: int, out: BoolColumn, rest: BoolColumn) -> Share:
    cluster = load.situation.cluster
    rest_hosts, alone = _hosts(load, pairs.hosts[rest]), _hosts(load, pairs.hosts[pairs.bits == 1 << bit])
    rack = cluster.hosts.rack
    racks = np.flatnonzero(np.bincount(rack[rest_hosts] + 1, minlength=1))[: FEW + 1] - 1
    few = 0 < len(racks) <= FEW and int(racks[0]) >= 0
    whole = few and int(np.isin(rack[_hosts(load, pairs.hosts)], racks).sum()) == len(rest_hosts)
    return Share(
        rule=pairs.names[bit],
        rules_out=int(np.count_nonzero(out)),
        rest=int(np.count_nonzero(rest)),
        racks=tuple(cluster.racks.names[row] for row in racks.tolist()) if few else (),
        whole=whole,
        alone=tuple(cluster.hosts.names[host] for host in alone[:FEW].tolist()),
    )


def _hosts(load: Load, rows: IntColumn) -> IntColumn:
    """Each host once, in order."""
    seen = np.zeros(len(load.situation.cluster.hosts.names), np.bool_)
    seen[rows] = True
    return np.flatnonzero(seen).astype(np.int32)


def as_counts(first: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Rules and the hosts that each is the first to rule out, most first."""
    return tuple(sorted(((rule, n) for rule, n in first.items() if rule), key=lambda item: (-item[1], item[0])))

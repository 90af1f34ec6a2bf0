"""The objective term by term: what one move changes in each, and the term that pays for the move.

    score(concern) = sum of its terms;   change(concern) = sum over the terms that the move changes

A term is one summand of `score`: the VMs on one host that must be emptied, what is too much of one resource on one
host or supply, the excess of one group, how far one host stands above its rack. A move changes few of thousands.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.plan import Concern
from controller.model.sample import FloatColumn
from controller.planner import amounts, classify, score, supplies
from controller.planner.load import Load
from controller.planner.standing import first_rule

FAILING = ("health", "inlet")
"""Rules of hosts that fail; a VM on a host that fails by several counts once, by the first."""

LIKEWISE = 1e-12
"""Scores that differ by less are the same but for rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One summand of the objective before and after a move. `key` is its breach's (`cpu:c17`), `what` is for people.

    `amount_before` and `amount_after` are in `unit`, against a limit that may change too (a rack's mean). `before` and
    `after` are what it adds to the score of its concern; 0 where the limit holds.
    """

    concern: Concern
    key: str
    what: str
    unit: str
    amount_before: float
    amount_after: float
    limit_before: float
    limit_after: float
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Many summands of one kind, a row each."""

    concern: Concern
    keys: Sequence[str]
    whats: Sequence[str]
    unit: str
    amount: FloatColumn
    limit: FloatColumn
    score: FloatColumn


def of_move(load: Load, vm: int, target: int, breach: str) -> tuple[Term, ...]:
    """The terms that change when the VM goes to `target`, and that of the breach it moves for; the largest fall first.

    The load is left as it was.
    """
    source = int(load.host[vm])
    before = tuple(_parts(load, vm))
    load.move(vm, target)
    after = tuple(_parts(load, vm))
    load.move(vm, source)
    rule, _, subject = breach.partition(":")
    emptied = f":{subject}" if rule in FAILING else None
    found = [term for pair in zip(before, after, strict=True) for term in _changed(*pair, breach)]
    named = [replace(term, key=breach) if _empties(term, emptied) else term for term in found]
    order = load.situation.policy.objective
    return tuple(sorted(named, key=lambda term: (order.index(term.concern), term.after - term.before, term.key)))


def paying(terms: Sequence[Term], breach: str) -> Term | None:
    """The term that the move is worth its cost for: its breach's where that falls, else the largest fall of the most
    urgent concern; None where none falls.
    """
    falling = [term for term in terms if term.after < term.before - LIKEWISE]
    own = [term for term in falling if term.key == breach]
    return next(iter(own or falling), None)


def words(term: Term) -> str:
    """`CPU of c17 93.0% → 81.0%, may be 85.0%`."""
    limits = [amount(term.unit, limit) for limit in (term.limit_before, term.limit_after)]
    between = f"{amount(term.unit, term.amount_before)} → {amount(term.unit, term.amount_after)}"
    return f"{term.what} {between}, may be {' → '.join(dict.fromkeys(limits))}"


def amount(unit: str, value: float) -> str:
    """An amount with its unit for people."""
    if unit == "ratio":
        return f"{value:.1%}"
    return f"{value:.0f} {unit}" if unit else f"{value:g}"


def _empties(term: Term, emptied: str | None) -> bool:
    return emptied is not None and term.key.endswith(emptied) and term.key.partition(":")[0] in FAILING


def _changed(before: _Part, after: _Part, breach: str) -> Iterator[Term]:
    asked = np.array([key == breach for key in before.keys], np.bool_) & np.isfinite(before.amount)
    for row in np.flatnonzero((np.abs(after.score - before.score) > LIKEWISE) | asked).tolist():
        yield Term(
            concern=before.concern,
            key=before.keys[row],
            what=before.whats[row],
            unit=before.unit,
            amount_before=float(before.amount[row]),
            amount_after=float(after.amount[row]),
            limit_before=float(before.limit[row]),
            limit_after=float(after.limit[row]),
            before=float(before.score[row]),
            after=float(after.score[row]),
        )


def _parts(load: Load, vm: int) -> Iterator[_Part]:
    """All summands that a move of the VM can change."""
    yield _failing(load)
    yield _drained(load)
    yield _misplaced(load, vm)
    yield _misfitting(load, vm)
    yield _ungrouped(load, vm)
    yield from _over_capacity(load)
    yield from _hot(load)
    yield _hot_power(load)
    yield from _short_of_reserve(load)
    yield _uneven(load)
    if load.situation.policy.consolidation.enabled:
        yield _in_use(load)


def _failing(load: Load) -> _Part:
    judged, names = load.situation.standing, load.situation.cluster.hosts.names
    rules = first_rule(*zip(FAILING, (judged.sick, judged.overheated), strict=True)).tolist()
    keys = [f"{rule}:{name}" for rule, name in zip(rules, names, strict=True)]
    return _emptied(load, Concern.BROKEN, keys, judged.failing)


def _drained(load: Load) -> _Part:
    hosts = load.situation.cluster.hosts
    return _emptied(load, Concern.DRAIN, [f"drain:{name}" for name in hosts.names], hosts.draining)


def _emptied(load: Load, concern: Concern, keys: Sequence[str], hosts: BoolColumn) -> _Part:
    """Hosts on which no VM is to be left."""
    on = load.vms_on.astype(np.float64)
    return _Part(
        concern=concern,
        keys=keys,
        whats=[f"VMs on {name}" for name in load.situation.cluster.hosts.names],
        unit="",
        amount=on,
        limit=np.zeros(len(on)),
        score=np.where(hosts, on, 0.0),
    )


def _misplaced(load: Load, vm: int) -> _Part:
    cluster, host = load.situation.cluster, int(load.host[vm])
    level, cleared = float(cluster.vms.classification[vm]), float(cluster.hosts.clearance[host])
    return _Part(
        concern=Concern.BROKEN,
        keys=[f"clearance:{cluster.vms.ids[vm]}"],
        whats=[f"levels of {cluster.vms.names[vm]} above its host's clearance"],
        unit="",
        amount=np.array([max(0.0, level - cleared)]),
        limit=np.zeros(1),
        score=np.array([float(level > cleared)]),
    )


def _misfitting(load: Load, vm: int) -> _Part:
    cluster = load.situation.cluster
    against = classify.misfits(load, vm) if load.misfit[vm] else ()
    return _Part(
        concern=Concern.BROKEN,
        keys=[f"admission:{cluster.vms.ids[vm]}"],
        whats=[f"rules by which Nova would not put {cluster.vms.names[vm]} on its host"],
        unit="",
        amount=np.array([float(len(against))]),
        limit=np.zeros(1),
        score=np.array([float(bool(against))]),
    )


def _ungrouped(load: Load, vm: int) -> _Part:
    numbers = list(load.situation.bonds_of.get(vm, ()))
    bonds = [load.situation.bonds[number] for number in numbers]
    excess = load.excess_of[numbers].astype(np.float64)
    return _Part(
        concern=Concern.BROKEN,
        keys=[f"group:{bond.group.name}" for bond in bonds],
        whats=[f"members of group {bond.group.name} out of place" for bond in bonds],
        unit="",
        amount=np.array(excess),
        limit=np.zeros(len(bonds)),
        score=np.array(excess),
    )


def _over_capacity(load: Load) -> Iterator[_Part]:
    names = load.situation.cluster.hosts.names
    for (unit, divisor), asked, capacity in zip(classify.RESOURCES, load.asked, load.situation.capacity, strict=True):
        yield _Part(
            concern=Concern.BROKEN,
            keys=[f"capacity:{name}" for name in names],
            whats=[f"placed on {name}" for name in names],
            unit=unit,
            amount=asked / divisor,
            limit=capacity / divisor,
            score=np.maximum(asked / np.maximum(capacity, 1.0) - 1.0, 0.0),
        )


def _hot(load: Load) -> Iterator[_Part]:
    situation = load.situation
    names, whole = situation.cluster.hosts.names, np.maximum(amounts.whole(situation.cluster.hosts), 1e-9)
    for row, (rule, what) in enumerate(zip(amounts.MEASURED, ("CPU", "memory", "link", "storage path"), strict=True)):
        yield _Part(
            concern=Concern.HOT,
            keys=[f"{rule}:{name}" for name in names],
            whats=[f"{what} of {name}" for name in names],
            unit="ratio",
            amount=load.used[row] / whole[row],
            limit=situation.limit[row] / whole[row],
            score=score.excess(load.used[row], situation.limit[row]),
        )


def _hot_power(load: Load) -> _Part:
    power = load.situation.cluster.power
    keys = [supplies.key(power, row) for row in range(len(power.names))]
    return _Part(
        concern=Concern.HOT,
        keys=keys,
        whats=[f"{key.replace(':', ' ', 1)} alone" for key in keys],
        unit="W",
        amount=load.least.copy(),
        limit=power.limit_watts,
        score=score.excess(load.least, power.limit_watts),
    )


def _short_of_reserve(load: Load) -> Iterator[_Part]:
    failover = load.failover
    if failover is None:
        return
    needed, free, shares, names = failover.needed, failover.free, failover.shares, failover.pools.names
    for row, (unit, divisor) in enumerate(classify.RESOURCES):
        yield _Part(
            concern=Concern.HOT,
            keys=[f"{classify.RESERVE}:{name}" for name in names],
            whats=[f"what {name} need for hosts that may be lost" for name in names],
            unit=unit,
            amount=needed[:, row] / divisor,
            limit=free[:, row] / divisor,
            score=shares[:, row],
        )


def _uneven(load: Load) -> _Part:
    names = load.situation.cluster.hosts.names
    every = np.arange(len(names), dtype=np.int32)
    return _Part(
        concern=Concern.UNEVEN,
        keys=[f"uneven:{name}" for name in names],
        whats=[f"{load.situation.balance.what} of {name} beside its rack's mean" for name in names],
        unit="ratio",
        amount=score.busy_ratio(load, every),
        limit=score.even_ratio(load, every),
        score=score.unevenness(load),
    )


def _in_use(load: Load) -> _Part:
    names = load.situation.cluster.hosts.names
    return _Part(
        concern=Concern.CONSOLIDATION,
        keys=[f"free:{name}" for name in names],
        whats=[f"VMs on {name}, which may be freed," for name in names],
        unit="",
        amount=load.vms_on.astype(np.float64),
        limit=np.zeros(len(names)),
        score=score.in_use(load).astype(np.float64),
    )

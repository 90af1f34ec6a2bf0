"""What would have to be true for a move not to be made: what asks for it gone, its VM held, its target closed.

A move is made for a breach. In a plan of a snapshot without that breach none is made for it, and no move of a plan
makes a new one (unevenness aside). A VM may stand in several breaches, and then each would still ask for its move: so
the conditions of all of them are told together. Each counterfactual alone is enough;
`tests/properties/test_counterfactual_properties.py` plans the changed snapshot anew and looks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from controller.model.plan import Breach, Concern, Move, Plan
from controller.planner import amounts, classify, conditions, copies, mending, supplies, terms
from controller.planner.conditions import Condition
from controller.planner.load import Load


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """Were all `conditions` true, the VM would not be moved for any of `breaches`; where that is empty, `stops` says
    what would not be: the move (`all`) or this target (`target`).
    """

    stops: str
    breaches: tuple[str, ...]
    conditions: tuple[Condition, ...]
    sentence: str


def of_move(load: Load, plan: Plan, move: Move) -> tuple[Counterfactual, ...]:
    """All that can be said, what asks for the move first. `load` is that of the snapshot, before any move."""
    vm = load.situation.cluster.vms.ids.index(move.vm)
    asking = tuple(breach for breach in plan.breaches_before if _asks(load, breach, vm))
    found: list[Counterfactual] = []
    if any(breach.key == move.breach for breach in asking):
        for way in (conditions.in_snapshot, conditions.in_limit, conditions.in_time):
            ended = [way(load, breach) for breach in asking]
            if all(ended):
                found.append(_without(asking, tuple(dict.fromkeys(one for several in ended for one in several))))
    if move.concern is Concern.UNEVEN:
        found.extend(_unlevelled(load, move, vm))
    if move.concern is Concern.CONSOLIDATION:
        found.extend(_unfreed(load, plan, move))
    return (*found, *_held(load, vm), _elsewhere(move))


def of_breach(breach: Breach) -> str:
    """The same in a sentence from a plan alone, which knows the breach's amount and its limit."""
    now, limit = (terms.amount(breach.unit, value) for value in (breach.amount, breach.limit))
    if breach.concern is Concern.HOT:
        return f"would not move for {breach.key} if that were at most {limit} (it is {now})"
    return f"would not move for {breach.key} if this were not so: {breach.why}"


def _asks(load: Load, breach: Breach, vm: int) -> bool:
    """Whether the VM's move may be made for this breach: one that is acted on, and that it, its host or a supply of its
    host stands in.
    """
    situation, host = load.situation, int(load.host[vm])
    drained = situation.drained(vm)
    allowed = host in situation.drains if drained or breach.rule == "drain" else situation.own_moves
    balanced = breach.concern is not Concern.UNEVEN or (situation.policy.balance and situation.own_moves)
    acted_on = breach.rule in mending.MENDERS or breach.concern is Concern.UNEVEN
    return allowed and balanced and acted_on and classify.lasting(load, breach) and stands_in(load, breach, vm)


def stands_in(load: Load, breach: Breach, vm: int) -> bool:
    """Whether the breach is of the VM, of a group of it, of its host or of a supply of its host."""
    host = int(load.host[vm])
    cluster = load.situation.cluster
    if breach.rule in classify.OF_VM:
        return breach.subject == cluster.vms.ids[vm]
    if breach.rule == "group":
        bonds = (load.situation.bonds[number] for number in load.situation.bonds_of.get(vm, ()))
        return any(bond.hard and bond.group.name == breach.subject for bond in bonds)
    if breach.rule in conditions.SUPPLIES:
        return any(supplies.key(cluster.power, row) == breach.key for row in load.situation.watts.rows[host])
    if breach.rule == classify.RESERVE:
        return load.failover is not None and vm in load.failover.fillers(
            load.failover.number(breach.subject), load.host
        )
    return breach.subject == cluster.hosts.names[host]


def _without(asking: tuple[Breach, ...], ended: tuple[Condition, ...]) -> Counterfactual:
    """Of several waits for one policy the longest is the condition."""
    waits = [condition for condition in ended if condition.what == "sustained"]
    if waits:
        ended = (max(waits, key=lambda condition: condition.at),)
    keys = tuple(breach.key for breach in asking)
    words = " and ".join(condition.words for condition in ended)
    if not waits and any(breach.concern is Concern.UNEVEN for breach in asking):
        words += ", unless other moves make it uneven again"
    return Counterfactual(
        stops="breaches",
        breaches=keys,
        conditions=ended,
        sentence=f"would not move for {' or '.join(keys)} if {words}",
    )


def _unlevelled(load: Load, move: Move, vm: int) -> Iterator[Counterfactual]:
    """`gain <= what leaves / threads of the host`, whatever the load: a price above it buys no move of this VM."""
    situation, host = load.situation, int(load.host[vm])
    now = situation.policy.limits.gain_per_gib
    gib = float(copies.sent_gib(load, np.array([vm], np.int32))[0])
    leaves = situation.balance.on_host(situation.relieves[:, vm], host)
    above = (1.0 + amounts.ROUNDING) * leaves / float(situation.cluster.hosts.threads[host]) / gib
    earn = f"each GiB copied had to earn {above:.2g} (limits.gain_per_gib, it is {now:g})"
    price = Condition(what="gain_per_gib", subject=move.vm_name, unit="", now=now, at=above, words=earn)
    off = Condition(what="balance", subject="policy", unit="", now=1.0, at=0.0, words="policy.balance were off")
    for condition in (off, price):
        if condition is off or move.breach.endswith(f":{move.source}"):
            yield Counterfactual(
                stops="breaches",
                breaches=(move.breach,),
                conditions=(condition,),
                sentence=f"would not move for {move.breach} if {condition.words}",
            )


def _unfreed(load: Load, plan: Plan, move: Move) -> Iterator[Counterfactual]:
    """A host is freed where policy lets it be, and where it saves enough for what is copied."""
    now = load.situation.policy.consolidation.watts_per_gib
    freed = next(freed for freed in plan.frees if freed.host == move.source)
    saved = freed.idle_watts / freed.copied_gib
    save = f"each GiB copied had to save more than {saved:.2g} W (consolidation.watts_per_gib, it is {now:g})"
    price = Condition(what="watts_per_gib", subject=move.source, unit="W/GiB", now=now, at=saved, words=save)
    off = Condition(
        what="consolidation", subject="policy", unit="", now=1.0, at=0.0, words="policy.consolidation were off"
    )
    for condition in (off, price):
        yield Counterfactual(
            stops="breaches",
            breaches=(move.breach,),
            conditions=(condition,),
            sentence=f"would not move for {move.breach} if {condition.words}",
        )


def _held(load: Load, vm: int) -> Iterator[Counterfactual]:
    """What keeps the VM where it is, whatever asks: its owner's window, and outside of a drain a lock."""
    cluster = load.situation.cluster
    name, system = cluster.vms.names[vm], int(cluster.vms.system[vm])
    held = []
    if not load.situation.drained(vm):
        held.append(("locked", name, "it were locked"))
    if system >= 0:
        held.append(
            ("window", cluster.systems.names[system], f"the window of {cluster.systems.names[system]} were closed")
        )
    for what, subject, words in held:
        condition = Condition(what=what, subject=subject, unit="", now=0.0, at=1.0, words=words)
        yield Counterfactual(stops="all", breaches=(), conditions=(condition,), sentence=f"would not move if {words}")


def _elsewhere(move: Move) -> Counterfactual:
    words = f"{move.target} were disabled"
    condition = Condition(what="disabled", subject=move.target, unit="", now=0.0, at=1.0, words=words)
    return Counterfactual(
        stops="target", breaches=(), conditions=(condition,), sentence=f"would not go to {move.target} if {words}"
    )

"""Answers "why?" of a move, a VM, a host or a breach: one sentence, the numbers, and what would have to be otherwise.

Of a move: the terms of the objective that it changes and the one that pays for it, what would have to be true for it
not to be made, the next best target and what ruled it out. Of a VM that stays and of a breach that is left: a minimal
set of rules that leaves no target. `docs/explain.md` says what each field holds.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from controller import errors
from controller.model import cluster as model
from controller.model.ids import HostName, ServerId
from controller.model.plan import WRONG, Alternative, Breach, Concern, Move, Plan
from controller.model.policy import Policy
from controller.planner import (
    check,
    classify,
    conflict,
    counterfactual,
    describe,
    explanation,
    figures,
    mending,
    preference,
    rules,
    situation,
    stuck,
    supplies,
    terms,
    unfreed,
)
from controller.planner.budget import Ledger
from controller.planner.explanation import Explanation
from controller.planner.holds import Holds
from controller.planner.load import Load
from controller.planner.terms import Term


def explain(
    cluster: model.Cluster,
    policy: Policy,
    plan: Plan,
    subject: str,
    *,
    only: Collection[HostName] | None = None,
    cold: Collection[HostName] = (),
) -> Explanation:
    """Of the plan made from this snapshot. `subject`: a move's number, a VM's id or name, a host's name, a breach's.

    Raises `InputError` where it is none of them, where several VMs bear the name, or where the plan was made from
    another snapshot or under another policy.
    """
    if (plan.estate, plan.snapshot_at) != (cluster.estate, cluster.taken_at):
        raise errors.InputError(
            f"plan {plan.id} was made from a snapshot of {plan.estate} at {plan.snapshot_at.isoformat()}",
            remedy="explain it with its own snapshot, or leave the plan out",
        )
    facts = situation.of_cluster(cluster, policy, plan.created_at, only=only, cold=cold)
    if flaw := next(_misfits(facts, cluster, policy, plan), None):
        raise errors.InputError(
            f"plan {plan.id} does not fit this snapshot under this policy: {flaw}",
            remedy="explain it with the configuration that it was made under, or leave the plan out",
        )
    move = next(iter(explanation.moves_of(plan, subject)), None)
    if move is not None and (str(move.n) == subject or move.vm == _vm(facts, subject)):
        return _of_move(facts, plan, move)
    hosts: dict[str, int] = {name: row for row, name in enumerate(facts.cluster.hosts.names)}
    if subject in hosts:
        return _of_host(facts, plan, hosts[subject])
    if any(breach.key == subject for breach in (*plan.breaches_before, *plan.breaches_after)):
        return _of_breach(facts, plan, subject)
    return _of_resting(facts, plan, facts.cluster.vms.ids.index(_vm(facts, subject)))


def _misfits(facts: situation.Situation, cluster: model.Cluster, policy: Policy, plan: Plan) -> Iterator[str]:
    """What the plan could not say or do if it were made of these: else what is told of it would be of neither."""
    yield from check.problems(cluster, policy, plan)
    found = classify.breaches(Load(facts)), classify.breaches(_carried(facts, plan))
    for when, told, holds_not in zip(
        ("before", "after"), (plan.breaches_before, plan.breaches_after), found, strict=True
    ):
        if others := {_named(breach) for breach in told} ^ {_named(breach) for breach in holds_not}:
            yield f"what is wrong {when} it is not what it says, {min(others)[0]} for one"


def _named(breach: Breach) -> tuple[str, str, str, str]:
    return breach.key, breach.concern, breach.rule, breach.subject


def _vm(facts: situation.Situation, subject: str) -> ServerId:
    vms = facts.cluster.vms
    found = [vm for vm, name in zip(vms.ids, vms.names, strict=True) if subject in {vm, name}]
    if len(found) == 1:
        return found[0]
    if found:
        raise errors.InputError(f"{len(found)} VMs are named {subject!r}", remedy="give the id of one")
    raise errors.InputError(
        f"{subject!r} is no host, no VM and no move of this plan", remedy="give a host's name, a VM's id or name, "
        "the number of a move, or the key of a breach of the plan",
    )  # fmt: skip


def _of_move(facts: situation.Situation, plan: Plan, move: Move) -> Explanation:
    load, told = _carried(facts, plan, before=move.n), explanation.of_move(plan, move)
    vm = facts.cluster.vms.ids.index(move.vm)
    target = facts.cluster.hosts.names.index(move.target)
    numbers = (
        *told.numbers,
        (f"{move.source} now", figures.carries(load, int(load.host[vm]))),
        (f"{move.target} now", figures.carries(load, target)),
        (f"{move.target} after", describe.target_after(load, vm, target)),
        (f"{move.target} watts", figures.watts(facts.cluster.hosts, target)),
    )
    changed = terms.of_move(load, vm, target, move.breach)
    paying = terms.paying(changed, move.breach)
    return replace(
        told,
        sentence=f"{move.why}; {_paid(changed, paying, move)}",
        numbers=numbers,
        terms=changed,
        paid_by=paying.key if paying else "",
        unless=counterfactual.of_move(Load(facts), plan, move),
        ruled_out=_ruled_out(conflict.Bars(load), vm),
    )


def _paid(changed: Sequence[Term], paying: Term | None, move: Move) -> str:
    """The term that pays for the move; none falls where another move of the plan has mended the breach already."""
    if paying is not None:
        score_ = f"{paying.concern} {paying.before:g} → {paying.after:g}"
        return f"paid for by {terms.words(paying)} ({score_})"
    own = next((term for term in changed if term.key == move.breach and move.concern is Concern.HOT), None)
    spares = f", and leaves {mending.SPARE:.0%} to spare: {terms.words(own)}" if own else ""
    return f"no term of the objective falls by it alone; it goes with the other moves for {move.breach}{spares}"


def _of_resting(facts: situation.Situation, plan: Plan, vm: int) -> Explanation:
    load = _carried(facts, plan)
    cluster = facts.cluster
    name, host = cluster.vms.names[vm], int(load.host[vm])
    if host < 0:
        return Explanation(subject=name, kind="vm", sentence=f"{name} has no host in Nova; there is nothing to move")
    held = next((hold.why for hold in plan.holds if hold.vm == cluster.vms.ids[vm]), None)
    holds = Holds(load, _spent(facts, plan), ())
    verdict = holds.verdict(vm)
    stays = f"{name} stays on {cluster.hosts.names[host]}"
    if verdict.rule:
        sentence = held or f"{stays}: {stuck.reason(load, verdict)}"
    else:
        asks = _asks(load, plan, vm) or "nothing on that host asks for it to move"
        sentence = held or f"{stays}: {asks}, and it could go elsewhere"
    return Explanation(
        subject=name,
        kind="vm",
        sentence=sentence,
        numbers=figures.of_vm(facts, vm),
        alternative=_best_other(load, vm),
        ruled_out=_ruled_out(holds.bars, vm),
        conflict=verdict.conflict,
    )


def _asks(load: Load, plan: Plan, vm: int) -> str:
    """What is wrong that is left and that the VM stands in, each with what holds it; what is uneven if policy asks."""
    held = {hold.breach: hold.why for hold in plan.holds if hold.vm is None}
    stays = [breach for breach in plan.breaches_after if counterfactual.stands_in(load, breach, vm)]
    asked = (breach for breach in stays if breach.concern in WRONG or load.situation.policy.balance)
    return "; ".join(held.get(breach.key, breach.why) for breach in asked)


def _spent(facts: situation.Situation, plan: Plan) -> Ledger:
    ledger = Ledger(facts.cluster, facts.places, facts.policy.limits.max_moves)
    moved = {move.vm for move in plan.moves}
    for vm in (row for row, name in enumerate(facts.cluster.vms.ids) if name in moved):
        ledger.spend(vm)
    return ledger


def _of_host(facts: situation.Situation, plan: Plan, host: int) -> Explanation:
    before, after = Load(facts), _carried(facts, plan)
    name = facts.cluster.hosts.names[host]
    own = [breach for breach in classify.breaches(after) if breach.subject == name]
    fed_by = {supplies.key(facts.cluster.power, row) for row in facts.watts.rows[host].tolist()}
    fed = [breach for breach in plan.breaches_after if breach.key in fed_by]
    holds = Holds(after, _spent(facts, plan), ())
    left = {breach.key: found for breach in (*own, *fed) if (found := holds.why_left(breach))}
    out, into = (sum(getattr(m, side) == name for m in plan.moves) for side in ("source", "target"))
    stays = [left[breach.key].sentence if breach.key in left else breach.why for breach in own]
    stays += [
        breach.why
        for breach in plan.breaches_after
        if breach.subject != name and (breach.key in fed_by or _of_any_on(after, breach, host))
    ]
    freed = [f"the plan frees it: {describe.saved((each,))}" for each in plan.frees if each.host == name]
    if not freed and (why := unfreed.why(facts, plan, holds, host)):
        stays.append(f"not freed: {why}")
    becomes = "; ".join((*freed, *stays)) or "holds every limit after the plan"
    does = f"the plan moves {out} VMs out and {into} in; {becomes}"
    return Explanation(
        subject=name,
        kind="host",
        sentence=f"{name} {_receives(facts, host)} and {_sheds(facts, host)}; {does}",
        numbers=(
            ("now", figures.carries(before, host)),
            ("after", figures.carries(after, host)),
            ("kept back", figures.reserved(facts.cluster.hosts, host)),
            ("filled to", figures.filled(facts, host)),
            ("watts", figures.watts(facts.cluster.hosts, host)),
            *figures.idle(facts, host),
            *figures.power(before, after, host),
        ),
        left=tuple(left.values()),
    )


def _of_any_on(load: Load, breach: Breach, host: int) -> bool:
    """Whether a VM on the host stands in the breach, itself or with a group of it."""
    return any(counterfactual.stands_in(load, breach, vm) for vm in np.flatnonzero(load.host == host).tolist())


def _receives(facts: situation.Situation, host: int) -> str:
    closed = str(facts.standing.closed[host])
    return f"receives nothing, since {describe.of_host(facts.cluster, closed, host)}" if closed else "may receive"


def _sheds(facts: situation.Situation, host: int) -> str:
    held = str(facts.standing.held[host])
    if held:
        return f"sheds nothing of our own, since {describe.RULES[held]}"
    return "sheds nothing for balance" if facts.standing.on_battery[host] else "may shed"


def _of_breach(facts: situation.Situation, plan: Plan, key: str) -> Explanation:
    """A limit or rule that does not hold: what the plan makes of it, and what holds what is left."""
    after = _carried(facts, plan)
    was = {breach.key: breach for breach in plan.breaches_before}
    stays = {breach.key: breach for breach in plan.breaches_after}
    moves = describe.counted(sum(move.breach == key for move in plan.moves), "move", "moves")
    left = Holds(after, _spent(facts, plan), ()).why_left(stays[key]) if key in stays else None
    held = next((hold.why for hold in plan.holds if hold.breach == key), "")
    if key not in stays:
        sentence = f"{was[key].why}: mended by the plan, with {moves} for it"
    else:
        sentence = left.sentence if left else held or stays[key].why
    return Explanation(
        subject=key,
        kind="breach",
        sentence=sentence,
        numbers=(
            *((name, found[key].why) for name, found in (("before", was), ("after", stays)) if key in found),
            ("moves for it", moves),
        ),
        left=(left,) if left else (),
    )


def _carried(facts: situation.Situation, plan: Plan, before: int | None = None) -> Load:
    """The load after the plan's moves, or just before one of them."""
    load = Load(facts)
    vms: dict[str, int] = {vm: row for row, vm in enumerate(facts.cluster.vms.ids)}
    hosts: dict[str, int] = {name: row for row, name in enumerate(facts.cluster.hosts.names)}
    for move in plan.moves:
        if before is None or move.n < before:
            load.move(vms[move.vm], hosts[move.target])
    return load


def _ruled_out(bars: conflict.Bars, vm: int) -> tuple[tuple[str, int], ...]:
    pairs = bars.pairs(vm)
    return conflict.as_counts(conflict.first(pairs.names, pairs.patterns()))


def _best_other(load: Load, vm: int) -> Alternative | None:
    """Where it would go best of all hosts that are open, and the rule against it."""
    hosts = np.flatnonzero(load.situation.standing.open).astype(np.int32)
    hosts = hosts[hosts != load.host[vm]]
    if not len(hosts):
        return None
    best = hosts[[int(np.argmin(preference.costs(load, vm, hosts)))]]
    rule = rules.ruled_out_by(load, vm, best)[0]
    name = load.situation.cluster.hosts.names[int(best[0])]
    detail = describe.RULES[rule] if rule else "nothing rules it out"
    return Alternative(host=name, ruled_out_by=rule or "none", detail=detail)

"""Answers "why?" of a VM, a host or a move: one sentence, the numbers, the next best target and what ruled it out."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from controller import errors
from controller.model import cluster as model
from controller.model.ids import HostName, ServerId
from controller.model.plan import Alternative, Move, Plan
from controller.model.policy import Policy
from controller.planner import amounts, classify, conflict, describe, preference, rules, score, situation, stuck
from controller.planner.budget import Ledger
from controller.planner.conflict import Conflict
from controller.planner.holds import Holds
from controller.planner.load import Load


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`numbers` are label and value as people read them; `ruled_out` counts hosts by the rule that rules them out."""

    subject: str
    kind: str
    sentence: str
    numbers: tuple[tuple[str, str], ...] = ()
    alternative: Alternative | None = None
    ruled_out: tuple[tuple[str, int], ...] = ()
    conflict: Conflict | None = None


def explain(
    cluster: model.Cluster,
    policy: Policy,
    plan: Plan,
    subject: str,
    *,
    only: Collection[HostName] | None = None,
    cold: Collection[HostName] = (),
) -> Explanation:
    """Of the plan made from this snapshot. `subject` is a move's number, a VM's id or name, or a host's name.

    Raises `InputError` where it is none of them, where several VMs bear the name, or where the plan was made from
    another snapshot.
    """
    if (plan.estate, plan.snapshot_at) != (cluster.estate, cluster.taken_at):
        raise errors.InputError(
            f"plan {plan.id} was made from a snapshot of {plan.estate} at {plan.snapshot_at.isoformat()}",
            remedy="explain it with its own snapshot, or leave the plan out",
        )
    facts = situation.of_cluster(cluster, policy, plan.created_at, only=only, cold=cold)
    move = next((m for m in plan.moves if subject in {str(m.n), m.vm, m.vm_name}), None)
    if move is not None and (str(move.n) == subject or move.vm == _vm(facts, subject)):
        return _of_move(facts, plan, move)
    hosts: dict[str, int] = {name: row for row, name in enumerate(facts.cluster.hosts.names)}
    if subject in hosts:
        return _of_host(facts, plan, hosts[subject])
    return _of_resting(facts, plan, facts.cluster.vms.ids.index(_vm(facts, subject)))


def from_plan(plan: Plan, subject: str) -> Explanation:
    """The same from the plan alone: a move, by its number or its VM, or what holds a VM or a host.

    `InputError` where the plan says nothing of it.
    """
    for move in plan.moves:
        if subject in {str(move.n), move.vm, move.vm_name}:
            return _of_plan(plan, move)
    held = [hold for hold in plan.holds if subject in {hold.vm, hold.breach, hold.breach.partition(":")[2]}]
    if not held:
        what = f"plan {plan.id} neither moves nor holds {subject}"
        raise errors.InputError(what, remedy="name a move's number, a VM or a host of the plan, or a --snapshot")
    return Explanation(
        subject=subject,
        kind="hold",
        sentence=held[0].why,
        numbers=tuple((hold.breach, f"{hold.why} ({hold.rule})") for hold in held),
    )


def _vm(facts: situation.Situation, subject: str) -> ServerId:
    vms = facts.cluster.vms
    found = [vm for vm, name in zip(vms.ids, vms.names, strict=True) if subject in {vm, name}]
    if len(found) == 1:
        return found[0]
    if found:
        raise errors.InputError(f"{len(found)} VMs are named {subject!r}", remedy="give the id of one")
    raise errors.InputError(
        f"{subject!r} is no host, no VM and no move of this plan", remedy="give a host's name, a VM's id or name, "
        "or the number of a move",
    )  # fmt: skip


def _of_move(facts: situation.Situation, plan: Plan, move: Move) -> Explanation:
    load, told = _carried(facts, plan, before=move.n), _of_plan(plan, move)
    vm = facts.cluster.vms.ids.index(move.vm)
    target = facts.cluster.hosts.names.index(move.target)
    numbers = [
        *told.numbers,
        (f"{move.source} now", _carries(load, int(load.host[vm]))),
        (f"{move.target} now", _carries(load, target)),
        (f"{move.target} after", describe.target_after(load, vm, target)),
        (f"{move.target} watts", _watts(facts.cluster.hosts, target)),
    ]
    return replace(told, numbers=tuple(numbers), ruled_out=_ruled_out(conflict.Bars(load), vm))


def _of_plan(plan: Plan, move: Move) -> Explanation:
    """What a plan itself says of a move."""
    terms = zip(score.NAMES, move.score_before, move.score_after, strict=True)
    numbers = (
        *((name, f"{before:g} → {after:g}") for name, before, after in terms),
        ("wave", f"{move.wave} of {len(plan.waves)}"),
        ("copy", f"{move.copy_bytes / amounts.GIB:.1f} GiB in {move.copy.total_seconds():.0f} s (estimate)"),
        ("blackout", f"{move.blackout.total_seconds():.2f} s (estimate)"),
    )
    return Explanation(
        subject=f"move {move.n}", kind="move", sentence=move.why, numbers=numbers, alternative=move.alternative
    )


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
        sentence = held or f"{stays}: nothing on that host asks for it to move, and it could go elsewhere"
    return Explanation(
        subject=name,
        kind="vm",
        sentence=sentence,
        numbers=_of_vm(facts, vm),
        alternative=_best_other(load, vm),
        ruled_out=_ruled_out(holds.bars, vm),
        conflict=verdict.conflict,
    )


def _spent(facts: situation.Situation, plan: Plan) -> Ledger:
    ledger = Ledger(facts.cluster, facts.places, facts.policy.limits.max_moves)
    moved = {move.vm for move in plan.moves}
    for vm in (row for row, name in enumerate(facts.cluster.vms.ids) if name in moved):
        ledger.spend(vm)
    return ledger


def _of_vm(facts: situation.Situation, vm: int) -> tuple[tuple[str, str], ...]:
    vms = facts.cluster.vms
    cpu = f"{vms.cpu_vcpus.values[vm]:.2f} vCPUs" if vms.cpu_vcpus.fresh[vm] else "not measured"
    return (
        ("flavor", f"{vms.vcpus[vm]:.0f} vCPUs, {vms.memory_mib[vm] / 1024:.0f} GiB, {vms.disk_gib[vm]:.0f} GiB disk"),
        ("busy", cpu),
        ("dirties", f"{facts.dirty_bytes_s[vm] / amounts.MIB:.0f} MiB/s"
         + ("" if vms.dirty_bytes_s.fresh[vm] else " (assumed)")),
        ("state", model.VmState(int(vms.state[vm])).name),
    )  # fmt: skip


def _of_host(facts: situation.Situation, plan: Plan, host: int) -> Explanation:
    before, after = Load(facts), _carried(facts, plan)
    name = facts.cluster.hosts.names[host]
    breaches = [breach.why for breach in classify.breaches(after) if breach.subject == name]
    closed, held = str(facts.standing.closed[host]), str(facts.standing.held[host])
    out, into = (sum(getattr(m, side) == name for m in plan.moves) for side in ("source", "target"))
    receives = f"receives nothing, since {describe.of_host(facts.cluster, closed, host)}" if closed else "may receive"
    sheds = "sheds nothing for balance" if facts.standing.on_battery[host] else "may shed"
    sheds = f"sheds nothing of our own, since {describe.RULES[held]}" if held else sheds
    wrong = "; ".join(breaches) or "holds every limit after the plan"
    return Explanation(
        subject=name,
        kind="host",
        sentence=f"{name} {receives} and {sheds}; the plan moves {out} VMs out and {into} in; {wrong}",
        numbers=(
            ("now", _carries(before, host)),
            ("after", _carries(after, host)),
            ("watts", _watts(facts.cluster.hosts, host)),
            *_power(before, after, host),
        ),
    )


def _watts(hosts: model.Hosts, host: int) -> str:
    """What its watts are predicted from, and the error that is kept as margin."""
    measured = f"{hosts.power_watts.values[host]:.0f} W measured" if hosts.power_watts.fresh[host] else "not measured"
    slope, error = hosts.watts_per_thread[host], hosts.watts_error[host]
    return f"{measured}; {slope:.2f} W for one more busy thread, ± {error:.0f} W where it receives"


def _power(before: Load, after: Load, host: int) -> list[tuple[str, str]]:
    power = before.situation.cluster.power
    rows = [row for row in before.situation.watts.rows[host].tolist() if np.isfinite(before.least[row])]
    return [
        (
            classify.power_key(power, row).replace(":", " ", 1),
            f"{before.least[row]:.0f} W → {after.least[row]:.0f} W of {power.limit_watts[row]:.0f} W",
        )
        for row in rows
    ]


def _carried(facts: situation.Situation, plan: Plan, before: int | None = None) -> Load:
    """The load after the plan's moves, or just before one of them."""
    load = Load(facts)
    vms: dict[str, int] = {vm: row for row, vm in enumerate(facts.cluster.vms.ids)}
    hosts: dict[str, int] = {name: row for row, name in enumerate(facts.cluster.hosts.names)}
    for move in plan.moves:
        if before is None or move.n < before:
            load.move(vms[move.vm], hosts[move.target])
    return load


def _carries(load: Load, host: int) -> str:
    situation_, whole = load.situation, amounts.whole(load.situation.cluster.hosts)
    shares = [("CPU", load.used[0, host] / max(whole[0, host], 1e-9)),
              ("memory", load.used[1, host] / max(whole[1, host], 1e-9)),
              ("memory placed", load.asked[1, host] / max(situation_.capacity[1, host], 1.0))]  # fmt: skip
    known = [f"{name} {share:.0%}" for name, share in shares if np.isfinite(share)]
    return ", ".join([f"{load.vms_on[host]} VMs", *known])


def _ruled_out(bars: conflict.Bars, vm: int) -> tuple[tuple[str, int], ...]:
    return conflict.as_counts(bars.pairs(vm).first())


def _best_other(load: Load, vm: int) -> Alternative | None:
    """Where it would go best of all hosts that are open, and the rule against it."""
    hosts = np.flatnonzero(np.equal(load.situation.standing.closed, "")).astype(np.int32)
    hosts = hosts[hosts != load.host[vm]]
    if not len(hosts):
        return None
    best = hosts[[int(np.argmin(preference.costs(load, vm, hosts)))]]
    rule = rules.ruled_out_by(load, vm, best)[0]
    name = load.situation.cluster.hosts.names[int(best[0])]
    detail = describe.RULES[rule] if rule else "nothing rules it out"
    return Alternative(host=name, ruled_out_by=rule or "none", detail=detail)

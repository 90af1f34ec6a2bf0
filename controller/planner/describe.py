"""Sentences: why a move is made, what a rule means, what a plan comes to."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from controller.model import cluster as model
from controller.model.plan import Breach, Freed, Hold, Move
from controller.planner import amounts, batteries, classify, copies
from controller.planner.choice import Choice
from controller.planner.load import Load

RULES: Mapping[str, str] = {
    "down": "its compute service is down",
    "unknown-host": "the inventory does not know it",
    "disabled": "its compute service is disabled",
    "draining": "it is being drained",
    "untrusted": "it has no trusted readings",
    "failing": "its hardware is failing",
    "health": "its hardware has lost redundancy or predicts a failure",
    "unsure-health": "its health or inlet was read and is stale or implausible now",
    "unread-health": "its BMC should tell its health and has not; see trust.health_required",
    "facility": "its cooling zone is too warm as a whole, a facility event",
    "heat": "its inlet is above the zone's warning",
    "on-battery": "a feed of it runs on battery, which lasts minutes: nothing goes there, in a drain neither, and "
    "nothing leaves it for balance",
    "into-host": "as many migrations as allowed already arrive there",
    "clearance": "it is not cleared for the VM's classification",
    **classify.MISFITS,
    "admission": "Nova would not put the VM on it",
    "numa": "its NUMA cells cannot hold the guest's",
    "same-host": "the VM is on it",
    "refused-by-nova": "Nova refused this VM there lately",
    "across-rack": "the racks' uplinks carry as many migrations as allowed",
    "pre-copy": "the copy would take too long or never converge",
    "capacity": "Placement would not admit it there",
    "cpu": "its CPU would be over the threshold, now or at its peaks",
    "memory": "its memory would be over the threshold",
    "network": "its link would be over the threshold, now or at its peaks",
    "storage": "its storage path would be over the threshold",
    "power": "a feed, PDU or phase of it would be over its limit with the partner failed",
    "group": "a group rule would be broken",
    "reserve": "it would take what hosts there keep free for servers of hosts that may be lost",
    "score": "it would be fuller afterwards",
    "fullest": "to free a host, those in use are filled the fullest first, as far as policy lets them be",
    "uneven": "it is in another rack, or would be uneven itself",
    "turn": "the target was chosen before other moves of the plan changed what hosts carry",
    "no-host": "the VM has no host",
    "migrating": "a migration of it is under way",
    "busy": "a task of it is under way in Nova, or its host is being drained",
    "state": "its state is not one that can be migrated live",
    "requirement-unknown": "what it asks of a host is not known",
    "withheld": "a mode or a pause keeps moves off it",
    "window": "its system's window is closed or a blackout is on",
    "freeze": "the controller is frozen",
    "unknown-system": "its project is not in the inventory; it moves only on an operator's word",
    "locked": "it is locked",
    "fit-unknown": "it is pinned, uses NUMA or PCI devices or nobody can say, and its fit elsewhere cannot be shown",
    "cooldown": "it moved lately and rests",
    "at-once": "as many migrations as allowed are under way",
    "out-of-host": "as many migrations as allowed already leave its host",
    "agency-budget": "as many of its agency's VMs as allowed are moving",
    "system-budget": "as many of its system's VMs as allowed are moving",
    "hour-budget": "this hour's moves are spent",
    "agency-hour-budget": "its agency's moves of this hour are spent",
    "system-hour-budget": "its system's moves of this hour are spent",
    "max-moves": "the plan holds as many moves as it may",
    "not-sustained": "it has not lasted long enough",
    "not-asked": "no moves of the controller's own were to be planned",
    "told-only": "policy.admission.moves names none of these rules: not every Nova runs their filters",
    "too-many-misfits": "more VMs misfit at once than policy.admission lets be: what is known of the hosts is doubted, "
    "and nothing is moved for it",
    "not-told": "what holds it is said of the first such VMs only; gdcc explain says it of this one",
    "order": "it waits for moves that wait for it",
    "cycle": "it and others would have to change places at once, and no other host can take one of them",
    "stopped": "the search was stopped before its end",
    "brim": "it is hardly over its limit, and what could take its load is all but full",
    "balance": "policy.balance is off, so nothing is evened out",
    "gain": "no move of it earns more than it costs",
    "no-candidate": "no VM on it would relieve it",
    "relief": "a move there would not relieve what is wrong, or would make another host uneven",
}
"""What each rule's name means, of a host or a VM."""


def of_host(cluster: model.Cluster, rule: str, host: int) -> str:
    """What a rule means of this host, with the feed and its UPS where that is what it is about."""
    return RULES[rule] + (f": {batteries.of_host(cluster, host)}" if rule == "on-battery" else "")


def why(load: Load, choice: Choice, copy: timedelta, blackout: timedelta, *, forced: bool) -> str:
    """One sentence for a move about to be made: what is wrong, what goes where, what the target then carries."""
    cluster = load.situation.cluster
    source, target = cluster.hosts.names[int(load.host[choice.vm])], cluster.hosts.names[choice.target]
    vm, holds = cluster.vms.names[choice.vm], copies.words(load, choice.vm)
    room = "" if choice.room_for is None else f"; to make room for {cluster.vms.names[choice.room_for]}"
    return (
        f"{choice.breach.why}{room}: {vm} ({_threads(load, choice.vm)}, {holds}) goes from {source} to {target}, "
        f"which then has {target_after(load, choice.vm, choice.target)}; copy about {copy.total_seconds():.0f} s, "
        f"blackout about {blackout.total_seconds():.1f} s{_forced(load, choice.vm) if forced else ''}"
    )


def _forced(load: Load, vm: int) -> str:
    after = load.situation.policy.migration.force_complete_after.total_seconds()
    pause_s = float(load.situation.pause_s[vm])
    way = "post-copy" if math.isinf(pause_s) else f"pausing it, which it bears for {pause_s:.0f} s"
    return f", as its copy would not converge in time and is forced after {after:.0f} s by {way}"


def target_after(load: Load, vm: int, host: int) -> str:
    """What a host would carry with the VM on it."""
    situation = load.situation
    threads, memory = amounts.whole(situation.cluster.hosts)[: amounts.NETWORK, host]
    cpu, used = load.used[: amounts.NETWORK, host] + situation.brings[: amounts.NETWORK, vm]
    placed = (load.asked[1, host] + situation.asked[1, vm]) / max(situation.capacity[1, host], 1.0)
    parts = [("CPU", cpu / max(threads, 1e-9)), ("memory", used / max(memory, 1e-9)), ("memory placed", placed)]
    return ", ".join(f"{name} {share:.0%}" for name, share in parts if share == share)  # noqa: PLR0124 (NaN)


def plan(
    moves: Sequence[Move],
    before: Sequence[Breach],
    after: Sequence[Breach],
    holds: Sequence[Hold],
    frees: Sequence[Freed] = (),
) -> str:
    """What the plan does, or why it does nothing."""
    if not before and not moves:
        return "Nothing is broken, hot or uneven: no move is worth making."
    if not moves:
        return f"{counted(len(before), 'breach', 'breaches')}, no beneficial move: {_main_hold(holds)}."
    waves = max(move.wave for move in moves)
    does = f"{counted(len(moves), 'move', 'moves')} in {counted(waves, 'wave', 'waves')}"
    if not before:
        return f"Nothing is broken, hot or uneven. {does}: {freed(frees)}."
    mended = len({breach.key for breach in before} - {breach.key for breach in after})
    of = f"{mended} of {counted(len(before), 'breach', 'breaches')} mended"
    left = f"{len(after)} left: {_main_hold(holds)}" if after else "none left"
    return f"{does}: {of}, {left}{'; ' + freed(frees) if frees else ''}."


def freed(frees: Sequence[Freed]) -> str:
    """How many hosts, and what that saves."""
    return f"frees {counted(len(frees), 'host', 'hosts')}, {saved(frees)}"


def saved(frees: Sequence[Freed]) -> str:
    """`424 W idle saved for 72 GiB copied`."""
    watts, gib = sum(each.idle_watts for each in frees), sum(each.copied_gib for each in frees)
    return f"{watts:.0f} W idle saved for {gib:.0f} GiB copied"


def _main_hold(holds: Sequence[Hold]) -> str:
    """The hold that stands for most."""
    if not holds:
        return "nothing holds them"
    rule, _ = min(Counter(hold.rule for hold in holds).items(), key=lambda item: (-item[1], item[0]))
    first = next(hold for hold in holds if hold.rule == rule)
    others = len(holds) - 1
    return first.why + (f", and {counted(others, 'other hold', 'other holds')}" if others else "")


def counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _threads(load: Load, vm: int) -> str:
    reading = load.situation.cluster.vms.cpu_vcpus
    brings = load.situation.brings[0, vm]
    return f"{brings:.1f} busy threads" if reading.fresh[vm] else f"at most {brings:.1f} busy threads, not measured"

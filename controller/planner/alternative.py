"""The next best target of a move, and what ruled it out: a rule, what the move is for, or what it would cost."""

import numpy as np

from controller.model.plan import Alternative, Breach, Concern
from controller.planner import classify, describe, preference, rules, supplies
from controller.planner.choice import Choice
from controller.planner.load import Load


def of_choice(load: Load, choice: Choice) -> Alternative | None:
    """The best other host that is open at all, as things stand when the move's turn comes; None where there is none."""
    hosts = np.flatnonzero(load.situation.standing.open)
    hosts = hosts[hosts != load.host[choice.vm]].astype(np.int32)
    costs = preference.costs(load, choice.vm, hosts)
    chosen = float(costs[hosts == choice.target][0])
    others = np.where(hosts == choice.target, np.inf, costs)
    best = int(np.argmin(others))
    if not np.isfinite(others[best]):
        return None
    cost = f"cost {others[best]:.3f} against {chosen:.3f} of the chosen target"
    rule = rules.ruled_out_by(load, choice.vm, hosts[best : best + 1])[0] or _purpose(load, choice, int(hosts[best]))
    if rule:
        detail = describe.RULES[rule]
    elif others[best] >= chosen:
        rule, detail = "score", cost
    else:
        rule, detail = "turn", f"{describe.RULES['turn']}: {cost}"
    return Alternative(host=load.situation.cluster.hosts.names[int(hosts[best])], ruled_out_by=rule, detail=detail)


def _purpose(load: Load, choice: Choice, host: int) -> str:
    """Why a move for this breach would not go there though every rule lets it, "" where it might."""
    breach = choice.breach
    if choice.room_for is not None:
        return ""
    if breach.concern is Concern.CONSOLIDATION:
        return "fullest"
    if breach.concern is Concern.UNEVEN:
        return "" if _evens_out(load, choice.vm, host) else "uneven"
    if breach.rule in supplies.RULES:
        return _of_supply(load, choice, host)
    if breach.rule == classify.RESERVE:
        return "relief" if _in_pool(load, breach, host) else ""
    return "relief" if breach.rule == "group" and _stays_in_domain(load, choice, host) else ""


def _in_pool(load: Load, breach: Breach, host: int) -> bool:
    """Whether the host is one of those that keep too little free."""
    return load.failover is not None and bool(load.failover.pools.hosts[load.failover.number(breach.subject), host])


def _evens_out(load: Load, vm: int, host: int) -> bool:
    rack = load.situation.cluster.hosts.rack
    same_rack = bool(rack[host] == rack[load.host[vm]])
    return same_rack and not preference.uneven_after(load, vm, np.array([host], np.int32))[0] > 0.0


def _of_supply(load: Load, choice: Choice, host: int) -> str:
    row = load.situation.supplies[choice.breach.key]
    if supplies.hosts_on(load.situation.cluster.hosts, row)[host]:
        return "relief"
    below = rules.below_brim(load, choice.vm, np.array([host], np.int32), rules.BRIM)
    return "brim" if rules.hardly_over(load, row) and not len(below) else ""


def _stays_in_domain(load: Load, choice: Choice, host: int) -> bool:
    """Whether a group that the move is for would have the VM where it has it now, or in a domain that holds others
    while too few do.
    """
    numbers = load.situation.bonds_of.get(choice.vm, ())
    ours = [(load.situation.bonds[number], load.members[number]) for number in numbers]
    for bond, members in ours:
        if bond.hard and bond.group.name == choice.breach.subject:
            here = int(bond.domain_of[load.host[choice.vm]])
            reliefs = list(bond.reliefs(members, here))
            if bond.domain_of[host] == here or (reliefs and not np.logical_or.reduce(reliefs)[host]):
                return True
    return False

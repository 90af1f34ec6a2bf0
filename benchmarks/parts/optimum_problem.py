"""The planner's objective over all final placements at once, in whole numbers, for a solver that knows nothing of ours.

    x[v, h] = 1 where VM v ends on host h, one of its `allowed` hosts; the first of them is where it stands
    cost of a level = sum of its `costs` + sum over its meters of weight * max(0, load - limit)
    load of a meter = base + sum of its terms [v, h, amount] + amount for each host with an arrival + doubts

A meter `binds` what it must not be over for: [v, h] may be chosen only where its load ends within its limit. A VM's
hosts are those that every static rule admits. What moves may do on the way is left out: no waves, no second copies, no
order. Every plan of ours is among these placements, since a limit that held when the last VM arrived holds in the end;
not every placement can be reached. So the optimum of this is never worse than the true one, and may be better.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from controller.planner import amounts, groups, rules, score
from controller.planner.load import Load
from controller.planner.situation import Situation

SCALE = 10**9
"""What 1.0 of the score is in costs."""
BROKEN, HOT, DRAIN, UNEVEN = range(4)
ASKED_UNITS = (1.0, 1024.0, 1.0)
USED_UNITS = (0.01, 0.64 * 2**20, 2.0**20, 2.0**20)
WATT = 0.01

Problem = dict[str, Any]


def of_situation(facts: Situation) -> Problem:
    """JSON of the problem."""
    load = Load(facts)
    allowed = [_allowed(load, vm) for vm in range(len(facts.cluster.vms.ids))]
    return {
        "allowed": allowed,
        "margins": [_whole(margin, WATT) for margin in facts.watts.margin],
        "brings": [bool(brought > 0) for brought in facts.brings[amounts.CPU]],
        "sheds": [_watts(facts, vm, int(facts.cluster.vms.host[vm])) for vm in range(len(allowed))],
        "costs": list(_costs(facts, allowed)),
        "meters": [*_asked(load, allowed), *_used(load, allowed), *_fed(load, allowed),
                   *_apart(facts, allowed), *_uneven(load, allowed)],
    }  # fmt: skip


def costs(problem: Problem, placement: Sequence[int]) -> list[int]:
    """What a placement costs at each level: the solver's arithmetic without the solver."""
    total, standing = [0, 0, 0, 0], set(enumerate(placement))
    moved = {(vm, host) for vm, host in standing if host != problem["allowed"][vm][0]}
    arrivals = {host for vm, host in moved if problem["brings"][vm]}
    for vm, host, level, cost in problem["costs"]:
        total[level] += cost * ((vm, host) in standing)
    for meter in problem["meters"]:
        if meter["level"] is not None:
            load = meter["base"] + sum(amount for vm, host, amount in meter["terms"] if (vm, host) in standing)
            load += sum(problem["margins"][host] for host in meter["arrivals"] if host in arrivals)
            total[meter["level"]] += meter["weight"] * max(0, load - meter["limit"])
    return total


def _allowed(load: Load, vm: int) -> list[int]:
    """Where it stands, and where it may go by the rules that no move changes; of an affinity group, to its anchor."""
    facts, home = load.situation, int(load.host[vm])
    if facts.held(vm):
        return [home]
    hosts = np.arange(len(facts.cluster.hosts.names), dtype=np.int32)
    hosts = rules.admitted(load, vm, hosts, (rules.SAME_HOST, *rules.STATIC, *rules.PER_VM))
    for bond in (facts.bonds[number] for number in facts.bonds_of.get(vm, ())):
        if bond.hard and bond.group.kind not in groups.APART and bond.anchor is not None:
            hosts = hosts[np.isin(bond.domain_of[hosts], (bond.anchor, bond.domain_of[home]))]
    return [home, *hosts.tolist()]


def _costs(facts: Situation, allowed: list[list[int]]):
    """VMs on failing hosts, above their host's clearance, where Nova would not put them, away from their affinity
    group's anchor; draining.
    """
    clearance, levels = facts.cluster.hosts.clearance, facts.cluster.vms.classification
    for vm, hosts in enumerate(allowed):
        bonds = [facts.bonds[number] for number in facts.bonds_of.get(vm, ())]
        asked = int(facts.cluster.vms.requirement[vm])
        anchors = [bond for bond in bonds if bond.hard and bond.group.kind not in groups.APART]
        for host in hosts:
            wrong = int(facts.standing.failing[host]) + int(levels[vm] > clearance[host])
            wrong += int(asked >= 0 and facts.admission.misfit(asked)[host])
            wrong += sum(bond.excess(int(bond.domain_of[host]), 1) for bond in anchors)
            if wrong:
                yield vm, host, BROKEN, wrong * SCALE
            if facts.cluster.hosts.draining[host]:
                yield vm, host, DRAIN, SCALE


def _asked(load: Load, allowed: list[list[int]]):
    """What Placement counts on each host."""
    facts = load.situation
    for row, unit in enumerate(ASKED_UNITS):
        for host, vms in enumerate(_by_host(facts, allowed)):
            terms = [(vm, host, _whole(facts.asked[row, vm], unit)) for vm in vms]
            yield _meter(BROKEN, 0, terms, _whole(facts.capacity[row, host], unit), _arriving(allowed, terms))


def _used(load: Load, allowed: list[list[int]]):
    """What is measured on each host; what is not binds nothing."""
    facts = load.situation
    for row, unit in enumerate(USED_UNITS):
        by_host = _by_host(facts, allowed)
        for host in np.flatnonzero(np.isfinite(load.used[row]) & np.isfinite(facts.limit[row])).tolist():
            terms = [(vm, host, _whole(_amount(facts, row, vm, host), unit)) for vm in by_host[host]]
            base = _whole(load.used[row, host], unit) - sum(n for vm, _, n in terms if allowed[vm][0] == host)
            yield _meter(HOT, base, terms, _whole(facts.limit[row, host], unit), _arriving(allowed, terms))


def _fed(load: Load, allowed: list[list[int]]):
    """Watts on each feed, PDU and phase: the least, which is hot or not, and the most, which binds what arrives."""
    facts, by_host = load.situation, _by_host(load.situation, allowed)
    for row in np.flatnonzero(np.isfinite(load.least)).tolist():
        hosts = [host for host, rows in enumerate(facts.watts.rows) if row in rows]
        terms = [(vm, host, _watts(facts, vm, host)) for host in hosts for vm in by_host[host]]
        home = sum(n for vm, host, n in terms if allowed[vm][0] == host)
        limit = _whole(facts.cluster.power.limit_watts[row], WATT)
        yield _meter(HOT, _whole(load.least[row], WATT) - home, terms, limit, [], arrivals=hosts)
        binds = _arriving(allowed, terms)
        yield _meter(None, _whole(load.most[row], WATT) - home, terms, limit, binds, arrivals=hosts, doubts=hosts)


def _apart(facts: Situation, allowed: list[list[int]]):
    """Members of each anti-affinity group in each fault domain."""
    for bond in (bond for bond in facts.bonds if bond.hard and bond.group.kind in groups.APART):
        for domain in np.unique(bond.domain_of):
            at = [(vm, host) for vm in bond.group.members.tolist() for host in allowed[vm]
                  if bond.domain_of[host] == domain]  # fmt: skip
            binds = [(vm, host) for vm, host in at if bond.domain_of[allowed[vm][0]] != domain]
            terms = [(vm, host, 1) for vm, host in at]
            yield _meter(BROKEN, 0, terms, bond.group.max_per_domain, binds, weight=SCALE)


def _uneven(load: Load, allowed: list[list[int]]):
    """Each host's CPU above its rack's mean, in parts of `SCALE`."""
    facts, by_host = load.situation, _by_host(load.situation, allowed)
    hosts = facts.cluster.hosts
    tolerance = facts.policy.thresholds.uneven_ratio
    for host in np.flatnonzero(load.in_mean).tolist():
        rack = int(hosts.rack[host])
        mean = load.rack_busy[rack] / load.rack_threads[rack]
        inside = np.flatnonzero(load.in_mean & (hosts.rack == rack)).tolist()
        shares = dict.fromkeys(inside, -1.0 / float(load.rack_threads[rack]))
        shares[host] += 1.0 / float(hosts.threads[host])
        terms = [
            (vm, other, round(SCALE * share * _amount(facts, amounts.CPU, vm, other)))
            for other, share in shares.items()
            for vm in by_host[other]
        ]
        start = SCALE * (float(score.busy_ratio(load, np.array([host], np.int32))[0]) - float(mean))
        base = round(start) - sum(n for vm, other, n in terms if allowed[vm][0] == other)
        yield _meter(UNEVEN, base, terms, round(SCALE * tolerance), [], weight=1)


def _meter(level: int | None, base: int, terms: list, limit: int, binds: list, *, weight: int | None = None,
           arrivals: Sequence[int] = (), doubts: Sequence[int] = ()) -> dict[str, Any]:  # fmt: skip
    return {
        "level": level, "base": base, "terms": [term for term in terms if term[2]], "limit": limit, "binds": binds,
        "weight": round(SCALE / max(limit, 1)) if weight is None else weight, "arrivals": list(arrivals),
        "doubts": list(doubts),
    }  # fmt: skip


def _arriving(allowed: list[list[int]], terms: list) -> list[tuple[int, int]]:
    """Those that bring a host something it does not have."""
    return [(vm, host) for vm, host, amount in terms if amount > 0 and allowed[vm][0] != host]


def _by_host(facts: Situation, allowed: list[list[int]]) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in facts.cluster.hosts.names]
    for vm, hosts in enumerate(allowed):
        for host in hosts:
            found[host].append(vm)
    return found


def _amount(facts: Situation, row: int, vm: int, host: int) -> float:
    home = host == facts.cluster.vms.host[vm]
    return float((facts.relieves if home else facts.brings)[row, vm])


def _watts(facts: Situation, vm: int, host: int) -> int:
    home = host == facts.cluster.vms.host[vm]
    slope = (facts.watts.per_thread_out if home else facts.watts.per_thread_in)[host]
    return _whole(slope * _amount(facts, amounts.CPU, vm, host), WATT)


def _whole(value: float, unit: float) -> int:
    """So many units; an instance whose amounts are no whole numbers of them is refused."""
    number = round(float(value) / unit)
    assert abs(number - float(value) / unit) < 1e-3, f"{value} is no whole number of {unit}"
    return number

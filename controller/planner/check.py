"""Proves a plan from the snapshot alone, one number at a time. Shares no code with the search, the load or the rules.

What is proved: no move goes where Nova, heat, health, trust or clearance forbid, or takes what may not be moved; every
wave keeps the limits of moves at once, and the hour's; and at no instant of any wave is anything broken that was not
broken at the start, or broken worse.

What it says of its score and of what is wrong before and after it is reckoned again (`check_score`).

Moves that free hosts fill no target further than policy lets them, and what they leave empty stays so and is not
missed (`check_freed`).

For every instant it is enough to look at each wave once. Host loads, watts and a domain's members are sums in which
every copy counts for nothing or more. While a wave runs, any of its moves may not have begun (the copy on the source),
be under way (both), or be done (the copy on the target). So no instant carries more than all sources and all targets
together, and if that is within `max(limit, start)` then so is every instant, in any order and if any of them fail.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from controller.model import cluster as model
from controller.model.plan import Move, Plan
from controller.model.policy import Policy
from controller.planner import (
    check_failover,
    check_freed,
    check_groups,
    check_loads,
    check_moves,
    check_rows,
    check_score,
)
from controller.planner.check_rows import Rows


def problems(cluster: model.Cluster, policy: Policy, plan: Plan) -> tuple[str, ...]:
    """What is wrong with the plan, in words; empty where it is proved."""
    rows = check_rows.of_moves(cluster, plan.moves)
    found = [*_shape(cluster, plan, rows)]
    if found:
        return tuple(found)
    now_s = plan.created_at.timestamp()
    found += check_moves.problems(cluster, policy, plan.moves, now_s, rows)
    found += _room(plan)
    found += _at_once(cluster, policy, plan, rows)
    found += _in_the_hour(cluster, policy, plan, rows)
    book = check_loads.Book(cluster, policy, plan.moves)
    start = dict(book.sums)
    found += check_loads.problems(book, policy, plan)
    found += check_groups.problems(cluster, plan, rows)
    found += check_failover.problems(cluster, policy, plan, rows)
    found += check_freed.problems(cluster, policy, plan, rows)
    if plan.objective != policy.objective:
        found.append("its objective is not policy's")
    else:
        found += check_score.problems(cluster, policy, plan, rows, (start, book.sums))
    if plan.score_after > plan.score_before:
        found.append(f"the objective would go from {plan.score_before} to {plan.score_after}")
    return tuple(found)


def misshapen(cluster: model.Cluster, plan: Plan) -> bool:
    """Whether its moves are none of this snapshot's: of other VMs or hosts, or from where a VM no longer is."""
    return any(_shape(cluster, plan, check_rows.of_moves(cluster, plan.moves)))


def _shape(cluster: model.Cluster, plan: Plan, rows: Rows) -> Iterator[str]:
    """Moves are numbered, waves follow each other, each VM moves once, from where it is to a host that exists."""
    if [move.n for move in plan.moves] != list(range(1, len(plan.moves) + 1)):
        yield "moves are not numbered from 1 in order"
    numbers = [move.wave for move in plan.moves]
    if numbers != sorted(numbers) or set(numbers) != set(range(1, max(numbers, default=0) + 1)):
        yield "waves do not follow each other from 1"
    for vm, count in Counter(move.vm for move in plan.moves).items():
        if count > 1:
            yield f"VM {vm} moves {count} times"
    for move in plan.moves:
        if move.vm not in rows.vms:
            yield f"move {move.n}: VM {move.vm} is not in the snapshot"
        elif move.target not in rows.hosts or move.source not in rows.hosts or move.source == move.target:
            yield f"move {move.n}: {move.source} to {move.target} is no move between two hosts of the snapshot"
        elif int(cluster.vms.host[rows.vms[move.vm]]) != rows.hosts[move.source]:
            yield f"move {move.n}: VM {move.vm} is not on {move.source}"


def _room(plan: Plan) -> Iterator[str]:
    """Who makes room leaves before the VM comes that it is made for."""
    coming = {(move.vm, move.target): move.wave for move in plan.moves}
    for move in plan.moves:
        if move.room_for is not None and coming.get((move.room_for, move.source), 0) <= move.wave:
            yield f"move {move.n}: VM {move.vm} makes room for {move.room_for}, which does not come after it"


def _at_once(cluster: model.Cluster, policy: Policy, plan: Plan, rows: Rows) -> Iterator[str]:
    """Every wave with the migrations under way at the snapshot, against each limit of moves at once."""
    vms = cluster.vms
    running: Counter[tuple[str, int]] = Counter()
    for vm in np.flatnonzero(vms.busy & (vms.host >= 0) & (vms.target >= 0)).tolist():
        running.update(_places(cluster, vm, int(vms.host[vm]), int(vms.target[vm])))
    for number, wave in enumerate(plan.waves, start=1):
        taken = Counter(running)
        for move in wave:
            taken.update(_places(cluster, rows.vms[move.vm], rows.hosts[move.source], rows.hosts[move.target]))
        for place in sorted(taken):
            allowed = _allowed(cluster, policy, *place)
            if taken[place] > max(allowed, running[place]):
                yield f"wave {number}: {taken[place]} at once in {place[0]} {place[1]}, allowed {allowed}"


def _places(cluster: model.Cluster, vm: int, source: int, target: int) -> list[tuple[str, int]]:
    """What a migration takes a place of."""
    racks = {int(cluster.hosts.rack[source]), int(cluster.hosts.rack[target])}
    system = int(cluster.vms.system[vm])
    places = [("all", 0), ("out of host", source), ("into host", target)]
    places += [("uplink of rack", rack) for rack in racks if len(racks) > 1 and rack >= 0]
    if system >= 0:
        places += [("system", system), ("agency", int(cluster.systems.agency[system]))]
    return [place for place in places if place[1] >= 0]


def _allowed(cluster: model.Cluster, policy: Policy, kind: str, row: int) -> int:
    limits = policy.limits
    if kind == "system":
        own = int(cluster.systems.at_once[row])
        return limits.per_system if own < 0 else min(own, limits.per_system)
    if kind == "agency":
        own = int(cluster.agencies.at_once[row])
        return limits.per_agency if own < 0 else min(own, limits.per_agency)
    return {
        "all": limits.at_once,
        "out of host": limits.out_of_host,
        "into host": limits.into_host,
        "uplink of rack": limits.across_rack,
    }[kind]


def _in_the_hour(cluster: model.Cluster, policy: Policy, plan: Plan, rows: Rows) -> Iterator[str]:
    """All moves of the plan as if they were begun in this hour."""
    if len(plan.moves) > max(0, min(policy.limits.max_moves, policy.limits.per_hour - cluster.moved_last_hour)):
        yield f"{len(plan.moves)} moves, more than the hour or one plan may have"
    systems = Counter(_systems(cluster, plan.moves, rows))
    agencies = Counter(_agencies(cluster, systems))
    for system, count in systems.items():
        budget = int(cluster.systems.per_hour[system])
        if 0 <= budget < count + int(cluster.systems.moved_last_hour[system]):
            yield f"{count} moves of system {cluster.systems.names[system]}, more than its hour has left"
    for agency, count in agencies.items():
        budget = int(cluster.agencies.per_hour[agency])
        if 0 <= budget < count + int(cluster.agencies.moved_last_hour[agency]):
            yield f"{count} moves of agency {cluster.agencies.names[agency]}, more than its hour has left"


def _systems(cluster: model.Cluster, moves: tuple[Move, ...], rows: Rows) -> list[int]:
    of_moves = [int(cluster.vms.system[rows.vms[move.vm]]) for move in moves]
    return [system for system in of_moves if system >= 0]


def _agencies(cluster: model.Cluster, systems: Counter[int]) -> list[int]:
    found = [int(cluster.systems.agency[system]) for system in systems.elements()]
    return [agency for agency in found if agency >= 0]

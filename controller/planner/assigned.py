"""Where VMs had best stand, as the assignment core finds it: all at once, and blind to what happens on the way.

    items  VMs that may move: those on hosts where something is wrong, and others by chance
    hard   what Placement admits, what hosts are filled to, one member of a group to a host, rules of places
    cost   what is over capacity, over limits, above the rack's mean and tolerance, by the weights of `MOST_URGENT` and
           `UNEVEN`; what staying breaks where the host fails, drains or is not for it; `gain_per_gib` a GiB copied

Watts, uplinks, budgets, waves, groups of other kinds and peaks of what arrives are not in it, what a VM uses counts as
what its host is relieved of, and amounts are rounded: it is a direction, which `rearranging` follows as far as every
rule lets it.
"""

from collections.abc import Callable, Collection
from typing import TypedDict, Unpack

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.plan import Concern
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import copies, groups, rules, score
from controller.planner.assignment.problem import Flags, Problem, UnsoundProblemError, Whole
from controller.planner.assignment.search import Search
from controller.planner.load import Load, misplaced
from inventory.model import Domain

MOST_ITEMS = 2_000
"""So many VMs are looked at together; where more may move, chance says which."""
TRIES_PER_ITEM = 2_000
LEAST_TRIES, MOST_TRIES = 20_000, 4_000_000
STEPS = 200
"""So many temperatures from hot to cold."""

UNIT = 10_000
"""What a host of mean size has of each quantity; amounts are whole numbers of it."""
MOST_URGENT, UNEVEN = (100_000, 1_000, 100), 10
"""What one of these units costs of what is wrong, the most urgent level first, and above the rack's mean."""
LARGEST = 10**7
"""No amount counts as more."""


def placement(
    load: Load, movable: BoolColumn, wrong: Collection[int], seed: int, stop: Callable[[], bool]
) -> IntColumn | None:
    """For each VM the host where it had best stand; where it stands if it was not looked at. None where there is no
    telling.

    `movable`: the VMs that may move. `wrong`: hosts whose VMs are looked at first. The same for the same load and
    seed, unless `stop` ends it.
    """
    vms = _looked_at(load, movable, wrong, seed)
    if not len(vms):
        return None
    try:
        problem = of_load(load, vms)
    except UnsoundProblemError:  # too many or too far apart for whole numbers to hold what they cost
        return None
    tries = min(max(TRIES_PER_ITEM * len(vms), LEAST_TRIES), MOST_TRIES)
    search = Search(problem, problem.origin, seed=seed)
    found = search.run(lambda done: 1.0 if stop() else done / tries, at_once=tries // STEPS)
    places = load.host.copy()
    places[vms] = found.bins
    return places


def make_ready() -> None:
    """Loads the search's machine code, or makes it where this machine has none yet, which takes most of a minute."""
    one, nothing = np.zeros(1, np.int64), np.zeros((1, 1), np.int64)
    problem = _problem(
        origin=one,
        demand=nothing,
        group=one,
        kind=one,
        open_to=np.ones((1, 1), np.bool_),
        move_cost=one,
        capacity=nothing,
        safety=nothing,
        safety_weight=one,
    )
    Search(problem, problem.origin, seed=0).step(1.0, 1)


def of_load(load: Load, vms: IntColumn) -> Problem:
    """The problem of where these VMs had best stand, among all hosts, while all others stay. Raises
    `UnsoundProblemError` where amounts are too far apart.
    """
    origin = load.host[vms].astype(np.int64)
    demand, capacity, safety = _amounts(load, vms, origin)
    kind, open_to = _open_to(load, vms)
    broken, hot = _weight(load, Concern.BROKEN), _weight(load, Concern.HOT)
    return _problem(
        origin=origin,
        demand=demand,
        group=_group(load, vms),
        kind=kind,
        open_to=open_to,
        move_cost=_move_cost(load, vms),
        capacity=capacity,
        safety=safety,
        safety_weight=np.array([broken] * 3 + [hot] * load.situation.judged + [UNEVEN]),
    )


class _Columns(TypedDict):
    """The columns of `Problem` that differ from load to load."""

    origin: Whole
    demand: Whole
    group: Whole
    kind: Whole
    open_to: Flags
    move_cost: Whole
    capacity: Whole
    safety: Whole
    safety_weight: Whole


def _problem(**columns: Unpack[_Columns]) -> Problem:
    """With hosts that are all in one domain, near each other, and no dependencies."""
    alike = np.zeros(len(columns["capacity"]), np.int64)
    return Problem(
        **columns,
        transient=np.zeros(len(columns["safety_weight"]), np.bool_),
        domain=alike,
        least_domains=np.zeros(len(columns["origin"]), np.int64),
        neighbourhood=alike,
        dependencies=np.zeros((0, 2), np.int64),
        route_class=alike,
        route_cost=np.zeros((1, 1), np.int64),
        group_move_weight=0,
        balances=(),
    )


def _looked_at(load: Load, movable: BoolColumn, wrong: Collection[int], seed: int) -> IntColumn:
    """VMs of hosts where something is wrong first, then by chance; none whose groups the problem cannot hold."""
    facts = load.situation
    held = {vm for vm, numbers in facts.bonds_of.items() if not _simple([facts.bonds[each] for each in numbers])}
    may = movable & (load.host >= 0)
    may[list(held)] = False
    vms = np.flatnonzero(may)
    first = np.isin(load.host[vms], list(wrong))
    order = np.lexsort((np.random.default_rng(seed).random(len(vms)), ~first))
    chosen: IntColumn = np.sort(vms[order[:MOST_ITEMS]]).astype(np.int32)
    return chosen


def _simple(bonds: list[groups.Bond]) -> bool:
    """Whether at most one hard group binds, and it wants its members on hosts of their own."""
    hard = [bond for bond in bonds if bond.hard]
    return not hard or (len(hard) == 1 and _one_a_host(hard[0]))


def _one_a_host(bond: groups.Bond) -> bool:
    group = bond.group
    return group.kind in groups.APART and group.domain is Domain.HOST and group.max_per_domain == 1


def _bond(load: Load, vm: int) -> int | None:
    """The number of the hard group that binds the VM."""
    numbers = load.situation.bonds_of.get(vm, ())
    return next((number for number in numbers if load.situation.bonds[number].hard), None)


def _group(load: Load, vms: IntColumn) -> Whole:
    """Members of one group have one number, every other VM one of its own."""
    names = [("group", bond) if (bond := _bond(load, vm)) is not None else ("vm", vm) for vm in vms.tolist()]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], np.int64)


def _open_to(load: Load, vms: IntColumn) -> tuple[Whole, Flags]:
    """Which hosts each VM may go to by the rules of places, and by members of its group that are not looked at."""
    facts, hosts = load.situation, len(load.situation.cluster.hosts.names)
    looked_at = set(vms.tolist())
    kinds: dict[bytes, int] = {}
    kind = []
    for vm in vms.tolist():
        may = np.zeros(hosts, np.bool_)
        may[rules.places(load, vm)] = True
        may[load.host[vm]] = True  # as it may anyway, so that those of one kind have one mask
        number = _bond(load, vm)
        if number is not None:
            others = [each for each in facts.bonds[number].group.members.tolist() if each not in looked_at]
            taken = load.host[others]
            may[taken[taken >= 0]] = False
        kind.append(kinds.setdefault(may.tobytes(), len(kinds)))
    open_to = np.frombuffer(b"".join(kinds), np.bool_).reshape(len(kinds), hosts)
    return np.array(kind, np.int64), open_to


def _amounts(load: Load, vms: IntColumn, origin: Whole) -> tuple[Whole, Whole, Whole]:
    """Of what Placement counts, what is measured, and CPU once more for the rack's mean: demands, and what hosts leave
    for these VMs: up to what they are filled, and up to where it costs.
    """
    facts = load.situation
    judged = slice(facts.judged)
    demand = np.concatenate([facts.asked, facts.brings[judged], facts.brings[:1]])[:, vms].T
    carried = np.concatenate([load.asked, load.used[judged], load.used[:1]]).T
    even = _even(load)
    filled = np.concatenate([facts.capacity, facts.filled_to[judged], np.full((1, len(even)), np.inf)]).T
    safe = np.concatenate([facts.capacity, facts.limit[judged], even[None]]).T
    whole = np.where(np.isfinite(safe) & (safe > 0), safe, np.nan)
    mean = np.array([np.nanmean(column) if np.isfinite(column).any() else 1.0 for column in whole.T])
    scale = UNIT / mean
    asked = np.ceil(np.minimum(demand * scale, LARGEST)).astype(np.int64)
    own = np.zeros((len(carried), asked.shape[1]), np.int64)
    np.add.at(own, origin, asked)
    others = np.rint(np.clip(np.nan_to_num(carried * scale), 0, LARGEST)).astype(np.int64) - own
    all_of_it = asked.sum(axis=0)

    def left(limit: FloatColumn) -> Whole:
        units = np.floor(np.clip(limit * scale, 0, LARGEST))
        known = np.isfinite(limit) & np.isfinite(carried)
        return np.where(known, np.nan_to_num(units).astype(np.int64) - others, all_of_it)

    return asked, left(filled), left(safe)


def _even(load: Load) -> FloatColumn:
    """Busy threads above which each host is uneven; infinite where it cannot be, or more than CPU is balanced: that is
    left to `levelling`.
    """
    even = np.full(len(load.in_mean), np.inf)
    if not load.situation.balance.alone:
        return even
    hosts = np.flatnonzero(load.in_mean).astype(np.int32)
    even[hosts] = score.even_ratio(load, hosts) * load.situation.cluster.hosts.threads[hosts]
    return even


def _move_cost(load: Load, vms: IntColumn) -> Whole:
    """What copying costs, less what is broken while the VM stays."""
    facts = load.situation
    gib = np.minimum(copies.sent_gib(load, vms), LARGEST)
    copying = np.minimum(facts.policy.limits.gain_per_gib * gib * UNIT * UNEVEN, LARGEST)
    home = load.host[vms]
    broken = (
        facts.standing.failing[home].astype(np.int64) + misplaced(load)[vms] + load.misfit[vms] + _crowded(load, vms)
    )
    wrong = broken * _weight(load, Concern.BROKEN) + facts.cluster.hosts.draining[home] * _weight(load, Concern.DRAIN)
    cost: Whole = 1 + copying.astype(np.int64) - wrong * UNIT
    return cost


def _weight(load: Load, concern: Concern) -> int:
    return MOST_URGENT[load.situation.policy.rank(concern)]


def _crowded(load: Load, vms: IntColumn) -> BoolColumn:
    """Which of them share their host with a larger member of a group whose members stand apart."""
    crowded = np.zeros(len(vms), np.bool_)
    largest: dict[tuple[int, int], int] = {}
    memory = load.situation.asked[1, vms]
    for at in np.argsort(-memory, kind="stable").tolist():
        bond = _bond(load, int(vms[at]))
        if bond is not None:
            crowded[at] = largest.setdefault((bond, int(load.host[vms[at]])), at) != at
    return crowded

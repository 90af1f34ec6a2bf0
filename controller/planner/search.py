"""Finds moves: worst breach first, for each the VM that mends most for least copying, to the host least full after.

Once nothing is left to mend that way, it frees hosts where policy lets it (`freeing`).

Straightforward on purpose. What makes it safe is not here: a target is only ever one that every rule admits with both
copies counted, waves are built again from the start, and `check` proves the result. The search sees a move as done at
once; a VM that it sends on a second time is simply sent there in the first place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.plan import Breach, Concern
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import (
    amounts,
    canonical,
    classify,
    copies,
    freeing,
    groups,
    preference,
    rearranging,
    room,
    rules,
    score,
    supplies,
    whim,
)
from controller.planner.budget import Ledger
from controller.planner.load import Load
from controller.planner.situation import Situation

NEGLIGIBLE = 0.001
"""A VM that uses less than this share of its host is not worth moving to cool it."""

SPARE = 0.01
"""What was too hot is left this share below its limit, so that the next reading does not start it all again."""

URGENCY = ("clearance", "health", "inlet", "drain", "capacity", "group")
"""Which of the broken is mended first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A VM, where it shall go, and the breach that it mends: its own, or that of the VM which it makes room for."""

    vm: int
    target: int
    breach: Breach
    room_for: int | None = None


def never() -> bool:
    """A search that nobody stops."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`choices`: moves, most urgent concern first; carried out in that order each one is allowed. `stopped`: there may
    be more. `bounded`: a greater effort may find more. `score`: what the moves together come to.
    """

    choices: tuple[Choice, ...]
    score: score.Score
    stopped: bool
    bounded: bool


def choices(
    situation: Situation,
    effort: room.Effort = room.USUAL,
    stop: Callable[[], bool] = never,
    prefers: whim.Whim = whim.NONE,
) -> Found:
    """All moves worth making; those found so far where `stop`, asked before each breach, says so."""
    search = Search(situation, effort, stop, prefers)
    if prefers.seed is not None and not (situation.own_moves and search.rearrange(prefers.seed)):
        search = Search(situation, effort, stop, prefers.undirected())
    frees = situation.policy.consolidation.enabled and situation.own_moves
    before = score.of_load(search.load)
    while True:
        _mend(search)
        if situation.policy.balance and situation.own_moves:
            _level(search)
        search.settle()
        after = score.of_load(search.load)
        if after >= before and frees and not search.stopped:
            search.freeing.free()
            after = score.of_load(search.load)
        if after >= before or search.stopped:
            return search.found()
        before = after


class Search:
    """The load as the moves found so far make it, and the hour's budget that they leave."""

    def __init__(
        self, situation: Situation, effort: room.Effort, stop: Callable[[], bool], prefers: whim.Whim = whim.NONE
    ) -> None:
        self.situation = situation
        self.prefers = prefers
        self._stop = stop
        self.stopped = False
        self.load = Load(situation)
        self._ledger = Ledger(situation.cluster, situation.places, situation.policy.limits.max_moves)
        self._reasons: dict[int, Breach] = {}
        self._rooms = room.Rooms(self.load, effort, self.asked_to_stop, prefers)
        self._room_for: dict[int, int] = {}
        self.hosts: dict[str, int] = {name: row for row, name in enumerate(situation.cluster.hosts.names)}
        self._drained = np.append(situation.cluster.hosts.draining, False)[self.load.origin]
        self._asked_for = self._drained & np.isin(self.load.origin, list(situation.drains))
        self._held = np.where(self._drained, situation.drain != "", situation.own != "")
        self._sent = np.zeros(len(self.load.origin), np.bool_)
        self.freeing = freeing.Freeing(self)

    def asked_to_stop(self) -> bool:
        """Whether the search is to end here; it then looks at no other breach."""
        self.stopped = self.stopped or self._stop()
        return self.stopped

    def found(self) -> Found:
        """The moves, by concern and then in the order they were found."""
        made = [
            Choice(vm=vm, target=int(self.load.host[vm]), breach=breach, room_for=self._room_for.get(vm))
            for vm, breach in self._reasons.items()
        ]
        ordered = tuple(sorted(made, key=lambda choice: choice.breach.concern))
        return Found(choices=ordered, score=score.of_load(self.load), stopped=self.stopped, bounded=self._rooms.bounded)

    def may_move(self, vm: int, breach: Breach) -> bool:
        """Whether the VM itself may move for this breach, wherever to."""
        return bool(self.movable(np.array([vm], np.int32), breach)[0])

    def movable(self, vms: IntColumn, breach: Breach) -> BoolColumn:
        """Which of the VMs themselves may move for this breach, wherever to."""
        drained, asked_for = self._drained[vms], self._asked_for[vms]
        movable = ~self._held[vms] & (self._sent[vms] | ~self._ledger.refusing(vms))
        if breach.concern >= Concern.UNEVEN:
            movable &= ~self.situation.standing.on_battery[self.load.host[vms]]
        elsewhere = np.zeros(len(vms), np.bool_) if breach.rule == "drain" else ~drained & self.situation.own_moves
        allowed: BoolColumn = movable & (asked_for | elsewhere)
        return allowed

    def move(self, vm: int, breach: Breach, within: BoolColumn | None = None) -> bool:
        """Sends the VM to its best target (among `within`, where given); False where it has none."""
        within = self._below_brim(breach, within)
        if not self.may_move(vm, breach) or (within is not None and not within.any()):
            return False
        targets = rules.targets(self.load, vm)
        if within is not None:
            targets = targets[within[targets]]
        if self._brims(breach):
            targets = rules.below_brim(self.load, vm, targets, rules.BRIM)
        if not len(targets):
            return False
        costs = self.prefers.costs(preference.costs(self.load, vm, targets))
        self.send(vm, int(targets[np.argmin(costs)]), breach)
        return True

    def _brims(self, breach: Breach) -> bool:
        """Whether what leaves a supply for its sake stays below others' brims: while it is not itself far over."""
        return breach.rule in supplies.RULES and brims(self.load, self.situation.supplies[breach.key])

    def _below_brim(self, breach: Breach, within: BoolColumn | None) -> BoolColumn | None:
        """Without the hosts on whose supplies nothing more may go for a supply's sake: where none is left, a look at
        every rule for every VM would cost a turn seconds.
        """
        if within is None or not self._brims(breach):
            return within
        hosts = np.flatnonzero(within).astype(np.int32)
        return _mask(len(within), hosts[rules.headroom_watts(self.load, hosts, rules.BRIM) > 0])

    def place(self, vm: int, breach: Breach, within: BoolColumn | None = None) -> bool:
        """Sends the VM to its best target, or where others make room for it; False where it has neither."""
        return self.move(vm, breach, within) or self.squeeze(vm, breach, within)

    def squeeze(self, vm: int, breach: Breach, within: BoolColumn | None = None) -> bool:
        """Sends the VM where others make room for it; False where none can.

        One that is being moved anyway goes elsewhere in the first place; the rest move for this VM alone.
        """
        if not self.situation.own_moves or not self.may_move(vm, breach):
            return False
        within = self._below_brim(breach, within)
        if within is not None and self._brims(breach):
            hosts = np.flatnonzero(within).astype(np.int32)
            within = _mask(len(within), rules.below_brim(self.load, vm, hosts, rules.BRIM))
        if within is not None and not within.any():
            return False
        found = self._rooms.room(vm, within, lambda others: self.movable(others, breach))
        if found is None:
            return False
        before = {other: self._reasons.get(other) for other, _ in found.others}
        left = [other for other, to in found.others if self._sends(other, to, before[other] or breach)]
        if len(left) < len(found.others) or not self.may_move(vm, breach):
            for other in reversed(left):
                self.send(other, found.host, before[other] or breach)
            return False
        self._room_for |= {other: vm for other in left if before[other] is None}
        self.send(vm, found.host, breach)
        return True

    def _sends(self, vm: int, target: int, breach: Breach) -> bool:
        """Sends it where the budgets still let it move."""
        if not self.may_move(vm, breach):
            return False
        self.send(vm, target, breach)
        return True

    def make_room(self, vm: int, target: int, breach: Breach, room_for: int) -> None:
        """Sends the VM so that another can take its place."""
        moves_for_itself = vm in self._reasons
        self.send(vm, target, breach)
        if not moves_for_itself and vm in self._reasons:
            self._room_for[vm] = room_for

    def rearrange(self, seed: int) -> bool:
        """Sends VMs where all together had best stand, if something broken or hot that has lasted asks for it; what is
        uneven is left to `_level`, with its own rules of what is worth a move. False where nobody can tell or asks.
        """
        wrong = (breach for breach in classify.breaches(self.load) if breach.concern < Concern.UNEVEN)
        lasting = [breach for breach in wrong if classify.lasting(self.load, breach)]
        if not lasting:
            return False
        from controller.planner import assigned  # noqa: PLC0415 - loads a compiler, which most searches do without

        found = sorted(lasting, key=lambda breach: _urgency(breach, self.prefers))
        hosts = {self.hosts[breach.subject] for breach in found if breach.subject in self.hosts}
        placement = assigned.placement(self.load, ~self._held, hosts, seed, self.asked_to_stop)
        if placement is None:
            return False
        rearranging.towards(self, placement, found)
        self.settle()
        return True

    def settle(self) -> None:
        """Sends those back that made room for a VM which then went elsewhere. One that cannot go back stays away here,
        with nobody coming for whom: the plan leaves it out.
        """
        for other, vm in tuple(self._room_for.items()):
            freed = int(self.load.origin[other])
            if self.load.host[vm] != freed and freed in rules.targets(self.load, other).tolist():
                self.send(other, freed, self._reasons[other])

    def send(self, vm: int, target: int, breach: Breach) -> None:
        """The VM goes there; it keeps the reason that it moves for already, and has none where it is back home."""
        self.load.move(vm, target)
        if target == self.load.origin[vm]:
            del self._reasons[vm]
            self._sent[vm] = False
            self._room_for.pop(vm, None)
            self._ledger.spend(vm, -1)
        elif vm not in self._reasons:
            self._reasons[vm] = breach
            self._sent[vm] = True
            self._ledger.spend(vm)

    def most(self, vms: IntColumn) -> IntColumn:
        """Those of a breach's VMs, the best first, that others are asked to make room for."""
        self._rooms.bounded |= len(vms) > self._rooms.effort.vms
        return vms[: self._rooms.effort.vms]

    def standing(self, vm: int) -> bool:
        """Whether the VM has not been sent anywhere."""
        return vm not in self._reasons

    def sent(self, vms: IntColumn) -> BoolColumn:
        """Which of the VMs are sent somewhere else than where they stood at first."""
        return self._sent[vms]

    def reason(self, vm: int) -> Breach | None:
        """What the VM is sent somewhere for, None where it is not."""
        return self._reasons.get(vm)

    def made_room(self) -> frozenset[int]:
        """The hosts that others left for a VM which now stands there."""
        return frozenset(int(self.load.host[vm]) for vm in self._room_for.values())

    def on(self, host: int) -> IntColumn:
        """The VMs that stand on a host now."""
        return np.flatnonzero(self.load.host == host).astype(np.int32)

    def waiting(self, quantity: int) -> FloatColumn:
        """What each VM waits for on the host where it was at first: threads alone."""
        at_home = np.equal(self.load.host, self.load.origin) & (quantity == amounts.CPU)
        return np.where(at_home, self.situation.waiting, 0.0)

    def relief(self, vms: IntColumn, quantity: int) -> FloatColumn:
        """What each VM's leaving takes from the host it is on now."""
        home = self.load.host[vms] == self.load.origin[vms]
        relief: FloatColumn = np.where(
            home, self.situation.relieves[quantity, vms], self.situation.brings[quantity, vms]
        )
        return relief


def _mend(search: Search) -> None:
    """One pass over everything broken or hot that has lasted."""
    for breach in sorted(classify.breaches(search.load), key=lambda breach: _urgency(breach, search.prefers)):
        if search.asked_to_stop():
            return
        if breach.rule in MENDERS and classify.lasting(search.load, breach):
            MENDERS[breach.rule](search, breach)


def _urgency(breach: Breach, prefers: whim.Whim) -> tuple[int, int, float, str]:
    """Broken before hot; among equals the furthest over its limit first."""
    rank = prefers.rank(URGENCY.index(breach.rule), len(URGENCY)) if breach.rule in URGENCY else len(URGENCY)
    over = prefers.amount(breach.amount / breach.limit) if breach.limit > 0 else 0.0
    return breach.concern, rank, -over, breach.key


def _empty(search: Search, breach: Breach) -> None:
    """Everything leaves the host, the largest first."""
    vms = search.on(search.hosts[breach.subject])
    for vm in vms[np.lexsort((vms, -search.prefers.costs(search.situation.asked[1, vms])))].tolist():
        if search.asked_to_stop():
            return
        search.place(vm, breach)


def _replace(search: Search, breach: Breach) -> None:
    """The one VM leaves the host it may not be on."""
    search.place(canonical.at(search.situation.cluster.vms.ids, breach.subject), breach)


def _unload(search: Search, breach: Breach) -> None:
    """VMs leave until Placement would admit what is left."""
    host = search.hosts[breach.subject]
    for asked, load, capacity in zip(
        search.situation.asked, search.load.asked, search.situation.capacity[:, host], strict=True
    ):
        over = _over(load, host, float(capacity))
        need = Need(vms=search.on(host), relief=asked.__getitem__, excess=over, broken=over)
        _relieve(search, breach, need)


def _cool(search: Search, breach: Breach) -> None:
    """VMs leave until the host is below its threshold, with a little to spare.

    On a full host what its VMs wait for must go too: as one leaves, the others take what it had.
    """
    host, quantity = search.hosts[breach.subject], amounts.MEASURED.index(breach.rule)
    limit = float(search.situation.limit[quantity, host])
    waiting = search.waiting(quantity)
    vms = search.on(host)
    vms = vms[search.relief(vms, quantity) > NEGLIGIBLE * limit]

    def over(most: float) -> float:
        return float(search.load.used[quantity, host] + waiting[search.on(host)].sum()) - most

    if search.load.used[quantity, host] <= limit:
        return
    need = Need(
        vms=vms,
        relief=lambda left: search.relief(left, quantity) + waiting[left],
        excess=lambda: over((1.0 - SPARE) * limit),
        broken=lambda: over(limit),
    )
    _relieve(search, breach, need)


def _ease(search: Search, breach: Breach) -> None:
    """VMs leave the hosts of a feed, PDU or phase, those first that take most watts off it for least copying."""
    row = search.situation.supplies[breach.key]
    watts, hosts = search.situation.watts, search.situation.cluster.hosts
    fed = supplies.hosts_on(hosts, row)
    vms = np.flatnonzero(np.append(fed, False)[search.load.host]).astype(np.int32)
    vms = vms[search.relief(vms, amounts.CPU) > NEGLIGIBLE * hosts.threads[search.load.host[vms]]]
    limit = float(search.situation.cluster.power.limit_watts[row])
    broken = _over(search.load.least, row, limit)
    if broken() <= 0:
        return
    need = Need(
        vms=vms,
        relief=lambda left: search.relief(left, amounts.CPU) * watts.per_thread_out[search.load.host[left]],
        excess=_over(search.load.least, row, (1.0 - SPARE) * limit),
        broken=broken,
        within=~fed,
    )
    _relieve(search, breach, need)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """VMs that could relieve something, by how much each, and where they may go.

    `excess`: what is still more than it should be, a little to spare; `broken`: more than its limit.
    """

    vms: IntColumn
    relief: Callable[[IntColumn], FloatColumn]
    excess: Callable[[], float]
    broken: Callable[[], float]
    within: BoolColumn | None = None


def _over(loads: FloatColumn, row: int, limit: float) -> Callable[[], float]:
    return lambda: float(loads[row]) - limit


def _relieve(search: Search, breach: Breach, need: Need) -> None:
    """Moves VMs until nothing is in excess: the cheapest that mends it alone, else what mends most for its cost."""
    left = need.vms
    while len(left) and need.excess() > rules.ROUNDING and not search.asked_to_stop():
        left = left[search.movable(left, breach)]
        left = _best_first(search, left, need.relief(left), need.excess())
        moved = next((at for at, vm in enumerate(left.tolist()) if search.move(vm, breach, need.within)), len(left))
        left = left[moved + 1 :]
    _squeeze(search, breach, need)


def _best_first(search: Search, vms: IntColumn, mends: FloatColumn, excess: float) -> IntColumn:
    """Those that mend it alone, the cheapest first; then the others, by what they mend for their cost."""
    cost = search.prefers.costs(copies.sent_gib(search.load, vms))
    order = np.lexsort((vms, np.where(mends >= excess, cost, -mends / cost), mends < excess))
    ordered: IntColumn = vms[order[mends[order] > 0]]
    return ordered


def _squeeze(search: Search, breach: Breach, need: Need) -> None:
    """Where that was not enough to mend it, others make room for VMs that would."""
    if need.broken() <= rules.ROUNDING:
        return
    left = np.array([vm for vm in need.vms.tolist() if search.standing(vm)], np.int32)
    for vm in search.most(_best_first(search, left, need.relief(left), need.broken())).tolist():
        if need.broken() <= rules.ROUNDING or search.asked_to_stop():
            return
        search.squeeze(vm, breach, need.within)


def _regroup(search: Search, breach: Breach) -> None:
    """Members leave the domains that hold too many, the smallest first."""
    for number, bond in enumerate(search.situation.bonds):
        if bond.group.name != breach.subject or not bond.hard:
            continue
        members = bond.group.members[search.load.host[bond.group.members] >= 0]
        costs = search.prefers.costs(copies.sent_gib(search.load, members))
        for vm in members[np.lexsort((members, costs))].tolist():
            domain = int(bond.domain_of[search.load.host[vm]])
            if domain >= 0 and bond.excess(domain, search.load.members[number][domain]):
                search.place(vm, breach, _outside(bond, domain))


def _outside(bond: groups.Bond, domain: int) -> BoolColumn:
    outside: BoolColumn = np.not_equal(bond.domain_of, domain)
    return outside


def _level(search: Search) -> None:
    """Uneven hosts give VMs to others of their rack, where the move earns more than it costs."""
    found = [b for b in classify.breaches(search.load) if b.concern is Concern.UNEVEN]
    for breach in sorted(found, key=lambda b: (b.limit - b.amount, b.key)):
        if search.asked_to_stop():
            return
        if classify.lasting(search.load, breach):
            while _level_once(search, breach, search.hosts[breach.subject]):
                pass


def _level_once(search: Search, breach: Breach, host: int) -> bool:
    """`gain = min(over, threads moved / threads)`; it must be more than `gain_per_gib` for each GiB copied."""
    over = float(score.unevenness(search.load)[host])
    vms = search.on(host)
    gain = np.minimum(over, search.relief(vms, amounts.CPU) / search.situation.cluster.hosts.threads[host])
    earned = gain - search.situation.policy.limits.gain_per_gib * copies.sent_gib(search.load, vms)
    pays = (earned > 0) & (gain > score.DUST)
    worth: IntColumn = vms[pays][np.lexsort((vms[pays], -search.prefers.costs(earned[pays])))]
    worth = worth[search.movable(worth, breach)]
    return any(search.move(vm, breach, _takers(search, vm, host)) for vm in worth.tolist())


def _takers(search: Search, vm: int, host: int) -> BoolColumn:
    """Hosts of the same rack that the VM would not make uneven."""
    load, rack = search.load, int(search.situation.cluster.hosts.rack[host])
    hosts = search.situation.rack_hosts[rack]
    hosts = hosts[load.in_mean[hosts]]
    after = load.used[0, hosts] + search.situation.brings[0, vm]
    return _mask(
        len(load.in_mean), hosts[after <= score.even_ratio(load, hosts) * search.situation.cluster.hosts.threads[hosts]]
    )


MENDERS: Mapping[str, Callable[[Search, Breach], None]] = {
    "clearance": _replace,
    "health": _empty,
    "inlet": _empty,
    "drain": _empty,
    "capacity": _unload,
    "group": _regroup,
    "cpu": _cool,
    "memory": _cool,
    "network": _cool,
    "feed": _ease,
    "pdu": _ease,
    "phase": _ease,
}


def brims(load: Load, row: int) -> bool:
    """Whether a supply is so little over its limit that others are not filled to the brim for it."""
    return bool(load.least[row] <= (1.0 + rules.BRIM) * load.situation.cluster.power.limit_watts[row])


def _mask(count: int, rows: IntColumn) -> BoolColumn:
    mask = np.zeros(count, np.bool_)
    mask[rows] = True
    return mask

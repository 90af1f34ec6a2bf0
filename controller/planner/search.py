"""Finds moves: worst breach first, for each the VM that mends most for least copying, to the host least full after.

Once nothing is left to mend that way, it frees hosts where policy lets it (`freeing`).

Straightforward on purpose. What makes it safe is not here: a target is only ever one that every rule admits with both
copies counted, waves are built again from the start, and `check` proves the result. The search sees a move as done at
once; a VM that it sends on a second time is simply sent there in the first place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.plan import WRONG, Breach
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import (
    amounts,
    classify,
    freeing,
    levelling,
    mending,
    preference,
    rearranging,
    reconsidering,
    room,
    rules,
    score,
    supplies,
    whim,
)
from controller.planner.budget import Ledger
from controller.planner.choice import Choice
from controller.planner.load import Load
from controller.planner.situation import Situation


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
    best: Sequence[Choice] = (),
) -> Found:
    """All moves worth making; those found so far where `stop`, asked before each breach, says so.

    `best`: the best moves so far, for a round that reconsiders them.
    """
    search = _begun(situation, effort, stop, prefers, best)
    frees = situation.policy.consolidation.enabled and situation.own_moves
    before = score.of_load(search.load)
    while True:
        mending.mend(search)
        search.waits[:] = False
        if situation.policy.balance and situation.own_moves:
            levelling.level(search)
        search.settle()
        after = score.of_load(search.load)
        if after >= before and frees and not search.stopped:
            search.freeing.free()
            after = score.of_load(search.load)
        if after >= before or search.stopped:
            return search.found()
        before = after


def _begun(
    situation: Situation,
    effort: room.Effort,
    stop: Callable[[], bool],
    prefers: whim.Whim,
    best: Sequence[Choice],
) -> "Search":
    """With nothing moved yet, or where the round sets out from."""
    search = Search(situation, effort, stop, prefers)
    if prefers.reconsiders and prefers.dice is not None:
        reconsidering.begin(search, best, prefers.dice)
    if prefers.seed is not None and not (situation.own_moves and search.rearrange(prefers.seed)):
        return Search(situation, effort, stop, prefers.undirected())
    return search


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
        self.waits = np.zeros(len(self.load.origin), np.bool_)
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
        rank = self.situation.policy.rank
        ordered = tuple(sorted(made, key=lambda choice: rank(choice.breach.concern)))
        return Found(choices=ordered, score=score.of_load(self.load), stopped=self.stopped, bounded=self._rooms.bounded)

    def may_move(self, vm: int, breach: Breach) -> bool:
        """Whether the VM itself may move for this breach, wherever to."""
        return bool(self.movable(np.array([vm], np.int32), breach)[0])

    def movable(self, vms: IntColumn, breach: Breach) -> BoolColumn:
        """Which of the VMs themselves may move for this breach, wherever to."""
        drained, asked_for = self._drained[vms], self._asked_for[vms]
        movable = ~(self._held[vms] | self.waits[vms]) & (self._sent[vms] | ~self._ledger.refusing(vms))
        if breach.concern not in WRONG:
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
        self.send(vm, preference.best(self.load, targets, costs), breach)
        return True

    def _brims(self, breach: Breach) -> bool:
        """Whether what leaves a supply for its sake stays below others' brims: while it is not itself far over."""
        return breach.rule in supplies.RULES and rules.hardly_over(self.load, self.situation.supplies[breach.key])

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

    def rearrange(self, seed: int) -> bool:
        """Sends VMs where all together had best stand, if something broken or hot that has lasted asks for it; what is
        uneven is left to `levelling`, with its own rules of what is worth a move. False where nobody can tell or asks.
        """
        wrong = (
            breach
            for breach in classify.breaches(self.load)
            if breach.concern in WRONG and breach.rule != classify.MISFITTING
        )
        lasting = [breach for breach in wrong if classify.lasting(self.load, breach)]
        if not lasting:
            return False
        from controller.planner import assigned  # noqa: PLC0415 - loads a compiler, which most searches do without

        found = sorted(lasting, key=lambda breach: mending.urgency(self, breach))
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

    def send(self, vm: int, target: int, breach: Breach, room_for: int | None = None) -> None:
        """The VM goes there; it keeps the reason that it moves for already, and has none where it is back home.

        `room_for`: the VM that it makes room for, where it has no reason of its own.
        """
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
            if room_for is not None:
                self._room_for[vm] = room_for

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


def _mask(count: int, rows: IntColumn) -> BoolColumn:
    mask = np.zeros(count, np.bool_)
    mask[rows] = True
    return mask

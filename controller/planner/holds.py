"""Why what should have been mended was not: for each breach left, and each VM that should have moved, the rule."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.ids import ServerId
from controller.model.plan import Breach, Concern, Hold
from controller.model.sample import IntColumn
from controller.planner import (
    amounts,
    canonical,
    classify,
    conflict,
    describe,
    groups,
    levelling,
    rings,
    rules,
    stuck,
    supplies,
)
from controller.planner.budget import Ledger
from controller.planner.conflict import Conflict
from controller.planner.failover import Failover
from controller.planner.load import Load
from controller.planner.stuck import Stuck, Verdict

LOOKED_AT = 40
"""VMs examined to say what holds a breach that many could relieve: those that would relieve most."""
OF_KNOWN = frozenset({*classify.EMPTYING, *classify.OF_VM, "group"})
"""Rules of breaches of which it is known which VMs should move."""
EXPLAINED = 50
"""VMs that stand where Nova would not put them of which it is said one by one what holds them."""
FULL = frozenset(rule.name for rule in rules.DYNAMIC)
"""Rules that another VM's leaving may meet."""
LOOKED_AT_UNEVEN = 5
"""So many of a host that is uneven, of which there may be hundreds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A breach that stays: a sentence, the VMs by what holds them, and a minimal set of rules that leaves none of them
    a target (None where some could go).
    """

    breach: str
    sentence: str
    stuck: tuple[Stuck, ...]
    conflict: Conflict | None


def of_breaches(
    load: Load,
    ledger: Ledger,
    left: Collection[Breach],
    waiting: Collection[int],
    *,
    stopped: bool,
    stop: Callable[[], bool] = rings.never,
) -> tuple[Hold, ...]:
    """The holds of all breaches left after the plan; `waiting` are VMs whose moves fit into no wave.

    `stopped`: the search was ended before it had looked at everything. `stop`: whether to look for no more rings.
    """
    holds = Holds(load, ledger, waiting, left, stopped=stopped, stop=stop)
    return tuple(hold for breach in left for hold in holds.of_breach(breach))


class Holds:
    """Looks up why, on the load that the plan leaves."""

    def __init__(
        self,
        load: Load,
        ledger: Ledger,
        waiting: Collection[int],
        left: Collection[Breach] = (),
        *,
        stopped: bool = False,
        stop: Callable[[], bool] = rings.never,
    ) -> None:
        self._stopped, self._stop = stopped, stop
        self._load = load
        self._ledger = ledger
        self._waiting = frozenset(waiting)
        cluster = load.situation.cluster
        self._hosts: dict[str, int] = {name: row for row, name in enumerate(cluster.hosts.names)}
        self._power = load.situation.supplies
        self.bars = conflict.Bars(load)
        self._verdicts: dict[tuple[int, bytes], Verdict] = {}
        self._left = left
        self._explained = 0

    def of_breach(self, breach: Breach) -> Iterator[Hold]:
        """One hold a VM where it is known which should have moved, else one for the breach."""
        rule = self._of_whole(breach) or ("stopped" if self._stopped else "")
        if rule:
            yield Hold(breach=breach.key, vm=None, rule=rule, why=f"{breach.why}; held: {self._meaning(rule, breach)}")
        elif breach.rule == "admission" and self._explained >= EXPLAINED:
            why = f"{breach.why}; held: {describe.RULES['not-told']}"
            yield Hold(breach=breach.key, vm=ServerId(breach.subject), rule="not-told", why=why)
        elif breach.rule in OF_KNOWN:
            self._explained += breach.rule == "admission"
            yield from (self._of_vm(breach, vm) for vm in self._should_move(breach))
        else:
            yield self._of_relief(breach)

    def verdict(self, vm: int, within: IntColumn | None = None) -> Verdict:
        """What keeps this VM where it is, or off the hosts `within` which a move of it would relieve something."""
        key = vm, b"" if within is None else within.tobytes()
        if key not in self._verdicts:
            self._verdicts[key] = self._verdict(vm, within)
        return self._verdicts[key]

    def _verdict(self, vm: int, within: IntColumn | None) -> Verdict:
        held = self.held(vm)
        if held:
            return Verdict(vm=vm, rule=held)
        pairs = self.bars.pairs(vm, within)
        patterns = pairs.patterns()
        first = conflict.first(pairs.names, patterns)
        if "" in first:
            return Verdict(vm=vm, rule="")
        ranked, why = conflict.as_counts(first), conflict.found(self._load, pairs, patterns)
        return Verdict(vm=vm, rule=ranked[0][0] if ranked else "same-host", conflict=why)

    def held(self, vm: int) -> str:
        """The rule that keeps this VM from moving, wherever to; "" for none."""
        return self._load.situation.held(vm) or ("order" if vm in self._waiting else self._ledger.refuses(vm))

    def why_left(self, breach: Breach) -> Left | None:
        """The VMs that should have moved for a breach that stays, grouped, and the minimal set of rules for all of it.

        None where the breach is held as a whole, or where nothing would relieve it.
        """
        vms = [] if self._of_whole(breach) else self.asked(breach)
        if not vms:
            return None
        load = self._load
        within = {vm: self.relieved_within(breach, vm) for vm in vms}
        known = [vm for vm in vms if load.host[vm] >= 0 and load.situation.cluster.vms.requirement[vm] >= 0]
        pairs = [(self.held(vm), self.bars.pairs(vm, within[vm])) for vm in known]
        held = stuck.grouped(load, [self.verdict(vm, within[vm]) for vm in vms])
        cannot = breach.rule in classify.EMPTYING
        stays = f"{breach.subject} cannot be emptied" if cannot else f"{breach.why}, and stays so"
        return Left(
            breach=breach.key,
            sentence=f"{stays}: {stuck.briefly(held)}",
            stuck=held,
            conflict=conflict.found(load, conflict.together(pairs)) if pairs else None,
        )

    def _meaning(self, rule: str, breach: Breach) -> str:
        host = self._hosts.get(breach.subject)
        return describe.RULES[rule] if host is None else describe.of_host(self._load.situation.cluster, rule, host)

    def _of_whole(self, breach: Breach) -> str:
        """The rule that holds the breach as a whole, whatever VMs there are."""
        situation = self._load.situation
        if breach.rule in {"facility", "down"}:
            return breach.rule
        if breach.rule == classify.MISFITTING:
            moves = situation.policy.admission.moves
            return "told-only" if moves.isdisjoint(breach.subject.split("+")) else "too-many-misfits"
        if breach.rule == "drain":
            return "" if self._hosts[breach.subject] in situation.drains else "not-asked"
        if not situation.own_moves:
            return "freeze" if situation.cluster.freeze else "not-asked"
        if not classify.lasting(self._load, breach):
            return "not-sustained"
        return self._of_uneven(self._hosts[breach.subject]) if breach.concern is Concern.UNEVEN else ""

    def _of_uneven(self, host: int) -> str:
        """Why a host that is uneven gives nothing away, whatever VMs it has."""
        if not self._load.situation.policy.balance:
            return "balance"
        return "on-battery" if self._load.situation.standing.on_battery[host] else ""

    def _should_move(self, breach: Breach) -> list[int]:
        load = self._load
        if breach.rule in classify.OF_VM:
            return [canonical.at(load.situation.cluster.vms.ids, breach.subject)]
        if breach.rule != "group":
            rows: list[int] = _rows(load.host == self._hosts[breach.subject]).tolist()
            return rows
        found: set[int] = set()
        for number, bond in self._bonds_named(breach.subject):
            placed = [vm for vm in bond.group.members.tolist() if load.host[vm] >= 0]
            of = {vm: int(bond.domain_of[load.host[vm]]) for vm in placed}
            crowded = {d for d in set(of.values()) if any(True for _ in bond.reliefs(load.members[number], d))}
            found |= {vm for vm, d in of.items() if d in crowded}
        return sorted(found)

    def asked(self, breach: Breach) -> list[int]:
        """The VMs that should have moved, or, where any of many could, those that would relieve it most."""
        known = breach.rule in OF_KNOWN
        return self._should_move(breach) if known else self._relieving(breach)

    @cached_property
    def _rings(self) -> rings.Rings:
        """Among the VMs that should have moved and did not."""
        known = [each for each in self._left if each.rule in OF_KNOWN and not self._of_whole(each)]
        return rings.Rings(self._load, {vm for each in known for vm in self._should_move(each)}, self.held,
                           self._stop)  # fmt: skip

    def _of_vm(self, breach: Breach, vm: int) -> Hold:
        verdict = self.verdict(vm, self.relieved_within(breach, vm))
        cluster = self._load.situation.cluster
        name, host = cluster.vms.names[vm], cluster.hosts.names[int(self._load.host[vm])]
        ring = self._rings.of(vm) if verdict.conflict and FULL & set(verdict.conflict.rules) else ()
        if ring:
            why = f"{name} stays on {host}: {stuck.ring(self._load, ring)}"
            return Hold(breach=breach.key, vm=cluster.vms.ids[vm], rule="cycle", why=why)
        return Hold(
            breach=breach.key,
            vm=cluster.vms.ids[vm],
            rule=verdict.rule or "gain",
            why=f"{name} stays on {host}: {stuck.reason(self._load, verdict) or describe.RULES['gain']}",
        )

    def _of_relief(self, breach: Breach) -> Hold:
        """What keeps those VMs that would relieve it most."""
        verdicts = [self.verdict(vm, self.relieved_within(breach, vm)) for vm in self._relieving(breach)]
        counted = Counter(verdict.rule or self._unworthy(breach) for verdict in verdicts)
        none = "gain" if breach.concern is Concern.UNEVEN else "no-candidate"
        rule = min(counted, key=lambda name: (-counted[name], name)) if counted else none
        count = describe.counted(len(verdicts), "VM relieves", "VMs relieve")
        what = f"{count} it most: {stuck.briefly(stuck.grouped(self._load, verdicts))}"
        return Hold(
            breach=breach.key, vm=None, rule=rule, why=f"{breach.why}; {what if verdicts else describe.RULES[rule]}"
        )

    def _unworthy(self, breach: Breach) -> str:
        """Why what could be moved for a breach was not."""
        row = self._power.get(breach.key)
        return "brim" if row is not None and rules.hardly_over(self._load, row) else "gain"

    def relieved_within(self, breach: Breach, vm: int) -> IntColumn | None:
        """The hosts to which a move of the VM relieves this breach, where it is not all."""
        if breach.rule in supplies.RULES:
            return _rows(~self._on_row(breach))
        if breach.rule == "uneven":
            return _rows(levelling.takers(self._load, vm, self._hosts[breach.subject]))
        if breach.rule == classify.RESERVE:
            return _rows(~self._reserve.pools.hosts[self._reserve.number(breach.subject)])
        if breach.rule != "group":
            return None
        load, away = self._load, np.ones(len(self._hosts), np.bool_)
        for number, bond in self._bonds_named(breach.subject):
            here = int(bond.domain_of[load.host[vm]])
            reliefs = list(bond.reliefs(load.members[number], here)) if vm in bond.group.members else []
            if reliefs:
                away &= np.logical_or.reduce(reliefs)
        return _rows(away)

    def _bonds_named(self, name: str) -> Iterator[tuple[int, groups.Bond]]:
        return ((number, bond) for number, bond in enumerate(self._load.situation.bonds) if bond.group.name == name)

    @property
    def _reserve(self) -> Failover:
        assert self._load.failover is not None
        return self._load.failover

    def _on_row(self, breach: Breach) -> BoolColumn:
        """The hosts with a cord on a supply."""
        return supplies.hosts_on(self._load.situation.cluster.hosts, self._power[breach.key])

    def _relieving(self, breach: Breach) -> list[int]:
        load, situation = self._load, self._load.situation
        if breach.rule == "uneven":
            return self._worth_moving(self._hosts[breach.subject])
        if breach.rule in supplies.RULES:
            vms = _rows(np.append(self._on_row(breach), False)[load.host])
        elif breach.rule == classify.RESERVE:
            vms = self._reserve.fillers(self._reserve.number(breach.subject), load.host)
        else:
            vms = _rows(load.host == self._hosts[breach.subject])
        if breach.rule == "capacity":
            relief = situation.asked[1, vms]
        elif breach.rule == classify.RESERVE:
            pool = self._reserve.number(breach.subject)
            relief = self._reserve.relief(pool, int(np.argmax(self._reserve.shares[pool])), vms, load.host)
        else:
            quantity = amounts.MEASURED.index(breach.rule) if breach.rule in amounts.MEASURED else amounts.CPU
            relief = situation.relieves[quantity, vms]
        order = np.lexsort((vms, -relief))
        most: list[int] = vms[order[relief[order] > 0]][:LOOKED_AT].tolist()
        return most

    def _worth_moving(self, host: int) -> list[int]:
        """The VMs of an uneven host whose moves would earn most, if anything."""
        vms = np.flatnonzero(self._load.host == host).astype(np.int32)
        earned = levelling.earns(self._load, host, vms)
        order = np.lexsort((vms, -earned))
        most: list[int] = vms[order[earned[order] > 0]][:LOOKED_AT_UNEVEN].tolist()
        return most


def _rows(mask: BoolColumn) -> IntColumn:
    return np.flatnonzero(mask).astype(np.int32)

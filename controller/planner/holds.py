"""Why what should have been mended was not: for each breach left, and each VM that should have moved, the rule."""

from collections import Counter
from collections.abc import Collection, Iterator

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.plan import Breach, Concern, Hold
from controller.model.sample import IntColumn
from controller.planner import amounts, classify, describe, rules
from controller.planner.budget import Ledger
from controller.planner.load import Load

LOOKED_AT = 40
"""VMs examined to say what holds a breach that many could relieve: those that would relieve most."""


def of_breaches(load: Load, ledger: Ledger, left: Collection[Breach], waiting: Collection[int]) -> tuple[Hold, ...]:
    """The holds of all breaches left after the plan; `waiting` are VMs whose moves fit into no wave."""
    holds = Holds(load, ledger, waiting)
    return tuple(hold for breach in left for hold in holds.of_breach(breach))


class Holds:
    """Looks up why, on the load that the plan leaves."""

    def __init__(self, load: Load, ledger: Ledger, waiting: Collection[int]) -> None:
        self._load = load
        self._ledger = ledger
        self._waiting = frozenset(waiting)
        cluster = load.situation.cluster
        self._hosts: dict[str, int] = {name: row for row, name in enumerate(cluster.hosts.names)}
        self._vms: dict[str, int] = {vm: row for row, vm in enumerate(cluster.vms.ids)}
        self._power = classify.power_keys(cluster)

    def of_breach(self, breach: Breach) -> Iterator[Hold]:
        """One hold a VM where it is known which should have moved, else one for the breach."""
        rule = self._of_whole(breach)
        if rule:
            yield Hold(breach=breach.key, vm=None, rule=rule, why=f"{breach.why}; held: {self._meaning(rule, breach)}")
        elif breach.rule in {"drain", "health", "inlet", "clearance", "group"}:
            yield from (self._of_vm(breach, vm) for vm in self._should_move(breach))
        else:
            yield self._of_relief(breach)

    def verdict(self, vm: int) -> tuple[str, str]:
        """The rule that keeps this VM where it is, and the reason in words; `("", "")` where it could go."""
        held = self._load.situation.held(vm) or ("order" if vm in self._waiting else self._ledger.refuses(vm))
        if held:
            return held, describe.RULES[held]
        verdicts = rules.ruled_out_by(self._load, vm, _every(self._load))
        if "" in verdicts:
            return "", ""
        counted = Counter(rule for rule in verdicts if rule != "same-host")
        if not counted:
            return "same-host", "there is no other host"
        rule = min(counted, key=lambda name: (-counted[name], name))
        return rule, describe.no_target(self._load.situation.cluster, verdicts)

    def _meaning(self, rule: str, breach: Breach) -> str:
        host = self._hosts.get(breach.subject)
        return describe.RULES[rule] if host is None else describe.of_host(self._load.situation.cluster, rule, host)

    def _of_whole(self, breach: Breach) -> str:
        """The rule that holds the breach as a whole, whatever VMs there are."""
        situation = self._load.situation
        if breach.rule in {"facility", "down"}:
            return breach.rule
        if breach.rule == "drain":
            return "" if self._hosts[breach.subject] in situation.drains else "not-asked"
        if not situation.own_moves:
            return "freeze" if situation.cluster.freeze else "not-asked"
        if not classify.lasting(self._load, breach):
            return "not-sustained"
        if breach.concern is Concern.UNEVEN:
            return "on-battery" if situation.standing.on_battery[self._hosts[breach.subject]] else "gain"
        return ""

    def _should_move(self, breach: Breach) -> list[int]:
        load = self._load
        if breach.rule == "clearance":
            return [self._vms[breach.subject]]
        if breach.rule != "group":
            return _rows(load.host == self._hosts[breach.subject])
        found: set[int] = set()
        for number, bond in enumerate(load.situation.bonds):
            if bond.group.name == breach.subject:
                placed = [vm for vm in bond.group.members.tolist() if load.host[vm] >= 0]
                of = {vm: int(bond.domain_of[load.host[vm]]) for vm in placed}
                found |= {vm for vm, d in of.items() if d >= 0 and bond.excess(d, load.members[number][d])}
        return sorted(found)

    def _of_vm(self, breach: Breach, vm: int) -> Hold:
        rule, reason = self.verdict(vm)
        cluster = self._load.situation.cluster
        name, host = cluster.vms.names[vm], cluster.hosts.names[int(self._load.host[vm])]
        return Hold(
            breach=breach.key,
            vm=cluster.vms.ids[vm],
            rule=rule or "gain",
            why=f"{name} stays on {host}: {reason or describe.RULES['gain']}",
        )

    def _of_relief(self, breach: Breach) -> Hold:
        """What keeps those VMs that would relieve it most."""
        vms = self._relieving(breach)
        verdicts = [self.verdict(vm)[0] or "gain" for vm in vms]
        counted = Counter(verdicts)
        rule = min(counted, key=lambda name: (-counted[name], name)) if counted else "no-candidate"
        those = ", ".join(f"{count} by {name}" for name, count in sorted(counted.items(), key=lambda i: (-i[1], i[0])))
        what = f"of the {len(vms)} VMs that relieve it most {those} are held" if vms else describe.RULES[rule]
        return Hold(breach=breach.key, vm=None, rule=rule, why=f"{breach.why}; {what}")

    def _relieving(self, breach: Breach) -> list[int]:
        load, situation = self._load, self._load.situation
        if breach.rule in {"feed", "pdu", "phase"}:
            fed = [self._power[breach.key] in on for on in situation.watts.rows]
            vms = np.flatnonzero(np.append(fed, False)[load.host])
        else:
            vms = np.flatnonzero(load.host == self._hosts[breach.subject])
        if breach.rule == "capacity":
            relief = situation.asked[1, vms]
        else:
            quantity = amounts.MEASURED.index(breach.rule) if breach.rule in amounts.MEASURED else amounts.CPU
            relief = situation.relieves[quantity, vms]
        order = np.lexsort((vms, -relief))
        most: list[int] = vms[order[relief[order] > 0]][:LOOKED_AT].tolist()
        return most


def _every(load: Load) -> IntColumn:
    return np.arange(len(load.situation.cluster.hosts.names), dtype=np.int32)


def _rows(mask: BoolColumn) -> list[int]:
    rows: list[int] = np.flatnonzero(mask).tolist()
    return rows

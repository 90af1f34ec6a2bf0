"""The checker's account of the objective: what each level comes to before and after a plan, and what is wrong then.

Reckoned from the snapshot and from the checker's own sums (`check_loads.Book`). An affinity group whose members stood
in several domains in equal numbers may gather in any of these, so what is broken lies between two numbers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from controller.model import cluster as model
from controller.model.plan import Breach, Concern, Plan
from controller.model.policy import Policy
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import check_failover, check_groups, check_moves
from controller.planner.check_admission import Misfits, Verdicts
from controller.planner.check_rows import Rows
from inventory.model import Domain

SLACK = 1e-6
"""Sums made in another order differ by so much of themselves."""
LEAST = 1e-3
"""A limit of nothing counts as this much."""

_PLACED = (("vcpus placed", "vcpus"), ("memory placed", "memory_mib"), ("disk placed", "disk_gib"))
_KINDS = {model.PowerKind.FEED: "feed", model.PowerKind.PDU: "pdu", model.PowerKind.PHASE: "phase"}

Sums = Mapping[tuple[str, int], float]
Over = dict[str, float]
"""What is wrong by the key of its breach, and how far it is over, as a share or a count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Least and most of each level, and what is wrong: `over`."""

    least: Mapping[Concern, float]
    most: Mapping[Concern, float]
    over: Over


def problems(cluster: model.Cluster, policy: Policy, plan: Plan, rows: Rows, sums: tuple[Sums, Sums]) -> Iterator[str]:
    """Where the plan says something else of its score or of what is wrong. `sums`: of the book at first and at last."""
    misfits = Misfits(cluster, policy, Verdicts(cluster))
    yield from misfits.problems(plan)
    book = _Accounts(cluster, policy, misfits)
    after = cluster.vms.host.copy()
    for move in plan.moves:
        after[rows.vms[move.vm]] = rows.hosts[move.target]
    if len(plan.score_before) != len(plan.objective) or len(plan.score_after) != len(plan.objective):
        yield "its scores have not as many levels as the objective"
        return
    said = ((plan.score_before, plan.breaches_before), (plan.score_after, plan.breaches_after))
    for when, host, carried, (score, breaches) in zip(("before", "after"), (cluster.vms.host, after), sums, said,
                                                      strict=True):  # fmt: skip
        account = book.of(host, carried)
        for concern, told in zip(plan.objective, score, strict=True):
            least, most = account.least[concern], account.most[concern]
            if not least - SLACK * (1.0 + least) <= told <= most + SLACK * (1.0 + most):
                yield f"{concern} {when} the plan would be {least:.9g}, and it says {told:.9g}"
        yield from _told(account.over, breaches, when)


def _told(over: Over, breaches: tuple[Breach, ...], when: str) -> Iterator[str]:
    """What it does not say is wrong, and what it says that is not; what is at its limit may be either."""
    keys = {breach.key for breach in breaches}
    missing = sorted(key for key, far in over.items() if far > SLACK and key not in keys)
    wrongly = sorted(keys - over.keys())
    if missing:
        yield f"{len(missing)} breaches {when} it are not told, {missing[0]} for one"
    if wrongly:
        yield f"{len(wrongly)} breaches told of {when} it are none, {wrongly[0]} for one"


class _Accounts:
    """What does not change while VMs move."""

    def __init__(self, cluster: model.Cluster, policy: Policy, misfits: Misfits) -> None:
        self._cluster, self._policy = cluster, policy
        hosts = cluster.hosts
        self._facility = check_moves.facility_zones(cluster, policy)
        self._sick, self._overheated = check_moves.failing(cluster, self._facility)
        self._misfits = misfits
        self._reserve = check_failover.Reserve(cluster, policy)
        self._domains: dict[Domain, IntColumn] = {}
        self._anchors: list[tuple[int, ...]] | None = None
        self._groups = [g for g in cluster.groups if g.kind in {model.GroupKind.AFFINITY,
                                                                model.GroupKind.ANTI_AFFINITY}]  # fmt: skip
        self._whole = {
            "cpu": hosts.threads.astype(np.float64),
            "memory": hosts.physical_memory_mib * 2.0**20,
            "network": hosts.migration_mib_s * 2.0**20,
            "storage": hosts.storage_mib_s * 2.0**20,
        }

    def of(self, host: IntColumn, sums: Sums) -> Account:
        """With the VMs on these hosts, and these sums carried."""
        cluster, over = self._cluster, Over()
        on = np.bincount(host[host >= 0], minlength=len(cluster.hosts.names)).astype(np.int32)
        broken = self._exposed(on, over) + self._placed(sums, over) + self._misplaced(host, over)
        least, most = self._grouped(host, over)
        levels = {
            Concern.HOT: self._hot(host, sums, over),
            Concern.DRAIN: float(on[cluster.hosts.draining].sum()),
            Concern.UNEVEN: self._uneven(on, sums, over),
            Concern.CONSOLIDATION: self._in_use(on),
        }
        return Account(least=levels | {Concern.BROKEN: broken + least}, most=levels | {Concern.BROKEN: broken + most},
                       over=over)  # fmt: skip

    def _exposed(self, on: IntColumn, over: Over) -> float:
        hosts, zones = self._cluster.hosts, self._cluster.zones
        for rule, mask in (("down", ~hosts.up), ("drain", hosts.draining), ("health", self._sick),
                           ("inlet", self._overheated)):  # fmt: skip
            over.update({f"{rule}:{hosts.names[row]}": 1.0 for row in np.flatnonzero(mask & (on > 0)).tolist()})
        over.update({f"zone:{zones.names[zone]}": 1.0 for zone in self._facility})
        return float(on[self._sick | self._overheated].sum())

    def _placed(self, sums: Sums, over: Over) -> float:
        found, hosts = 0.0, self._cluster.hosts
        for quantity, name in _PLACED:
            share = self._carried(sums, quantity) / np.maximum(getattr(hosts, name), 1.0) - 1.0
            found += float(np.maximum(share, 0.0).sum())
            self._note(over, "capacity", share, np.ones(len(share), np.bool_))
        return found

    def _short(self, host: IntColumn, over: Over) -> float:
        """What pools have too little of for hosts that may be lost, each as a share of what its hosts may hold."""
        found = 0.0
        for name, shares in self._reserve.shares(host):
            if max(shares) > SLACK:
                over[f"reserve:{name}"] = max(shares)
            found += sum(shares)
        return found

    def _hot(self, host: IntColumn, sums: Sums, over: Over) -> float:
        found = 0.0
        for quantity, whole in self._whole.items():
            limit = getattr(self._policy.thresholds, f"{quantity}_ratio") * whole
            share = self._carried(sums, quantity) / np.maximum(limit, LEAST) - 1.0
            found += float(np.fmax(share, 0.0).sum())
            self._note(over, quantity, share, self._cluster.hosts.trusted)
        found += self._short(host, over)
        power = self._cluster.power
        for (quantity, row), watts in sums.items():
            limit_watts = float(power.limit_watts[row]) if quantity == "watts, least" else np.nan
            if limit_watts == limit_watts:  # noqa: PLR0124 (NaN)
                share_ = watts / max(limit_watts, LEAST) - 1.0
                found += max(share_, 0.0)
                if share_ > -SLACK:
                    over[f"{_KINDS[model.PowerKind(int(power.kind[row]))]}:{power.names[row]}"] = share_
        return found

    def _note(self, over: Over, rule: str, share: FloatColumn, counts: model.BoolColumn) -> None:
        for row in np.flatnonzero((share > -SLACK) & counts).tolist():
            key = f"{rule}:{self._cluster.hosts.names[row]}"
            over[key] = max(float(share[row]), over.get(key, -1.0))

    def _carried(self, sums: Sums, quantity: str) -> FloatColumn:
        count = len(self._cluster.hosts.names)
        return np.array([sums.get((quantity, host), np.nan) for host in range(count)])

    def _misplaced(self, host: IntColumn, over: Over) -> float:
        vms, hosts = self._cluster.vms, self._cluster.hosts
        above = (host >= 0) & (vms.classification > np.append(hosts.clearance, 0)[host])
        over.update({f"clearance:{vms.ids[vm]}": 1.0 for vm in np.flatnonzero(above).tolist()})
        alone, together = self._misfits.told(host)
        over.update({f"admission:{vms.ids[vm]}": 1.0 for vm in alone})
        over.update({key: float(count) for key, count in together.items()})
        return float(np.count_nonzero(above) + len(alone))

    def _uneven(self, on: IntColumn, sums: Sums, over: Over) -> float:
        hosts, racks = self._cluster.hosts, len(self._cluster.racks.names)
        busy = self._busy(sums)
        known = np.isfinite(busy) & np.isfinite(self._carried(sums, "cpu"))
        counts = hosts.trusted & hosts.known & (hosts.rack >= 0) & (hosts.threads > 0) & known
        if self._policy.consolidation.enabled:
            counts &= on > 0
        rows = np.flatnonzero(counts)
        rack = hosts.rack[rows]
        together, threads = (np.bincount(rack, weights=of, minlength=racks) for of in (busy[rows], hosts.threads[rows]))
        mean = together[rack] / threads[rack]
        above = busy[rows] / hosts.threads[rows] - mean - self._policy.thresholds.uneven_ratio
        for row, far in zip(rows[above > -SLACK].tolist(), above[above > -SLACK].tolist(), strict=True):
            over[f"uneven:{hosts.names[row]}"] = far
        return float(np.maximum(above, 0.0).sum())

    def _busy(self, sums: Sums) -> FloatColumn:
        """In threads: the mean of what is used of each resource, as a share of the host's, by policy's weights."""
        hosts = self._cluster.hosts
        weights = {quantity: getattr(self._policy.balance_weights, quantity) for quantity in self._whole}
        busy, every = np.zeros(len(hosts.names)), sum(weights.values())
        for quantity, whole in self._whole.items():
            if weights[quantity] > 0:
                share = self._carried(sums, quantity) / np.where(whole > 0, whole, np.nan)
                busy += weights[quantity] / every * share * hosts.threads
        return busy

    def _in_use(self, on: IntColumn) -> float:
        """Hosts with a VM that might be freed: they may receive, nothing comes, and it is known what they draw idle."""
        if not self._policy.consolidation.enabled:
            return 0.0
        coming = set(self._cluster.vms.target[self._cluster.vms.target >= 0].tolist())
        return float(sum(
            host not in coming
            and not any(check_moves.of_target(self._cluster, host, self._facility))
            and check_moves.idle_watts(self._cluster, host) > 0.0
            for host in np.flatnonzero(on > 0).tolist()
        ))  # fmt: skip

    def _grouped(self, host: IntColumn, over: Over) -> tuple[float, float]:
        least = most = 0.0
        moved, started = host != self._cluster.vms.host, self._anchors is None
        anchors: list[tuple[int, ...]] = []
        for number, group in enumerate(self._groups):
            counts = self._members(group, host, moved)
            if group.kind is model.GroupKind.ANTI_AFFINITY:
                wanted = min(group.min_domains, len(group.members), sum(counts.values()))
                crowding = sum(max(0, count - group.max_per_domain) for count in counts.values())
                fewest = worst = crowding + max(0, wanted - len(counts))
                anchors.append(())
            else:
                held = max(counts.values(), default=0)
                kept = tuple(domain for domain, count in counts.items() if count == held)
                anchors.append(kept if sum(counts.values()) > 1 else ())
                at = anchors[number] if self._anchors is None else self._anchors[number]
                away = [sum(counts.values()) - counts.get(domain, 0) for domain in at] or [0]
                fewest, worst = min(away), max(away)
            least, most = least + fewest, most + worst
            if worst:
                key = f"group:{group.name}"
                over[key] = max(float(fewest), over.get(key, 0.0))
        if started:
            self._anchors = anchors
        return least, most

    def _members(self, group: model.Group, host: IntColumn, moved: model.BoolColumn) -> dict[int, int]:
        """How many of the group have a copy in each domain; of a VM that has moved, on its new host alone."""
        if group.domain not in self._domains:
            self._domains[group.domain] = self._numbered(group.domain)
        domain_of, vms = self._domains[group.domain], self._cluster.vms
        found: dict[int, int] = {}
        for vm in group.members.tolist():
            copies = {int(host[vm])} if moved[vm] else {int(host[vm]), int(vms.target[vm])}
            for domain in {int(domain_of[at]) for at in copies if at >= 0} - {-1}:
                found[domain] = found.get(domain, 0) + 1
        return found

    def _numbered(self, domain: Domain) -> IntColumn:
        numbers: dict[tuple[object, ...], int] = {}
        count = len(self._cluster.hosts.names)
        names = (check_groups.domain_of(self._cluster, domain, host) for host in range(count))
        return np.array([numbers.setdefault(name, len(numbers)) if name else -1 for name in names], np.int32)

"""What a snapshot comes to under a policy, worked out once and never changed while a plan is made."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from controller import errors
from controller.model import cluster as model
from controller.model.ids import HostName
from controller.model.policy import Policy
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import (
    amounts,
    balance,
    budget,
    completion,
    eligibility,
    groups,
    pools,
    power,
    prepared,
    saving,
    standing,
)
from controller.planner.admission import Admission
from controller.planner.likeness import Likeness
from controller.planner.prepared import Prepared
from controller.planner.standing import RuleColumn, Standing
from inventory.model import Domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What a copy from one host to any other would have: the distinct bytes a second, and for each host which."""

    bytes_s: FloatColumn
    of_host: IntColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The situation's tables of the same names with what is allowed for rounding (`amounts.bound`)."""

    capacity: amounts.Table
    limit: amounts.Table
    filled_to: amounts.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Tables of what is asked are (3, N), of what is measured (4, N), see `amounts`; the first `judged` of these have a
    limit somewhere. `waiting` is of threads. `used` includes copies that arrive by migrations under way. A host is hot
    above `limit`, and is filled to `filled_to` by what VMs use `at_peaks`; but not by `urgent` ones, which leave a host
    that fails, drains or is not cleared for them. `against`: the rules by which Nova would not put each VM where it
    stands; `misfit`: those that are to be moved for it.

    `prepared`: what of it a later snapshot may use again. `rack_hosts`, `supplies`: see `prepared.Topology`.
    `own` and `drain`: the rule that holds each VM. `drains`: hosts that this plan empties for an operator; `own_moves`:
    whether it makes any other move. `pause_s`: for how long each guest may be paused by a copy that is
    forced to its end (`completion`). `pools`: none where policy asks for no reserve (`failover`).
    `refused`: targets that Nova refused a VM lately. `likeness`: what tells rows apart but their names.

    Remembered by `rules`: `candidates`, for each kind of VM which hosts no rule of the host alone excludes;
    `open_to`, for each VM those that no rule excludes but one of what they carry (packed bits); `links`, those
    from each rack and speed of a host's link.
    """

    cluster: model.Cluster
    prepared: Prepared
    policy: Policy
    now_s: float
    own_moves: bool
    drains: frozenset[int]
    domains: Mapping[Domain, IntColumn]
    rack_hosts: tuple[IntColumn, ...]
    supplies: Mapping[str, int]
    standing: Standing
    places: budget.Free
    agency: IntColumn
    admission: Admission
    bonds: tuple[groups.Bond, ...]
    bonds_of: Mapping[int, tuple[int, ...]]
    excess_of: IntColumn
    watts: power.Watts
    saving: saving.Saving
    pools: pools.Pools | None
    balance: balance.Balance
    capacity: amounts.Table
    asked: amounts.Table
    limit: amounts.Table
    judged: int
    filled_to: amounts.Table
    bounds: Bounds
    used: amounts.Table
    brings: amounts.Table
    at_peaks: amounts.Table
    urgent: model.BoolColumn
    against: model.ByteColumn
    misfit: model.BoolColumn
    relieves: amounts.Table
    waiting: FloatColumn
    dirty_bytes_s: FloatColumn
    pause_s: FloatColumn
    own: RuleColumn
    drain: RuleColumn
    refused: Mapping[int, Mapping[int, str]]
    likeness: Likeness
    candidates: dict[tuple[int, int], model.BoolColumn] = field(default_factory=dict)
    open_to: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    links: dict[tuple[int, float], Links] = field(default_factory=dict)

    def drained(self, vm: int) -> bool:
        """Whether the VM stood on a host that an operator empties when the plan began."""
        return bool(self.cluster.hosts.draining[self.cluster.vms.host[vm]])

    def held(self, vm: int) -> str:
        """The rule that keeps this VM from moving, "" for none."""
        return str(self.drain[vm] if self.drained(vm) else self.own[vm])


def of_cluster(
    cluster: model.Cluster,
    policy: Policy,
    now: datetime,
    *,
    only: Collection[HostName] | None = None,
    cold: Collection[HostName] = (),
    before: Prepared | None = None,
) -> Situation:
    """Works it out. `before`: an earlier snapshot's tables, used where they are still right.

    `InputError` where `only` or `cold` names a host that is not in the snapshot or is not draining.
    """
    cluster, tables = prepared.tidied(cluster, before)
    hosts, vms = cluster.hosts, cluster.vms
    topology, domain = tables.topology.table, tables.topology.table.domains
    judged = standing.of_hosts(cluster, domain[Domain.ZONE], policy.thresholds.facility_share)
    likeness = Likeness(cluster)
    bonds = groups.bonds(cluster, domain, judged.open, likeness)
    places = budget.free(cluster, policy.limits)
    admission = Admission(cluster.requirements, tables.kinds.table, policy.admission.moves)
    against = admission.against(vms)
    used = amounts.used(hosts)
    waiting = amounts.waiting(hosts, vms)
    limit, capacity = amounts.limits(hosts, policy.thresholds), amounts.capacity(hosts)
    filled_to = amounts.filled_to(limit, hosts, vms, used, policy.recent)
    brings, relieves = amounts.brought_and_relieved(hosts, vms, used, waiting)
    draining = frozenset(np.flatnonzero(hosts.draining).tolist())
    return Situation(
        cluster=cluster,
        prepared=tables,
        policy=policy,
        now_s=now.timestamp(),
        own_moves=only is None and cluster.freeze is None,
        drains=draining if only is None else _rows(cluster, only),
        domains=domain,
        rack_hosts=topology.rack_hosts,
        supplies=topology.supplies,
        standing=judged,
        places=places,
        agency=budget.agency_of_vms(cluster),
        admission=admission,
        bonds=bonds,
        bonds_of=groups.by_vm(cluster),
        excess_of=np.array([bond.excesses(bond.start) for bond in bonds], np.int32),
        watts=power.of_cluster(cluster, topology.cords),
        saving=saving.of_hosts(cluster, policy.consolidation, tables.kinds.table, judged),
        pools=pools.of_cluster(cluster, admission, judged, capacity) if policy.thresholds.reserve_hosts else None,
        balance=balance.of_hosts(hosts, policy.balance_weights),
        capacity=capacity,
        asked=amounts.asked(vms),
        limit=limit,
        judged=amounts.judged(limit),
        filled_to=filled_to,
        bounds=Bounds(capacity=amounts.bound(capacity), limit=amounts.bound(limit), filled_to=amounts.bound(filled_to)),
        used=used,
        brings=brings,
        at_peaks=amounts.at_its_peaks(brings, vms, policy.recent),
        urgent=_urgent(cluster, judged),
        against=against,
        misfit=admission.acted_on(vms, against, policy.admission),
        relieves=relieves,
        waiting=waiting,
        dirty_bytes_s=amounts.dirty_bytes_s(vms),
        pause_s=completion.pauses_s(cluster, policy.migration),
        own=eligibility.on_our_own(cluster, judged, places, now.timestamp()),
        drain=eligibility.in_a_drain(cluster, judged, places, _rows(cluster, cold)),
        refused=_refused(cluster, now.timestamp()),
        likeness=likeness,
    )


def _urgent(cluster: model.Cluster, judged: Standing) -> model.BoolColumn:
    host = cluster.vms.host
    misplaced: model.BoolColumn = cluster.vms.classification > np.append(cluster.hosts.clearance, np.int8(127))[host]
    return np.append(judged.failing | cluster.hosts.draining, False)[host] | misplaced


def _rows(cluster: model.Cluster, names: Collection[HostName]) -> frozenset[int]:
    rows = {name: row for row, name in enumerate(cluster.hosts.names) if cluster.hosts.draining[row]}
    missing = sorted(set(names) - set(rows))
    if missing:
        raise errors.InputError(f"not a draining host of this snapshot: {', '.join(missing)}")
    return frozenset(rows[name] for name in names)


def _refused(cluster: model.Cluster, now_s: float) -> dict[int, dict[int, str]]:
    refused: dict[int, dict[int, str]] = {}
    for refusal in cluster.refusals:
        if refusal.until > now_s and refusal.vm >= 0 and refusal.host >= 0:
            refused.setdefault(refusal.vm, {})[refusal.host] = refusal.rule
    return refused

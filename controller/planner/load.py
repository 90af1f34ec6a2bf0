"""Where every VM is while a plan is made, and what each host, power row and fault domain then carries.

A `Load` is a pure function of the assignment: `move` there and back gives the same sums (but for rounding). A move is
`begin` (the copy on the target counts) and then `finish` (the copy on the source no longer does).
"""

from collections import Counter

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.sample import FloatColumn
from controller.planner import amounts, groups
from controller.planner.failover import Failover
from controller.planner.situation import Situation


class Load:
    """The one value of the planner that changes. Arrays are read by `rules` and `score`, written here only.

    `asked` (3, H): what Placement counts. `used` (4, H): what is measured or predicted; `at_peaks` with
    what arrives at its peaks. `least`, `most` (P,): watts.
    `vms_on` (H,): VMs that stand on a host. `members[g]`: members of group g by fault domain. `excess_of[g]`: what they
    cost.
    `misfit` (V,): which stand where Nova would not put them and are to be moved for it (`admission`). `misplaced`:
    those, and VMs above their host's clearance.
    `shed` (H,): watts that left each host with VMs that stood there at the start. `unsure` (H,): what of `most` stands
    for the error of each host's prediction.
    `measured` (H,): hosts of a known rack whose CPU, and what else is balanced, is read and trusted.
    `in_mean` (H,): those that count in their rack's mean, `rack_busy` over `rack_threads` (R + 1, the last is no rack),
    busy by what is balanced (`balance`);
    with consolidation on, only while a VM stands on them.
    `failover`: what hosts keep free for those that may be lost, None where policy asks for no reserve.
    """

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        vms = situation.cluster.vms
        hosts = len(situation.cluster.hosts.names)
        self.origin = vms.host
        self.host = vms.host.copy()
        placed = vms.host >= 0
        self.asked: FloatColumn = np.stack(
            [
                np.bincount(vms.host[placed], weights=row[placed], minlength=hosts).astype(np.float64)
                for row in situation.asked
            ]
        )
        self.vms_on = np.bincount(vms.host[placed], minlength=hosts).astype(np.int32)
        self.used, self.at_peaks = situation.used.copy(), situation.used.copy()
        self.least = situation.watts.least.copy()
        self.most = situation.watts.most.copy()
        self.misfit = situation.misfit.copy()
        self.misplaced = int(np.count_nonzero(misplaced(self)) + np.count_nonzero(self.misfit))
        self.measured, self._in_use_only = self._measured_hosts(), situation.policy.consolidation.enabled
        self.in_mean, self.rack_busy, self.rack_threads = self._racks()
        self.arrivals = np.zeros(hosts, np.int32)
        self.shed, self.unsure = np.zeros(hosts), np.zeros(hosts)
        self.members: list[Counter[int]] = [bond.start for bond in situation.bonds]
        self.excess_of = situation.excess_of.copy()
        for vm in np.flatnonzero((vms.target >= 0) & (vms.target != vms.host)).tolist():
            self._add(vm, int(vms.target[vm]))
        self.failover = self._reserve()

    def move(self, vm: int, target: int) -> None:
        """The VM goes to `target` and is gone from where it was."""
        self.begin(vm, target)
        self.finish(vm, target)

    def begin(self, vm: int, target: int) -> None:
        """A copy of the VM arrives on `target`; it still stands where it stood."""
        self._add(vm, target)
        self._count(vm, target, 1)
        if self.failover is not None:
            self.failover.arrive(vm, target)

    def finish(self, vm: int, target: int) -> None:
        """The VM stands on `target`, and its old copy is gone."""
        source = int(self.host[vm])
        self.host[vm] = target
        self.vms_on[source] -= 1
        self.vms_on[target] += 1
        clearance, level = self.situation.cluster.hosts.clearance, self.situation.cluster.vms.classification[vm]
        self.misplaced += int(level > clearance[target]) - int(level > clearance[source])
        self._fit(vm, target)
        self._take(vm, source)
        self._count(vm, source, -1)
        arrived = int(self.situation.cluster.vms.target[vm]) == target != int(self.origin[vm])
        if self.failover is not None and not arrived:  # one under way was counted on its target alone from the start
            self.failover.leave(vm, source)
        if self._in_use_only:
            self._recount(source)
            self._recount(target)

    def _reserve(self) -> Failover | None:
        situation, vms = self.situation, self.situation.cluster.vms
        if situation.pools is None:
            return None
        at = np.where(vms.target >= 0, vms.target, vms.host)
        spare = situation.policy.thresholds.reserve_hosts
        return Failover(situation.pools, spare, situation.capacity, situation.asked, at)

    def _fit(self, vm: int, target: int) -> None:
        """Notes whether the VM, if it was to be moved for it, now stands where Nova would put it."""
        if not self.situation.misfit[vm]:
            return
        misfit = bool(self.situation.admission.misfit(int(self.situation.cluster.vms.requirement[vm]))[target])
        self.misplaced += int(misfit) - int(self.misfit[vm])
        self.misfit[vm] = misfit

    def _racks(self) -> tuple[BoolColumn, FloatColumn, FloatColumn]:
        """Which hosts count in their rack's mean, and what of each rack is busy and its threads; NaN for no rack."""
        hosts = self.situation.cluster.hosts
        counts = self.measured & ((self.vms_on > 0) | np.logical_not(self._in_use_only))
        racks = len(self.situation.cluster.racks.names)
        rows = np.flatnonzero(counts).astype(np.int32)
        busy = np.bincount(hosts.rack[rows], weights=self.situation.balance.busy(self.used, rows), minlength=racks)
        threads = np.bincount(hosts.rack[counts], weights=hosts.threads[counts], minlength=racks).astype(np.float64)
        threads[threads == 0] = np.nan
        return counts, np.append(busy, np.nan), np.append(threads, np.nan)

    def _measured_hosts(self) -> BoolColumn:
        hosts = self.situation.cluster.hosts
        busy = self.situation.balance.busy(self.used, np.arange(len(hosts.names), dtype=np.int32))
        measured = np.isfinite(self.used[amounts.CPU]) & np.isfinite(busy)
        counts: BoolColumn = hosts.trusted & hosts.known & (hosts.rack >= 0) & (hosts.threads > 0) & measured
        return counts

    def _recount(self, host: int) -> None:
        """Takes a host that was emptied out of its rack's mean, and one that is in use again into it."""
        counts = bool(self.measured[host]) and bool(self.vms_on[host] > 0)
        if counts == bool(self.in_mean[host]):
            return
        hosts, sign = self.situation.cluster.hosts, 1.0 if counts else -1.0
        rack = int(hosts.rack[host])
        self.in_mean[host] = counts
        threads = float(np.nan_to_num(self.rack_threads[rack])) + sign * float(hosts.threads[host])
        self.rack_threads[rack] = threads if threads > 0 else np.nan
        self.rack_busy[rack] = max(
            float(self.rack_busy[rack]) + sign * self.situation.balance.on_host(self.used[:, host], host), 0.0
        )

    def _add(self, vm: int, host: int) -> None:
        self.asked[:, host] += self.situation.asked[:, vm]
        self._weigh(vm, host, 1.0)
        if self._arrives(vm, host):
            self.arrivals[host] += 1
            if self.arrivals[host] == 1:
                self.least[self.situation.watts.rows[host]] += self.situation.watts.margin[host]
                self._doubt(host)

    def _take(self, vm: int, host: int) -> None:
        self.asked[:, host] -= self.situation.asked[:, vm]
        self._weigh(vm, host, -1.0)
        if self._arrives(vm, host):
            self.arrivals[host] -= 1
            if self.arrivals[host] == 0:
                self.least[self.situation.watts.rows[host]] -= self.situation.watts.margin[host]
                self._doubt(host)

    def _arrives(self, vm: int, host: int) -> bool:
        """Whether the VM brings the host CPU it did not have, so that its watts are a prediction."""
        return host != int(self.origin[vm]) and bool(self.situation.brings[0, vm] > 0)

    def _weigh(self, vm: int, host: int, sign: float) -> None:
        situation = self.situation
        home = host == self.origin[vm]
        amount = (situation.relieves if home else situation.brings)[:, vm]
        self.at_peaks[:, host] += sign * (amount if home else situation.at_peaks[:, vm])
        slope = (situation.watts.per_thread_out if home else situation.watts.per_thread_in)[host]
        self.used[:, host] += sign * amount
        watts = sign * float(slope * amount[0])
        self._watts(host, watts)
        if home:
            self.shed[host] -= watts
            self._doubt(host)
        if self.in_mean[host]:
            busy = situation.balance.on_host(amount, host)
            self.rack_busy[situation.cluster.hosts.rack[host]] += sign * busy

    def _watts(self, host: int, watts: float) -> None:
        rows = self.situation.watts.rows[host]
        self.least[rows] += watts
        self.most[rows] += watts

    def _doubt(self, host: int) -> None:
        """Keeps the error of the host's prediction in `most`, once: whole where it received, else of what it shed."""
        margin = float(self.situation.watts.margin[host])
        doubt = margin if self.arrivals[host] else min(margin, max(float(self.shed[host]), 0.0))
        self.most[self.situation.watts.rows[host]] += doubt - self.unsure[host]
        self.unsure[host] = doubt

    def _count(self, vm: int, host: int, sign: int) -> None:
        """Counts the VM's copy on `host` in its groups, unless another copy of it is in the same domain."""
        for number in self.situation.bonds_of.get(vm, ()):
            bond = self.situation.bonds[number]
            domain, other = int(bond.domain_of[host]), int(bond.domain_of[self.host[vm]])
            if domain >= 0 and domain != other:
                self._change(number, bond, domain, sign)

    def _change(self, number: int, bond: groups.Bond, domain: int, sign: int) -> None:
        if self.members[number] is bond.start:
            self.members[number] = Counter(bond.start)
        members = self.members[number]
        before = bond.excess(domain, members[domain]) + bond.missing(members)
        members[domain] += sign
        self.excess_of[number] += bond.excess(domain, members[domain]) + bond.missing(members) - before


def misplaced(load: Load) -> BoolColumn:
    """The VMs that stand on a host not cleared for them."""
    cluster = load.situation.cluster
    clearance = np.append(cluster.hosts.clearance, np.int8(127))
    return np.less(clearance[load.host], cluster.vms.classification)

"""The checker's sums: what hosts and power rows carry at the worst instant of each wave."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from controller.model import cluster as model
from controller.model.plan import Concern, Move, Plan
from controller.model.policy import Policy
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import check_rows
from controller.planner.check_moves import fresh, readable

SLACK = 1e-6
"""Sums made in another order differ; a share of the limit that is no breach."""

MIB = 2.0**20

FULL = 0.97
"""The busy share of its threads from which VMs of a host wait for each other."""

_OFF = int(model.VmState.SHUTOFF)

Sums = dict[tuple[str, int], float]
"""What is carried, by quantity and row."""


def problems(book: "Book", policy: Policy, plan: Plan) -> Iterator[str]:
    """Each wave that could carry more than the limit, and more than was carried at the start. The book is that of the
    snapshot, and then of what the plan leaves.
    """
    start = dict(book.sums)
    for number, wave in enumerate(plan.waves, start=1):
        worst: Sums = {}
        first_into: set[int] = set()
        filled = book.filled(wave)
        for move in wave:
            for place, amount in book.arrival(move, first_into).items():
                worst[place] = worst.get(place, book.sums.get(place, 0.0)) + amount
        for place, amount in sorted(worst.items()):
            allowed = max(book.limit(*place), start.get(place, 0.0))
            if amount > book.sums.get(place, 0.0) and amount > allowed + SLACK * (1.0 + abs(allowed)):
                yield f"wave {number}: {place[0]} of row {place[1]} could reach {amount:.6g}, allowed {allowed:.6g}"
            full = policy.consolidation.fill_ratio * book.limit(*place) if place in filled else math.inf
            if amount > full + SLACK * (1.0 + abs(full)):
                yield f"wave {number}: {place[0]} of row {place[1]} could be filled to {amount:.6g} to free a host"
        for move in wave:
            book.carry_out(move)


class Book:
    """Sums over all hosts and power rows, kept as moves are carried out."""

    def __init__(self, cluster: model.Cluster, policy: Policy, moves: Sequence[Move]) -> None:
        self._cluster = cluster
        self._policy = policy
        rows = check_rows.of_moves(cluster, moves)
        self._vms, self._hosts = rows.vms, rows.hosts
        self._arrived: set[int] = set()
        self._shed: defaultdict[int, float] = defaultdict(float)
        self._readings = {"cpu": cluster.vms.cpu_vcpus, "memory": cluster.vms.memory_bytes,
                          "network": cluster.vms.network_bytes_s, "storage": cluster.vms.storage_bytes_s}  # fmt: skip
        self._placed = {"vcpus placed": cluster.vms.vcpus, "memory placed": cluster.vms.memory_mib,
                        "disk placed": cluster.vms.disk_gib}  # fmt: skip
        self._busy = {"cpu": self._threads_busy, "memory": self._memory_used, "network": self._traffic,
                      "storage": self._stored}  # fmt: skip
        self._on = np.flatnonzero(cluster.vms.host >= 0)
        self._measured = {quantity: self._together(readings) for quantity, readings in self._readings.items()}
        self._running = self._by_host(np.not_equal(cluster.vms.state, _OFF).astype(np.float64))
        self._densest = self._densest_watts()
        self.sums: Sums = {}
        self._sum_hosts()
        self._sum_power()
        self._sum_running()

    def limit(self, quantity: str, row: int) -> float:
        """What may be carried; infinite where it is not known."""
        hosts, thresholds = self._cluster.hosts, self._policy.thresholds
        if quantity.startswith("watts"):
            limit = float(self._cluster.power.limit_watts[row])
        else:
            limit = {
                "vcpus placed": float(hosts.vcpus[row]),
                "memory placed": float(hosts.memory_mib[row]),
                "disk placed": float(hosts.disk_gib[row]),
                "cpu": thresholds.cpu_ratio * float(hosts.threads[row]),
                "memory": thresholds.memory_ratio * float(hosts.physical_memory_mib[row]) * MIB,
                "network": thresholds.network_ratio * float(hosts.migration_mib_s[row]) * MIB,
                "storage": thresholds.storage_ratio * float(hosts.storage_mib_s[row]) * MIB,
            }[quantity]
        return math.inf if math.isnan(limit) else limit

    def arrival(self, move: Move, already: set[int]) -> Sums:
        """What the copy on the target adds while others of its wave are there `already` (and this one then is)."""
        vm, target = self._vms[move.vm], self._hosts[move.target]
        added = self._added(vm, target, first=target not in self._arrived | already)
        if self._brought("cpu", vm) > 0:
            already.add(target)
        return added

    def filled(self, wave: Sequence[Move]) -> set[tuple[str, int]]:
        """What hosts carry more of by moves of the wave that free others; power rows keep their own limits."""
        added = (self.arrival(move, set()) for move in wave if move.concern is Concern.CONSOLIDATION)
        return {place for each in added for place, more in each.items() if more > 0 and "watts" not in place[0]}

    def carry_out(self, move: Move) -> None:
        """The copy on the target stays, the one on the source is gone."""
        vm, source, target = self._vms[move.vm], self._hosts[move.source], self._hosts[move.target]
        first = target not in self._arrived
        for place, amount in self._added(vm, target, first=first).items():
            self.sums[place] = self.sums.get(place, 0.0) + amount
        if self._brought("cpu", vm) > 0:
            self._arrived.add(target)
        for place, amount in self._freed(vm, source).items():
            self.sums[place] = self.sums.get(place, 0.0) - amount
        self._shed[source] += self._watts_freed(vm, source)

    def _added(self, vm: int, host: int, *, first: bool) -> Sums:
        added = self._takes(vm, host)
        for quantity in self._readings:
            if self._busy[quantity](host) is not None:
                added[quantity, host] = self._brought(quantity, vm)
        threads = self._brought("cpu", vm)
        if threads > 0:
            slope = self._slope(host)
            watts = threads * (self._densest if slope is None else slope)
            margin = self._margin(host) if first else 0.0
            counted = self._doubt(host, self._shed[host]) if first else 0.0
            for kind, row in self._watts_places(host):
                added[kind, row] = watts + margin - (counted if kind == "watts, most" else 0.0)
        return added

    def _freed(self, vm: int, host: int) -> Sums:
        freed = self._takes(vm, host)
        for quantity in self._readings:
            if (quantity, host) in self.sums:
                freed[quantity, host] = self._relieved(quantity, vm, host)
        watts, shed = self._watts_freed(vm, host), self._shed[host]
        doubtful = 0.0 if host in self._arrived else self._doubt(host, shed + watts) - self._doubt(host, shed)
        for kind, row in self._watts_places(host):
            freed[kind, row] = watts - (doubtful if kind == "watts, most" else 0.0)
        return freed

    def _watts_freed(self, vm: int, host: int) -> float:
        slope = self._slope(host)
        read = fresh(self._cluster.hosts.power_watts, host) is not None
        return slope * self._relieved("cpu", vm, host) if slope is not None and read else 0.0

    def _margin(self, host: int) -> float:
        margin = float(self._cluster.hosts.watts_error[host])
        return max(margin, 0.0) if math.isfinite(margin) else 0.0

    def _doubt(self, host: int, shed: float) -> float:
        """A host that only sheds may have shed less than is reckoned, by its error at most."""
        return min(self._margin(host), shed)

    def _takes(self, vm: int, host: int) -> Sums:
        return {(quantity, host): float(column[vm]) for quantity, column in self._placed.items()}

    def _brought(self, quantity: str, vm: int) -> float:
        """What it uses; where that is not measured all it may use, of storage an equal part of what its host uses."""
        vms = self._cluster.vms
        if self._off(vm):
            return 0.0
        value, host = fresh(self._readings[quantity], vm), int(vms.host[vm])
        if value is not None:
            uses = max(value, 0.0)
            return uses + self._waits(vm, host, uses) if quantity == "cpu" else uses
        busy = self._busy[quantity](host)
        if quantity == "storage" and busy is None:
            return 0.0
        link = float(self._cluster.hosts.migration_mib_s[host]) * MIB if host >= 0 else math.nan
        part = math.nan if busy is None else busy / max(1.0, float(self._running[host]))
        bounds = {"cpu": float(vms.vcpus[vm]), "memory": float(vms.memory_mib[vm]) * MIB,
                  "network": link, "storage": part}  # fmt: skip
        beyond = math.inf if busy is None else max(0.0, busy - float(self._measured[quantity][host]))
        return min((bound for bound in (bounds[quantity], beyond) if math.isfinite(bound)), default=0.0)

    def _waits(self, vm: int, host: int, uses: float) -> float:
        """Threads that it waits for on a full host, by its steal, up to its vCPUs."""
        busy, steal = fresh(self._cluster.hosts.cpu_ratio, host), fresh(self._cluster.vms.steal_ratio, vm)
        if busy is None or steal is None or busy < FULL:
            return 0.0
        vcpus = float(self._cluster.vms.vcpus[vm])
        return max(0.0, min(min(max(steal, 0.0), 1.0) * vcpus, vcpus - uses))

    def _relieved(self, quantity: str, vm: int, host: int) -> float:
        """Its share of what the host uses, where its own use is measured."""
        value = fresh(self._readings[quantity], vm)
        if value is None or self._off(vm):
            return 0.0
        together = float(self._measured[quantity][host])
        busy = self._busy[quantity](host) or 0.0
        return max(value, 0.0) * (min(1.0, busy / together) if together > 0 else 1.0)

    def _together(self, readings: model.Reading) -> FloatColumn:
        """What each host's measured VMs use together."""
        measured = readable(readings) & np.not_equal(self._cluster.vms.state, _OFF)
        return self._by_host(np.where(measured, np.maximum(readings.values, 0.0), 0.0))

    def _by_host(self, amounts: FloatColumn) -> FloatColumn:
        """The sum of what VMs on each host have of something."""
        on, vms = self._on, self._cluster.vms
        summed = np.bincount(vms.host[on], weights=amounts[on], minlength=len(self._cluster.hosts.names))
        return summed.astype(np.float64)

    def _off(self, vm: int) -> bool:
        return int(self._cluster.vms.state[vm]) == _OFF

    def _slope(self, host: int) -> float | None:
        slope = float(self._cluster.hosts.watts_per_thread[host])
        return slope if math.isfinite(slope) and slope >= 0 else None

    def _threads_busy(self, host: int) -> float | None:
        ratio = fresh(self._cluster.hosts.cpu_ratio, host)
        return None if ratio is None else max(ratio, 0.0) * float(self._cluster.hosts.threads[host])

    def _memory_used(self, host: int) -> float | None:
        used = fresh(self._cluster.hosts.memory_bytes, host)
        return None if used is None else max(used, 0.0)

    def _traffic(self, host: int) -> float | None:
        traffic = fresh(self._cluster.hosts.network_bytes_s, host)
        return None if traffic is None else max(traffic, 0.0)

    def _stored(self, host: int) -> float | None:
        stored = fresh(self._cluster.hosts.storage_bytes_s, host)
        return None if stored is None else max(stored, 0.0)

    def _densest_watts(self) -> float:
        hosts = self._cluster.hosts
        read = readable(hosts.power_watts) & (hosts.threads > 0)
        return float((hosts.power_watts.values[read] / hosts.threads[read]).max(initial=0.0))

    def _sum_hosts(self) -> None:
        for quantity, column in self._placed.items():
            self.sums |= {(quantity, host): placed for host, placed in enumerate(self._by_host(column).tolist())}
        for quantity, busy in self._busy.items():
            used = map(busy, range(len(self._cluster.hosts.names)))
            self.sums |= {(quantity, host): amount for host, amount in enumerate(used) if amount is not None}

    def _sum_power(self) -> None:
        """Least and most watts of every row that its hosts or its own meter measure; no less than the meter shows."""
        hosts, power = self._cluster.hosts, self._cluster.power
        count = len(power.names)
        host, row = np.divmod(np.unique(self._cords()), count) if count else (np.zeros(0, np.int64),) * 2
        read = readable(hosts.power_watts)
        least = np.where(read, hosts.power_watts.values, 0.0)
        most = np.where(read, least, self._densest * hosts.threads)
        measured = np.bincount(row, weights=read[host], minlength=count) > 0
        for quantity, watts in (("watts, least", least), ("watts, most", most)):
            loads = (power.base_watts + np.bincount(row, weights=watts[host], minlength=count)).tolist()
            for each in np.unique(row).tolist():
                meter = fresh(power.power_watts, each)
                if measured[each] or meter is not None:
                    self.sums[quantity, each] = loads[each] if meter is None else max(loads[each], meter)

    def _cords(self) -> IntColumn:
        """Each host's power rows, told apart by `host * rows + row`; a row that a host hangs on twice stands twice."""
        power = self._cluster.hosts.power
        host, column = np.nonzero(power >= 0)
        cords: IntColumn = host * len(self._cluster.power.names) + power[host, column]
        return cords

    def _sum_running(self) -> None:
        """Copies that arrive by migrations under way count from the start to the end."""
        vms = self._cluster.vms
        for vm in np.flatnonzero((vms.target >= 0) & (vms.target != vms.host)).tolist():
            target = int(vms.target[vm])
            added = self._added(vm, target, first=target not in self._arrived)
            for place, amount in added.items():
                if place in self.sums or place[0].endswith("placed"):
                    self.sums[place] = self.sums.get(place, 0.0) + amount
            if self._brought("cpu", vm) > 0:
                self._arrived.add(target)

    def _watts_places(self, host: int) -> list[tuple[str, int]]:
        places = [(kind, row) for row in self._rows(host) for kind in ("watts, least", "watts, most")]
        return [place for place in places if place in self.sums]

    def _rows(self, host: int) -> set[int]:
        return {int(row) for row in self._cluster.hosts.power[host] if row >= 0}

"""The checker's sums: what hosts, power rows and fault domains carry at the worst instant of each wave."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from controller.model import cluster as model
from controller.model.plan import Move, Plan
from controller.model.policy import Policy
from controller.planner.check_moves import fresh
from inventory.model import Domain

SLACK = 1e-6
"""Sums made in another order differ; a share of the limit that is no breach."""

MIB = 2.0**20

_OFF = int(model.VmState.SHUTOFF)

Sums = dict[tuple[str, int], float]
"""What is carried, by quantity and row."""


def problems(cluster: model.Cluster, policy: Policy, plan: Plan) -> Iterator[str]:
    """Each wave that could carry more than the limit, and more than was carried at the start."""
    book = Book(cluster, policy, plan.moves)
    start = dict(book.sums)
    for number, wave in enumerate(plan.waves, start=1):
        worst: Sums = {}
        first_into: set[int] = set()
        for move in wave:
            for place, amount in book.arrival(move, first_into).items():
                worst[place] = worst.get(place, book.sums.get(place, 0.0)) + amount
        for place, amount in sorted(worst.items()):
            allowed = max(book.limit(*place), start.get(place, 0.0))
            if amount > book.sums.get(place, 0.0) and amount > allowed + SLACK * (1.0 + abs(allowed)):
                yield f"wave {number}: {place[0]} of row {place[1]} could reach {amount:.6g}, allowed {allowed:.6g}"
        for move in wave:
            book.carry_out(move)
    yield from _groups(cluster, plan)


class Book:
    """Sums over the hosts that the plan touches and all power rows, kept as moves are carried out."""

    def __init__(self, cluster: model.Cluster, policy: Policy, moves: Sequence[Move]) -> None:
        self._cluster = cluster
        self._policy = policy
        self._vms = {vm: row for row, vm in enumerate(cluster.vms.ids)}
        self._hosts = {name: row for row, name in enumerate(cluster.hosts.names)}
        self._arrived: set[int] = set()
        self._readings = {"cpu": cluster.vms.cpu_vcpus, "memory": cluster.vms.memory_bytes,
                          "network": cluster.vms.network_bytes_s}  # fmt: skip
        self._busy = {"cpu": self._threads_busy, "memory": self._memory_used, "network": self._traffic}
        touched = {self._hosts[name] for move in moves for name in (move.source, move.target)}
        running = cluster.vms.host[(cluster.vms.target >= 0) & (cluster.vms.host >= 0)].tolist()
        self._on = self._vms_by_host(touched | set(running))
        self._sums_measured: Sums = {}
        self._densest = self._densest_watts()
        self.sums: Sums = {}
        self._sum_hosts(touched)
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
            }[quantity]
        return math.inf if math.isnan(limit) else limit

    def arrival(self, move: Move, already: set[int]) -> Sums:
        """What the copy on the target adds while others of its wave are there `already` (and this one then is)."""
        vm, target = self._vms[move.vm], self._hosts[move.target]
        added = self._added(vm, target, first=target not in self._arrived | already)
        if self._brought("cpu", vm) > 0:
            already.add(target)
        return added

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

    def _added(self, vm: int, host: int, *, first: bool) -> Sums:
        added = self._placed(vm, host)
        for quantity in self._readings:
            if self._busy[quantity](host) is not None:
                added[quantity, host] = self._brought(quantity, vm)
        threads = self._brought("cpu", vm)
        if threads > 0:
            slope, margin = self._slope(host), float(self._cluster.hosts.watts_error[host])
            known_margin = max(margin, 0.0) if math.isfinite(margin) and first else 0.0
            watts = threads * (self._densest if slope is None else slope) + known_margin
            added.update(dict.fromkeys(self._watts_places(host), watts))
        return added

    def _freed(self, vm: int, host: int) -> Sums:
        freed = self._placed(vm, host)
        for quantity in self._readings:
            freed[quantity, host] = self._relieved(quantity, vm, host)
        slope = self._slope(host)
        if slope is not None and fresh(self._cluster.hosts.power_watts, host) is not None:
            watts = slope * freed["cpu", host]
            freed.update(dict.fromkeys(self._watts_places(host), watts))
        return freed

    def _placed(self, vm: int, host: int) -> Sums:
        vms = self._cluster.vms
        return {
            ("vcpus placed", host): float(vms.vcpus[vm]),
            ("memory placed", host): float(vms.memory_mib[vm]),
            ("disk placed", host): float(vms.disk_gib[vm]),
        }

    def _brought(self, quantity: str, vm: int) -> float:
        """What it uses, or all it may use where that is not measured."""
        vms = self._cluster.vms
        if self._off(vm):
            return 0.0
        value = fresh(self._readings[quantity], vm)
        if value is not None:
            return max(value, 0.0)
        host = int(vms.host[vm])
        link = float(self._cluster.hosts.migration_mib_s[host]) * MIB
        bounds = {"cpu": float(vms.vcpus[vm]), "memory": float(vms.memory_mib[vm]) * MIB, "network": link}
        busy = self._busy[quantity](host)
        beyond = math.inf if busy is None else max(0.0, busy - self._measured(quantity, host))
        return min(bounds[quantity], beyond)

    def _relieved(self, quantity: str, vm: int, host: int) -> float:
        """Its share of what the host uses, where its own use is measured."""
        value = fresh(self._readings[quantity], vm)
        if value is None or self._off(vm):
            return 0.0
        together = self._measured(quantity, host)
        busy = self._busy[quantity](host) or 0.0
        return max(value, 0.0) * (min(1.0, busy / together) if together > 0 else 1.0)

    def _measured(self, quantity: str, host: int) -> float:
        """What the host's measured VMs use together."""
        if (quantity, host) not in self._sums_measured:
            running = (vm for vm in self._on[host] if not self._off(vm))
            used = sum(max(fresh(self._readings[quantity], vm) or 0.0, 0.0) for vm in running)
            self._sums_measured[quantity, host] = used
        return self._sums_measured[quantity, host]

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

    def _densest_watts(self) -> float:
        hosts = self._cluster.hosts
        read = [(fresh(hosts.power_watts, host), float(hosts.threads[host])) for host in range(len(hosts.names))]
        return max((watts / threads for watts, threads in read if watts is not None and threads > 0), default=0.0)

    def _vms_by_host(self, touched: set[int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {host: [] for host in touched}
        for vm, host in enumerate(self._cluster.vms.host.tolist()):
            if host in touched:
                found[host].append(vm)
        return found

    def _sum_hosts(self, touched: set[int]) -> None:
        for host in touched:
            for quantity, busy in self._busy.items():
                used = busy(host)
                if used is not None:
                    self.sums[quantity, host] = used
            for vm in self._on[host]:
                for place, amount in self._placed(vm, host).items():
                    self.sums[place] = self.sums.get(place, 0.0) + amount

    def _sum_power(self) -> None:
        """Least and most watts of every row that its hosts or its own meter measure; no less than the meter shows."""
        hosts, power = self._cluster.hosts, self._cluster.power
        sums: defaultdict[tuple[str, int], float] = defaultdict(float)
        measured: set[int] = set()
        for host in range(len(hosts.names)):
            watts = fresh(hosts.power_watts, host)
            for row in self._rows(host):
                sums["watts, least", row] += watts or 0.0
                sums["watts, most", row] += self._densest * float(hosts.threads[host]) if watts is None else watts
                if watts is not None:
                    measured.add(row)
        for (quantity, row), watts in sums.items():
            load, meter = watts + float(power.base_watts[row]), fresh(power.power_watts, row)
            if row in measured or meter is not None:
                self.sums[quantity, row] = load if meter is None else max(load, meter)

    def _sum_running(self) -> None:
        """Copies that arrive by migrations under way count from the start to the end."""
        vms = self._cluster.vms
        for vm, target in enumerate(vms.target.tolist()):
            if target >= 0 and target != int(vms.host[vm]):
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


def _groups(cluster: model.Cluster, plan: Plan) -> Iterator[str]:
    """Members of each hard group by fault domain: where they are, and at worst where they are and go."""
    vms = {vm: row for row, vm in enumerate(cluster.vms.ids)}
    hosts = {name: row for row, name in enumerate(cluster.hosts.names)}
    moving = {vms[move.vm] for move in plan.moves}
    for group in cluster.groups:
        members = set(group.members.tolist())
        if members & moving and group.kind in {model.GroupKind.AFFINITY, model.GroupKind.ANTI_AFFINITY}:
            places = {vm: {int(cluster.vms.host[vm]), int(cluster.vms.target[vm])} - {-1} for vm in members}
            start = {vm: {domain_of(cluster, group.domain, host) for host in at} for vm, at in places.items()}
            yield from _group(cluster, group, start, [
                [(vms[move.vm], domain_of(cluster, group.domain, hosts[move.target])) for move in wave
                 if vms[move.vm] in members] for wave in plan.waves
            ])  # fmt: skip


def _group(
    cluster: model.Cluster,
    group: model.Group,
    start: dict[int, set[tuple[object, ...]]],
    waves: list[list[tuple[int, tuple[object, ...]]]],
) -> Iterator[str]:
    began = _counted(start)
    anchor_size = max(began.values(), default=0)
    now = start
    for number, wave in enumerate(waves, start=1):
        worst = {vm: set(at) for vm, at in now.items()}
        for vm, domain in wave:
            worst[vm].add(domain)
        reached = _counted(worst)
        for vm, domain in wave:
            if domain in now[vm]:
                continue
            if group.kind is model.GroupKind.AFFINITY:
                if sum(began.values()) > 1 and began[domain] < anchor_size:
                    yield f"wave {number}: {cluster.vms.names[vm]} leaves the others of group {group.name}"
            elif reached[domain] > max(group.max_per_domain, began[domain]):
                yield f"wave {number}: {reached[domain]} of group {group.name} could be in one {group.domain}"
        now = {**now, **{vm: {domain} for vm, domain in wave}}


def _counted(places: dict[int, set[tuple[object, ...]]]) -> Counter[tuple[object, ...]]:
    return Counter(domain for at in places.values() for domain in at if domain)


def domain_of(cluster: model.Cluster, domain: Domain, host: int) -> tuple[object, ...]:
    """What two hosts of one fault domain have in common; empty where it is not known."""
    rack = int(cluster.hosts.rack[host])
    if domain is Domain.HOST:
        return ("host", host)
    if domain is Domain.FEED:
        rows = {int(row) for row in cluster.hosts.power[host] if row >= 0}
        feeds = sorted(row for row in rows if cluster.power.kind[row] == model.PowerKind.FEED)
        return ("feeds", *feeds) if feeds else ()
    if rack < 0:
        return ()
    if domain is Domain.RACK:
        return ("rack", rack)
    row = int((cluster.racks.zone if domain is Domain.ZONE else cluster.racks.room)[rack])
    if row < 0:
        return ()
    return (str(domain), cluster.rooms.site[row] if domain is Domain.SITE else row)

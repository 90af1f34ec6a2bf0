"""What a cluster carries at one instant of a plan, counted copy by copy from the tables, as a person would.

Imports nothing of the planner, so that neither its formulas nor its checker's can hide behind themselves.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

from controller.model.cluster import Cluster, Group, GroupKind, PowerKind, Reading, VmState
from controller.model.plan import Plan
from controller.model.policy import Policy
from controller.model.sample import Trust
from inventory.model import Domain

_MIB = 2.0**20
_HARD = {GroupKind.ANTI_AFFINITY, GroupKind.AFFINITY}

Move = tuple[int, int]
"""A VM's row and its target's."""


STATES = ("waiting", "flying", "done")
"""What a move of a wave may be at an instant of it."""


def carried(cluster: Cluster, policy: Policy, plan: Plan, wave: int, states: list[str]) -> dict[str, float]:
    """Loads by name while a wave runs, each of its moves `waiting`, `flying` or `done`; all earlier ones done."""
    current = [move for move in plan.moves if move.wave == wave]
    done = [move for move in plan.moves if move.wave < wave]
    done += [move for move, state in zip(current, states, strict=True) if state == "done"]
    flying = [move for move, state in zip(current, states, strict=True) if state == "flying"]
    return Instant(cluster, _rows(cluster, done), _rows(cluster, flying)).loads()


def limits(cluster: Cluster, policy: Policy) -> dict[str, float]:
    """What each of those may be."""
    hosts, may = cluster.hosts, {}
    for host, name in enumerate(hosts.names):
        may[f"vcpus placed {name}"] = float(hosts.vcpus[host])
        may[f"memory placed {name}"] = float(hosts.memory_mib[host])
        may[f"disk placed {name}"] = float(hosts.disk_gib[host])
        may[f"cpu {name}"] = policy.thresholds.cpu_ratio * float(hosts.threads[host])
        may[f"memory {name}"] = policy.thresholds.memory_ratio * float(hosts.physical_memory_mib[host]) * _MIB
        may[f"network {name}"] = policy.thresholds.network_ratio * float(hosts.migration_mib_s[host]) * _MIB
        path = float(hosts.storage_mib_s[host])
        may[f"storage {name}"] = math.inf if math.isnan(path) else policy.thresholds.storage_ratio * path * _MIB
    for row, name in enumerate(cluster.power.names):
        may[f"watts {name}"] = may[f"watts at most {name}"] = float(cluster.power.limit_watts[row])
    may.update({f"group {group.name}": group.max_per_domain for group in cluster.groups})
    return may


class Instant:
    """The cluster with some moves done and some under way."""

    def __init__(self, cluster: Cluster, done: Iterable[Move], flying: Iterable[Move]) -> None:
        self.cluster = cluster
        vms = cluster.vms
        gone = dict(done)
        began = {
            vm: {row for row in (int(vms.host[vm]), int(vms.target[vm])) if row >= 0} for vm in range(len(vms.ids))
        }
        self.copies = {vm: ({gone[vm]} if vm in gone else at) for vm, at in began.items()}
        for vm, target in flying:
            self.copies[vm] = self.copies[vm] | {target}
        self.left = {vm: int(vms.host[vm]) for vm in gone}
        self.came = {vm: at - {int(vms.host[vm])} for vm, at in self.copies.items()}

    def loads(self) -> dict[str, float]:
        """Everything that is carried, by name."""
        found: dict[str, float] = defaultdict(float)
        self._placed(found)
        for host, name in enumerate(self.cluster.hosts.names):
            for what in ("cpu", "memory", "network", "storage"):
                busy = self._busy(what, host)
                if busy is not None:
                    found[f"{what} {name}"] = busy + self._received(what, host) - self._shed(what, host)
        self._supplied(found)
        self._grouped(found)
        return found

    def _placed(self, found: dict[str, float]) -> None:
        vms, hosts = self.cluster.vms, self.cluster.hosts
        for vm, at in self.copies.items():
            for host in at:
                found[f"vcpus placed {hosts.names[host]}"] += float(vms.vcpus[vm])
                found[f"memory placed {hosts.names[host]}"] += float(vms.memory_mib[vm])
                found[f"disk placed {hosts.names[host]}"] += float(vms.disk_gib[vm])
                if vms.classification[vm] > hosts.clearance[host]:
                    found[f"above clearance {vms.ids[vm]} {hosts.names[host]}"] = 1.0
                for rule in refusing(self.cluster, vm, host):
                    found[f"{rule} {vms.ids[vm]} {hosts.names[host]}"] = 1.0

    def _received(self, what: str, host: int) -> float:
        return sum(self._brings(what, vm) for vm, at in self.came.items() if host in at)

    def _shed(self, what: str, host: int) -> float:
        return sum(self._relieves(what, vm) for vm, source in self.left.items() if source == host)

    def _busy(self, what: str, host: int) -> float | None:
        hosts = self.cluster.hosts
        if what == "cpu":
            ratio = _fresh(hosts.cpu_ratio, host)
            return None if ratio is None else ratio * float(hosts.threads[host])
        readings = {"memory": hosts.memory_bytes, "network": hosts.network_bytes_s, "storage": hosts.storage_bytes_s}
        return _fresh(readings[what], host)

    def _uses(self, what: str, vm: int) -> float | None:
        vms = self.cluster.vms
        if vms.state[vm] == VmState.SHUTOFF:
            return 0.0
        readings = {"cpu": vms.cpu_vcpus, "memory": vms.memory_bytes, "network": vms.network_bytes_s,
                    "storage": vms.storage_bytes_s}  # fmt: skip
        return _fresh(readings[what], vm)

    def _measured(self, what: str, host: int) -> float:
        standing = [vm for vm, row in enumerate(self.cluster.vms.host.tolist()) if row == host]
        return sum(self._uses(what, vm) or 0.0 for vm in standing)

    def _brings(self, what: str, vm: int) -> float:
        """What it uses; not measured, all it may use (of storage an equal part of what its host uses), and no more than
        its host uses beyond its measured VMs.
        """
        uses = self._uses(what, vm)
        if uses is not None:
            return uses + (self._waits(vm, uses) if what == "cpu" else 0.0)
        vms, hosts, host = self.cluster.vms, self.cluster.hosts, int(self.cluster.vms.host[vm])
        busy = self._busy(what, host)
        running = sum(row == host and state != VmState.SHUTOFF for row, state in zip(vms.host, vms.state, strict=True))
        most = {
            "cpu": float(vms.vcpus[vm]),
            "memory": float(vms.memory_mib[vm]) * _MIB,
            "network": float(hosts.migration_mib_s[host]) * _MIB,
            "storage": (busy or 0.0) / max(1, running),
        }[what]
        if what == "storage" and busy is None:
            return 0.0
        return most if busy is None else min(most, max(0.0, busy - self._measured(what, host)))

    def _waits(self, vm: int, uses: float) -> float:
        """What a VM that runs on a host without a thread to spare asks for and others have."""
        vms, host = self.cluster.vms, int(self.cluster.vms.host[vm])
        ratio, steal = (_fresh(self.cluster.hosts.cpu_ratio, host) if host >= 0 else None), _fresh(vms.steal_ratio, vm)
        if vms.state[vm] == VmState.SHUTOFF or ratio is None or ratio < 0.97 or steal is None:
            return 0.0
        return max(0.0, min(min(1.0, steal) * float(vms.vcpus[vm]), float(vms.vcpus[vm]) - uses))

    def _relieves(self, what: str, vm: int) -> float:
        """What it uses, its share where its host's VMs claim more than the host shows; nothing if not measured."""
        uses, host = self._uses(what, vm), int(self.cluster.vms.host[vm])
        together, busy = self._measured(what, host), self._busy(what, host) or 0.0
        return 0.0 if uses is None else uses * (min(1.0, busy / together) if together > 0 else 1.0)

    def _supplied(self, found: dict[str, float]) -> None:
        """Each supply's hosts as they are predicted, in the estimate and at the most that its error leaves open."""
        power, hosts = self.cluster.power, self.cluster.hosts
        read = [_fresh(hosts.power_watts, host) for host in range(len(hosts.names))]
        densest = max(
            (w / float(t) for w, t in zip(read, hosts.threads, strict=True) if w is not None and t > 0), default=0.0
        )
        for row, name in enumerate(power.names):
            on = [host for host in range(len(hosts.names)) if row in hosts.power[host].tolist()]
            meter = _fresh(power.power_watts, row)
            if meter is None and all(read[host] is None for host in on):
                continue
            for what, unread in (("watts", 0.0), ("watts at most", densest)):
                start = float(power.base_watts[row])
                start += sum(
                    read[host] if read[host] is not None else unread * float(hosts.threads[host]) for host in on
                )
                change = sum(self._change(host, densest, at_most=bool(unread)) for host in on)
                found[f"{what} {name}"] = max(start, meter or 0.0) + change

    def _change(self, host: int, densest: float, *, at_most: bool) -> float:
        hosts = self.cluster.hosts
        slope, error = float(hosts.watts_per_thread[host]), float(hosts.watts_error[host])
        fitted = math.isfinite(slope) and slope >= 0
        threads = self._received("cpu", host)
        read = _fresh(hosts.power_watts, host) is not None
        shed = slope * self._shed("cpu", host) if fitted and read else 0.0
        error = error if math.isfinite(error) and error > 0 else 0.0
        unsure = error if threads > 0 else min(error, shed) if at_most else 0.0
        return threads * (slope if fitted else densest) - shed + unsure

    def _grouped(self, found: dict[str, float]) -> None:
        for group in self.cluster.groups:
            if group.kind not in _HARD:
                continue
            members = defaultdict(set)
            for vm in group.members.tolist():
                for host in self.copies[vm]:
                    members[_domain(self.cluster, group.domain, host)].add(vm)
            members.pop((), None)
            if group.kind is GroupKind.AFFINITY:
                found[f"affinity {group.name}"] = self._away(group, members)
            else:
                found[f"group {group.name}"] = max((len(each) for each in members.values()), default=0)
                found[f"domains too few {group.name}"] = max(0, group.min_domains - len(members))

    def _away(self, group: Group, members: dict[tuple[object, ...], set[int]]) -> int:
        """Members with a copy outside of the domain where most of them were at first; of several such the best one."""
        first: Counter[tuple[object, ...]] = Counter()
        for vm in group.members.tolist():
            rows = {int(self.cluster.vms.host[vm]), int(self.cluster.vms.target[vm])} - {-1}
            first.update({_domain(self.cluster, group.domain, row) for row in rows} - {()})
        if first.total() < 2:
            return 0
        kept = [domain for domain, count in first.items() if count == max(first.values())]
        return min(sum(len(each) for domain, each in members.items() if domain != anchor) for anchor in kept)


def _rows(cluster: Cluster, moves: Iterable[object]) -> list[Move]:
    vms = {vm: row for row, vm in enumerate(cluster.vms.ids)}
    hosts = {name: row for row, name in enumerate(cluster.hosts.names)}
    return [(vms[move.vm], hosts[move.target]) for move in moves]


def _fresh(reading: Reading, row: int) -> float | None:
    value = float(reading.values[row])
    return max(value, 0.0) if reading.trust[row] == Trust.FRESH and math.isfinite(value) else None


def _domain(cluster: Cluster, domain: Domain, host: int) -> tuple[object, ...]:
    """What hosts of one fault domain have in common; empty where that is not known."""
    rack = int(cluster.hosts.rack[host])
    feeds = tuple(
        sorted({r for r in cluster.hosts.power[host].tolist() if r >= 0 and cluster.power.kind[r] == PowerKind.FEED})
    )
    if domain is Domain.HOST or domain is Domain.FEED:
        return (host,) if domain is Domain.HOST else feeds
    zone, room = (int(table[rack]) if rack >= 0 else -1 for table in (cluster.racks.zone, cluster.racks.room))
    site = cluster.rooms.site[room] if room >= 0 else -1
    place = {Domain.RACK: rack, Domain.ZONE: zone, Domain.ROOM: room, Domain.SITE: site}[domain]
    return () if place == -1 else (place,)


def worse(cluster: Cluster, policy: Policy, made: Plan, state: Callable[[], str]) -> Iterator[str]:
    """What carries more than it may and than it did, at one instant of each wave, where every move's state is asked."""
    start = carried(cluster, policy, made, 1, ["waiting"] * len(made.waves[0]) if made.waves else [])
    may = limits(cluster, policy)
    for number, wave in enumerate(made.waves, start=1):
        for name, load in carried(cluster, policy, made, number, [state() for _ in wave]).items():
            allowed = max(may.get(name, 0.0), start.get(name, 0.0))
            if load > allowed * (1 + 1e-6) + 1e-6:
                yield f"{name} reaches {load}, may be {allowed}, in wave {number}"


def refusing(cluster: Cluster, vm: int, host: int) -> Iterator[str]:
    """The rules of Nova's scheduler by which the VM should not be on the host, as far as a snapshot shows them."""
    row = int(cluster.vms.requirement[vm])
    if row < 0:
        return
    asked = cluster.requirements[row]
    if asked.required_traits - cluster.hosts.traits[host]:
        yield "lacks a trait"
    if asked.forbidden_traits.intersection(cluster.hosts.traits[host]):
        yield "has a forbidden trait"
    if asked.availability_zone is not None and asked.availability_zone != cluster.hosts.availability_zone[host]:
        yield "other zone"
    pairs = [
        (key, value.strip())
        for aggregate in cluster.aggregates
        if host in aggregate.hosts.tolist()
        for key, values in aggregate.metadata.items()
        for value in values.split(",")
    ]
    if any((key, wanted) not in pairs for key, wanted in asked.aggregate_specs.items()):
        yield "outside its aggregates"
    tenants = [value for key, value in pairs if key.startswith("filter_tenant_id")]
    if tenants and asked.project_id not in tenants:
        yield "reserved for others"


def too_many(cluster: Cluster, policy: Policy, made: Plan) -> Iterator[str]:
    """Waves with more moves at once than a limit allows, migrations under way counted; theirs alone may be more."""
    vms, limits = cluster.vms, policy.limits
    running = [vm for vm in range(len(vms.ids)) if vms.busy[vm] and vms.host[vm] >= 0 and vms.target[vm] >= 0]
    under_way = Counter(name for vm in running for name in _taken(cluster, vm, int(vms.host[vm]), int(vms.target[vm])))
    allowed = {"all": limits.at_once, "out": limits.out_of_host, "into": limits.into_host, "uplink": limits.across_rack}
    rows = {name: row for row, name in enumerate(cluster.hosts.names)}
    for number, wave in enumerate(made.waves, start=1):
        taken = Counter(under_way)
        for move in wave:
            taken.update(_taken(cluster, vms.ids.index(move.vm), rows[move.source], rows[move.target]))
        for (kind, row), count in taken.items():
            may = allowed[kind] if kind in allowed else _budget(cluster, policy, kind, row)
            if count > max(may, under_way[kind, row]):
                yield f"{count} at once of {kind} {row} in wave {number}, may be {may}"


def _taken(cluster: Cluster, vm: int, source: int, target: int) -> list[tuple[str, int]]:
    """Everything that a migration takes a place of."""
    places = [("all", 0), ("out", source), ("into", target)]
    here, there = int(cluster.hosts.rack[source]), int(cluster.hosts.rack[target])
    places += [("uplink", rack) for rack in (here, there) if here != there and rack >= 0]
    system = int(cluster.vms.system[vm])
    if system >= 0:
        places += [("system", system), ("agency", int(cluster.systems.agency[system]))]
    return places


def _budget(cluster: Cluster, policy: Policy, kind: str, row: int) -> int:
    """The policy's limit, or the estate's where that is less."""
    table, limit = (
        (cluster.systems, policy.limits.per_system)
        if kind == "system"
        else (cluster.agencies, policy.limits.per_agency)
    )
    own = int(table.at_once[row]) if row >= 0 else -1
    return limit if own < 0 else min(limit, own)

"""Builds small clusters for tests, a word a thing, and refuses those that cannot exist.

    cluster(hosts=[Host("h1", cpu=0.9), Host("h2")], vms=[Vm("a", "h1", cpu=8)])

Every host stands in a rack, hangs on a feed pair and reads well unless said otherwise; a VM is ACTIVE, of system `sys`
and measured. What a host uses is what its VMs use and a little of its own, unless `cpu` or `memory_gib` says more.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from controller.adapters.snapshot_file import checks
from controller.model import cluster as model
from controller.model.ids import HostName, ServerId
from controller.model.sample import Trust
from inventory.model import Classification, Domain, NumaCell, Tier

NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
GIB = 2.0**30


class ImpossibleClusterError(ValueError):
    """What was asked for cannot stand in any data centre."""


@dataclass(frozen=True, kw_only=True)
class Rack:
    """`uplink_in_mib_s`, `uplink_out_mib_s`: None is not read."""

    name: str
    zone: str = "z1"
    room: str = "room1"
    site: str = "site1"
    uplink_mib_s: float = 2400.0
    uplink_in_mib_s: float | None = None
    uplink_out_mib_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Supply:
    """A feed, PDU or phase, by what it may carry. `meter` and `on_battery`: None is not read.

    `feed`: what a PDU or phase hangs on. `silent`: its UPS said last that it runs on battery.
    """

    name: str
    kind: model.PowerKind = model.PowerKind.FEED
    limit_watts: float = 1e6
    base_watts: float = 0.0
    feed: str | None = None
    meter: float | None = None
    ups: str | None = None
    on_battery: bool | None = None
    silent: bool = False


@dataclass(frozen=True, kw_only=True)
class Host:
    """`cpu`: busy share; None is not measured, -1 what its VMs use. `watts`, `storage_mib_s` None is not measured.

    `path_mib_s`: what its storage path carries; NaN is not known.
    """

    name: str
    rack: str = "r1"
    supplies: tuple[str, ...] = ("A", "B")
    threads: int = 64
    memory_gib: float = 256.0
    vcpus: float = 256.0
    disk_gib: float = 4096.0
    clearance: int = Classification.SECRET
    enabled: bool = True
    up: bool = True
    known: bool = True
    trusted: bool = True
    unread_health: bool = False
    draining: bool = False
    withheld: bool = False
    cpu: float | None = -1.0
    memory_used_gib: float | None = -1.0
    network_mib_s: float | None = None
    cpu_high: float = math.nan
    network_high_mib_s: float = math.nan
    link_mib_s: float = 1200.0
    storage_mib_s: float | None = None
    path_mib_s: float = math.nan
    post_copy: bool = False
    shared_storage: bool = True
    unsaid_storage: bool = False
    watts: float | None = 300.0
    watts_per_thread: float = 3.0
    watts_error: float = 5.0
    inlet: float | None = 22.0
    memory_health: int = 0
    psu_health: int = 0
    fan_health: int = 0
    disk_health: int = 0
    traits: frozenset[str] = frozenset()
    availability_zone: str | None = "nova"
    numa: tuple[NumaCell, ...] = ()
    generation: str = ""


@dataclass(frozen=True, kw_only=True)
class Vm:
    """`cpu`, `steal`, `memory_used_gib`: None is not measured."""

    name: str
    host: str | None
    vcpus: int = 4
    memory_gib: float = 8.0
    disk_gib: float = 40.0
    cpu: float | None = 1.0
    steal: float | None = None
    memory_used_gib: float | None = 4.0
    network_mib_s: float | None = None
    cpu_high: float = math.nan
    cpu_ahead: float | None = None
    network_high_mib_s: float = math.nan
    storage_mib_s: float | None = None
    dirty_mib_s: float | None = 10.0
    system: str | None = "sys"
    classification: int | None = None
    state: model.VmState = model.VmState.ACTIVE
    target: str | None = None
    busy: bool = False
    locked: bool = False
    fit_known: bool = True
    rests: bool = False
    requirement: model.Requirement = field(default_factory=model.Requirement)


@dataclass(frozen=True, kw_only=True)
class System:
    name: str = "sys"
    agency: str = "agency"
    classification: int = Classification.OPEN
    tier: int = Tier.STANDARD
    at_once: int = -1
    per_hour: int = -1
    moved_last_hour: int = 0
    open: bool = True
    withheld: bool = False
    pause_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Flavor:
    """One that the inventory declares; servers are of `m1` whether it does or not."""

    name: str
    vcpus: int = 4
    memory_gib: float = 8.0
    disk_gib: float = 40.0
    classification: int = Classification.OPEN
    fit_known: bool = True
    requirement: model.Requirement = field(default_factory=model.Requirement)


@dataclass(frozen=True, kw_only=True)
class Group:
    name: str
    members: tuple[str, ...]
    kind: model.GroupKind = model.GroupKind.ANTI_AFFINITY
    domain: Domain = Domain.HOST
    max_per_domain: int = 1
    min_domains: int = 1


@dataclass(frozen=True, kw_only=True)
class Aggregate:
    name: str
    hosts: tuple[str, ...]
    metadata: dict[str, str] = field(default_factory=dict)


def cluster(
    *,
    hosts: Sequence[Host],
    vms: Sequence[Vm] = (),
    racks: Sequence[Rack] = (),
    supplies: Sequence[Supply] = (Supply(name="A"), Supply(name="B")),
    systems: Sequence[System] = (System(),),
    groups: Sequence[Group] = (),
    aggregates: Sequence[Aggregate] = (),
    flavors: Sequence[Flavor] = (),
    refusals: Sequence[tuple[str, str]] = (),
    breach_since: dict[str, float] | None = None,
    moved_last_hour: int = 0,
    freeze: str | None = None,
) -> model.Cluster:
    """The snapshot; `ImpossibleClusterError` where it could not be one."""
    hosts = sorted(hosts, key=lambda host: host.name)
    vms = sorted(vms, key=lambda vm: vm.name)
    racks = tuple(racks) or tuple(Rack(name=name) for name in sorted({host.rack for host in hosts}))
    built = _Build(hosts, vms, racks, supplies, systems)
    made = model.Cluster(
        taken_at=NOW,
        estate="test",
        sources=("test",),
        flavors=("m1",),
        catalog=_catalog(sorted(flavors, key=lambda flavor: flavor.name), len(built.requirements)),
        hosts=built.hosts(),
        host_types=built.host_types(),
        vms=built.vms(),
        racks=built.racks(),
        rooms=built.rooms(),
        zones=built.zones(),
        power=built.power(),
        systems=built.systems(),
        agencies=built.agencies(),
        requirements=(*built.requirements, *(flavor.requirement for flavor in sorted(flavors, key=lambda f: f.name))),
        aggregates=tuple(
            model.Aggregate(name=a.name, hosts=built.host_rows(a.hosts), metadata=a.metadata) for a in aggregates
        ),
        groups=tuple(
            model.Group(name=g.name, kind=g.kind, domain=g.domain, max_per_domain=g.max_per_domain,
                        min_domains=g.min_domains, members=built.vm_rows(g.members)) for g in groups
        ),
        refusals=tuple(
            model.LearnedRefusal(vm=built.vm[vm], host=built.host[host], until=NOW.timestamp() + 600, rule="409")
            for vm, host in refusals
        ),
        breach_since=breach_since,
        moved_last_hour=moved_last_hour,
        freeze=freeze,
    )  # fmt: skip
    _refuse_impossible(made)
    return made


def _catalog(flavors: Sequence[Flavor], before: int) -> model.Catalog:
    """Their requirements stand after the `before` ones of servers."""

    def column(name, kind=np.float64):
        return np.array([getattr(flavor, name) for flavor in flavors], kind)

    return model.Catalog(
        names=tuple(flavor.name for flavor in flavors),
        classification=column("classification", np.int8),
        requirement=np.arange(before, before + len(flavors), dtype=np.int32),
        vcpus=column("vcpus"),
        memory_mib=column("memory_gib") * 1024,
        disk_gib=column("disk_gib"),
        fit_known=column("fit_known", np.bool_),
    )


def doubted(cluster: model.Cluster, host: str, quantity: str, trust: Trust = Trust.STALE) -> model.Cluster:
    """The same snapshot with one reading of one host no longer fresh; its value and time stay."""
    reading = getattr(cluster.hosts, quantity)
    column = reading.trust.copy()
    column[cluster.hosts.names.index(HostName(host))] = trust
    return replace(cluster, hosts=replace(cluster.hosts, **{quantity: replace(reading, trust=column)}))


def shuffled(cluster: model.Cluster, seed: int) -> model.Cluster:
    """The same snapshot with the rows of hosts, VMs, power and groups in another order."""
    dice = np.random.default_rng(seed)
    hosts, vms = dice.permutation(len(cluster.hosts.names)), dice.permutation(len(cluster.vms.ids))
    power = dice.permutation(len(cluster.power.names))
    host_at, vm_at, power_at = _places(hosts), _places(vms), _places(power)
    moved_hosts, moved_vms, moved_power = (
        _taken(cluster.hosts, hosts),
        _taken(cluster.vms, vms),
        _taken(cluster.power, power),
    )
    groups = [replace(g, members=np.sort(vm_at[g.members])) for g in cluster.groups]
    return replace(
        cluster,
        hosts=replace(moved_hosts, power=power_at[moved_hosts.power]),
        vms=replace(moved_vms, host=host_at[moved_vms.host], target=host_at[moved_vms.target]),
        power=replace(moved_power, partner=power_at[moved_power.partner], feed=power_at[moved_power.feed]),
        groups=tuple(groups[n] for n in dice.permutation(len(groups))),
        aggregates=tuple(replace(a, hosts=np.sort(host_at[a.hosts])) for a in cluster.aggregates),
        refusals=tuple(replace(r, vm=int(vm_at[r.vm]), host=int(host_at[r.host])) for r in cluster.refusals),
    )


def renamed(cluster: model.Cluster, seed: int) -> model.Cluster:
    """The same snapshot with the names of hosts, of VMs, of supplies and of groups dealt out anew among them."""
    assert cluster.breach_since is None, "its keys are names"
    dice = np.random.default_rng(seed)

    def dealt(names):
        return tuple(names[n] for n in dice.permutation(len(names)))

    groups = zip(cluster.groups, dealt([group.name for group in cluster.groups]), strict=True)
    return replace(
        cluster,
        hosts=replace(cluster.hosts, names=dealt(cluster.hosts.names)),
        vms=replace(cluster.vms, ids=dealt(cluster.vms.ids), names=dealt(cluster.vms.names)),
        power=replace(cluster.power, names=dealt(cluster.power.names)),
        groups=tuple(replace(group, name=name) for group, name in groups),
    )


def scaled(cluster: model.Cluster, *, data: float = 1.0, watts: float = 1.0, threads: float = 1.0) -> model.Cluster:
    """The same snapshot in other units: of memory, disk and links, of watts, of threads and vCPUs."""
    of_hosts = (
        (data, ("memory_mib", "disk_gib", "reserved_memory_mib", "reserved_disk_gib", "physical_memory_mib",
                "migration_mib_s", "storage_mib_s", "memory_bytes", "network_bytes_s", "network_high_bytes_s",
                "storage_bytes_s")),
        (watts, ("watts_error", "power_watts")),
        (watts / threads, ("watts_per_thread",)),
        (threads, ("threads", "vcpus", "reserved_vcpus")),
    )  # fmt: skip
    of_vms = (
        (
            data,
            (
                "memory_mib",
                "disk_gib",
                "memory_bytes",
                "network_bytes_s",
                "network_high_bytes_s",
                "storage_bytes_s",
                "dirty_bytes_s",
            ),
        ),
        (threads, ("vcpus", "cpu_vcpus", "cpu_high_vcpus", "cpu_ahead_vcpus")),
    )
    of_racks = ((data, ("uplink_mib_s", "uplink_in_bytes_s", "uplink_out_bytes_s")),)
    of_power = ((watts, ("limit_watts", "base_watts", "power_watts")),)
    return replace(
        cluster,
        hosts=_in_units(cluster.hosts, of_hosts),
        vms=_in_units(cluster.vms, of_vms),
        racks=_in_units(cluster.racks, of_racks),
        power=_in_units(cluster.power, of_power),
    )


def _in_units(table, units):
    columns = {name: _times(getattr(table, name), factor) for factor, names in units for name in names}
    return replace(table, **columns)


def _times(column, factor):
    return replace(column, values=column.values * factor) if isinstance(column, model.Reading) else column * factor


def _places(order):
    at = np.full(len(order) + 1, -1, np.int32)
    at[order] = np.arange(len(order))
    return at


def _taken(table, order):
    def column(value):
        if isinstance(value, model.Reading):
            return model.Reading(**{name: getattr(value, name)[order] for name in ("values", "at", "source", "trust")})
        return tuple(value[n] for n in order) if isinstance(value, tuple) else value[order]

    return replace(table, **{name: column(getattr(table, name)) for name in table.__dataclass_fields__})


def _refuse_impossible(made: model.Cluster) -> None:
    flaw = next(checks.flaws(made), None)
    if flaw:
        raise ImpossibleClusterError(f"{flaw[0]} {flaw[1]}")
    busy = np.zeros((2, len(made.hosts.names)))
    for vm, host in enumerate(made.vms.host):
        if host >= 0 and made.vms.state[vm] != model.VmState.SHUTOFF:
            busy[0, host] += np.nan_to_num(made.vms.cpu_vcpus.values[vm])
            busy[1, host] += np.nan_to_num(made.vms.memory_bytes.values[vm])
    own = np.stack([made.hosts.cpu_ratio.values * made.hosts.threads, made.hosts.memory_bytes.values])
    if np.any(busy > own + 1e-6 * (1 + np.abs(own))):
        raise ImpossibleClusterError("VMs on a host use more than the host does")
    if np.any(made.hosts.cpu_ratio.values > 1.0 + 1e-9):
        raise ImpossibleClusterError("a host uses more threads than it has")
    over = (made.vms.cpu_vcpus.values > made.vms.vcpus + 1e-9) | (
        made.vms.memory_bytes.values > made.vms.memory_mib * 2.0**20 + 1
    )
    if np.any(over):
        raise ImpossibleClusterError("a VM uses more than it has")


class _Build:
    """Names to rows."""

    def __init__(self, hosts, vms, racks, supplies, systems) -> None:
        self._hosts, self._vms, self._racks, self._supplies, self._systems = hosts, vms, racks, supplies, systems
        self.host = _numbered(host.name for host in hosts)
        self.vm = _numbered(vm.name for vm in vms)
        self._rack = _numbered(rack.name for rack in racks)
        self._zone = _numbered(sorted({rack.zone for rack in racks}))
        self._room = _numbered(sorted({(rack.room, rack.site) for rack in racks}))
        self._supply = _numbered(supply.name for supply in supplies)
        self._system = _numbered(system.name for system in systems)
        self._types = sorted({(host.generation, host.numa) for host in hosts if host.known}, key=str)
        self._agency = _numbered(sorted({system.agency for system in systems}))
        self.requirements = tuple(dict.fromkeys(map(_hashable, (vm.requirement for vm in vms))).keys())
        self._requirement = {key: n for n, key in enumerate(self.requirements)}
        self.requirements = tuple(_requirement(key) for key in self.requirements)

    def host_rows(self, names):
        return np.array(sorted(self.host[name] for name in names), np.int32)

    def vm_rows(self, names):
        return np.array(sorted(self.vm[name] for name in names), np.int32)

    def host_types(self) -> model.HostTypes:
        generations, cells = zip(*self._types, strict=True) if self._types else ((), ())
        names = tuple(f"t{n}" for n in range(len(self._types)))
        first = [next(h for h in self._hosts if h.known and (h.generation, h.numa) == key) for key in self._types]

        def column(name, kind=np.float64):
            return np.array([getattr(host, name) for host in first], kind)

        nothing = np.zeros(len(first))
        return model.HostTypes(
            names=names, generation=generations, numa=cells, vcpus=column("vcpus"),
            memory_mib=column("memory_gib") * 1024, disk_gib=column("disk_gib"), reserved_vcpus=nothing,
            reserved_memory_mib=nothing, reserved_disk_gib=nothing, threads=column("threads"),
            physical_memory_mib=column("memory_gib") * 1024, migration_mib_s=column("link_mib_s"),
            storage_mib_s=column("path_mib_s"),
            post_copy=column("post_copy", np.bool_), shared_storage=column("shared_storage", np.bool_),
            watts_per_thread=column("watts_per_thread"), watts_error=column("watts_error"),
            idle_watts=np.full(len(first), 100.0), traits=tuple(host.traits for host in first),
        )  # fmt: skip

    def hosts(self) -> model.Hosts:
        hosts = self._hosts
        width = max((len(host.supplies) for host in hosts), default=1)
        power = np.full((len(hosts), width), -1, np.int32)
        for row, host in enumerate(hosts):
            power[row, : len(host.supplies)] = [self._supply[name] for name in host.supplies]

        def column(name, kind=np.float64):
            return np.array([getattr(host, name) for host in hosts], kind)

        return model.Hosts(
            names=tuple(HostName(host.name) for host in hosts),
            rack=np.array([self._rack.get(host.rack, -1) if host.known else -1 for host in hosts], np.int32),
            type=np.array([self._types.index((h.generation, h.numa)) if h.known else -1 for h in hosts], np.int32),
            clearance=column("clearance", np.int8), vcpus=column("vcpus"), memory_mib=column("memory_gib") * 1024,
            disk_gib=column("disk_gib"), threads=column("threads"), physical_memory_mib=column("memory_gib") * 1024,
            reserved_vcpus=np.zeros(len(hosts)), reserved_memory_mib=np.zeros(len(hosts)),
            reserved_disk_gib=np.zeros(len(hosts)),
            migration_mib_s=column("link_mib_s"), post_copy=column("post_copy", np.bool_),
            storage_mib_s=column("path_mib_s"),
            unsaid_storage=column("unsaid_storage", np.bool_),
            shared_storage=column("shared_storage", np.bool_),
            enabled=column("enabled", np.bool_), up=column("up", np.bool_), known=column("known", np.bool_),
            trusted=np.array([host.trusted and host.known for host in hosts], np.bool_),
            unread_health=column("unread_health", np.bool_), draining=column("draining", np.bool_), power=power,
            withheld=column("withheld", np.bool_),
            watts_per_thread=column("watts_per_thread"), watts_error=column("watts_error"),
            traits=tuple(host.traits for host in hosts),
            availability_zone=tuple(host.availability_zone for host in hosts),
            cpu_ratio=_reading([self._cpu(host) for host in hosts]),
            cpu_high_ratio=column("cpu_high"),
            memory_bytes=_reading([self._memory(host) for host in hosts]),
            memory_pressure_ratio=model.absent(len(hosts)),
            network_bytes_s=_reading([_scaled(host.network_mib_s, 2.0**20) for host in hosts]),
            network_high_bytes_s=column("network_high_mib_s") * 2.0**20,
            storage_bytes_s=_reading([_scaled(host.storage_mib_s, 2.0**20) for host in hosts]),
            power_watts=_reading([host.watts for host in hosts]),
            inlet_celsius=_reading([host.inlet for host in hosts]),
            memory_health=_reading([host.memory_health for host in hosts]),
            psu_health=_reading([host.psu_health for host in hosts]),
            fan_health=_reading([host.fan_health for host in hosts]),
            disk_health=_reading([host.disk_health for host in hosts]),
        )  # fmt: skip

    def _cpu(self, host: Host) -> float | None:
        if host.cpu is None or host.cpu >= 0:
            return host.cpu
        used = sum(vm.cpu or 0.0 for vm in self._vms if vm.host == host.name and vm.state != model.VmState.SHUTOFF)
        return min(used / host.threads, 1.0)

    def _memory(self, host: Host) -> float | None:
        if host.memory_used_gib is None or host.memory_used_gib >= 0:
            return _scaled(host.memory_used_gib, GIB)
        on = [vm for vm in self._vms if vm.host == host.name and vm.state != model.VmState.SHUTOFF]
        return sum(vm.memory_used_gib or 0.0 for vm in on) * GIB

    def vms(self) -> model.Vms:
        vms = self._vms
        levels = {system.name: system.classification for system in self._systems}

        def column(name, kind=np.float64):
            return np.array([getattr(vm, name) for vm in vms], kind)

        def level(vm: Vm) -> int:
            if vm.system is None:
                return int(Classification.SECRET)
            return levels[vm.system] if vm.classification is None else vm.classification

        return model.Vms(
            ids=tuple(ServerId(vm.name) for vm in vms), names=tuple(vm.name for vm in vms),
            host=np.array([self.host[vm.host] if vm.host else -1 for vm in vms], np.int32),
            target=np.array([self.host[vm.target] if vm.target else -1 for vm in vms], np.int32),
            system=np.array([self._system[vm.system] if vm.system else -1 for vm in vms], np.int32),
            classification=np.array([level(vm) for vm in vms], np.int8),
            requirement=np.array([self._requirement[_hashable(vm.requirement)] for vm in vms], np.int32),
            flavor=np.zeros(len(vms), np.int32), vcpus=column("vcpus"), memory_mib=column("memory_gib") * 1024,
            disk_gib=column("disk_gib"), state=column("state", np.int8), busy=column("busy", np.bool_),
            locked=column("locked", np.bool_), fit_known=column("fit_known", np.bool_),
            cooldown_until=np.array([NOW.timestamp() + 600 if vm.rests else 0.0 for vm in vms], np.float64),
            cpu_vcpus=_reading([vm.cpu for vm in vms]), cpu_high_vcpus=column("cpu_high"),
            cpu_ahead_vcpus=_reading([vm.cpu_ahead for vm in vms]), steal_ratio=_reading([vm.steal for vm in vms]),
            memory_bytes=_reading([_scaled(vm.memory_used_gib, GIB) for vm in vms]),
            network_bytes_s=_reading([_scaled(vm.network_mib_s, 2.0**20) for vm in vms]),
            network_high_bytes_s=column("network_high_mib_s") * 2.0**20,
            storage_bytes_s=_reading([_scaled(vm.storage_mib_s, 2.0**20) for vm in vms]),
            dirty_bytes_s=_reading([_scaled(vm.dirty_mib_s, 2.0**20) for vm in vms]),
        )  # fmt: skip

    def racks(self) -> model.Racks:
        return model.Racks(
            names=tuple(rack.name for rack in self._racks),
            zone=np.array([self._zone[rack.zone] for rack in self._racks], np.int32),
            room=np.array([self._room[rack.room, rack.site] for rack in self._racks], np.int32),
            uplink_mib_s=np.array([rack.uplink_mib_s for rack in self._racks], np.float64),
            uplink_in_bytes_s=_reading([_scaled(rack.uplink_in_mib_s, 2.0**20) for rack in self._racks]),
            uplink_out_bytes_s=_reading([_scaled(rack.uplink_out_mib_s, 2.0**20) for rack in self._racks]),
        )

    def rooms(self) -> model.Rooms:
        return model.Rooms(names=tuple(room for room, _ in self._room), site=tuple(site for _, site in self._room))

    def zones(self) -> model.Zones:
        count = len(self._zone)
        return model.Zones(
            names=tuple(self._zone),
            warning_celsius=np.full(count, 27.0),
            critical_celsius=np.full(count, 32.0),
            inlet_celsius=model.absent(count),
        )

    def power(self) -> model.Power:
        count = len(self._supplies)
        return model.Power(
            names=tuple(supply.name for supply in self._supplies),
            kind=np.array([supply.kind for supply in self._supplies], np.int8),
            limit_watts=np.array([supply.limit_watts for supply in self._supplies], np.float64),
            base_watts=np.array([supply.base_watts for supply in self._supplies], np.float64),
            feed=np.array([self._feed(supply) for supply in self._supplies], np.int32),
            partner=np.full(count, -1, np.int32),
            ups=tuple(supply.ups for supply in self._supplies),
            power_watts=_reading([supply.meter for supply in self._supplies]),
            on_battery=_reading([supply.on_battery for supply in self._supplies]),
            silent_on_battery=np.array([supply.silent for supply in self._supplies], np.bool_),
            battery_minutes=model.absent(count),
        )

    def _feed(self, supply: Supply) -> int:
        name = supply.name if supply.kind is model.PowerKind.FEED else supply.feed
        return -1 if name is None else self._supply[name]

    def systems(self) -> model.Systems:
        def column(name, kind=np.int32):
            return np.array([getattr(system, name) for system in self._systems], kind)

        return model.Systems(
            names=tuple(self._system),
            agency=np.array([self._agency[system.agency] for system in self._systems], np.int32),
            classification=column("classification", np.int8), tier=column("tier", np.int8),
            at_once=column("at_once"), per_hour=column("per_hour"), moved_last_hour=column("moved_last_hour"),
            open=column("open", np.bool_), withheld=column("withheld", np.bool_),
            pause_s=column("pause_s", np.float64),
        )  # fmt: skip

    def agencies(self) -> model.Agencies:
        count = len(self._agency)
        none = np.full(count, -1, np.int32)
        return model.Agencies(
            names=tuple(self._agency), at_once=none, per_hour=none.copy(), moved_last_hour=np.zeros(count, np.int32)
        )


def _numbered(names):
    found = list(names)
    if len(set(found)) != len(found):
        raise ImpossibleClusterError(f"a name stands twice among {found}")
    return {name: row for row, name in enumerate(found)}


def _hashable(r: model.Requirement):
    return (
        r.required_traits,
        r.forbidden_traits,
        r.availability_zone,
        frozenset(r.aggregate_specs.items()),
        r.project_id,
        r.numa,
    )


def _requirement(key) -> model.Requirement:
    required, forbidden, zone, specs, project, numa = key
    return model.Requirement(
        required_traits=required, forbidden_traits=forbidden, availability_zone=zone, aggregate_specs=dict(specs),
        project_id=project, numa=numa,
    )  # fmt: skip


def _scaled(value: float | None, unit: float) -> float | None:
    return None if value is None else value * unit


def _reading(values) -> model.Reading:
    known = np.array([value is not None for value in values], np.bool_)
    return model.Reading(
        values=np.array([np.nan if value is None else value for value in values], np.float64),
        at=np.where(known, NOW.timestamp(), np.nan),
        source=np.where(known, 0, -1).astype(np.int32),
        trust=np.where(known, Trust.FRESH, Trust.ABSENT).astype(np.int8),
    )

"""The table of compute hosts: one row for every host that Nova or Placement shows.

A host is known when the inventory has it registered or in service. One that is not keeps its capacity and its VMs in
the picture, has no rack, no feed and the lowest clearance, and can never be trusted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from controller.engine.assemble.history import History
from controller.engine.assemble.places import Places
from controller.engine.gate import Bound, Gate
from controller.engine.watts import nameplate
from controller.model import cluster as model
from controller.model.cloud import Amount, CloudFacts, Provider, Service
from controller.model.ids import HostName
from controller.model.sample import FloatColumn, IntColumn, Kind, Quantity, Trust
from inventory.facility import SnmpProfile
from inventory.model import IN_NOVA, Classification, Estate, Host, HostType

_MIB = 1024.0 * 1024.0
_BELIEVABLE_IDLE, _BELIEVABLE_PEAK = 0.4, 1.25
"""A running host draws no less than this share of its type's idle watts and no more than this multiple of its peak."""

_HEALTH = (Quantity.MEMORY_HEALTH, Quantity.PSU_HEALTH, Quantity.FAN_HEALTH, Quantity.DISK_HEALTH)
_TELLS_MEMORY = frozenset({SnmpProfile.IDRAC, SnmpProfile.ILO, SnmpProfile.XCC})
"""BMCs that know their machine's memory. Supplies, fans and disks may rightly be absent: blades, diskless hosts."""

_NOTHING = Amount(total=0, reserved=0, ratio=1.0)

_ELSEWHERE_GIB = 1e9
"""Disk of a provider that counts none: its pool is shared, and Placement judges it at the move."""


def host_table(
    estate: Estate, facts: CloudFacts, gate: Gate, places: Places, *, history: History, settled_at: Mapping[str, float]
) -> model.Hosts:
    """All hosts, sorted by name; `settled_at` says from when on a host's readings count."""
    services = {service.host: service for service in facts.services}
    providers = {provider.host: provider for provider in facts.providers}
    names = tuple(sorted(services.keys() | providers.keys()))
    inventory = [_expected(estate, name) for name in names]
    types = [estate.host_types[host.type] if host else None for host in inventory]
    offered = [providers.get(name) for name in names]
    readings = _readings(gate, names, types, np.array([settled_at.get(name, -np.inf) for name in names]))
    known = np.array([host is not None for host in inventory], np.bool_)
    slopes = {type_.name: history.slopes.get(type_.name) or nameplate(type_) for type_ in types if type_}
    return model.Hosts(
        names=names,
        rack=np.array([places.rack_rows[host.rack] if host else -1 for host in inventory], np.int32),
        type=np.array([places.type_rows[host.type] if host else -1 for host in inventory], np.int32),
        clearance=np.array([host.clearance if host else Classification.OPEN for host in inventory], np.int8),
        vcpus=_admitted(offered, "VCPU") + _admitted(offered, "PCPU"),
        memory_mib=_admitted(offered, "MEMORY_MB"),
        disk_gib=np.where(_shown(offered, "DISK_GB"), _admitted(offered, "DISK_GB"), _ELSEWHERE_GIB),
        reserved_vcpus=_kept_back(offered, "VCPU") + _kept_back(offered, "PCPU"),
        reserved_memory_mib=_kept_back(offered, "MEMORY_MB"),
        reserved_disk_gib=_kept_back(offered, "DISK_GB"),
        threads=_machine(types, offered, "VCPU"),
        physical_memory_mib=_machine(types, offered, "MEMORY_MB"),
        migration_mib_s=_floats(type_.migration_mib_s if type_ else 0.0 for type_ in types),
        storage_mib_s=_floats(_path(type_) for type_ in types),
        post_copy=np.array([bool(type_ and type_.post_copy) for type_ in types], np.bool_),
        shared_storage=~_shown(offered, "DISK_GB")
        | np.array([bool(type_ and type_.shared_storage) for type_ in types], np.bool_),
        unsaid_storage=_shown(offered, "DISK_GB")
        & np.array([type_ is None or type_.shared_storage is None for type_ in types], np.bool_),
        enabled=_said(services, names, lambda service: service.enabled),
        up=_said(services, names, lambda service: service.up and not service.forced_down),
        known=known,
        trusted=known
        & _trusted(readings, gate.policy.required_of_hosts)
        & _shown(offered, "MEMORY_MB")
        & (_shown(offered, "VCPU") | _shown(offered, "PCPU")),
        unread_health=_unread_health(inventory, readings) & np.full(len(names), gate.policy.health_required, np.bool_),
        draining=np.array([name in history.draining for name in names], np.bool_),
        withheld=np.zeros(len(names), np.bool_),
        power=_power_rows(estate, places, inventory),
        watts_per_thread=_floats(slopes[type_.name].watts_per_thread if type_ else 0.0 for type_ in types),
        watts_error=_floats(slopes[type_.name].error_watts if type_ else 0.0 for type_ in types),
        traits=_traits(offered),
        availability_zone=_zones(facts, names),
        cpu_high_ratio=np.full(len(names), np.nan),
        network_high_bytes_s=np.full(len(names), np.nan),
        **{quantity.value: reading for quantity, reading in readings.items()},
    )


def _expected(estate: Estate, name: HostName) -> Host | None:
    host = estate.hosts.get(name)
    return host if host and host.lifecycle in IN_NOVA else None


def _readings(
    gate: Gate, names: tuple[HostName, ...], types: Sequence[HostType | None], settled_at: FloatColumn
) -> dict[Quantity, model.Reading]:
    memory = _floats(type_.memory_mib * _MIB * 1.02 if type_ else np.nan for type_ in types)
    idle = _floats(type_.idle_watts * _BELIEVABLE_IDLE if type_ else np.nan for type_ in types)
    peak = _floats(type_.peak_watts * _BELIEVABLE_PEAK if type_ else np.nan for type_ in types)
    bounds: dict[Quantity, tuple[Bound, Bound]] = {
        Quantity.MEMORY_BYTES: (-np.inf, memory),
        Quantity.POWER_WATTS: (idle, peak),
    }
    moving = {
        Quantity.CPU_RATIO,
        Quantity.MEMORY_BYTES,
        Quantity.MEMORY_PRESSURE_RATIO,
        Quantity.NETWORK_BYTES_S,
        Quantity.STORAGE_BYTES_S,
        Quantity.POWER_WATTS,
    }
    still = {
        Quantity.INLET_CELSIUS,
        Quantity.MEMORY_HEALTH,
        Quantity.PSU_HEALTH,
        Quantity.FAN_HEALTH,
        Quantity.DISK_HEALTH,
    }
    found = {}
    for quantity in sorted(moving | still):
        low, high = bounds.get(quantity, (-np.inf, np.inf))
        since: Bound = settled_at if quantity in moving else -np.inf
        found[quantity] = gate.reading(Kind.HOST, quantity, names, low=low, high=high, not_before=since)
    return found


def _trusted(readings: Mapping[Quantity, model.Reading], required: Iterable[Quantity]) -> model.BoolColumn:
    fresh = [readings[quantity].fresh for quantity in required]
    return np.logical_and.reduce(fresh) if fresh else np.ones(len(readings[Quantity.CPU_RATIO].trust), np.bool_)


def _unread_health(hosts: Sequence[Host | None], readings: Mapping[Quantity, model.Reading]) -> model.BoolColumn:
    """A BMC that is quiet since the controller began, or quiet for so long that what it said is forgotten."""
    absent = {quantity: np.equal(readings[quantity].trust, Trust.ABSENT) for quantity in _HEALTH}
    has_bmc = np.array([host is not None and host.bmc is not None for host in hosts], np.bool_)
    tells_memory = np.array([bool(h and h.bmc and h.bmc.profile in _TELLS_MEMORY) for h in hosts], np.bool_)
    nothing: model.BoolColumn = np.logical_and.reduce(list(absent.values()))
    return (has_bmc & nothing) | (tells_memory & absent[Quantity.MEMORY_HEALTH])


def _shown(providers: Sequence[Provider | None], resource: str) -> model.BoolColumn:
    """Where Placement shows that resource at all; a host without its row is full of nothing, not over capacity."""
    return np.array([provider is not None and resource in provider.inventory for provider in providers], np.bool_)


def _amount(provider: Provider | None, resource: str) -> Amount:
    return provider.inventory.get(resource, _NOTHING) if provider else _NOTHING


def _admitted(providers: Sequence[Provider | None], resource: str) -> FloatColumn:
    """What Placement admits: (total - reserved) * ratio, nothing where there is no provider."""
    amounts = [_amount(provider, resource) for provider in providers]
    return _floats(max(0.0, (amount.total - amount.reserved) * amount.ratio) for amount in amounts)


def _kept_back(providers: Sequence[Provider | None], resource: str) -> FloatColumn:
    return _floats(_amount(provider, resource).reserved for provider in providers)


def _machine(types: Sequence[HostType | None], providers: Sequence[Provider | None], resource: str) -> FloatColumn:
    """The machine itself: the inventory's word, or Placement's total for a host it does not know."""
    return _floats(
        (type_.vcpus if resource == "VCPU" else type_.memory_mib) if type_ else _amount(provider, resource).total
        for type_, provider in zip(types, providers, strict=True)
    )


def _path(type_: HostType | None) -> float:
    """What its storage path carries; NaN where nobody says."""
    return np.nan if type_ is None or type_.storage_mib_s is None else type_.storage_mib_s


def _said(
    services: Mapping[HostName, Service], names: Iterable[HostName], fact: Callable[[Service], bool]
) -> model.BoolColumn:
    return np.array([name in services and fact(services[name]) for name in names], np.bool_)


def _power_rows(estate: Estate, places: Places, hosts: Sequence[Host | None]) -> IntColumn:
    rows = [places.power_rows(estate, host.cords) if host else () for host in hosts]
    width = max((len(row) for row in rows), default=0)
    return np.array([(*row, *[-1] * (width - len(row))) for row in rows], np.int32).reshape(len(rows), width)


def _traits(providers: Sequence[Provider | None]) -> tuple[frozenset[str], ...]:
    """Equal sets are one object: thousands of hosts have a handful of them."""
    seen: dict[frozenset[str], frozenset[str]] = {}
    sets = (provider.traits if provider else frozenset() for provider in providers)
    return tuple(seen.setdefault(traits, traits) for traits in sets)


def _zones(facts: CloudFacts, names: Sequence[HostName]) -> tuple[str | None, ...]:
    zone: dict[str, str] = {}
    for aggregate in facts.aggregates:
        if aggregate.availability_zone:
            zone.update(dict.fromkeys(aggregate.hosts, aggregate.availability_zone))
    return tuple(zone.get(name, model.DEFAULT_AVAILABILITY_ZONE) for name in names)


def _floats(values: Iterable[float]) -> FloatColumn:
    return np.array(list(values), np.float64)

"""Seats every VM of the estate's sets: cleared, within capacity, spread as its rules ask, on the least filled host.

Sets with the fewest hosts to choose from are seated first (highest classification, then tightest spread, then largest
flavor), so that what is hard to place finds room.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from controller.engine.synthetic.traits import forbidden, host_traits, required
from controller.errors import InputError
from controller.model.cluster import BoolColumn
from controller.model.sample import FloatColumn, IntColumn
from inventory.model import IN_NOVA, Domain, Estate, Flavor, Host, HostType, Spread, System, VmSet, host_feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Seated:
    """A VM and the host it stands on."""

    name: str
    system: System
    flavor: Flavor
    host: str


def expected_hosts(estate: Estate) -> tuple[Host, ...]:
    """The hosts that Nova would show, sorted by name."""
    return tuple(estate.hosts[name] for name in sorted(estate.hosts) if estate.hosts[name].lifecycle in IN_NOVA)


def capacity(type_: HostType) -> tuple[float, float, float]:
    """VCPU, MEMORY_MB and DISK_GB that Placement would admit."""
    return (
        (type_.vcpus - type_.reserved_vcpus) * type_.cpu_ratio,
        (type_.memory_mib - type_.reserved_memory_mib) * type_.memory_ratio,
        (type_.disk_gib - type_.reserved_disk_gib) * type_.disk_ratio,
    )


def seats(estate: Estate) -> Iterator[Seated]:
    """Every VM with its host; raises `InputError` naming the VM set that no host can take."""
    hosts = expected_hosts(estate)
    room = _Room(estate, hosts)
    wanted = [(system, vm_set) for system in estate.systems.values() for vm_set in system.vm_sets]
    for system, vm_set in sorted(wanted, key=lambda pair: _hardest_first(estate, *pair)):
        rows = room.seat(system, vm_set)
        for n, row in enumerate(rows, 1):
            yield Seated(
                name=f"{system.name}-{vm_set.role}-{n}",
                system=system,
                flavor=estate.flavors[vm_set.flavor],
                host=hosts[row].name,
            )


def takes(spread: Spread, counts: IntColumn) -> BoolColumn:
    """For each fault domain, with so many VMs of a set in it, whether the rule lets one more stand there.

    It holds fewer than the most, and none yet while too few domains hold any.
    """
    too_few = np.count_nonzero(counts) < spread.at_least
    most = np.inf if spread.max_per_domain is None else spread.max_per_domain
    taken: BoolColumn = np.less(counts, 1 if too_few else most)
    return taken


def _hardest_first(estate: Estate, system: System, vm_set: VmSet) -> tuple[int, bool, int, str, str]:
    memory = estate.flavors[vm_set.flavor].memory_mib
    return -system.classification, not vm_set.spreads, -memory, system.name, vm_set.role


class _Room:
    """What is still free on each host, changed as VMs are seated."""

    def __init__(self, estate: Estate, hosts: tuple[Host, ...]) -> None:
        self._estate = estate
        self._hosts = hosts
        types = [estate.host_types[host.type] for host in hosts]
        self._whole = np.array([capacity(type_) for type_ in types], np.float64).reshape(len(hosts), 3)
        self._free = self._whole.copy()
        self._clearance = np.array([host.clearance for host in hosts], np.int8)
        self._traits = host_traits(estate, hosts)
        self._domains = _domains(estate, hosts)
        self._masks: dict[tuple[str, str, int], BoolColumn] = {}
        self._kept_for = _kept_for(estate)

    def seat(self, system: System, vm_set: VmSet) -> list[int]:
        """Host rows of the set's VMs; what each VM changes is its host's score, and which domains may take another."""
        flavor = self._estate.flavors[vm_set.flavor]
        need = np.array([flavor.vcpus, flavor.memory_mib, flavor.disk_gib], np.float64)
        score = np.where(self._mask(system, flavor), self._scores(need, slice(None)), -np.inf)
        counts = [np.zeros(len(self._hosts), np.int32) for _ in vm_set.spreads]
        rows = []
        for _ in range(vm_set.count):
            left = score
            for spread, there in zip(vm_set.spreads, counts, strict=True):
                left = np.where(takes(spread, there)[self._domains[spread.domain]], left, -np.inf)
            row = int(np.argmax(left))
            if np.isneginf(left[row]):
                raise _no_room(system, vm_set, flavor)
            rows.append(row)
            self._free[row] -= need
            score[row] = self._scores(need, slice(row, row + 1))[0]
            for spread, there in zip(vm_set.spreads, counts, strict=True):
                there[self._domains[spread.domain][row]] += 1
        return rows

    def _scores(self, need: FloatColumn, rows: slice) -> FloatColumn:
        """The smaller share of vCPUs and memory left free after one more; minus infinity where it does not fit."""
        left = self._free[rows] - need
        share = (left[:, :2] / np.maximum(self._whole[rows, :2], 1.0)).min(axis=1)
        return np.where((left >= 0).all(axis=1), share, -np.inf)

    def _mask(self, system: System, flavor: Flavor) -> BoolColumn:
        key = (flavor.name, system.project if self._kept_for else "", int(system.classification))
        if key not in self._masks:
            wants, never = required(flavor), forbidden(flavor)
            takes = [wants <= traits and not never & traits for traits in self._traits]
            opened = [
                not self._kept_for.get(host.name) or system.project in self._kept_for[host.name] for host in self._hosts
            ]
            self._masks[key] = (self._clearance >= system.classification) & np.array(takes) & np.array(opened)
        return self._masks[key]


def _no_room(system: System, vm_set: VmSet, flavor: Flavor) -> InputError:
    level = system.classification.name.lower()
    return InputError(
        f"no host can take another VM of set {vm_set.role} ({vm_set.count} of {flavor.name}, {level})",
        where=f"system {system.name}",
        remedy="add hosts of that clearance, or ask for fewer VMs",
    )


def _domains(estate: Estate, hosts: tuple[Host, ...]) -> Mapping[Domain, IntColumn]:
    """The fault domain of each host as a number below the count of hosts."""
    racks = [estate.racks[host.rack] for host in hosts]
    named = {
        Domain.HOST: [host.name for host in hosts],
        Domain.RACK: [rack.name for rack in racks],
        Domain.FEED: ["+".join(host_feeds(estate, host)) for host in hosts],
        Domain.ZONE: [rack.zone for rack in racks],
        Domain.ROOM: [rack.room for rack in racks],
        Domain.SITE: [estate.rooms[rack.room].site for rack in racks],
    }
    return {domain: np.unique(names, return_inverse=True)[1].astype(np.int32) for domain, names in named.items()}


def _kept_for(estate: Estate) -> dict[str, set[str]]:
    """The projects that a host's aggregates keep it for (`filter_tenant_id*`)."""
    kept: dict[str, set[str]] = {}
    for aggregate in estate.aggregates.values():
        for key, value in aggregate.metadata.items():
            if key.startswith("filter_tenant_id"):
                for host in aggregate.hosts:
                    kept.setdefault(host, set()).update(part.strip() for part in value.split(","))
    return kept

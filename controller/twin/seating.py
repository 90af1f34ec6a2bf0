"""Where VMs may stand: what Nova's scheduler and the estate's rules admit, and a first seating that breaks no rule.

`Seats` is the bookkeeping of one seating; it is pure but for its own arrays.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from controller.engine.synthetic import seats, traits
from controller.errors import InputError
from controller.twin.topology import Floats, Rows, Topology, rows_of
from inventory.model import Classification, Domain, Estate, Flavor, Spread, System

_LOOK = 512
"""Hosts that are looked at before all are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A VM to be seated. `set_key` names its VM set; its spread rules count within it. `threads`: its expected load."""

    set_key: str
    name: str
    system: System
    flavor: Flavor
    spreads: tuple[Spread, ...]
    threads: float


def domains(estate: Estate, topology: Topology) -> Mapping[Domain, Rows]:
    """For each kind of fault domain, the domain of each host as a number. A host's feeds count as one."""
    hosts = rows_of(estate, topology)

    def numbered(names: list[str]) -> Rows:
        index = {name: n for n, name in enumerate(sorted(set(names)))}
        return np.array([index[name] for name in names], np.int32)

    rooms = [estate.racks[host.rack].room for host in hosts]
    return {
        Domain.HOST: np.arange(len(hosts), dtype=np.int32),
        Domain.RACK: numbered([host.rack for host in hosts]),
        Domain.FEED: numbered(["+".join(sorted({estate.pdus[c.pdu].feed for c in h.cords})) for h in hosts]),
        Domain.ZONE: numbered([estate.racks[host.rack].zone for host in hosts]),
        Domain.ROOM: numbered(rooms),
        Domain.SITE: numbered([estate.rooms[room].site for room in rooms]),
    }


class Seats:
    """What is still free while VMs are seated one after the other, each on the least loaded host that may have it."""

    def __init__(self, estate: Estate, topology: Topology) -> None:
        hosts = rows_of(estate, topology)
        types = [estate.host_types[host.type] for host in hosts]
        self._topology = topology
        self._free: Floats = np.array([seats.capacity(t) for t in types], np.float64).reshape(-1, 3)
        self._load = np.zeros(len(hosts))
        self._clearance = np.array([host.clearance for host in hosts], np.int8)
        self._traits = traits.host_traits(estate, hosts)
        self._domains = domains(estate, topology)
        self._counts: dict[tuple[str, Domain], Rows] = {}
        self._admitted: dict[tuple[str, str, Classification], Rows] = {}
        self._seated = 0
        self._reserved_for = _isolation(estate, topology)

    def seat(self, vm: Wanted) -> int:
        """The row of the host that takes the VM. Raises InputError where none can.

        In a large estate the least loaded of some hundred that may have it does; all are tried where none of those may.
        """
        need = np.array([vm.flavor.vcpus, vm.flavor.memory_mib, vm.flavor.disk_gib], np.float64)
        rows = self._rows(vm)
        start = self._seated * _LOOK % len(rows) if len(rows) > _LOOK else 0
        row = self._best(vm, need, rows[start : start + _LOOK])
        row = self._best(vm, need, rows) if row < 0 else row
        if row < 0:
            raise InputError(
                f"no host can take VM {vm.name} ({vm.flavor.name}, {vm.system.classification.name.lower()})",
                where=f"systems {vm.system.name}",
                remedy="the estate needs more hosts of that clearance, or fewer VMs",
            )
        self._seated += 1
        self._free[row] -= need
        self._load[row] += vm.threads
        for spread in vm.spreads:
            self._counts[vm.set_key, spread.domain][self._domains[spread.domain][row]] += 1
        return row

    def _best(self, vm: Wanted, need: Floats, rows: Rows) -> int:
        """The least loaded of these hosts that has room and a fault domain left; -1 for none. While a set stands in
        fewer domains than a rule of it wants, only a domain without one of its VMs is left.
        """
        may = (self._free[rows] >= need).all(axis=1)
        for spread in vm.spreads:
            domain = self._domains[spread.domain]
            most = int(domain.max(initial=0)) + 1
            counts = self._counts.setdefault((vm.set_key, spread.domain), np.zeros(most, np.int32))
            may &= seats.takes(spread, counts)[domain[rows]]
        if not may.any():
            return -1
        load = (self._load[rows] + vm.threads) / self._topology.threads[rows]
        return int(rows[np.argmin(np.where(may, load, np.inf))])

    def _rows(self, vm: Wanted) -> Rows:
        """The hosts whose clearance, traits and aggregates admit the VM."""
        project = vm.system.project if any(self._reserved_for) else ""
        key = (vm.flavor.name, project, vm.system.classification)
        if key not in self._admitted:
            need, never = traits.required(vm.flavor), traits.forbidden(vm.flavor)
            fits = np.array([need <= held and not never & held for held in self._traits], np.bool_)
            open_to = np.array([not kept or project in kept for kept in self._reserved_for], np.bool_)
            cleared = self._clearance >= vm.system.classification
            self._admitted[key] = np.flatnonzero(self._topology.in_nova & cleared & fits & open_to).astype(np.int32)
        return self._admitted[key]


def _isolation(estate: Estate, topology: Topology) -> list[frozenset[str]]:
    """For each host the projects that its aggregates are kept for (`filter_tenant_id`); empty: for everybody."""
    kept: dict[str, set[str]] = {}
    for aggregate in estate.aggregates.values():
        projects = {value for key, value in aggregate.metadata.items() if key.startswith("filter_tenant_id")}
        for host in aggregate.hosts:
            kept.setdefault(host, set()).update(projects)
    return [frozenset(kept.get(name, ())) for name in topology.hosts]

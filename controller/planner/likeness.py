"""An order of hosts, VMs, groups and supplies by what they are, for choices that come to the same.

What decides between equals must not be a name, or a plan would be worth more under other names. So each row has a
colour: a number made of its own columns, and again and again of the colours of what it hangs together with.

    colour(VM)     of its columns, its host, its groups          colour(group)   of its kind and its members
    colour(host)   of its columns, the VMs on it, its rack       colour(rack)    of its columns and its hosts
                   and its supplies                              colour(supply)  of its columns and its hosts

Rows of one colour are told apart by nothing that is looked at, and only between these does the name decide. Amounts
count as shares of the largest of their column, to a millionth, so that no unit matters.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.model import cluster as model
from controller.model.plan import Breach
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import canonical, supplies
from inventory.model import NumaCell

Colours = NDArray[np.uint64]

ROUNDS = 3
"""How far away what two rows hang together with may differ, and tell them apart."""
PARTS = 1_000_003
"""An amount counts to so small a share of its column's largest; a prime, so that amounts seldom lie between."""

_ODD, _OTHER, _THIRD = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_UNKNOWN = -(2**40)

_REFERENCES = frozenset({
    "names", "ids", "host", "target", "system", "requirement", "flavor", "rack", "type", "power", "partner", "zone",
    "room", "agency", "ups", "feed", "cooldown_until",
})  # fmt: skip
"""Columns that are names, or rows of other tables."""
_WHERE_KNOWN = frozenset({"storage_mib_s", "storage_bytes_s"})
"""Columns that count where something of them is known."""


def same(amounts: FloatColumn) -> NDArray[np.float32]:
    """The amounts so that what differs by the order of its sums alone is equal."""
    return amounts.astype(np.float32)


def nearly(amount: float) -> float:
    """The same of one amount."""
    return float(np.float32(amount))


def least(costs: FloatColumn, order: IntColumn) -> int:
    """Where the least of the costs is; of equal ones the first in `order`."""
    rounded = same(costs)
    at = np.flatnonzero(rounded <= np.fmin.reduce(rounded))
    return int(at[np.argmin(order[at])]) if len(at) else int(np.argmin(costs))


class Likeness:
    """Orders of a canonical snapshot's rows, made when first asked for: each row's place, smaller for the earlier."""

    def __init__(self, cluster: model.Cluster) -> None:
        self._cluster = cluster

    @cached_property
    def vms(self) -> IntColumn:
        """The place of each VM (V,)."""
        return _places(self._colours.vms)

    @cached_property
    def hosts(self) -> IntColumn:
        """The place of each host (H,)."""
        return _places(self._colours.hosts)

    def of_breach(self, breach: Breach) -> tuple[float, int]:
        """Which of equal breaches comes first: of single VMs the smallest, since each counts for one and more find room
        so; then by the colour of the group, supply, host or VM.
        """
        if breach.key in self._subjects:
            return 0.0, self._subjects[breach.key]
        cluster, colours = self._cluster, self._colours
        host, vm = canonical.row(cluster.hosts.names, breach.subject), canonical.row(cluster.vms.ids, breach.subject)
        if host is not None:
            return 0.0, int(colours.hosts[host])
        return (0.0, 0) if vm is None else (float(cluster.vms.memory_mib[vm]), int(colours.vms[vm]))

    @cached_property
    def _subjects(self) -> Mapping[str, int]:
        """The colours of groups and supplies by the keys of their breaches."""
        groups: dict[str, int] = {}
        for group, colour in zip(self._cluster.groups, self._colours.groups.tolist(), strict=True):
            groups[f"group:{group.name}"] = min(colour, groups.get(f"group:{group.name}", colour))
        power = self._cluster.power
        return groups | {supplies.key(power, row): colour for row, colour in enumerate(self._colours.power.tolist())}

    @cached_property
    def _colours(self) -> "_Colouring":
        return _Colouring(self._cluster)


class _Colouring:
    """Colours of all rows, told further apart round by round."""

    def __init__(self, cluster: model.Cluster) -> None:
        self._cluster = cluster
        vms, hosts = cluster.vms, cluster.hosts
        rests = vms.cooldown_until > cluster.taken_at.timestamp()
        guests = _of_cells([each.numa for each in cluster.requirements])
        asked = np.array([_of_demand(each) for each in cluster.requirements] or [0], np.uint64) + guests
        self.vms = _mixed(_of_table(vms, len(vms.ids)), _of_column(rests), asked[vms.requirement])
        self.hosts = _mixed(_of_table(hosts, len(hosts.names)), self._of_aggregates(), self._of_types())
        self._racks = _of_table(cluster.racks, len(cluster.racks.names))
        self._zones = _of_table(cluster.zones, len(cluster.zones.names))
        self.power = _of_table(cluster.power, len(cluster.power.names))
        self._systems = self._of_systems()
        self.groups = np.array([_of_rule(group) for group in cluster.groups], np.uint64)
        for _ in range(ROUNDS):
            self._round()

    def _round(self) -> None:
        cluster, vms, hosts = self._cluster, self._cluster.vms, self._cluster.hosts
        count = len(hosts.names)
        racks = _mixed(self._racks, _summed(hosts.rack, self.hosts, len(self._racks)))
        rooms = _summed(cluster.racks.room, racks, len(cluster.rooms.names))
        self._zones = _mixed(self._zones, _summed(cluster.racks.zone, racks, len(self._zones)))
        self._racks = _mixed(racks, _at(self._zones, cluster.racks.zone), _at(rooms, cluster.racks.room))
        self.power = _mixed(self.power, *(_summed(cords, self.hosts, len(self.power)) for cords in hosts.power.T))
        self._systems = _mixed(self._systems, _summed(vms.system, self.vms, len(self._systems)))
        self.groups = _mixed(self.groups, np.array([_sum(self.vms[g.members]) for g in cluster.groups], np.uint64))
        in_groups = np.zeros(len(vms.ids), np.uint64)
        for group, colour in zip(cluster.groups, self.groups, strict=True):
            in_groups[group.members] += colour
        for refusal in cluster.refusals:
            if refusal.vm >= 0 and refusal.host >= 0:
                in_groups[[refusal.vm]] += _mixed(self.hosts[[refusal.host]])
        on, coming = _summed(vms.host, self.vms, count), _summed(vms.target, self.vms, count)
        supplied = np.zeros(count, np.uint64)
        for cords in hosts.power.T:
            supplied += _at(self.power, cords)
        self.vms = _mixed(
            self.vms, _at(self.hosts, vms.host), _at(self.hosts, vms.target), _at(self._systems, vms.system), in_groups
        )
        self.hosts = _mixed(self.hosts, on, coming, _at(self._racks, hosts.rack), supplied)

    def _of_aggregates(self) -> Colours:
        """What the metadata of each host's aggregates say."""
        found = np.zeros(len(self._cluster.hosts.names), np.uint64)
        for aggregate in self._cluster.aggregates:
            found[aggregate.hosts] += np.uint64(_of_text(sorted(aggregate.metadata.items())))
        return found

    def _of_types(self) -> Colours:
        return _at(_of_cells(self._cluster.host_types.numa), self._cluster.hosts.type)

    def _of_systems(self) -> Colours:
        """By its own budgets and its agency's."""
        agencies = _of_table(self._cluster.agencies, len(self._cluster.agencies.names))
        own = _of_table(self._cluster.systems, len(self._cluster.systems.names))
        return _mixed(own, _at(agencies, self._cluster.systems.agency))


def _of_table(table: Any, count: int) -> Colours:
    """Of the columns of a table that are neither names nor rows of other tables."""
    names = (field.name for field in fields(table) if field.name not in _REFERENCES)
    columns = (getattr(table, name) for name in names if name not in _WHERE_KNOWN or _known(getattr(table, name)))
    return _mixed(np.ones(count, np.uint64), *(part for column in columns for part in _of_any(column)))


def _known(column: model.Reading | FloatColumn) -> bool:
    """Whether anything of it is known."""
    return bool(column.fresh.any() if isinstance(column, model.Reading) else np.isfinite(column).any())


def _of_any(column: Any) -> Iterable[Colours]:
    if isinstance(column, model.Reading):
        yield _of_column(np.where(column.fresh, column.values, np.nan))
        yield _of_column(column.trust)
    elif isinstance(column, tuple):
        seen: dict[Any, int] = {}
        for each in column:
            if each not in seen:
                seen[each] = _of_text(each)
        yield np.array([seen[each] for each in column], np.uint64)
    else:
        yield _of_column(column)


def _of_column(column: NDArray[Any]) -> Colours:
    """Each number as a share of the largest; what is not known, and what is infinite, is like itself alone."""
    values = column.astype(np.float64)
    known = np.isfinite(values)
    largest = float(np.abs(values[known]).max(initial=0.0)) or 1.0
    parts = np.where(known, np.rint(np.where(known, values, 0.0) / largest * PARTS), _UNKNOWN)
    return parts.astype(np.int64).view(np.uint64)


def _of_demand(asked: model.Requirement) -> int:
    specs = sorted(asked.aggregate_specs.items())
    traits = sorted(asked.required_traits), sorted(asked.forbidden_traits)
    return _of_text((traits, asked.availability_zone, specs, asked.project_id))


def _of_rule(group: model.Group) -> int:
    rule = (group.kind, group.domain, group.max_per_domain)
    return _of_text(rule if group.min_domains == 1 else (*rule, group.min_domains))


def _of_cells(layouts: Sequence[tuple[NumaCell, ...]]) -> Colours:
    """Of each layout the cells by their shares of the largest; one colour where there is no layout at all."""
    cells = [cell for layout in layouts for cell in layout]
    vcpus, memory = (max((getattr(cell, of) for cell in cells), default=0) or 1 for of in ("vcpus", "memory_mib"))
    shares = [
        [(round(PARTS * cell.vcpus / vcpus), round(PARTS * cell.memory_mib / memory)) for cell in layout]
        for layout in layouts
    ]
    return np.array([_of_text(each) for each in shares] or [0], np.uint64)


def _of_text(value: object) -> int:
    """The same in every process, which Python's own hash is not."""
    said = sorted(map(str, value)) if isinstance(value, frozenset) else value
    return zlib.crc32(repr(said).encode())


def _mixed(first: Colours, *others: Colours) -> Colours:
    """One colour of several, in their order (splitmix64)."""
    mixed = first.copy()
    for other in (*others, np.zeros(1, np.uint64)):
        mixed = (mixed ^ (other + _ODD)) * _OTHER
        mixed ^= mixed >> np.uint64(29)
        mixed *= _THIRD
        mixed ^= mixed >> np.uint64(32)
    return mixed


def _summed(rows: IntColumn, colours: Colours, count: int) -> Colours:
    """For each row the colours that refer to it, in no order."""
    found = np.zeros(count, np.uint64)
    refers = rows >= 0
    np.add.at(found, rows[refers], _mixed(colours)[refers])
    return found


def _sum(colours: Colours) -> int:
    return int(_mixed(colours).sum(dtype=np.uint64))


def _at(colours: Colours, rows: IntColumn) -> Colours:
    found: Colours = np.append(colours, np.uint64(0))[rows]
    return found


def _places(colours: Colours) -> IntColumn:
    """By colour, and of one colour by row."""
    places = np.empty(len(colours), np.int32)
    places[np.argsort(colours, kind="stable")] = np.arange(len(colours), dtype=np.int32)
    return places

"""What Nova's scheduler would say of a host for one kind of server, as far as its APIs show it.

A mask over all hosts for each distinct demand, computed once. Hosts with equal traits or equal aggregate metadata are
one class and judged together, so that thousands of projects on thousands of hosts stay cheap.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from controller.model import cluster as model
from controller.model.policy import ADMISSION_RULES, AdmissionPolicy
from controller.model.sample import IntColumn
from controller.planner import extra_specs, numa
from inventory.model import NumaCell

TENANT_KEY = "filter_tenant_id"

Metadata = Mapping[str, frozenset[str]]
Kind = TypeVar("Kind", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """Of each thing that the scheduler goes by, the distinct ones among hosts, and for each host which it is."""

    traits: tuple[frozenset[str], ...]
    of_traits: IntColumn
    zones: tuple[str | None, ...]
    of_zones: IntColumn
    metadata: tuple[Metadata, ...]
    of_metadata: IntColumn
    cells: tuple[tuple[NumaCell, ...], ...]
    of_cells: IntColumn

    @classmethod
    def of_hosts(cls, cluster: model.Cluster) -> "Kinds":
        """By the hosts' traits, zones, types and aggregates."""
        traits, of_traits = _classes(cluster.hosts.traits)
        zones, of_zones = _classes(cluster.hosts.availability_zone)
        metadata, of_metadata = _classes(_metadata_of_hosts(cluster))
        cells, of_cells = _classes(_cells_of_hosts(cluster))
        return cls(
            traits=traits,
            of_traits=of_traits,
            zones=zones,
            of_zones=of_zones,
            metadata=tuple(dict(items) for items in metadata),
            of_metadata=of_metadata,
            cells=cells,
            of_cells=of_cells,
        )


class Admission:
    """Masks by demand, remembered. `moves`: the rules that move a VM which stands where it should not."""

    def __init__(
        self, requirements: Sequence[model.Requirement], kinds: Kinds, moves: Collection[str] = ADMISSION_RULES
    ) -> None:
        self._requirements = requirements
        self._moves = moves
        self._reserved = [_reserved_for(metadata) for metadata in kinds.metadata]
        self._kinds = kinds
        self._masks: dict[Hashable, model.BoolColumn] = {}

    def traits(self, requirement: int) -> model.BoolColumn:
        """`required <= traits(host)` and `forbidden & traits(host) = {}`."""
        required = self._requirements[requirement].required_traits
        forbidden = self._requirements[requirement].forbidden_traits
        return self._mask(
            ("traits", required, forbidden),
            (required <= traits and not forbidden & traits for traits in self._kinds.traits),
            self._kinds.of_traits,
        )

    def zone(self, requirement: int) -> model.BoolColumn:
        """The availability zone the server asked for, if it asked, is the host's."""
        wanted = self._requirements[requirement].availability_zone
        return self._mask(
            ("zone", wanted), (wanted in {None, zone} for zone in self._kinds.zones), self._kinds.of_zones
        )

    def aggregates(self, requirement: int) -> model.BoolColumn:
        """Each spec is matched by one value of its key in the metadata of the host's aggregates together."""
        specs = self._requirements[requirement].aggregate_specs
        return self._mask(
            ("aggregates", frozenset(specs.items())),
            (_meets(metadata, specs) for metadata in self._kinds.metadata),
            self._kinds.of_metadata,
        )

    def tenant(self, requirement: int) -> model.BoolColumn:
        """A host in an aggregate with `filter_tenant_id*` takes only the projects named there."""
        project = self._requirements[requirement].project_id
        return self._mask(
            ("tenant", project),
            (projects is None or project in projects for projects in self._reserved),
            self._kinds.of_metadata,
        )

    def numa(self, requirement: int) -> model.BoolColumn:
        """The host's NUMA cells, where the inventory tells them, could hold the guest's."""
        guest = self._requirements[requirement].numa
        return self._mask(
            ("numa", guest), (numa.could_hold(cells, guest) for cells in self._kinds.cells), self._kinds.of_cells
        )

    def possible(self, requirement: int) -> model.BoolColumn:
        """The hosts (H,) where none of these speaks against such a server."""
        masks = (self.traits, self.zone, self.aggregates, self.tenant, self.numa)
        possible: model.BoolColumn = np.logical_and.reduce([mask(requirement) for mask in masks])
        return possible

    def misfits(self, requirement: int) -> Mapping[str, model.BoolColumn]:
        """By the name of each of `ADMISSION_RULES` the hosts (H,) that it speaks against, by what is known of them.

        One without any trait, one without any CUSTOM_ trait where such a one is asked for, and one that no aggregate
        puts into a zone was not read, or is held to none.
        """
        of_traits, of_zones = self._kinds.of_traits, self._kinds.of_zones
        asks_custom = any(map(is_custom, self._requirements[requirement].required_traits))
        read = (_own_traits if asks_custom else _any_traits)(self._kinds.traits)
        zoned = np.array([each not in {None, model.DEFAULT_AVAILABILITY_ZONE} for each in self._kinds.zones], np.bool_)
        return {
            "traits": ~self.traits(requirement) & read[of_traits],
            "availability-zone": ~self.zone(requirement) & zoned[of_zones],
            "aggregate": ~self.aggregates(requirement),
            "tenant-isolation": ~self.tenant(requirement),
        }

    def misfit(self, requirement: int) -> model.BoolColumn:
        """The hosts that such a server should leave, by the rules that move VMs; the last is no host (H + 1,)."""
        if ("misfit", requirement) not in self._masks:
            misfits = self.misfits(requirement)
            against = [misfits[rule] for rule in ADMISSION_RULES if rule in self._moves]
            none = np.zeros(len(self._kinds.of_traits), np.bool_)
            self._masks["misfit", requirement] = np.append(np.logical_or.reduce([none, *against]), False)
        return self._masks["misfit", requirement]

    def against(self, vms: model.Vms) -> model.ByteColumn:
        """For each VM the rules against the host that it stands on (V,), bit n for rule n of `ADMISSION_RULES`; none
        for one of whom nobody knows what it asks.
        """
        found = np.zeros(len(vms.ids), np.int8)
        order = np.argsort(vms.requirement, kind="stable")
        kinds, starts = np.unique(vms.requirement[order], return_index=True)
        ends = [*starts[1:].tolist(), len(order)][: len(kinds)]
        for kind, first, end in zip(kinds.tolist(), starts.tolist(), ends, strict=True):
            rows = order[first:end][vms.host[order[first:end]] >= 0]
            for bit, hosts in enumerate(self.misfits(kind).values() if kind >= 0 and len(rows) else ()):
                found[rows] |= np.left_shift(hosts[vms.host[rows]].astype(np.int8), bit)
        return found

    def acted_on(self, vms: model.Vms, against: model.ByteColumn, policy: AdmissionPolicy) -> model.BoolColumn:
        """The VMs (V,) to be moved for it: those that a rule which moves VMs is against, unless these are so many that
        what is known of the hosts is doubted.
        """
        bits = sum(1 << bit for bit, rule in enumerate(ADMISSION_RULES) if rule in policy.moves)
        acted = np.not_equal(np.bitwise_and(against, bits), 0)
        most = max(policy.at_least, policy.most_share * np.count_nonzero(vms.host >= 0))
        return acted & np.full(len(acted), np.count_nonzero(acted) <= most)

    def _mask(self, demand: Hashable, verdicts: Iterable[bool], classes: IntColumn) -> model.BoolColumn:
        if demand not in self._masks:
            self._masks[demand] = np.array(list(verdicts), np.bool_)[classes]
        return self._masks[demand]


def _meets(metadata: Metadata, specs: Mapping[str, str]) -> bool:
    return all(
        any(extra_specs.matches(value, wanted) for value in sorted(metadata.get(key, ())))
        for key, wanted in specs.items()
    )


def _reserved_for(metadata: Metadata) -> frozenset[str] | None:
    """The projects that a host with these aggregates is reserved for, None for nobody."""
    named = [values for key, values in metadata.items() if key.startswith(TENANT_KEY)]
    return frozenset[str]().union(*named) if named else None


def is_custom(trait: str) -> bool:
    """Whether operators gave it: Placement has it some time after the host's own ones."""
    return trait.startswith("CUSTOM_")


def _any_traits(kinds: Sequence[frozenset[str]]) -> model.BoolColumn:
    return np.array([len(each) > 0 for each in kinds], np.bool_)


def _own_traits(kinds: Sequence[frozenset[str]]) -> model.BoolColumn:
    return np.array([any(map(is_custom, each)) for each in kinds], np.bool_)


def _classes(kinds: Sequence[Kind]) -> tuple[tuple[Kind, ...], IntColumn]:
    """The distinct kinds, and for each host which of them it is."""
    numbers: dict[Kind, int] = {}
    rows = np.array([numbers.setdefault(kind, len(numbers)) for kind in kinds], np.int32)
    return tuple(numbers), rows


def _cells_of_hosts(cluster: model.Cluster) -> list[tuple[NumaCell, ...]]:
    known = (*cluster.host_types.numa, ())
    return [known[row] for row in cluster.hosts.type.tolist()]


def _metadata_of_hosts(cluster: model.Cluster) -> list[frozenset[tuple[str, frozenset[str]]]]:
    """The values of each key over all of a host's aggregates; Nova splits a value at commas."""
    merged: list[dict[str, frozenset[str]]] = [{} for _ in cluster.hosts.names]
    for aggregate in cluster.aggregates:
        values = {k: frozenset(part.strip() for part in v.split(",")) for k, v in aggregate.metadata.items()}
        for host in aggregate.hosts:
            for key, parts in values.items():
                merged[host][key] = merged[host].get(key, frozenset()) | parts
    return [frozenset(metadata.items()) for metadata in merged]

"""What Nova's scheduler would say of a host for one kind of server, as far as its APIs show it.

A mask over all hosts for each distinct demand, computed once. Hosts with equal traits or equal aggregate metadata are
one class and judged together, so that thousands of projects on thousands of hosts stay cheap.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from controller.model import cluster as model
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
    """Masks by demand, remembered."""

    def __init__(self, requirements: Sequence[model.Requirement], kinds: Kinds) -> None:
        self._requirements = requirements
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
            (_takes(metadata, project) for metadata in self._kinds.metadata),
            self._kinds.of_metadata,
        )

    def numa(self, requirement: int) -> model.BoolColumn:
        """The host's NUMA cells, where the inventory tells them, could hold the guest's."""
        guest = self._requirements[requirement].numa
        return self._mask(
            ("numa", guest), (numa.could_hold(cells, guest) for cells in self._kinds.cells), self._kinds.of_cells
        )

    def misfits(self, requirement: int) -> Mapping[str, model.BoolColumn]:
        """By the name of each rule the hosts (H,) that it speaks against, by what is known of them: one without any
        trait or without a zone was not read, and is held to none.
        """
        return {
            "traits": ~self.traits(requirement) & np.array([len(each) > 0 for each in self._kinds.traits] or [False],
                                                           np.bool_)[self._kinds.of_traits],
            "availability-zone": ~self.zone(requirement) & np.array(
                [each is not None for each in self._kinds.zones] or [False], np.bool_)[self._kinds.of_zones],
            "aggregate": ~self.aggregates(requirement),
            "tenant-isolation": ~self.tenant(requirement),
        }  # fmt: skip

    def misfit(self, requirement: int) -> model.BoolColumn:
        """The hosts on which a server of this kind should not stand; the last for no host at all (H + 1,)."""
        if ("misfit", requirement) not in self._masks:
            against = np.logical_or.reduce(list(self.misfits(requirement).values()))
            self._masks["misfit", requirement] = np.append(against, False)
        return self._masks["misfit", requirement]

    def misfitting(self, vms: model.Vms) -> model.BoolColumn:
        """The VMs that stand where Nova would not put them (V,); of whom nobody knows what they ask, none does."""
        found = np.zeros(len(vms.ids), np.bool_)
        order = np.argsort(vms.requirement, kind="stable")
        kinds, starts = np.unique(vms.requirement[order], return_index=True)
        ends = [*starts[1:].tolist(), len(order)][: len(kinds)]
        for kind, first, end in zip(kinds.tolist(), starts.tolist(), ends, strict=True):
            if kind >= 0:
                found[order[first:end]] = self.misfit(kind)[vms.host[order[first:end]]]
        return found

    def _mask(self, demand: Hashable, verdicts: Iterable[bool], classes: IntColumn) -> model.BoolColumn:
        if demand not in self._masks:
            self._masks[demand] = np.array(list(verdicts), np.bool_)[classes]
        return self._masks[demand]


def _meets(metadata: Metadata, specs: Mapping[str, str]) -> bool:
    return all(
        any(extra_specs.matches(value, wanted) for value in sorted(metadata.get(key, ())))
        for key, wanted in specs.items()
    )


def _takes(metadata: Metadata, project: str) -> bool:
    named = [values for key, values in metadata.items() if key.startswith(TENANT_KEY)]
    return not named or any(project in values for values in named)


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

"""The table of flavors that the inventory declares, and what a server of each asks of a host."""

import numpy as np

from controller.engine.assemble import specs
from controller.model import cluster as model
from controller.model.cloud import CloudFacts
from inventory.model import Estate


def catalog(
    estate: Estate, facts: CloudFacts, requirements: tuple[model.Requirement, ...]
) -> tuple[model.Catalog, tuple[model.Requirement, ...]]:
    """All declared flavors, sorted by name, and `requirements` with those that their servers would have."""
    metadata_keys = frozenset(key for aggregate in facts.aggregates for key in aggregate.metadata)
    flavors = [estate.flavors[name] for name in sorted(estate.flavors)]
    read = [specs.read(sorted(each.nova_extra_specs.items()), metadata_keys) for each in flavors]
    table = model.Catalog(
        names=tuple(each.name for each in flavors),
        classification=np.array([each.classification for each in flavors], np.int8),
        requirement=np.arange(len(requirements), len(requirements) + len(flavors), dtype=np.int32),
        vcpus=np.array([each.vcpus for each in flavors], np.float64),
        memory_mib=np.array([each.memory_mib for each in flavors], np.float64),
        disk_gib=np.array([each.disk_gib for each in flavors], np.float64),
        fit_known=np.array([each.fit_known for each in read], np.bool_),
    )
    asked = (
        model.Requirement(
            required_traits=each.required_traits,
            forbidden_traits=each.forbidden_traits,
            aggregate_specs=each.aggregate_specs,
        )
        for each in read
    )
    return table, (*requirements, *asked)

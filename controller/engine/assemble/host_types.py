"""The table of host types: what a host of each would have, by the inventory alone."""

from collections.abc import Iterable, Mapping

import numpy as np

from controller.engine.watts import Slope, nameplate
from controller.model import cluster as model
from controller.model.sample import FloatColumn
from inventory.model import Estate


def table(estate: Estate, slopes: Mapping[str, Slope]) -> model.HostTypes:
    """All types, sorted by name; `slopes` are the fitted ones, a type without one has its nameplate's."""
    types = [estate.host_types[name] for name in sorted(estate.host_types)]
    slope = [slopes.get(each.name) or nameplate(each) for each in types]
    return model.HostTypes(
        names=tuple(each.name for each in types),
        generation=tuple(each.generation for each in types),
        numa=tuple(each.numa for each in types),
        vcpus=_admitted((each.vcpus, each.reserved_vcpus, each.cpu_ratio) for each in types),
        memory_mib=_admitted((each.memory_mib, each.reserved_memory_mib, each.memory_ratio) for each in types),
        disk_gib=_admitted((each.disk_gib, each.reserved_disk_gib, each.disk_ratio) for each in types),
        reserved_vcpus=_floats(each.reserved_vcpus for each in types),
        reserved_memory_mib=_floats(each.reserved_memory_mib for each in types),
        reserved_disk_gib=_floats(each.reserved_disk_gib for each in types),
        threads=_floats(each.vcpus for each in types),
        physical_memory_mib=_floats(each.memory_mib for each in types),
        migration_mib_s=_floats(each.migration_mib_s for each in types),
        storage_mib_s=_floats(_known(each.storage_mib_s) for each in types),
        post_copy=np.array([each.post_copy for each in types], np.bool_),
        shared_storage=np.array([bool(each.shared_storage) for each in types], np.bool_),
        watts_per_thread=_floats(each.watts_per_thread for each in slope),
        watts_error=_floats(each.error_watts for each in slope),
        idle_watts=_floats(each.idle_watts for each in types),
        traits=tuple(each.traits for each in types),
    )


def _admitted(amounts: Iterable[tuple[float, float, float]]) -> FloatColumn:
    """What Placement admits of each total, reserved amount and ratio."""
    return _floats(max(0.0, (total - reserved) * ratio) for total, reserved, ratio in amounts)


def _known(amount: float | None) -> float:
    return np.nan if amount is None else amount


def _floats(values: Iterable[float]) -> FloatColumn:
    return np.array(list(values), np.float64)

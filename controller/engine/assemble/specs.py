"""What a flavor's extra specs ask of a host, in Nova's words.

Keys: `trait:NAME` (docs.openstack.org/nova/latest/configuration/extra-specs.html) and
`aggregate_instance_extra_specs:KEY`; a key without a scope is matched against aggregate metadata too
(nova/scheduler/filters/aggregate_instance_extra_specs.py), which counts only where an aggregate carries that key.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.model.cloud import Guest

_AGGREGATE_SCOPE = "aggregate_instance_extra_specs"
_FIT_UNKNOWN = (
    "hw:cpu_policy", "hw:cpu_thread_policy", "hw:cpu_dedicated_mask", "hw:cpu_realtime", "hw:emulator_threads_policy",
    "hw:numa_", "hw:mem_page_size", "hw:mem_encryption", "hw:locked_memory", "hw:pmem", "hw:pci_numa_affinity_policy",
    "hw:tpm_", "pci_passthrough:", "accel:", "capabilities:", "resources", "group_policy",
)  # fmt: skip
"""Specs that pin a guest to CPUs, NUMA cells, devices or host capabilities: no API shows that it fits elsewhere."""

_HARMLESS = {("hw:cpu_policy", "shared"), ("hw:mem_encryption", "false"), ("hw:locked_memory", "false")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Specs:
    """Extra specs, read. `fit_known` is False where no API shows whether the guest fits on another host."""

    required_traits: frozenset[str]
    forbidden_traits: frozenset[str]
    aggregate_specs: Mapping[str, str]
    fit_known: bool


def read(extra_specs: Iterable[tuple[str, str]], metadata_keys: frozenset[str]) -> Specs:
    """Reads one flavor's specs; `metadata_keys` are the keys that any aggregate carries."""
    required: set[str] = set()
    forbidden: set[str] = set()
    aggregate_specs: dict[str, str] = {}
    fit_known = True
    for key, value in extra_specs:
        scope, colon, name = key.partition(":")
        if scope == "trait":
            (required if value == "required" else forbidden).add(name)
        elif scope == _AGGREGATE_SCOPE:
            aggregate_specs[name] = value
        elif not colon and key in metadata_keys:
            aggregate_specs[key] = value
        elif scope.startswith("trait") or _pins(key, value):
            fit_known = False
    return Specs(
        required_traits=frozenset(required),
        forbidden_traits=frozenset(forbidden),
        aggregate_specs=aggregate_specs,
        fit_known=fit_known,
    )


def fits(guest: Guest) -> bool:
    """Whether a guest is known to be neither pinned nor bound to cells or devices, by Nova's word and its image's."""
    return guest.numa == () and pinning(guest) == ()


def pinning(guest: Guest) -> tuple[str, ...] | None:
    """The properties of its image that pin it, as `hw_cpu_policy=dedicated`; None where they are not known."""
    if guest.image_properties is None:
        return None
    read = sorted(guest.image_properties.items())
    return tuple(f"{key}={value}" for key, value in read if _pins(key.replace("_", ":", 1), value))


def _pins(key: str, value: str) -> bool:
    """`trait1:NAME` and `resources1:CLASS` ask of a granular group, which another provider may have to meet."""
    return key.startswith(_FIT_UNKNOWN) and (key, value.lower()) not in _HARMLESS

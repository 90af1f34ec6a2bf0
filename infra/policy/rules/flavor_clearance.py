"""A flavor requires the trait of its level: Placement offers its servers no host below it."""

from collections.abc import Iterator

from infra.policy import kinds
from infra.policy.declared import UNKNOWN, Resource
from infra.policy.rule import ResourceRule
from inventory.model import Classification, clearance_trait

TRAITS = frozenset(f"trait:{clearance_trait(level)}" for level in Classification)


def broken(resource: Resource) -> Iterator[str]:
    """A flavor that requires no level's trait, or several, or forbids one."""
    if resource.inputs.get("extraSpecs") is UNKNOWN:
        return
    said = {key: value for key, value in resource.mapping("extraSpecs").items() if key in TRAITS}
    if len(said) != 1 or set(said.values()) != {"required"}:
        yield f"extra specs say {said or 'no clearance'} (require exactly one trait:CUSTOM_CLEARANCE_…)"


RULE = ResourceRule(
    name="flavors-require-clearance",
    description="A flavor requires exactly one clearance trait of its host.",
    kinds=frozenset({kinds.FLAVOR}),
    broken=broken,
)

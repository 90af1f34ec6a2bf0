"""Who a project is, and how high its data: every tool that looks at the cloud reads it from the project's tags."""

from collections.abc import Iterator, Mapping

from infra.policy import kinds, levels
from infra.policy.declared import UNKNOWN, Resource
from infra.policy.rule import ResourceRule
from inventory.model import Tier

ALLOWED: Mapping[str, frozenset[str]] = {
    "agency": frozenset(),
    "system": frozenset(),
    "classification": frozenset(levels.LEVELS),
    "tier": frozenset(tier.name.lower() for tier in Tier),
}
"""Each tag that is needed once, and its values (none named: any)."""


def broken(resource: Resource) -> Iterator[str]:
    """The tags that are missing, there twice, or have a value that does not exist. Domains need none."""
    tags = resource.values("tags")
    if resource.inputs.get("isDomain") or UNKNOWN in (resource.inputs.get("tags"), *tags):
        return
    pairs = [tag.partition(":")[::2] for tag in tags if isinstance(tag, str)]
    for key, allowed in ALLOWED.items():
        values = [value for name, value in pairs if name == key]
        if len(values) != 1:
            yield f"{len(values)} tags '{key}:…' (give it one)"
        elif not values[0] or (allowed and values[0] not in allowed):
            yield f"tag '{key}:{values[0]}' has no such value ({' | '.join(sorted(allowed)) or 'name one'})"


RULE = ResourceRule(
    name="project-tags",
    description="A project carries its agency, system, classification and tier as tags, each once.",
    kinds=frozenset({kinds.PROJECT}),
    broken=broken,
)

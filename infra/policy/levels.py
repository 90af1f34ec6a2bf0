"""How high the data of a thing may be, as far as a stack says it: by tags on what it declares, by `meanings` otherwise.

What stands in neither has no level (None), and the rules refuse what they cannot judge.
"""

import ipaddress
from collections.abc import Iterator, Mapping

from infra.policy import kinds, world
from infra.policy.declared import Resource, Stack
from inventory.model import Classification

TAG = "classification:"
METADATA_KEY = "classification"
LEVELS: Mapping[str, Classification] = {level.name.lower(): level for level in Classification}


def level_of(stack: Stack, resource: Resource) -> Classification | None:
    """A declared thing's level: its project's or its own tag's, the higher one; of a container, its metadata's.

    What names no project stands in the one that its provider logs in to.
    """
    if resource.kind == kinds.CONTAINER:
        return LEVELS.get(resource.mapping("metadata").get(METADATA_KEY, ""))
    tagged = [tag for tag in resource.values("tags") if isinstance(tag, str) and tag.startswith(TAG)]
    found = [LEVELS.get(tag.removeprefix(TAG)) for tag in tagged]
    places = (resource, stack.resources.get(resource.provider))
    in_project = next((each for each in places if each and each.inputs.get("tenantId") is not None), None)
    if resource.kind != kinds.PROJECT and in_project is not None:
        found.append(level_at(stack, in_project, "tenantId", kinds.PROJECT))
    known = [level for level in found if level is not None]
    return max(known) if known and len(known) == len(found) else None


def level_at(stack: Stack, resource: Resource, key: str, kind: str) -> Classification | None:
    """The level of the thing of `kind` whose id an input is."""
    declared = stack.referred(resource, key, kind)
    if len(declared) == 1:
        return level_of(stack, declared[0])
    return named_level(stack, resource.inputs.get(key))


def named_level(stack: Stack, identity: object) -> Classification | None:
    """The level of what has this id: declared here, or told in the meanings."""
    if not isinstance(identity, str) or not identity:
        return None
    for each in stack.resources.values():
        if each.identity == identity:
            return level_of(stack, each)
    return LEVELS.get(_told(stack, "levels").get(identity, ""))


def range_level(stack: Stack, prefix: str) -> Classification | None:
    """The level of the range told in the meanings that holds this one."""
    try:
        asked = ipaddress.ip_network(prefix, strict=False)
    except ValueError:
        return None
    for text, level in _told(stack, "ranges").items():
        if world.holds(ipaddress.ip_network(text), asked):
            return LEVELS.get(level)
    return None


def role_name(stack: Stack, resource: Resource, key: str) -> str | None:
    """The name of the role whose id an input is."""
    declared = stack.referred(resource, key, kinds.ROLE)
    if len(declared) == 1:
        return declared[0].text("name") or None
    identity = resource.inputs.get(key)
    return _told(stack, "roles").get(identity) if isinstance(identity, str) else None


def word(level: Classification) -> str:
    """The level as files and tags write it."""
    return level.name.lower()


def _told(stack: Stack, part: str) -> dict[str, str]:
    return dict(_entries(stack, part))


def _entries(stack: Stack, part: str) -> Iterator[tuple[str, str]]:
    for meanings in stack.of_kind(kinds.MEANINGS):
        entries = meanings.inputs.get(part)
        if isinstance(entries, Mapping):
            yield from ((key, value) for key, value in entries.items() if isinstance(value, str))

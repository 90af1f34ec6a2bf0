"""A container publishes a data set: to everybody if it is open, else to projects of its level or a higher one.

Its level is its metadata's `classification`. Access is Swift's: `<project id>:<user>` each, `.r:…` for everybody.
"""

from collections.abc import Iterator

from infra.policy import kinds, levels
from infra.policy.declared import UNKNOWN, Resource, Stack
from infra.policy.rule import StackRule, Violation
from inventory.model import Classification

PUBLIC_PREFIXES = (".r:", ".rlistings", "*")
"""Access of the world, of listings to the world, and of any project."""


def broken(stack: Stack) -> Iterator[Violation]:
    """What a container's access gives to those who may not have it."""
    for container in stack.of_kind(kinds.CONTAINER):
        data = levels.level_of(stack, container)
        if data is None:
            yield Violation(urn=container.urn, what="no metadata 'classification' (say how high its data is)")
            continue
        for what in (*_read_refusals(stack, container, data), *_other_refusals(container)):
            yield Violation(urn=container.urn, what=what)


def _read_refusals(stack: Stack, container: Resource, data: Classification) -> Iterator[str]:
    read = container.inputs.get("containerRead")
    if read is UNKNOWN:
        for each in stack.referred(container, "containerRead", kinds.PROJECT):
            yield from _reader_refusals(data, levels.level_of(stack, each), f"project {each.text('name')}")
        return
    for entry in (each.strip() for each in (read or "").split(",")):
        if entry.startswith(PUBLIC_PREFIXES):
            if data is not Classification.OPEN:
                yield f"{entry!r} lets everybody read {levels.word(data)} data (name the projects)"
        elif entry:
            project = entry.partition(":")[0]
            yield from _reader_refusals(data, levels.named_level(stack, project), f"project {project}")


def _reader_refusals(data: Classification, reader: Classification | None, who: str) -> Iterator[str]:
    if reader is None:
        yield f"nothing tells the level of {who}, which may read it (tell it by Meanings)"
    elif reader < data:
        yield f"{who} of level {levels.word(reader)} may read {levels.word(data)} data"


def _other_refusals(container: Resource) -> Iterator[str]:
    if container.inputs.get("containerWrite"):
        yield "containerWrite lets others write (only its own project does)"
    if container.inputs.get("containerSyncTo"):
        yield "containerSyncTo copies its data to a container that nothing judges (leave it out)"


RULE = StackRule(
    name="containers-shared-upwards",
    description="A container is read by everybody only if it is open, else by projects of its level or a higher one.",
    broken=broken,
)

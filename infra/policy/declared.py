"""What a program declares, as values: a resource with its inputs, and the stack of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Unknown(Enum):
    """An input that only the cloud will tell: a preview does not know it yet."""

    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource. `inputs` are plain values under Pulumi's own (camel case) names, `UNKNOWN` where not known yet.

    `references` are the URNs that an input is made from; URNs outside the stack are not among them. `identity` is its
    id in the cloud, empty until it has one; `provider` the URN of its provider, empty where it has none.
    """

    kind: str
    urn: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    identity: str = ""
    provider: str = ""
    ignored_changes: frozenset[str] = frozenset()
    protect: bool = False

    def text(self, key: str) -> str:
        """An input that is a string; empty where it is absent, unknown or something else."""
        value = self.inputs.get(key)
        return value if isinstance(value, str) else ""

    def values(self, key: str) -> tuple[Any, ...]:
        """An input that is a list; empty where it is absent, unknown or something else."""
        value = self.inputs.get(key)
        return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()

    def mapping(self, key: str) -> Mapping[str, Any]:
        """An input that is a mapping; empty where it is absent, unknown or something else."""
        value = self.inputs.get(key)
        return value if isinstance(value, Mapping) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """All resources of a stack, by URN."""

    resources: Mapping[str, Resource]

    def of_kind(self, *kinds: str) -> Iterator[Resource]:
        """The resources of these kinds, in the order of their URNs."""
        return (each for _, each in sorted(self.resources.items()) if each.kind in kinds)

    def referred(self, resource: Resource, key: str, kind: str) -> tuple[Resource, ...]:
        """The resources of a kind that an input is made from."""
        urns = resource.references.get(key, ())
        found = (self.resources[urn] for urn in urns if urn in self.resources)
        return tuple(each for each in found if each.kind == kind)


def stack_name(urn: str) -> str:
    """The stack that a URN (`urn:pulumi:<stack>::<project>::<types>::<name>`) belongs to."""
    return urn.removeprefix("urn:pulumi:").partition("::")[0]


def resource_name(urn: str) -> str:
    """The name that the program gave to the resource."""
    return urn.split("::", 3)[-1]


def kind_of(urn: str) -> str:
    """The resource's own type, without its parents'."""
    return urn.split("::")[2].rpartition("$")[2]

"""The two kinds of rules: of one resource, judged before it is made, and of the stack as a whole."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from infra.policy.declared import Resource, Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What breaks a rule: the resource's URN, and one sentence that says what stands there and what to do."""

    urn: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRule:
    """A rule of one resource of one of `kinds`. It holds at the preview and again before each resource is made."""

    name: str
    description: str
    kinds: frozenset[str]
    broken: Callable[[Resource], Iterable[str]]
    advisory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRule:
    """A rule between resources, judged once all are declared: at the preview, before anything is made."""

    name: str
    description: str
    broken: Callable[[Stack], Iterable[Violation]]

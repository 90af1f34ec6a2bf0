"""What a stack's state holds, from `pulumi stack export`. Secrets stay encrypted in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controller.adapters.pulumi import urns
from controller.adapters.pulumi.tool import Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource as the last run left it. `modified` is when a run last changed it; components have no `id`."""

    urn: str
    type: str
    id: str | None
    parent: str | None
    dependencies: tuple[str, ...]
    protect: bool
    modified: datetime | None
    inputs: Mapping[str, Any]

    def __str__(self) -> str:
        """`Router patients`."""
        return f"{urns.kind_of(self.urn)} {urns.name_of(self.urn)}"


_CREATING = "creating"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An operation that a run began and nobody saw the end of yet. `uses`: which resources an input comes from."""

    type: str
    urn: str
    parent: str
    provider: str
    inputs: Mapping[str, Any]
    dependencies: tuple[str, ...] = ()
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`Subnet patients`."""
        return f"{urns.kind_of(self.urn)} {urns.name_of(self.urn)}"

    @property
    def unknown(self) -> str:
        """What is not known of it."""
        whose = "a run is going on, or was killed"
        if self.type == _CREATING:
            return f"{whose}: it was creating it, and nobody knows whether the cloud has it (the next up asks)"
        return f"{whose}: it was {self.type} it, and nobody knows whether that was done (the next up asks)"

    def __str__(self) -> str:
        return f"{self.name}: {self.unknown}"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A stack's state."""

    resources: tuple[Resource, ...]
    pending: tuple[Pending, ...]

    @property
    def protected(self) -> tuple[Resource, ...]:
        """What a destroy refuses to touch."""
        return tuple(each for each in self.resources if each.protect)


def export(tool: Tool, stack: str) -> State:
    """The state as the backend has it. Raises `InputError` where there is no such stack."""
    return parsed(json.loads(tool.call("stack", "export", "--stack", stack)))


def parsed(document: Mapping[str, Any]) -> State:
    """The state in an exported document."""
    deployment = document.get("deployment") or {}
    return State(
        resources=tuple(_resource(row) for row in deployment.get("resources") or ()),
        pending=tuple(_pending(row) for row in deployment.get("pending_operations") or ()),
    )


def _resource(row: Mapping[str, Any]) -> Resource:
    return Resource(
        urn=row["urn"],
        type=row["type"],
        id=row.get("id"),
        parent=row.get("parent"),
        dependencies=tuple(row.get("dependencies") or ()),
        protect=bool(row.get("protect")),
        modified=datetime.fromisoformat(row["modified"]) if row.get("modified") else None,
        inputs=row.get("inputs") or {},
    )


def _pending(row: Mapping[str, Any]) -> Pending:
    resource = row["resource"]
    return Pending(
        type=row["type"],
        urn=resource["urn"],
        parent=resource.get("parent") or "",
        provider=resource.get("provider") or "",
        inputs=resource.get("inputs") or {},
        dependencies=tuple(resource.get("dependencies") or ()),
        uses={key: tuple(urns or ()) for key, urns in (resource.get("propertyDependencies") or {}).items()},
    )

"""What was added by hand to what a stack holds: a rule to a group, a role to a project, a subnet to a network …

What merely stands beside in a project is its members' own: they may make it, and `gdcc estate import` lists it.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controller.adapters.pulumi import undeclared, urns
from controller.adapters.pulumi.drift import Held
from controller.adapters.pulumi.finding import (
    FLAVOR_ACCESS,
    INHERITED_ROLE,
    INTERFACE_OWNERS,
    VOLUME_TYPE_ACCESS,
    Access,
    Cloud,
    Row,
    assigned,
    inherited,
)

EVERYBODY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """One thing that no stack declares; `to` is the resource that it was added to."""

    kind: str
    what: str
    id: str
    to: Held

    def __str__(self) -> str:
        """`security group rule ingress IPv4 tcp 22-22 10.0.0.0/8: added by hand to SecGroup patients-app`."""
        return f"{self.kind} {self.what}: added by hand to {self.to}"


async def to(
    cloud: Cloud, holding: Mapping[str, Collection[Held]], shared: Collection[str] = ()
) -> dict[str, tuple[Added, ...]]:
    """By stack, what was added to what it holds. `holding` is what every stack that was looked at holds.

    Of the stacks in `shared` only what opens a thing to everybody is told among RBAC policies: those for single
    projects may be declared by stacks that were not looked at.
    """
    known = {(each.id, urns.type_of(each.urn) == INHERITED_ROLE) for held in holding.values() for each in held}
    parts = [row for row in await _parts(cloud) if (row.id, row.inherited) not in known]
    return {stack: tuple(sorted(_of(parts, held, stack in shared), key=str)) for stack, held in holding.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A row of the cloud that is part of the thing with the id `of`. A role that is inherited has a direct one's id."""

    kind: str
    what: str
    id: str
    of: str
    narrow: bool = False
    inherited: bool = False


def _of(parts: Iterable[_Part], held: Iterable[Held], shared: bool) -> Iterator[Added]:
    ours = {each.id: each for each in held}
    for part in parts:
        if part.of in ours and not (shared and part.narrow):
            yield Added(kind=part.kind, what=part.what, id=part.id, to=ours[part.of])


async def _let_in(cloud: Cloud, kind: str, access: Access, path: str, table: str) -> list[_Part]:
    private = [row for row in await cloud.listing(access.service, path, table, is_public="None") if access.private(row)]
    projects = await asyncio.gather(*(access.projects(cloud, row["id"]) for row in private))
    return [
        _Part(kind=kind, what=row["name"], id=f"{row['id']}/{each}", of=each)
        for row, let_in in zip(private, projects, strict=True)
        for each in let_in
    ]


async def _parts(cloud: Cloud) -> list[_Part]:
    """One listing a kind, for the whole cloud; interfaces by each of their owners, accesses by what they open."""
    found = [_role(row) for row in await _listed(cloud, "/role_assignments", "identity", include_names="true")]
    for path, kind, of, words in _KINDS:
        rows = await _listed(cloud, path)
        found.extend(_Part(kind=kind, what=words(row), id=str(row["id"]), of=str(row[of])) for row in rows)
    for row in await _listed(cloud, "/rbac-policies"):
        what, narrow = f"{row['action']} for {undeclared.target(row)}", row["target_tenant"] != EVERYBODY
        found.append(_Part(kind="RBAC policy", what=what, id=str(row["id"]), of=str(row["object_id"]), narrow=narrow))
    for owner in INTERFACE_OWNERS:
        rows = await _listed(cloud, "/ports", device_owner=owner)
        found.extend(
            _Part(kind="router interface", what=_addresses(row), id=str(row["id"]), of=str(row["device_id"]))
            for row in rows
        )
    found += await _let_in(cloud, "access to flavor", FLAVOR_ACCESS, "/flavors/detail", "flavors")
    found += await _let_in(cloud, "access to volume type", VOLUME_TYPE_ACCESS, "/types", "volume_types")
    return found


async def _listed(cloud: Cloud, path: str, service: str = "network", **params: str) -> list[dict[str, Any]]:
    return await cloud.listing(service, path, path.strip("/").replace("-", "_"), **params)


def _role(row: Row) -> _Part:
    domain, project, *_ = ids = assigned(row)
    return _Part(
        kind="role", what=undeclared.role(row), id="/".join(ids), of=project or domain, inherited=inherited(row)
    )


def _addresses(row: Row) -> str:
    return " ".join(str(each["ip_address"]) for each in row.get("fixed_ips") or ()) or str(row["id"])


def _subnet(row: Row) -> str:
    return f"{row.get('name') or row['id']} {row['cidr']}"


_KINDS: tuple[tuple[str, str, str, Callable[[Row], str]], ...] = (
    ("/security-group-rules", "security group rule", "security_group_id", undeclared.rule),
    ("/subnets", "subnet", "network_id", _subnet),
)

"""What a living cloud has and no program declares: told, and left alone."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.adapters.pulumi.finding import Cloud, assigned, inherited
from controller.errors import GdccError, RefusedError
from inventory import names
from inventory.model import Estate


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """One thing that nobody declared."""

    kind: str
    name: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How a kind is listed, which field of a row tells its project, and which names services make by themselves."""

    called: str
    service: str
    path: str
    table: str
    params: Mapping[str, str] = field(default_factory=dict)
    owner: str = "project_id"
    label: str = "name"
    built_in: frozenset[str] = frozenset()


_ALL_TENANTS = {"all_tenants": "true"}

_OF_THE_CLOUD: tuple[_Kind, ...] = (
    _Kind(called="flavor", service="compute", path="/flavors/detail", table="flavors", params={"is_public": "None"}),
    _Kind(called="aggregate", service="compute", path="/os-aggregates", table="aggregates"),
    _Kind(
        called="volume type",
        service="block-storage",
        path="/types",
        table="volume_types",
        params={"is_public": "None"},
    ),
    _Kind(called="address scope", service="network", path="/address-scopes", table="address_scopes"),
    _Kind(
        called="external network",
        service="network",
        path="/networks",
        table="networks",
        params={"router:external": "true"},
    ),
    _Kind(called="subnet pool", service="network", path="/subnetpools", table="subnetpools"),
    _Kind(called="network QoS policy", service="network", path="/qos/policies", table="policies"),
    _Kind(called="volume QoS", service="block-storage", path="/qos-specs", table="qos_specs"),
    _Kind(
        called="public image",
        service="image",
        path="/images",
        table="images",
        params={"visibility": "public", "limit": "1000"},
    ),
    _Kind(
        called="domain",
        service="identity",
        path="/domains",
        table="domains",
        built_in=frozenset({"Default"}),
    ),
    _Kind(
        called="role",
        service="identity",
        path="/roles",
        table="roles",
        built_in=frozenset({"admin", "manager", "member", "reader", "service"}),
    ),
    _Kind(called="user", service="identity", path="/users", table="users"),
    _Kind(called="group", service="identity", path="/groups", table="groups"),
)
"""Roles and the domain that are built in are those of `keystone-manage bootstrap`."""

_OF_A_PROJECT: tuple[_Kind, ...] = (
    _Kind(called="network", service="network", path="/networks", table="networks"),
    _Kind(called="subnet", service="network", path="/subnets", table="subnets"),
    _Kind(called="router", service="network", path="/routers", table="routers"),
    _Kind(
        called="security group",
        service="network",
        path="/security-groups",
        table="security_groups",
        built_in=frozenset({"default"}),
    ),
    _Kind(called="address group", service="network", path="/address-groups", table="address_groups"),
    _Kind(
        called="floating IP",
        service="network",
        path="/floatingips",
        table="floatingips",
        label="floating_ip_address",
    ),
    _Kind(
        called="server group",
        service="compute",
        path="/os-server-groups",
        table="server_groups",
        params={"all_projects": "true"},
    ),
    _Kind(
        called="volume",
        service="block-storage",
        path="/volumes/detail",
        table="volumes",
        params=_ALL_TENANTS,
        owner="os-vol-tenant-attr:tenant_id",
    ),
    _Kind(
        called="snapshot",
        service="block-storage",
        path="/snapshots/detail",
        table="snapshots",
        params=_ALL_TENANTS,
        owner="os-extended-snapshot-attributes:project_id",
    ),
    _Kind(
        called="backup",
        service="block-storage",
        path="/backups/detail",
        table="backups",
        params=_ALL_TENANTS,
        owner="os-backup-project-attr:project_id",
    ),
    _Kind(
        called="image",
        service="image",
        path="/images",
        table="images",
        params={"visibility": "all", "limit": "1000"},
        owner="owner",
    ),
)
_OBJECT_STORE = "object-store"

_NETWORK, _RULE, _ROLE_ASSIGNMENT, _CONTAINER, _LOAD_BALANCER, _OPENING, _PROJECT = (
    _Kind(called=each, service="", path="", table="")
    for each in (
        *("network", "security group rule", "role assignment", "container", "load balancer"),
        *("RBAC policy", "project"),
    )
)
"""Kinds that are listed in a way of their own."""


def named(estate: Estate) -> frozenset[str]:
    """Of the kinds that stand in no project, what agencies' stacks make, by name; and the images, by id."""
    agencies = [
        name(each)
        for each in estate.agencies
        for name in (names.operators_group, names.auditors_group, names.subnet_pool)
    ]
    users = [names.service_user(each.first_name) for each in estate.systems.values()]
    return frozenset([*agencies, *users, *(each.id for each in estate.images.values())])


async def of_the_cloud(cloud: Cloud, ids: Collection[str], declared: frozenset[str] = frozenset()) -> list[Stranger]:
    """The foundation's kinds: those that are in no stack by id, and not among what is `declared` elsewhere."""
    found: list[Stranger] = []
    for kind in _OF_THE_CLOUD:
        rows = await cloud.listing(kind.service, kind.path, kind.table, **kind.params)
        found.extend(each for each in _strangers(kind, rows, ids) if not {each.name, each.id} & declared)
    return [*found, *await _opened(cloud, ids)]


async def elsewhere(cloud: Cloud, declared: Collection[str], ids: Collection[str]) -> list[Stranger]:
    """Networks that are not external, in projects whose stacks do not tell them: in all but those of `declared` names.

    A network without a project is a service's own, such as that of a router's two halves.
    """
    ours = {row["id"] for row in await cloud.listing("identity", "/projects", "projects") if row["name"] in declared}
    rows = await cloud.listing("network", "/networks", "networks")
    strange = [
        row
        for row in rows
        if row.get("project_id") and row["project_id"] not in ours and not row.get("router:external")
    ]
    return list(_strangers(_NETWORK, strange, ids))


async def _opened(cloud: Cloud, ids: Collection[str]) -> Iterable[Stranger]:
    """What opens our networks to more projects than declared; to all of them, where one was made external or shared."""
    networks = {str(row["id"]): row["name"] for row in await cloud.listing("network", "/networks", "networks")}
    rules = await cloud.listing("network", "/rbac-policies", "rbac_policies")
    ours = [{**row, "name": _opening(row, networks)} for row in rules if row["object_id"] in ids]
    return _strangers(_OPENING, ours, ids)


def _opening(row: Mapping[str, object], networks: Mapping[str, object]) -> str:
    what = f"{row['object_type']} {networks.get(str(row['object_id']), row['object_id'])}"
    return f"{row['action']} of {what} for {target(row)}"


def target(row: Mapping[str, Any]) -> str:
    """Whom an RBAC policy opens something to."""
    return "every project" if row["target_tenant"] == "*" else f"project {row['target_tenant']}"


async def of_projects(
    cloud: Cloud, projects: Collection[str], ids: Collection[str], declared: Collection[str] = ()
) -> list[Stranger]:
    """What stands in these projects with an id that is in no stack, and the rules in our groups that are in none.

    `declared` are ids that the estate itself names, such as images'.
    """
    if not projects:
        return []
    known = {*ids, *declared}
    found: list[Stranger] = []
    for kind in _OF_A_PROJECT:
        rows = await cloud.listing(kind.service, kind.path, kind.table, **kind.params)
        found.extend(_strangers(kind, [row for row in rows if row.get(kind.owner) in projects], known))
    balancers = [row for row in await _load_balancers(cloud) if row.get("project_id") in projects]
    found.extend(_strangers(_LOAD_BALANCER, balancers, known))
    rules = await cloud.listing("network", "/security-group-rules", "security_group_rules")
    ours = [{**row, "name": rule(row)} for row in rules if row["security_group_id"] in ids]
    assignments = await cloud.listing("identity", "/role_assignments", "role_assignments", include_names="true")
    given = [
        {"id": "/".join(assigned(row)), "name": role(row)} for row in assignments if {*assigned(row)[:2]} & {*projects}
    ]
    return [
        *found,
        *_strangers(_RULE, ours, ids),
        *_strangers(_ROLE_ASSIGNMENT, given, ids),
        *await _containers(cloud, projects, ids),
    ]


async def _load_balancers(cloud: Cloud) -> list[dict[str, Any]]:
    """Octavia's URL in the catalog ends with a version, or does not."""
    if not await cloud.rows.offers("load-balancer"):
        return []
    path = "/lbaas/loadbalancers"
    try:
        return await cloud.listing("load-balancer", f"/v2{path}", "loadbalancers")
    except RefusedError as error:
        if error.rule != "not-found":
            raise
        return await cloud.listing("load-balancer", path, "loadbalancers")


async def _containers(cloud: Cloud, projects: Collection[str], ids: Collection[str]) -> list[Stranger]:
    """Containers by account: their ids are their names. Where an account is not ours to see, that is told instead."""
    if not await cloud.rows.offers(_OBJECT_STORE):
        return []
    found: list[Stranger] = []
    for project in sorted(projects):
        rows = await cloud.containers(project)
        if isinstance(rows, GdccError):
            found.append(Stranger(kind="containers", name=f"nobody can tell: {rows}", id=project))
        else:
            found.extend(_strangers(_CONTAINER, [{"id": row["name"], "name": row["name"]} for row in rows], ids))
    return found


def role(row: Mapping[str, Any]) -> str:
    """An assignment's role and whose it is: `reader of user ada`."""
    who = next(kind for kind in ("user", "group") if row.get(kind))
    what = f"{row['role'].get('name') or row['role']['id']} of {who} {row[who].get('name') or row[who]['id']}"
    return f"{what}, inherited by projects" if inherited(row) else what


def rule(row: Mapping[str, Any]) -> str:
    """A rule has no name: what it allows, as in `ingress IPv4 tcp 80-80 10.0.0.0/8`."""
    ports = "" if row.get("port_range_min") is None else f"{row['port_range_min']}-{row['port_range_max']}"
    words = (row["direction"], row["ethertype"], row.get("protocol") or "any", ports)
    peers = ("remote_ip_prefix", "remote_group_id", "remote_address_group_id")
    peer = next((row[each] for each in peers if row.get(each)), "any address")
    return " ".join(str(word) for word in (*words, peer) if word)


async def projects(cloud: Cloud, declared: Collection[str], ids: Collection[str]) -> list[Stranger]:
    """Projects that are in no stack and that the estate names nowhere."""
    rows = await cloud.listing("identity", "/projects", "projects")
    return [each for each in _strangers(_PROJECT, rows, ids) if each.name not in declared]


def _strangers(kind: _Kind, rows: Collection[Mapping[str, object]], ids: Collection[str]) -> Iterator[Stranger]:
    for row in sorted(rows, key=lambda row: str(row.get(kind.label))):
        if str(row["id"]) not in ids and row.get(kind.label) not in kind.built_in:
            yield Stranger(kind=kind.called, name=str(row.get(kind.label) or ""), id=str(row["id"]))

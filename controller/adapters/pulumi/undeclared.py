"""What a living cloud has and no program declares: told, and left alone."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controller.adapters.pulumi.finding import Cloud
from inventory.model import Estate


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """One thing that nobody declared."""

    kind: str
    name: str
    id: str


_OF_THE_CLOUD: tuple[tuple[str, str, str, str, dict[str, str]], ...] = (
    ("flavor", "compute", "/flavors/detail", "flavors", {"is_public": "None"}),
    ("aggregate", "compute", "/os-aggregates", "aggregates", {}),
    ("volume type", "block-storage", "/types", "volume_types", {"is_public": "None"}),
    ("address scope", "network", "/address-scopes", "address_scopes", {}),
    ("external network", "network", "/networks", "networks", {"router:external": "true"}),
    ("subnet pool", "network", "/subnetpools", "subnetpools", {}),
    ("network QoS policy", "network", "/qos/policies", "policies", {}),
    ("volume QoS", "block-storage", "/qos-specs", "qos_specs", {}),
    ("public image", "image", "/images", "images", {"visibility": "public", "limit": "1000"}),
    ("user", "identity", "/users", "users", {}),
    ("group", "identity", "/groups", "groups", {}),
)
_OF_A_PROJECT: tuple[tuple[str, str, str, str, dict[str, str], str], ...] = (
    ("network", "network", "/networks", "networks", {}, "project_id"),
    ("subnet", "network", "/subnets", "subnets", {}, "project_id"),
    ("router", "network", "/routers", "routers", {}, "project_id"),
    ("security group", "network", "/security-groups", "security_groups", {}, "project_id"),
    ("server group", "compute", "/os-server-groups", "server_groups", {"all_projects": "true"}, "project_id"),
    ("volume", "block-storage", "/volumes/detail", "volumes", {"all_tenants": "true"}, "os-vol-tenant-attr:tenant_id"),
)
_BUILT_IN = frozenset({"default"})
"""The security group that Neutron makes in every project by itself."""


def named(estate: Estate) -> frozenset[str]:
    """Of the kinds that stand in no project, what agencies' stacks make, by name; and the images, by id."""
    agencies = [f"{each}-{what}" for each in estate.agencies for what in ("operators", "auditors", "pool")]
    users = [f"{each.first_name}-deployer" for each in estate.systems.values()]
    return frozenset([*agencies, *users, *(each.id for each in estate.images.values())])


async def of_the_cloud(cloud: Cloud, ids: Collection[str], declared: frozenset[str] = frozenset()) -> list[Stranger]:
    """The foundation's kinds: those that are in no stack by id, and not among what is `declared` elsewhere."""
    found: list[Stranger] = []
    for kind, service, path, table, params in _OF_THE_CLOUD:
        rows = await cloud.listing(service, path, table, **params)
        found.extend(each for each in _strangers(kind, rows, ids) if not {each.name, each.id} & declared)
    return [*found, *await _opened(cloud, ids)]


async def _opened(cloud: Cloud, ids: Collection[str]) -> Iterable[Stranger]:
    """What opens our networks to more projects than declared; to all of them, where one was made external or shared."""
    names = {str(row["id"]): row["name"] for row in await cloud.listing("network", "/networks", "networks")}
    rules = await cloud.listing("network", "/rbac-policies", "rbac_policies")
    ours = [{**row, "name": _opening(row, names)} for row in rules if row["object_id"] in ids]
    return _strangers("RBAC policy", ours, ids)


def _opening(row: Mapping[str, object], names: Mapping[str, object]) -> str:
    what = f"{row['object_type']} {names.get(str(row['object_id']), row['object_id'])}"
    return f"{row['action']} of {what} for {target(row)}"


def target(row: Mapping[str, Any]) -> str:
    """Whom an RBAC policy opens something to."""
    return "every project" if row["target_tenant"] == "*" else f"project {row['target_tenant']}"


async def of_projects(cloud: Cloud, projects: Collection[str], ids: Collection[str]) -> list[Stranger]:
    """What stands in these projects with an id that is in no stack, and the rules in our groups that are in none."""
    found: list[Stranger] = []
    for kind, service, path, table, params, owner in _OF_A_PROJECT:
        rows = await cloud.listing(service, path, table, **params)
        found.extend(_strangers(kind, [row for row in rows if row.get(owner) in projects], ids))
    rules = await cloud.listing("network", "/security-group-rules", "security_group_rules")
    ours = [{**row, "name": rule(row)} for row in rules if row["security_group_id"] in ids]
    return [*found, *_strangers("security group rule", ours, ids)]


def rule(row: Mapping[str, Any]) -> str:
    """A rule has no name: what it allows, as in `ingress IPv4 tcp 80-80 10.0.0.0/8`."""
    ports = "" if row.get("port_range_min") is None else f"{row['port_range_min']}-{row['port_range_max']}"
    words = (row["direction"], row["ethertype"], row.get("protocol") or "any", ports)
    peer = row.get("remote_ip_prefix") or row.get("remote_group_id") or "any address"
    return " ".join(str(word) for word in (*words, peer) if word)


async def projects(cloud: Cloud, declared: Collection[str], ids: Collection[str]) -> list[Stranger]:
    """Projects that are in no stack and that the estate names nowhere."""
    rows = await cloud.listing("identity", "/projects", "projects")
    return [each for each in _strangers("project", rows, ids) if each.name not in declared]


def _strangers(kind: str, rows: Collection[dict[str, object]], ids: Collection[str]) -> Iterator[Stranger]:
    for row in sorted(rows, key=lambda row: str(row.get("name"))):
        if str(row["id"]) not in ids and row.get("name") not in _BUILT_IN:
            yield Stranger(kind=kind, name=str(row.get("name") or ""), id=str(row["id"]))

"""Finds in a living cloud what a program declares: each kind by its name and place, with the id that Pulumi imports.

A kind that stands between two things (an access, an assignment, an association) has an id made of theirs, as the
import sections of the OpenStack provider's resources say; it counts as found when the cloud shows it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from controller.errors import GdccError, PermanentError, RefusedError

Row = Mapping[str, Any]
Inputs = Mapping[str, Any]


class Rows(Protocol):
    """The cloud's listings, as the OpenStack adapter reads them."""

    async def rows(
        self, service: str, path: str, table: str, params: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """All rows of a paged listing."""
        ...

    async def find(self, service: str, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """One JSON object, None where there is none."""
        ...

    async def offers(self, service: str) -> bool:
        """Whether the cloud has this service."""
        ...

    async def containers(self, project: str) -> list[dict[str, Any]]:
        """The containers of a project's account in the object store."""
        ...

    async def write(self, service: str, method: str, path: str) -> object:
        """Sends a change once."""
        ...


_BY_OFFSET = frozenset({"/os-server-groups"})
"""Listings that end at the service's most rows (Nova's 1,000) without a link to the next."""


@dataclass(slots=True, kw_only=True)
class Cloud:
    """Listings of one cloud, each asked for once. `region` is part of quotas' ids."""

    rows: Rows
    region: str
    _seen: dict[tuple[str, ...], list[dict[str, Any]]] = field(default_factory=dict)
    _accounts: dict[str, "list[dict[str, Any]] | GdccError"] = field(default_factory=dict)

    async def listing(self, service: str, path: str, table: str, **params: str) -> list[dict[str, Any]]:
        """All rows of a listing, empty where its parent is gone."""
        key = (service, path, table, *(f"{name}={value}" for name, value in sorted(params.items())))
        if key not in self._seen:
            read = self._by_offset if path in _BY_OFFSET else self.rows.rows
            self._seen[key] = await read(service, path, table, params)
        return self._seen[key]

    async def _by_offset(self, service: str, path: str, table: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        while True:
            page = await self.rows.rows(service, path, table, {**params, "offset": str(len(found))})
            new = {str(row["id"]): row for row in page if str(row["id"]) not in found}
            if not new:
                return list(found.values())
            found.update(new)

    async def containers(self, project: str) -> "list[dict[str, Any]] | GdccError":
        """The containers of a project's account; why they cannot be told, where they are not ours to see."""
        if project not in self._accounts:
            try:
                self._accounts[project] = await self.rows.containers(project)
            except (RefusedError, PermanentError) as error:
                self._accounts[project] = error
        return self._accounts[project]

    async def body(self, service: str, path: str, table: str) -> list[dict[str, Any]]:
        """The rows of a listing that has no pages; none where the thing it belongs to is gone."""
        answer = await self.rows.find(service, path)
        return list((answer or {}).get(table) or ())


Finder = Callable[[Cloud, Inputs], Awaitable[list[str]]]


def _listed(service: str, path: str, table: str, same: Mapping[str, str], **params: str) -> Finder:
    """A kind with rows of its own. `same` maps inputs to the fields that must be equal where the input is given."""

    async def find(cloud: Cloud, inputs: Inputs) -> list[str]:
        rows = await cloud.listing(service, path, table, **params)
        found = [row for row in rows if all(_equal(inputs.get(key), row.get(field)) for key, field in same.items())]
        return [str(row["id"]) for row in _tagged(found, inputs)]

    return find


def _exact(service: str, path: str, table: str, same: Mapping[str, str]) -> Finder:
    """As `_listed`, for kinds without a name: an input that is not given must not be set in the cloud either."""

    async def find(cloud: Cloud, inputs: Inputs) -> list[str]:
        rows = await cloud.listing(service, path, table)
        return [
            str(row["id"])
            for row in rows
            if all(plain(inputs.get(key)) == plain(row.get(name)) for key, name in same.items())
        ]

    return find


def _equal(wanted: object, found: object) -> bool:
    return wanted is None or str(wanted) == str(found)


def plain(value: object) -> str:
    """A value as it is compared: what is not set is empty."""
    return "" if value is None else str(value).lower()


def _tagged(rows: list[dict[str, Any]], inputs: Inputs) -> list[dict[str, Any]]:
    """Of several with one name, those that bear the declared tags."""
    tags = set(inputs.get("tags") or ())
    bearing = [row for row in rows if tags and tags <= set(row.get("tags") or ())]
    return bearing if len(rows) > 1 and bearing else rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How an extension of an API lets projects one by one into the private rows of a kind."""

    service: str
    kind: str
    extension: str
    project: str

    def private(self, row: Row) -> bool:
        """Whether a row of the kind's listing is open to named projects alone."""
        return not row[f"{self.extension}:is_public"]

    async def projects(self, cloud: Cloud, identity: str) -> list[str]:
        """Whom the row with that id is open to; a call of its own."""
        table = self.extension.removeprefix("os-").replace("-", "_")
        rows = await cloud.body(self.service, f"{self.kind}/{identity}/{self.extension}", table)
        return [str(row.get(self.project)) for row in rows]


FLAVOR_ACCESS = Access(service="compute", kind="/flavors", extension="os-flavor-access", project="tenant_id")
VOLUME_TYPE_ACCESS = Access(
    service="block-storage", kind="/types", extension="os-volume-type-access", project="project_id"
)


def _accessed(access: Access, kind: str, project: str) -> Finder:
    async def find(cloud: Cloud, inputs: Inputs) -> list[str]:
        let_in = await access.projects(cloud, inputs[kind])
        return [f"{inputs[kind]}/{each}" for each in let_in if each == inputs[project]]

    return find


async def _qos_association(cloud: Cloud, inputs: Inputs) -> list[str]:
    qos, volume_type = inputs["qosId"], inputs["volumeTypeId"]
    rows = await cloud.body("block-storage", f"/qos-specs/{qos}/associations", "qos_associations")
    return [f"{qos}/{volume_type}" for row in rows if row.get("id") == volume_type]


def _role_assignment(*, handed_down: bool) -> Finder:
    async def find(cloud: Cloud, inputs: Inputs) -> list[str]:
        wanted = tuple(inputs.get(key) or "" for key in ("domainId", "projectId", "groupId", "userId", "roleId"))
        rows = await cloud.listing("identity", "/role_assignments", "role_assignments")
        same = [row for row in rows if assigned(row) == wanted and inherited(row) == handed_down]
        return ["/".join(wanted)] if same else []

    return find


def inherited(row: Row) -> bool:
    """Whether an assignment counts in the projects below, and not in the place itself: its id does not say it."""
    return "OS-INHERIT:inherited_to" in (row.get("scope") or {})


def assigned(row: Row) -> tuple[str, ...]:
    """Domain, project, group, user and role of an assignment: the parts of its id."""
    scope = row.get("scope") or {}
    return (
        (scope.get("domain") or {}).get("id", ""),
        (scope.get("project") or {}).get("id", ""),
        (row.get("group") or {}).get("id", ""),
        (row.get("user") or {}).get("id", ""),
        (row.get("role") or {}).get("id", ""),
    )


INTERFACE_OWNERS = (
    "network:router_interface",
    "network:router_interface_distributed",
    "network:ha_router_replicated_interface",
)
"""Owners of ports (neutron-lib's `ROUTER_INTERFACE_OWNERS`) by which a router stands in a network.

A distributed router has more ports in a subnet than its interface, such as that of its source NAT.
"""


async def _router_interface(cloud: Cloud, inputs: Inputs) -> list[str]:
    ports = await cloud.listing("network", "/ports", "ports", device_id=str(inputs["routerId"]))
    interfaces = [port for port in ports if port.get("device_owner") in INTERFACE_OWNERS]
    subnet = inputs.get("subnetId")
    return [
        str(each["id"]) for each in interfaces if any(ip["subnet_id"] == subnet for ip in each.get("fixed_ips") or ())
    ]


def _quota(project: str) -> Finder:
    async def find(cloud: Cloud, inputs: Inputs) -> list[str]:
        """Every project has quotas, set or not."""
        return [f"{inputs[project]}/{inputs.get('region') or cloud.region}"]

    return find


def _qos_rule(path: str) -> Finder:
    async def find(cloud: Cloud, inputs: Inputs) -> list[str]:
        policy = inputs["qosPolicyId"]
        rows = await cloud.body("network", f"/qos/policies/{policy}/{path}", path)
        same = [row for row in rows if _equal(inputs.get("direction"), row.get("direction"))]
        return [f"{policy}/{row['id']}" for row in same]

    return find


RULE = {
    "securityGroupId": "security_group_id",
    "direction": "direction",
    "ethertype": "ethertype",
    "protocol": "protocol",
    "portRangeMin": "port_range_min",
    "portRangeMax": "port_range_max",
    "remoteIpPrefix": "remote_ip_prefix",
    "remoteGroupId": "remote_group_id",
    "remoteAddressGroupId": "remote_address_group_id",
}


async def by_range(cloud: Cloud, inputs: Inputs) -> Inputs:
    """A rule's inputs, its peer by the range: where that is a subnet's, importing knows the subnet's id alone."""
    named = inputs.get("remoteIpPrefix")
    if not named or "/" in str(named):
        return inputs
    rows = await cloud.listing("network", "/subnets", "subnets")
    return {**inputs, "remoteIpPrefix": next((row["cidr"] for row in rows if row["id"] == named), named)}


async def _security_rule(cloud: Cloud, inputs: Inputs) -> list[str]:
    find = _exact("network", "/security-group-rules", "security_group_rules", RULE)
    return await find(cloud, await by_range(cloud, inputs))


_NAMED = {"name": "name"}
_IN_DOMAIN = {**_NAMED, "domainId": "domain_id"}
_IN_PROJECT = {**_NAMED, "tenantId": "project_id"}
_OF_PROJECT = {**_NAMED, "projectId": "project_id"}
"""For kinds whose input of their project is called so."""


async def _project(cloud: Cloud, inputs: Inputs) -> list[str]:
    """Keystone lists projects that act as domains only where it is asked for them."""
    params = {"is_domain": "true"} if inputs.get("isDomain") else {}
    return await _listed("identity", "/projects", "projects", _IN_DOMAIN, **params)(cloud, inputs)


async def _network(cloud: Cloud, inputs: Inputs) -> list[str]:
    """A provider network is known by its name and its wire, whoever owns it; any other stands in its project."""
    wires = inputs.get("segments")
    same = _NAMED if wires else _IN_PROJECT
    found = await _listed("network", "/networks", "networks", same)(cloud, inputs)
    if not wires:
        return found
    rows = await cloud.listing("network", "/networks", "networks")
    return [str(row["id"]) for row in rows if str(row["id"]) in found and _wired(row) in map(_wire, wires)]


def _wire(segment: Row) -> tuple[str, ...]:
    return tuple(plain(segment.get(key)) for key in ("networkType", "physicalNetwork", "segmentationId"))


def _wired(row: Row) -> tuple[str, ...]:
    return tuple(plain(row.get(f"provider:{key}")) for key in ("network_type", "physical_network", "segmentation_id"))


OWNER = "(owner)"
"""A finder's input that no resource has: the project of the login that makes it."""


def owner(login: Inputs) -> dict[str, str]:
    """The project that a provider logs in to, as finders take it; nothing where it is not known."""
    return {OWNER: str(login["tenantId"])} if login.get("tenantId") else {}


async def _server_group(cloud: Cloud, inputs: Inputs) -> list[str]:
    """A group stands in the project of the login that makes it; without that project there is none."""
    if OWNER not in inputs:
        return []
    same = {**_NAMED, OWNER: "project_id"}
    return await _listed("compute", "/os-server-groups", "server_groups", same, all_projects="true")(cloud, inputs)


async def _container(cloud: Cloud, inputs: Inputs) -> list[str]:
    """A container lies in the account of the project of the login that makes it; its name is its id."""
    rows = await cloud.containers(inputs[OWNER]) if OWNER in inputs else []
    return [] if isinstance(rows, GdccError) else [row["name"] for row in rows if row["name"] == inputs["name"]]


async def _rbac_policy(cloud: Cloud, inputs: Inputs) -> list[str]:
    """One that a service user makes must be its project's: nobody else's is shown to it."""
    return [str(row["id"]) for row in await same_policies(cloud, inputs) if is_owners(row, inputs)]


async def same_policies(cloud: Cloud, inputs: Inputs) -> list[dict[str, Any]]:
    """RBAC policies that open the same to the same, whoever made them."""
    same = {"objectType": "object_type", "objectId": "object_id", "action": "action", "targetTenant": "target_tenant"}
    rows = await cloud.listing("network", "/rbac-policies", "rbac_policies")
    return [row for row in rows if all(plain(inputs.get(key)) == plain(row.get(name)) for key, name in same.items())]


def is_owners(row: Row, inputs: Inputs) -> bool:
    """Whether the login's project made it; where no login is named, anybody's is ours."""
    return OWNER not in inputs or owner_of(row) == inputs[OWNER]


def owner_of(row: Row) -> str:
    """The project that a row of Neutron's belongs to."""
    return str(row.get("project_id") or row.get("tenant_id") or "")


async def credentials(cloud: Cloud, login: Inputs) -> list[tuple[str, Row]]:
    """The application credentials of the user that a provider logs in as, each with its path."""
    domains = await cloud.listing("identity", "/domains", "domains")
    within = {row["id"] for row in domains if row["name"] == login.get("userDomainName")}
    found: list[tuple[str, Row]] = []
    for user in await cloud.listing("identity", "/users", "users"):
        if user["name"] == login.get("userName") and user["domain_id"] in within:
            path = f"/users/{user['id']}/application_credentials"
            rows = await cloud.body("identity", path, "application_credentials")
            found.extend((f"{path}/{row['id']}", row) for row in rows)
    return found


INHERITED_ROLE = "openstack:identity/inheritRoleAssignment:InheritRoleAssignment"
APPLICATION_CREDENTIAL = "openstack:identity/applicationCredential:ApplicationCredential"
SECURITY_RULE = "openstack:networking/secGroupRule:SecGroupRule"
SERVER_GROUP = "openstack:compute/serverGroup:ServerGroup"
RBAC_POLICY = "openstack:networking/rbacPolicyV2:RbacPolicyV2"
CONTAINER = "openstack:objectstorage/container:Container"

FINDERS: Mapping[str, Finder] = {
    "openstack:identity/project:Project": _project,
    "openstack:identity/groupV3:GroupV3": _listed("identity", "/groups", "groups", _IN_DOMAIN),
    "openstack:identity/role:Role": _listed("identity", "/roles", "roles", _IN_DOMAIN),
    "openstack:identity/user:User": _listed("identity", "/users", "users", _IN_DOMAIN),
    "openstack:identity/roleAssignment:RoleAssignment": _role_assignment(handed_down=False),
    INHERITED_ROLE: _role_assignment(handed_down=True),
    "openstack:compute/flavor:Flavor": _listed("compute", "/flavors/detail", "flavors", _NAMED, is_public="None"),
    "openstack:compute/flavorAccess:FlavorAccess": _accessed(FLAVOR_ACCESS, "flavorId", "tenantId"),
    "openstack:compute/aggregateV2:AggregateV2": _listed("compute", "/os-aggregates", "aggregates", _NAMED),
    "openstack:compute/quotaSetV2:QuotaSetV2": _quota("projectId"),
    SERVER_GROUP: _server_group,
    "openstack:blockstorage/volumeTypeV3:VolumeTypeV3": _listed(
        "block-storage", "/types", "volume_types", _NAMED, is_public="None"
    ),
    "openstack:blockstorage/qosV3:QosV3": _listed("block-storage", "/qos-specs", "qos_specs", _NAMED),
    "openstack:blockstorage/qosAssociationV3:QosAssociationV3": _qos_association,
    "openstack:blockstorage/quoteSetV3:QuoteSetV3": _quota("projectId"),
    "openstack:blockstorage/volumeTypeAccessV3:VolumeTypeAccessV3": _accessed(
        VOLUME_TYPE_ACCESS, "volumeTypeId", "projectId"
    ),
    "openstack:networking/addressScope:AddressScope": _listed(
        "network", "/address-scopes", "address_scopes", _OF_PROJECT
    ),
    "openstack:networking/subnetPool:SubnetPool": _listed("network", "/subnetpools", "subnetpools", _IN_PROJECT),
    "openstack:networking/network:Network": _network,
    "openstack:networking/subnet:Subnet": _listed(
        "network", "/subnets", "subnets", {**_NAMED, "networkId": "network_id"}
    ),
    "openstack:networking/router:Router": _listed("network", "/routers", "routers", _IN_PROJECT),
    "openstack:networking/routerInterface:RouterInterface": _router_interface,
    "openstack:networking/secGroup:SecGroup": _listed("network", "/security-groups", "security_groups", _IN_PROJECT),
    SECURITY_RULE: _security_rule,
    RBAC_POLICY: _rbac_policy,
    CONTAINER: _container,
    "openstack:networking/qosPolicy:QosPolicy": _listed("network", "/qos/policies", "policies", _OF_PROJECT),
    "openstack:networking/qosBandwidthLimitRule:QosBandwidthLimitRule": _qos_rule("bandwidth_limit_rules"),
    "openstack:networking/quotaV2:QuotaV2": _quota("projectId"),
}
"""By type. Not here: application credentials, whose secret nobody can read again."""

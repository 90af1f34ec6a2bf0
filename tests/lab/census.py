"""Everything that a cloud holds, as names and ids: what its administrator sees before something and after, and back.

Of a project that is gone nothing is asked: services may keep its quotas, and nobody gets its id again.
"""

import contextlib
import json
from collections.abc import Callable, Iterable
from typing import Any

from openstack import exceptions

Census = dict[str, list[str]]


def rows(things: Iterable[Any], *more: str) -> list[str]:
    """One line each: id, name and the named fields, sorted; so are the values of a field that has several."""
    return sorted(" ".join(_words(each[key]) for key in ("id", "name", *more)) for each in things)


def _words(value: object) -> str:
    return str(sorted(value) if isinstance(value, list) else value)


def volume_types(cloud: Any) -> list[dict[str, Any]]:
    """Public and not; openstacksdk can ask for the public ones only."""
    found: list[dict[str, Any]] = cloud.block_storage.get("/types?is_public=None").json()["volume_types"]
    return found


def assignments(cloud: Any) -> list[str]:
    """Who has which role where; `None` is what a line does not have."""
    return sorted(
        " ".join(str((each[kind] or {}).get("id")) for kind in ("role", "user", "group"))
        + f" {sorted((each['scope'] or {}).items())}"
        for each in cloud.identity.role_assignments()
    )


def quotas(cloud: Any, projects: Iterable[Any]) -> list[str]:
    """What each project is held to, a line a service."""
    services = (
        (cloud.compute, "/os-quota-sets", "quota_set"),
        (cloud.block_storage, "/os-quota-sets", "quota_set"),
        (cloud.network, "/quotas", "quota"),
    )
    return sorted(
        f"{each.id} {each.name} {service.service_type} "
        + json.dumps(service.get(f"{path}/{each.id}").json()[table], sort_keys=True)
        for each in projects
        for service, path, table in services
    )


def credentials(cloud: Any, users: Iterable[Any]) -> list[str]:
    """The application credentials of every user, and when they end."""
    table = "application_credentials"
    return sorted(
        f"{row['id']} {row['name']} of {user.name} until {row['expires_at']}"
        for user in users
        for row in cloud.identity.get(f"/users/{user.id}/{table}").json()[table]
    )


def rules(cloud: Any, groups: Iterable[Any]) -> list[str]:
    """The rules of these security groups."""
    fields = ("id", "security_group_id", "direction", "ether_type", "protocol", "port_range_min", "port_range_max")
    peers = ("remote_ip_prefix", "remote_group_id")
    of = {each.id for each in groups}
    every = cloud.network.security_group_rules()
    return sorted(
        " ".join(str(rule[key]) for key in (*fields, *peers)) for rule in every if rule.security_group_id in of
    )


def default_groups(groups: Iterable[Any], projects: set[str]) -> list[Any]:
    """Without the groups that Neutron made of itself and keeps when their project is gone."""
    return [each for each in groups if each.name != "default" or each.project_id in projects]


def taken(cloud: Any) -> Census:
    """The census, by kind."""
    projects = list(cloud.identity.projects())
    users = list(cloud.identity.users())
    groups = default_groups(cloud.network.security_groups(), {each.id for each in projects})
    kinds: dict[str, Callable[[], list[str]]] = {
        "domains": lambda: rows(cloud.identity.domains()),
        "projects": lambda: rows(projects, "tags"),
        "quotas": lambda: quotas(cloud, projects),
        "users": lambda: rows(users),
        "application credentials": lambda: credentials(cloud, users),
        "groups": lambda: rows(cloud.identity.groups()),
        "roles": lambda: rows(cloud.identity.roles()),
        "role assignments": lambda: assignments(cloud),
        "flavors": lambda: rows(cloud.compute.flavors(is_public=None)),
        "aggregates": lambda: rows(cloud.compute.aggregates(), "hosts", "metadata"),
        "server groups": lambda: rows(cloud.compute.server_groups(all_projects=True)),
        "servers": lambda: rows(cloud.compute.servers(all_projects=True)),
        "volume types": lambda: rows(volume_types(cloud)),
        "volume QoS": lambda: rows(cloud.block_storage.get("/qos-specs").json()["qos_specs"]),
        "volumes": lambda: rows(cloud.block_storage.volumes(all_projects=True)),
        "images": lambda: rows(cloud.image.images()),
        "networks": lambda: rows(cloud.network.networks(), "tags"),
        "subnets": lambda: rows(cloud.network.subnets(), "tags"),
        "subnet pools": lambda: rows(cloud.network.subnet_pools()),
        "address scopes": lambda: rows(cloud.network.address_scopes()),
        "routers": lambda: rows(cloud.network.routers(), "tags"),
        "ports": lambda: rows(cloud.network.ports()),
        "security groups": lambda: rows(groups, "tags"),
        "security group rules": lambda: rules(cloud, groups),
        "RBAC": lambda: rows(cloud.network.rbac_policies()),
        "network QoS": lambda: rows(cloud.network.qos_policies()),
    }
    return {kind: look() for kind, look in kinds.items()}


def difference(before: Census, after: Census) -> dict[str, list[str]]:
    """Lines that came (+) or went (-), by kind; empty where nothing changed."""
    found = {
        kind: [f"- {line}" for line in before[kind] if line not in after[kind]]
        + [f"+ {line}" for line in after[kind] if line not in before[kind]]
        for kind in before
    }
    return {kind: lines for kind, lines in found.items() if lines}


def undo(cloud: Any, before: Census) -> None:
    """Deletes what has come since, as far as the cloud lets it: a test that failed must not fail the next."""
    identity, compute, network, storage = cloud.identity, cloud.compute, cloud.network, cloud.block_storage
    deletions: dict[str, Callable[[str], Any]] = {
        "server groups": compute.delete_server_group,
        "flavors": compute.delete_flavor,
        "aggregates": lambda name: _emptied(compute, name),
        "volume types": storage.delete_type,
        "volume QoS": lambda name: storage.delete(f"/qos-specs/{name}?force=true"),
        "RBAC": network.delete_rbac_policy,
        "ports": lambda name: _unplugged(network, name),
        "routers": network.delete_router,
        "networks": network.delete_network,
        "subnet pools": network.delete_subnet_pool,
        "address scopes": network.delete_address_scope,
        "network QoS": network.delete_qos_policy,
        "security groups": network.delete_security_group,
        "users": identity.delete_user,
        "groups": identity.delete_group,
        "roles": identity.delete_role,
        "projects": identity.delete_project,
        "domains": lambda name: (identity.update_domain(name, is_enabled=False), identity.delete_domain(name)),
    }
    new = difference(before, taken(cloud))
    for kind, delete in deletions.items():
        for line in new.get(kind, []):
            with contextlib.suppress(exceptions.SDKException):
                if line.startswith("+ "):
                    delete(line.split()[1])


def _emptied(compute: Any, name: str) -> None:
    for host in compute.get_aggregate(name).hosts or ():
        compute.remove_host_from_aggregate(name, host)
    compute.delete_aggregate(name)


def _unplugged(network: Any, name: str) -> None:
    port = network.get_port(name)
    if port.device_owner == "network:router_interface":
        network.remove_interface_from_router(port.device_id, port_id=port.id)
    elif port.device_owner == "network:router_gateway":
        network.update_router(port.device_id, external_gateway_info=None)
    else:
        network.delete_port(name)

"""A cloud as people made it before the estate was declared: names as the inventory has them, the rest as it happened.

Flavors without traits, aggregates without metadata, volume types without limits, a project without tags or quotas, a
security group with Neutron's own rules, a router without a way out, a subnet of no pool with an interface, a network
that is shared, a container with an object that everybody reads and another project writes; provider networks of the
administrator's, one of them external for everybody; a flavor and a network that stand in no inventory.
"""

from typing import Any

from infra import naming
from inventory import aggregates
from inventory.model import Estate

SYSTEM = "road-traffic"
CONTAINER = "road-counts"
SUBNET = "10.77.0.0/24"
"""Of no pool: the estate names it as the system's `subnet`."""
GUEST = "visitor-guide"
"""The system whose project the network is shared with."""
EXTERNAL = "provider-open"
STRANGER = "made-and-forgotten"


def foundation(cloud: Any, estate: Estate) -> None:
    """Of the foundation: a domain with a project, flavors, aggregates with their hosts, a type, a network."""
    for flavor in estate.flavors.values():
        cloud.compute.create_flavor(
            name=flavor.name, vcpus=flavor.vcpus, ram=flavor.memory_mib, disk=flavor.disk_gib, is_public=False
        )
    for each in aggregates.of(estate):
        made = cloud.compute.create_aggregate(name=each.name, availability_zone=each.availability_zone)
        for host in each.hosts[:2]:
            cloud.compute.add_host_to_aggregate(made, host)
    for volume_type in estate.volume_types.values():
        cloud.block_storage.create_type(name=volume_type.name, is_public=False)
    domain = cloud.identity.create_domain(name=naming.OPERATORS_DOMAIN)
    cloud.identity.create_project(name=naming.CONTROL_PROJECT, domain_id=domain.id)
    for network in estate.networks.values():
        made = cloud.network.create_network(
            name=network.name,
            is_router_external=network.name == EXTERNAL,
            provider_network_type="vlan",
            provider_physical_network=network.physical_network,
            provider_segmentation_id=network.vlan,
        )
        subnet = naming.subnet(network.name)
        cloud.network.create_subnet(name=subnet, network_id=made.id, ip_version=4, cidr=network.cidr, enable_dhcp=False)
    cloud.compute.create_flavor(name=STRANGER, vcpus=1, ram=512, disk=1)


def agency(cloud: Any, estate: Estate) -> None:
    """Of an agency: its group with a role in its system's project, and what stands in that project."""
    system = estate.systems[SYSTEM]
    project = cloud.identity.create_project(name=system.project, domain_id="default", description="by hand")
    group = cloud.identity.create_group(name=naming.operators_group(system.agency), domain_id="default")
    cloud.identity.assign_project_role_to_group(project, group, cloud.identity.find_role("member"))
    network, _ = (
        cloud.network.create_network(name=name, project_id=project.id)
        for name in (naming.network(system.name), STRANGER)
    )
    subnet = cloud.network.create_subnet(
        name=naming.subnet(network.name), network_id=network.id, project_id=project.id, ip_version=4, cidr=SUBNET
    )
    cloud.network.create_security_group(name=naming.security_group(system.name, "web"), project_id=project.id)
    router = cloud.network.create_router(name=naming.router(system.name), project_id=project.id)
    cloud.network.add_interface_to_router(router, subnet_id=subnet.id)
    guest = cloud.identity.create_project(name=estate.systems[GUEST].project, domain_id="default")
    cloud.compute.update_quota_set(project, cores=5)
    user, role = cloud.current_user_id, cloud.identity.find_role("member")
    cloud.identity.assign_project_role_to_user(project, user, role)
    within = cloud.connect_as_project(project)
    within.compute.create_server_group(name=naming.server_group(system.name, "web"), policy="anti-affinity")
    within.object_store.create_container(CONTAINER)
    within.object_store.upload_object(CONTAINER, "yesterday", data=b"1")
    acl = {"X-Container-Read": ".r:*,.rlistings", "X-Container-Write": f"{guest.id}:*"}
    within.object_store.post(f"{within.object_store.get_endpoint()}/{CONTAINER}", headers=acl)
    within.network.create_rbac_policy(
        object_type="network", object_id=network.id, action="access_as_shared", target_project_id=guest.id
    )
    cloud.identity.unassign_project_role_from_user(project, user, role)

"""A system's network, subnet and router."""

from typing import Any

import pulumi
from pulumi_openstack import networking

from infra import naming
from infra.agency import project
from inventory.model import System

_WHATEVER = ["subnetpool_id", "prefix_length"]
"""Of a subnet that was there before: it stays in the pool that it was taken from, or in none."""


def _addresses(system: System, pool_id: pulumi.Input[str]) -> dict[str, Any]:
    if system.subnet is not None:
        return {"cidr": system.subnet}
    return {"subnetpool_id": pool_id, "prefix_length": system.subnet_prefix}


class Network(pulumi.ComponentResource):
    """A system's own network, and its way out: the provider network of its level, which is open to no project else.

    Neutron closes that way only once no router uses it, so the router depends on it.
    """

    network_id: pulumi.Output[str]
    cidr: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        system: System,
        project_id: pulumi.Input[str],
        pool_id: pulumi.Input[str],
        external_network_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:Network", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = project.tags(system)
        network = networking.Network(
            name,
            name=naming.network(system.name),
            tenant_id=project_id,
            shared=False,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        subnet = networking.Subnet(
            name,
            name=naming.subnet(naming.network(system.name)),
            network_id=network.id,
            tenant_id=project_id,
            ip_version=4,
            tags=tags,
            **_addresses(system, pool_id),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=_WHATEVER if system.subnet is not None else None),
        )
        reach = networking.RbacPolicyV2(
            name,
            action="access_as_external",
            object_type="network",
            object_id=external_network_id,
            target_tenant=project_id,
            opts=child,
        )
        router = networking.Router(
            name,
            name=naming.router(system.name),
            tenant_id=project_id,
            external_network_id=external_network_id,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[reach]),
        )
        networking.RouterInterface(name, router_id=router.id, subnet_id=subnet.id, opts=child)
        self.network_id, self.cidr = network.id, subnet.cidr
        self.register_outputs({"network_id": self.network_id})

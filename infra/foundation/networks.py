"""Provider networks with their subnets and limits, and the address scope of the agencies' pools.

No network is shared or external for everybody: an external one is opened by Neutron's RBAC, project by project, so that
no project plugs its router into a network of another level. The operators' own project comes first, which is what makes
the network external at all.
"""

import ipaddress
from collections.abc import Iterable, Mapping

import pulumi
from pulumi_openstack import networking

from infra import naming
from inventory.model import Network, NetworkUse

_KBIT_PER_MIB = 1024 * 1024 * 8 / 1000
_BURST_RATIO = 0.8
"""Of a second's traffic; what Neutron's documentation advises for TCP."""


def limit_kbps(network: Network) -> int | None:
    """What each port may send, and receive, in Neutron's unit of 1000 bits a second."""
    return None if network.max_mib_s is None else round(network.max_mib_s * _KBIT_PER_MIB)


def gateway_ip(network: Network) -> str:
    """The gateway of a network's subnet: the one given, or its first address."""
    return network.gateway or str(ipaddress.ip_network(network.cidr)[1])


class Networks(pulumi.ComponentResource):
    """All provider networks, owned by the operators' project; `ids` are Neutron's, by name."""

    ids: Mapping[str, pulumi.Output[str]]
    address_scope_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        networks: Iterable[Network],
        project_id: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:foundation:Networks", name, None, opts)
        self._project_id = project_id
        self.ids = {each.name: self._network(each) for each in networks}
        scope = networking.AddressScope(
            naming.ADDRESS_SCOPE,
            name=naming.ADDRESS_SCOPE,
            ip_version=4,
            shared=False,
            project_id=project_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.address_scope_id = scope.id
        self.register_outputs({"ids": dict(self.ids), "address_scope_id": self.address_scope_id})

    def _network(self, network: Network) -> pulumi.Output[str]:
        # A network that was taken over stays its owner's: another owner would mean another network.
        its_owners = pulumi.ResourceOptions(parent=self, ignore_changes=["tenant_id"])
        its_pools = pulumi.ResourceOptions(parent=self, ignore_changes=["tenant_id", "subnetpool_id"])
        tags = [naming.tag("classification", network.classification.name.lower())]
        made = networking.Network(
            network.name,
            name=network.name,
            tenant_id=self._project_id,
            shared=False,
            segments=[
                networking.NetworkSegmentArgs(
                    network_type="flat" if network.vlan is None else "vlan",
                    physical_network=network.physical_network,
                    segmentation_id=network.vlan,
                )
            ],
            qos_policy_id=self._limit(network),
            tags=tags,
            opts=its_owners,
        )
        networking.Subnet(
            network.name,
            name=naming.subnet(network.name),
            network_id=made.id,
            tenant_id=self._project_id,
            ip_version=ipaddress.ip_network(network.cidr).version,
            cidr=network.cidr,
            gateway_ip=gateway_ip(network),
            enable_dhcp=network.use is NetworkUse.CONTROL,
            tags=tags,
            opts=its_pools,
        )
        if network.use is NetworkUse.EXTERNAL:
            networking.RbacPolicyV2(
                network.name,
                action="access_as_external",
                object_type="network",
                object_id=made.id,
                target_tenant=self._project_id,
                opts=pulumi.ResourceOptions(parent=self),
            )
        return made.id

    def _limit(self, network: Network) -> pulumi.Output[str] | None:
        kbps = limit_kbps(network)
        if kbps is None:
            return None
        child = pulumi.ResourceOptions(parent=self)
        name = naming.qos_policy(network.name)
        policy = networking.QosPolicy(name, name=name, project_id=self._project_id, shared=False, opts=child)
        for direction in ("egress", "ingress"):
            networking.QosBandwidthLimitRule(
                naming.bandwidth_limit(name, direction),
                qos_policy_id=policy.id,
                direction=direction,
                max_kbps=kbps,
                max_burst_kbps=round(kbps * _BURST_RATIO),
                opts=child,
            )
        return policy.id

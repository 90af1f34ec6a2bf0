"""The control VMs' security groups: each role reaches another on that one's own port; people come by the bastion."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_openstack import networking

from infra import naming
from inventory.model import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """TCP on one port from the control VMs of a role; from the whole control network where there is none."""

    port: int
    source: str | None


_SSH = Opening(port=22, source="bastion")
_EXPORTER = Opening(port=9100, source="monitoring")

OPENINGS: Mapping[str, tuple[Opening, ...]] = {
    "bastion": (Opening(port=22, source=None), _EXPORTER),
    "controller": (_SSH, _EXPORTER, Opening(port=9464, source="monitoring")),
    "database": (_SSH, _EXPORTER, Opening(port=5432, source="controller"), Opening(port=9187, source="monitoring")),
    "monitoring": (_SSH, Opening(port=9090, source="controller"), Opening(port=9093, source="controller")),
}
"""What each role's VMs take in."""


class Control(pulumi.ComponentResource):
    """A security group for each role, without Neutron's default rules: all that is open is written here."""

    def __init__(
        self,
        name: str,
        *,
        network: Network,
        project_id: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:foundation:Control", name, None, opts)
        self._network, self._project_id = network, project_id
        self._ethertype = f"IPv{ipaddress.ip_network(network.cidr).version}"
        groups = {role: self._group(role) for role in OPENINGS}
        for role, openings in OPENINGS.items():
            self._egress(role, groups[role])
            for opening in openings:
                self._ingress(role, opening, groups)
        self.register_outputs({})

    def _group(self, role: str) -> networking.SecGroup:
        return networking.SecGroup(
            naming.control_group(role),
            name=naming.control_group(role),
            description=f"Control VMs: {role}",
            tenant_id=self._project_id,
            delete_default_rules=True,
            tags=naming.control_tags(self._network.classification.name.lower()),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _egress(self, role: str, group: networking.SecGroup) -> None:
        """Out to anywhere: to BMCs, APIs and mirrors."""
        networking.SecGroupRule(
            naming.control_egress(role),
            security_group_id=group.id,
            tenant_id=self._project_id,
            direction="egress",
            ethertype=self._ethertype,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _ingress(self, role: str, opening: Opening, groups: Mapping[str, networking.SecGroup]) -> None:
        source = opening.source
        networking.SecGroupRule(
            naming.control_ingress(role, opening.port, source),
            security_group_id=groups[role].id,
            tenant_id=self._project_id,
            direction="ingress",
            ethertype=self._ethertype,
            protocol="tcp",
            port_range_min=opening.port,
            port_range_max=opening.port,
            remote_group_id=None if source is None else groups[source].id,
            remote_ip_prefix=self._network.cidr if source is None else None,
            opts=pulumi.ResourceOptions(parent=self),
        )

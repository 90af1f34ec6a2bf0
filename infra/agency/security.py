"""A system's security groups, one for each of its tiers."""

from collections.abc import Mapping

import pulumi
from pulumi_openstack import networking

from infra import naming
from infra.agency import project
from infra.agency.rules import Rule
from inventory.model import System


class SecurityGroups(pulumi.ComponentResource):
    """Groups without default rules, so that what stands in `rules` is all that is allowed.

    `neighbours_id` is the address group of the system's neighbours, where it has any.
    """

    def __init__(
        self,
        name: str,
        *,
        system: System,
        rules: Mapping[str, tuple[Rule, ...]],
        project_id: pulumi.Input[str],
        neighbours_id: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:SecurityGroups", name, None, opts)
        groups = {
            tier: networking.SecGroup(
                naming.resource(name, tier),
                name=naming.security_group(system.name, tier),
                description=f"{system.name}: {tier}",
                tenant_id=project_id,
                delete_default_rules=True,
                tags=project.tags(system),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for tier in rules
        }
        for tier, group in groups.items():
            for rule in rules[tier]:
                networking.SecGroupRule(
                    naming.resource(name, tier, rule.name),
                    security_group_id=group.id,
                    tenant_id=project_id,
                    direction=rule.direction.value,
                    ethertype=rule.ethertype,
                    protocol=rule.protocol,
                    port_range_min=rule.port,
                    port_range_max=rule.port,
                    remote_ip_prefix=rule.prefix,
                    remote_group_id=None if rule.tier is None else groups[rule.tier].id,
                    remote_address_group_id=neighbours_id if rule.neighbours else None,
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self.register_outputs({})

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

    `subnets` are the ranges of its agency's subnets, by their systems' first names.
    """

    def __init__(
        self,
        name: str,
        *,
        system: System,
        rules: Mapping[str, tuple[Rule, ...]],
        project_id: pulumi.Input[str],
        subnets: Mapping[str, pulumi.Output[str]],
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
                    remote_ip_prefix=_range(rule, subnets),
                    remote_group_id=None if rule.tier is None else groups[rule.tier].id,
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self.register_outputs({})


def _range(rule: Rule, subnets: Mapping[str, pulumi.Output[str]]) -> pulumi.Input[str] | None:
    return rule.prefix if rule.neighbour is None else subnets[rule.neighbour].apply(_told)


def _told(cidr: str) -> str:
    """A subnet's range. Raises `pulumi.RunError` where there is none: its rule would name no peer, and so the world."""
    if not cidr:
        raise pulumi.RunError("Neutron tells no range of a subnet that a security group's rule names")
    return cidr

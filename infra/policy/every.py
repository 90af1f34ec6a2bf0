"""Every rule of the pack."""

from infra.policy.rule import ResourceRule, StackRule
from infra.policy.rules import (
    admin_ports,
    admin_role,
    container_sharing,
    credentials,
    filter_peers,
    flavor_access,
    flavor_clearance,
    gateways,
    host_pinning,
    image_sharing,
    image_use,
    known_kinds,
    network_sharing,
    ownership,
    packet_filters,
    private_types,
    project_tags,
    protection,
    quota_coverage,
    quota_fields,
    rebuild,
    tenant_servers,
    volume_type_access,
    world_rules,
)

RESOURCE_RULES: tuple[ResourceRule, ...] = (
    admin_ports.RULE,
    credentials.RULE,
    flavor_clearance.RULE,
    host_pinning.RULE,
    packet_filters.RULE,
    private_types.RULE,
    project_tags.RULE,
    protection.RULE,
    quota_fields.RULE,
    rebuild.RULE,
    tenant_servers.RULE,
)

STACK_RULES: tuple[StackRule, ...] = (
    admin_role.RULE,
    container_sharing.RULE,
    filter_peers.RULE,
    flavor_access.RULE,
    gateways.RULE,
    image_sharing.RULE,
    image_use.RULE,
    known_kinds.RULE,
    network_sharing.RULE,
    ownership.RULE,
    quota_coverage.RULE,
    volume_type_access.RULE,
    world_rules.RULE,
)

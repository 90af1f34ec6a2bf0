"""A quota says every one of its fields: what it leaves out, the provider writes as 0."""

from collections.abc import Iterator, Mapping

from infra.policy import kinds
from infra.policy.declared import Resource
from infra.policy.rule import ResourceRule

BY_VOLUME_TYPE = "volumeTypeQuota"
"""Cinder's limits of each volume type, as texts."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    kinds.QUOTA_SET: (
        "cores",
        "fixedIps",
        "floatingIps",
        "injectedFileContentBytes",
        "injectedFilePathBytes",
        "injectedFiles",
        "instances",
        "keyPairs",
        "metadataItems",
        "ram",
        "securityGroupRules",
        "securityGroups",
        "serverGroupMembers",
        "serverGroups",
    ),
    kinds.VOLUME_QUOTA: (
        "backupGigabytes",
        "backups",
        "gigabytes",
        "groups",
        "perVolumeGigabytes",
        "snapshots",
        BY_VOLUME_TYPE,
        "volumes",
    ),
    kinds.NETWORK_QUOTA: (
        "floatingip",
        "network",
        "port",
        "rbacPolicy",
        "router",
        "securityGroup",
        "securityGroupRule",
        "subnet",
        "subnetpool",
    ),
}
"""Every field of each kind but its project and region."""

COUNTED_ELSEWHERE = frozenset({"fixedIps", "floatingIps", "securityGroups", "securityGroupRules"})
"""Fields of Nova for what Neutron counts today: without a limit here, they limit nothing twice."""


def broken(resource: Resource) -> Iterator[str]:
    """The fields that are not set, and those without a limit."""
    fields = FIELDS[resource.kind]
    missing = [field for field in fields if resource.inputs.get(field) is None]
    if missing:
        yield f"{', '.join(missing)} not set, which makes them 0 (set every field)"
    for field in fields:
        value = resource.inputs.get(field)
        if isinstance(value, int | float) and value < 0 and field not in COUNTED_ELSEWHERE:
            yield f"{field} {value} is no limit (set a number)"
    for field, value in sorted(resource.mapping(BY_VOLUME_TYPE).items()):
        if str(value).startswith("-"):
            yield f"{BY_VOLUME_TYPE} {field} {value} is no limit (set a number)"


RULE = ResourceRule(
    name="complete-quotas",
    description="A quota sets every one of its fields, each to a limit.",
    kinds=frozenset(FIELDS),
    broken=broken,
)

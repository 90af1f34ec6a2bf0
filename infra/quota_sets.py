"""Whole quota sets of a project, as the provider takes them: what one leaves out, the provider writes as 0."""

from collections.abc import Iterable, Mapping

import pulumi
from pulumi_openstack import blockstorage, compute, networking

from inventory.quotas import Limits

UNLIMITED = -1
MOST = 2**31 - 1
"""The highest limit that the services' databases hold."""

_METADATA_ITEMS = 128
_INJECTED_FILES = 5
_INJECTED_FILE_CONTENT_BYTES = 10_240
_INJECTED_FILE_PATH_BYTES = 255


def nova(limits: Limits, project_id: pulumi.Input[str]) -> compute.QuotaSetV2Args:
    """Nova's quota set. Addresses and security groups are Neutron's today: Nova counts none and must not limit them.

    Metadata and injected files are sizes of one request: they have Nova's own defaults.
    """
    return compute.QuotaSetV2Args(
        project_id=project_id,
        instances=limits.instances,
        cores=limits.cores,
        ram=limits.memory_mib,
        key_pairs=limits.key_pairs,
        server_groups=limits.server_groups,
        server_group_members=limits.server_group_members,
        metadata_items=_METADATA_ITEMS,
        injected_files=_INJECTED_FILES,
        injected_file_content_bytes=_INJECTED_FILE_CONTENT_BYTES,
        injected_file_path_bytes=_INJECTED_FILE_PATH_BYTES,
        fixed_ips=UNLIMITED,
        floating_ips=UNLIMITED,
        security_groups=UNLIMITED,
        security_group_rules=UNLIMITED,
    )


def cinder(
    limits: Limits, by_volume_type: Mapping[str, str], project_id: pulumi.Input[str]
) -> blockstorage.QuoteSetV3Args:
    """Cinder's quota set, in all and by type. One volume may be as large as all of them together."""
    return blockstorage.QuoteSetV3Args(
        project_id=project_id,
        volumes=limits.volumes,
        gigabytes=limits.volume_gib,
        per_volume_gigabytes=limits.volume_gib,
        snapshots=limits.snapshots,
        backups=limits.backups,
        backup_gigabytes=limits.backup_gib,
        groups=limits.volume_groups,
        volume_type_quota=dict(by_volume_type),
    )


def of_volume_types(limits: Limits, gib: Mapping[str, int], others: Iterable[str]) -> dict[str, str]:
    """Cinder's quotas of each volume type, texts as the provider takes them; of a type with 0 GiB, all are 0.

    Cinder answers with all of its types, so one that were left out would be a difference at every refresh, and refuses
    one that it has not: `others` are those that the estate does not declare.
    """
    fields: dict[str, str] = {}
    for name, size_gib in sorted({**dict.fromkeys(others, 0), **gib}.items()):
        fields[f"gigabytes_{name}"] = str(size_gib)
        fields[f"volumes_{name}"] = str(limits.volumes if size_gib else 0)
        fields[f"snapshots_{name}"] = str(limits.snapshots if size_gib else 0)
    return fields


def neutron(
    limits: Limits, project_id: pulumi.Input[str], *, subnet_pools: int, rbac_policies: int
) -> networking.QuotaV2Args:
    """Neutron's quota. An RBAC policy counts in the project of whoever makes it, whatever project it opens."""
    return networking.QuotaV2Args(
        project_id=project_id,
        network=limits.networks,
        subnet=limits.subnets,
        subnetpool=subnet_pools,
        router=limits.routers,
        port=limits.ports,
        floatingip=limits.floating_ips,
        security_group=limits.security_groups,
        security_group_rule=limits.security_group_rules,
        rbac_policy=rbac_policies,
    )

"""A project's quotas in Nova, Cinder and Neutron. Every field is set: the provider sets a missing one to 0."""

from collections.abc import Iterable

import pulumi
from pulumi_openstack import blockstorage, compute, networking

from inventory.model import System
from inventory.quotas import Limits

UNLIMITED = -1

CINDERS_OWN_TYPE = "__DEFAULT__"
"""The volume type that Cinder makes for itself: public, of no classification, so no project has room in it."""

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
    limits: Limits, system: System, volume_types: Iterable[str], project_id: pulumi.Input[str]
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
        volume_type_quota=by_volume_type(limits, system, [*volume_types, CINDERS_OWN_TYPE]),
    )


def by_volume_type(limits: Limits, system: System, volume_types: Iterable[str]) -> dict[str, str]:
    """Cinder's quotas of each volume type, texts as the provider takes them; 0 for a type not asked for.

    Cinder answers with all of its types, so one that were left out would be a difference at every refresh.
    """
    asked: dict[str, int] = {}
    for storage in system.storage:
        asked[storage.volume_type] = asked.get(storage.volume_type, 0) + storage.size_gib
    fields: dict[str, str] = {}
    for name in sorted(volume_types):
        fields[f"gigabytes_{name}"] = str(asked.get(name, 0))
        fields[f"volumes_{name}"] = str(limits.volumes if name in asked else 0)
        fields[f"snapshots_{name}"] = str(limits.snapshots if name in asked else 0)
    return fields


def neutron(limits: Limits, system: System, project_id: pulumi.Input[str]) -> networking.QuotaV2Args:
    """Neutron's quota. Address pools are the operators'; a network is shared as declared and no further."""
    return networking.QuotaV2Args(
        project_id=project_id,
        network=limits.networks,
        subnet=limits.subnets,
        subnetpool=0,
        router=limits.routers,
        port=limits.ports,
        floatingip=limits.floating_ips,
        security_group=limits.security_groups,
        security_group_rule=limits.security_group_rules,
        rbac_policy=len(system.share_network_with),
    )


class Quotas(pulumi.ComponentResource):
    """The project's three quota sets, each complete."""

    def __init__(
        self,
        name: str,
        *,
        system: System,
        limits: Limits,
        volume_types: Iterable[str],
        project_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:Quotas", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        compute.QuotaSetV2(name, nova(limits, project_id), child)
        blockstorage.QuoteSetV3(name, cinder(limits, system, volume_types, project_id), child)
        networking.QuotaV2(name, neutron(limits, system, project_id), child)
        self.register_outputs({})

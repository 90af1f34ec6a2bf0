"""Volume types: none public, each on its backend and held to its tier's limits by QoS specs."""

from collections.abc import Iterable, Mapping

import pulumi
from pulumi_openstack import blockstorage

from infra import naming
from inventory.model import VolumeType

_BYTES_PER_MIB = 1024 * 1024


def qos_specs(volume_type: VolumeType) -> dict[str, str]:
    """Cinder's QoS specs of a volume type: limits that QEMU holds each volume to."""
    limits = {"total_iops_sec": volume_type.max_iops}
    if volume_type.max_mib_s is not None:
        limits["total_bytes_sec"] = volume_type.max_mib_s * _BYTES_PER_MIB
    return {key: str(value) for key, value in limits.items() if value is not None}


class VolumeTypes(pulumi.ComponentResource):
    """All volume types; `ids` are Cinder's, by name."""

    ids: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        volume_types: Iterable[VolumeType],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:foundation:VolumeTypes", name, None, opts)
        self.ids = {each.name: self._volume_type(each) for each in volume_types}
        self.register_outputs({"ids": dict(self.ids)})

    def _volume_type(self, volume_type: VolumeType) -> pulumi.Output[str]:
        made = blockstorage.VolumeTypeV3(
            volume_type.name,
            name=volume_type.name,
            description=volume_type.classification.name.lower(),
            is_public=False,
            extra_specs=dict(volume_type.cinder_extra_specs),
            opts=pulumi.ResourceOptions(parent=self),
        )
        specs = qos_specs(volume_type)
        if specs:
            limits = blockstorage.QosV3(
                naming.volume_qos(volume_type.name),
                name=naming.volume_qos(volume_type.name),
                consumer="front-end",
                specs=specs,
                opts=pulumi.ResourceOptions(parent=self),
            )
            blockstorage.QosAssociationV3(
                volume_type.name,
                qos_id=limits.id,
                volume_type_id=made.id,
                opts=pulumi.ResourceOptions(parent=self),
            )
        return made.id

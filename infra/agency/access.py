"""Which flavors and volume types a project may use: no other is open to it, for none is public."""

from collections.abc import Collection, Iterable, Mapping

import pulumi
from pulumi_openstack import blockstorage, compute

from infra import naming
from inventory.model import Estate, Flavor, System, VolumeType


def flavors(estate: Estate, system: System) -> tuple[str, ...]:
    """Flavors of the system's own level, and the higher ones that its VM sets name; never a lower one."""
    return _open_to(system, estate.flavors.values(), {vm_set.flavor for vm_set in system.vm_sets})


def volume_types(estate: Estate, system: System) -> tuple[str, ...]:
    """Volume types of the system's own level, and the higher ones that its storage names; never a lower one."""
    return _open_to(system, estate.volume_types.values(), {storage.volume_type for storage in system.storage})


def _open_to(system: System, every: Iterable[Flavor | VolumeType], named: Collection[str]) -> tuple[str, ...]:
    level = system.classification
    return tuple(
        sorted(
            each.name
            for each in every
            if each.classification == level or (each.classification > level and each.name in named)
        )
    )


class Access(pulumi.ComponentResource):
    """The project's access to flavors and volume types, ids by name."""

    def __init__(
        self,
        name: str,
        *,
        project_id: pulumi.Input[str],
        flavor_ids: Mapping[str, pulumi.Input[str]],
        volume_type_ids: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:Access", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        for flavor, flavor_id in flavor_ids.items():
            compute.FlavorAccess(naming.resource(name, flavor), flavor_id=flavor_id, tenant_id=project_id, opts=child)
        for volume_type, volume_type_id in volume_type_ids.items():
            blockstorage.VolumeTypeAccessV3(
                naming.resource(name, volume_type), volume_type_id=volume_type_id, project_id=project_id, opts=child
            )
        self.register_outputs({})

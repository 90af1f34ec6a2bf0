"""Flavors: none public, each requiring the trait of its level."""

from collections.abc import Iterable, Mapping

import pulumi
from pulumi_openstack import compute

from inventory.model import Flavor


class Flavors(pulumi.ComponentResource):
    """All flavors; `ids` are Nova's, by name."""

    ids: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, *, flavors: Iterable[Flavor], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gdcc:foundation:Flavors", name, None, opts)
        made = {each.name: self._flavor(each) for each in flavors}
        self.ids = {flavor_name: flavor.id for flavor_name, flavor in made.items()}
        self.register_outputs({"ids": dict(self.ids)})

    def _flavor(self, flavor: Flavor) -> compute.Flavor:
        return compute.Flavor(
            flavor.name,
            name=flavor.name,
            description=f"{flavor.family}, {flavor.classification.name.lower()}",
            vcpus=flavor.vcpus,
            ram=flavor.memory_mib,
            disk=flavor.disk_gib,
            is_public=False,
            extra_specs=dict(flavor.nova_extra_specs),
            opts=pulumi.ResourceOptions(parent=self),
        )

"""The ranges of addresses that a system's VMs may speak with within its agency."""

from collections.abc import Sequence

import pulumi
from pulumi_openstack import networking

from infra import naming
from inventory.model import System


class Neighbours(pulumi.ComponentResource):
    """Neutron's address group of these subnets: which they are is known only once Neutron has taken them from the pool.

    Rules name the group, so a system that comes or goes changes no rule.
    """

    group_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        system: System,
        subnets: Sequence[pulumi.Input[str]],
        project_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:Neighbours", name, None, opts)
        group = networking.AddressGroupV2(
            name,
            name=naming.neighbours(system.name),
            description=f"{system.name}: subnets of its agency that it may speak with",
            project_id=project_id,
            addresses=subnets,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.group_id = group.id
        self.register_outputs({"group_id": self.group_id})

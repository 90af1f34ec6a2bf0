"""Host aggregates and availability zones. An aggregate's list of hosts is whole: nobody else adds to it."""

from collections.abc import Iterable

import pulumi
from pulumi_openstack import compute

from inventory.model import Aggregate


class Aggregates(pulumi.ComponentResource):
    """All aggregates, each with the hosts that Nova lists."""

    def __init__(
        self, name: str, *, aggregates: Iterable[Aggregate], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("gdcc:foundation:Aggregates", name, None, opts)
        for each in aggregates:
            compute.AggregateV2(
                each.name,
                name=each.name,
                zone=each.availability_zone,
                metadata=dict(each.metadata),
                hosts=list(each.hosts),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})

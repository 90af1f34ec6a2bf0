"""The agency's range of addresses."""

import pulumi
from pulumi_openstack import networking

from infra import naming


class Pool(pulumi.ComponentResource):
    """The agency's range of addresses in the cloud's address scope.

    It belongs to the operators, who alone hand out addresses; the projects' subnets are taken from it.
    """

    pool_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        prefix: str,
        address_scope_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:Pool", name, None, opts)
        pool = networking.SubnetPool(
            name,
            name=naming.subnet_pool(name),
            prefixes=[prefix],
            address_scope_id=address_scope_id,
            shared=False,
            tags=[naming.tag("agency", name)],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.pool_id = pool.id
        self.register_outputs({"pool_id": self.pool_id})

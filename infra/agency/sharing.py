"""A system's network shared with the systems it names, project by project; never with everybody."""

from collections.abc import Mapping

import pulumi
from pulumi_openstack import networking

from infra import naming


class Sharing(pulumi.ComponentResource):
    """Neutron's RBAC policies, owned by the project that `provider` logs in to. `targets`: project ids by system."""

    def __init__(
        self,
        name: str,
        *,
        network_id: pulumi.Input[str],
        targets: Mapping[str, pulumi.Input[str]],
        provider: pulumi.ProviderResource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:Sharing", name, None, opts)
        for system, project_id in targets.items():
            networking.RbacPolicyV2(
                naming.resource(name, system),
                action="access_as_shared",
                object_type="network",
                object_id=network_id,
                target_tenant=project_id,
                opts=pulumi.ResourceOptions(parent=self, provider=provider),
            )
        self.register_outputs({})

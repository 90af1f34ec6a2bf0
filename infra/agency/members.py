"""Who works in a system's project: the agency's groups, by role."""

from collections.abc import Mapping

import pulumi
from pulumi_openstack import identity

from infra import naming


class Members(pulumi.ComponentResource):
    """The groups' roles in one project."""

    def __init__(
        self,
        name: str,
        *,
        project_id: pulumi.Input[str],
        groups: Mapping[str, pulumi.Input[str]],
        role_ids: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:Members", name, None, opts)
        for role, group_id in groups.items():
            identity.RoleAssignment(
                naming.resource(name, role),
                role_id=role_ids[role],
                group_id=group_id,
                project_id=project_id,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})

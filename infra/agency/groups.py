"""An agency's groups in Keystone. People join them in the agency's directory."""

from collections.abc import Mapping

import pulumi
from pulumi_openstack import identity

from infra import naming
from inventory.model import Agency


def groups_by_role(agency: str) -> Mapping[str, str]:
    """The names of an agency's groups, by the role that each holds in every project of the agency."""
    return {"member": naming.operators_group(agency), "reader": naming.auditors_group(agency)}


class Groups(pulumi.ComponentResource):
    """The agency's groups; `by_role` maps a role's name to the group that holds it in each of the agency's projects."""

    by_role: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        agency: Agency,
        domain_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:Groups", name, None, opts)
        groups = {
            role: identity.GroupV3(
                group,
                name=group,
                description=f"{agency.title or agency.name}: {role}s of its projects",
                domain_id=domain_id,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for role, group in groups_by_role(agency.name).items()
        }
        self.by_role = {role: group.id for role, group in groups.items()}
        self.register_outputs({"by_role": dict(self.by_role)})

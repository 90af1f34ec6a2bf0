"""A system's Keystone project."""

import pulumi
from pulumi_openstack import identity

from infra import naming
from inventory.model import System


def tags(system: System) -> list[str]:
    """The tags of a system's project and of all that stands in it."""
    return naming.system_tags(system.agency, system.name, system.classification.name.lower(), system.tier.name.lower())


class Project(pulumi.ComponentResource):
    """The project; its tags say whose it is, of which level and tier."""

    project_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        system: System,
        domain_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:Project", name, None, opts)
        project = identity.Project(
            name,
            name=system.project,
            description=system.title or system.name,
            domain_id=domain_id,
            enabled=True,
            tags=tags(system),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.project_id = project.id
        self.register_outputs({"project_id": self.project_id})

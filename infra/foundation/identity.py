"""Who runs the cloud: the operators' domain, its groups and their roles, and the project of the control VMs."""

from collections.abc import Iterable, Mapping

import pulumi
from pulumi_openstack import identity

from infra import naming
from inventory.model import Classification, OperatorGroup


class Identity(pulumi.ComponentResource):
    """Keystone's ids by the estate's names. `role_ids` are those the cloud has and those that are declared here."""

    domain_id: pulumi.Output[str]
    role_ids: Mapping[str, pulumi.Output[str]]
    group_ids: Mapping[str, pulumi.Output[str]]
    control_project_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        operators: Iterable[OperatorGroup],
        known_roles: Mapping[str, str],
        control_level: Classification,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:foundation:Identity", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        groups = tuple(operators)
        domain = identity.Project(
            naming.OPERATORS_DOMAIN,
            name=naming.OPERATORS_DOMAIN,
            description="Those who run the cloud",
            is_domain=True,
            enabled=True,
            opts=child,
        )
        self.domain_id = domain.id
        self.role_ids = self._roles(groups, known_roles)
        self.group_ids = {group.name: self._group(group) for group in groups}
        control = identity.Project(
            naming.CONTROL_PROJECT,
            name=naming.CONTROL_PROJECT,
            description="The control VMs, and what is the whole cloud's",
            domain_id=domain.id,
            enabled=True,
            tags=naming.control_tags(control_level.name.lower()),
            opts=child,
        )
        self.control_project_id = control.id
        self.register_outputs(
            {"domain_id": self.domain_id, "role_ids": dict(self.role_ids), "group_ids": dict(self.group_ids)}
        )

    def _roles(self, groups: Iterable[OperatorGroup], known: Mapping[str, str]) -> dict[str, pulumi.Output[str]]:
        wanted = sorted({role for group in groups for role in group.roles} - known.keys())
        child = pulumi.ResourceOptions(parent=self)
        declared = {role: identity.Role(role, name=role, opts=child).id for role in wanted}
        return {role: pulumi.Output.from_input(id_) for role, id_ in sorted(known.items())} | declared

    def _group(self, group: OperatorGroup) -> pulumi.Output[str]:
        """The group with its roles in every project of the operators' domain."""
        child = pulumi.ResourceOptions(parent=self)
        made = identity.GroupV3(
            group.name, name=group.name, description=group.title, domain_id=self.domain_id, opts=child
        )
        for role in group.roles:
            identity.InheritRoleAssignment(
                naming.operators_role(group.name, role),
                domain_id=self.domain_id,
                group_id=made.id,
                role_id=self.role_ids[role],
                opts=child,
            )
        return made.id

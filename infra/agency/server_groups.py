"""Nova's server groups from the systems' spread rules."""

import pulumi
from pulumi_openstack import compute

from infra import naming
from inventory.model import Domain, Spread, System


def policy(spread: Spread) -> str:
    """Nova's policy: a rule over hosts is its hard one. It knows neither racks nor rooms: a soft one there.

    The controller keeps the rule over racks, feeds, zones and rooms, from the inventory.
    """
    return "anti-affinity" if spread.domain is Domain.HOST else "soft-anti-affinity"


def max_servers_per_host(spread: Spread) -> int | None:
    """Nova's rule of its hard policy; none is one server a host."""
    return spread.max_per_domain if spread.domain is Domain.HOST and spread.max_per_domain > 1 else None


class ServerGroups(pulumi.ComponentResource):
    """A group for each VM set with a spread rule, in the project that `provider` logs in to.

    Nova renames none, and its members would stay in the old one: a renamed system's keeps its name. Only here is it
    known where a group's name ends that of its system, so its aliases are said here.
    """

    def __init__(
        self,
        name: str,
        *,
        system: System,
        provider: pulumi.ProviderResource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:ServerGroups", name, None, opts)
        for vm_set in system.vm_sets:
            if vm_set.spread is None:
                continue
            own = naming.server_group(system.name, vm_set.role)
            before = [naming.server_group(old, vm_set.role) for old in system.formerly if old != system.name]
            most = max_servers_per_host(vm_set.spread)
            compute.ServerGroup(
                own,
                name=naming.server_group(system.first_name, vm_set.role),
                policies=policy(vm_set.spread),
                rules=None if most is None else compute.ServerGroupRulesArgs(max_server_per_host=most),
                opts=pulumi.ResourceOptions(
                    parent=self, provider=provider, aliases=[pulumi.Alias(name=each) for each in before]
                ),
            )
        self.register_outputs({})

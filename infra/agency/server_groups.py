"""Nova's server groups from the systems' spread rules."""

import pulumi
from pulumi_openstack import compute

from infra import naming
from inventory.model import Domain, Spread, System, VmSet


def of_set(vm_set: VmSet) -> Spread | None:
    """The rule that the set's server group is for: that over hosts, where there is none the first; None for no rule.

    A set has one group, so that a rule over racks which is added beside it replaces nothing.
    """
    over_hosts = (spread for spread in vm_set.spreads if spread.domain is Domain.HOST)
    return next(over_hosts, next(iter(vm_set.spreads), None))


def policy(spread: Spread) -> str:
    """Nova's policy: a rule over hosts is its hard one, where it sets a most. It knows neither racks nor rooms, nor in
    how many domains VMs are to stand at least: a soft one there.

    The controller keeps the rule over racks, feeds, zones and rooms, from the inventory.
    """
    hard = spread.domain is Domain.HOST and spread.max_per_domain is not None
    return "anti-affinity" if hard else "soft-anti-affinity"


def max_servers_per_host(spread: Spread) -> int | None:
    """Nova's rule of its hard policy; none is one server a host."""
    most = spread.max_per_domain if spread.domain is Domain.HOST else None
    return most if most is not None and most > 1 else None


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
            spread = of_set(vm_set)
            if spread is None:
                continue
            own = naming.server_group(system.name, vm_set.role)
            before = [naming.server_group(old, vm_set.role) for old in system.formerly if old != system.name]
            most = max_servers_per_host(spread)
            compute.ServerGroup(
                own,
                name=naming.server_group(system.first_name, vm_set.role),
                policies=policy(spread),
                rules=None if most is None else compute.ServerGroupRulesArgs(max_server_per_host=most),
                opts=pulumi.ResourceOptions(
                    parent=self, provider=provider, aliases=[pulumi.Alias(name=each) for each in before]
                ),
            )
        self.register_outputs({})

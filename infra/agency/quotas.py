"""A project's quotas in Nova, Cinder and Neutron, from its system's limits."""

import pulumi
from pulumi_openstack import blockstorage, compute, networking

from infra import quota_sets
from inventory.model import Estate, System
from inventory.quotas import Limits


def cinder(
    limits: Limits, system: System, estate: Estate, project_id: pulumi.Input[str]
) -> blockstorage.QuoteSetV3Args:
    """Cinder's quota set; 0 for a volume type that the system's storage does not name."""
    gib = dict.fromkeys(estate.volume_types, 0)
    for storage in system.storage:
        gib[storage.volume_type] += storage.size_gib
    by_type = quota_sets.of_volume_types(limits, gib, estate.other_volume_types)
    return quota_sets.cinder(limits, by_type, project_id)


def neutron(limits: Limits, system: System, project_id: pulumi.Input[str]) -> networking.QuotaV2Args:
    """Neutron's quota. Address pools are the operators'; a network is shared as declared and no further."""
    return quota_sets.neutron(limits, project_id, subnet_pools=0, rbac_policies=len(system.share_network_with))


class Quotas(pulumi.ComponentResource):
    """The project's three quota sets, each complete."""

    def __init__(
        self,
        name: str,
        *,
        system: System,
        limits: Limits,
        estate: Estate,
        project_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:Quotas", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        compute.QuotaSetV2(name, quota_sets.nova(limits, project_id), child)
        blockstorage.QuoteSetV3(name, cinder(limits, system, estate, project_id), child)
        networking.QuotaV2(name, neutron(limits, system, project_id), child)
        self.register_outputs({})

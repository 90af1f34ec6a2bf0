"""The operators' own quotas: of the control project, and of the project that Pulumi's login owns things in."""

import re
from collections.abc import Mapping

import pulumi
from pulumi_openstack import blockstorage, compute, networking

from infra import quota_sets
from inventory.model import Classification, Estate, NetworkUse
from inventory.quotas import Limits

_VMS_PER_ROLE = 3
_CORES_PER_VM = 16
_MEMORY_MIB_PER_VM = 65_536
_VOLUME_GIB_PER_VM = 1_000
_RULES_PER_GROUP = 20
_SPARE = 2
"""Room for as many more as there are: what one grows to in a year is changed here by then."""

NEUTRONS_DEFAULTS = Limits(
    instances=0,
    cores=0,
    memory_mib=0,
    key_pairs=0,
    server_groups=0,
    server_group_members=0,
    volumes=0,
    volume_gib=0,
    snapshots=0,
    backups=0,
    backup_gib=0,
    volume_groups=0,
    networks=100,
    subnets=100,
    routers=10,
    ports=500,
    floating_ips=50,
    security_groups=10,
    security_group_rules=100,
)
"""What Neutron (`neutron/conf/quota.py`) gives a project that nobody gave a quota; its 10 RBAC policies are too few."""

LOGIN = "login"
"""The name of the login's quota in Pulumi."""

DEFAULT_RBAC_POLICIES = 10


def control(roles: int, networks: int) -> Limits:
    """The control project's limits: a few VMs of each role, and the cloud's provider networks."""
    vms = _VMS_PER_ROLE * roles
    return Limits(
        instances=vms,
        cores=vms * _CORES_PER_VM,
        memory_mib=vms * _MEMORY_MIB_PER_VM,
        key_pairs=vms,
        server_groups=roles,
        server_group_members=vms,
        volumes=_SPARE * vms,
        volume_gib=vms * _VOLUME_GIB_PER_VM,
        snapshots=_SPARE * vms,
        backups=_SPARE * vms,
        backup_gib=vms * _VOLUME_GIB_PER_VM,
        volume_groups=roles,
        networks=_SPARE * networks,
        subnets=_SPARE * networks,
        routers=_SPARE,
        ports=_SPARE * (vms + networks),
        floating_ips=0,
        security_groups=_SPARE * roles,
        security_group_rules=_SPARE * roles * _RULES_PER_GROUP,
    )


def grants(estate: Estate) -> int:
    """RBAC policies that Pulumi's login makes: one for each external network, and one for each system's way out."""
    external = sum(1 for each in estate.networks.values() if each.use is NetworkUse.EXTERNAL)
    return external + sum(1 for each in estate.systems.values() if estate.agencies[each.agency].pool is not None)


def pools(estate: Estate) -> int:
    """Subnet pools that Pulumi's login owns: one for each agency that has addresses."""
    return sum(1 for each in estate.agencies.values() if each.pool is not None)


def room(estate: Estate, project_id: pulumi.Input[str], found: Mapping[str, int]) -> networking.QuotaV2Args:
    """Neutron's quota of Pulumi's login: what agencies take of it, and at least what it had (`found`, by input)."""
    said = quota_sets.neutron(
        NEUTRONS_DEFAULTS,
        project_id,
        subnet_pools=_SPARE * pools(estate),
        rbac_policies=max(DEFAULT_RBAC_POLICIES, _SPARE * grants(estate)),
    )
    for name, limit in found.items():
        field = _field(name)
        setattr(said, field, max(getattr(said, field), quota_sets.MOST if limit < 0 else limit))
    return said


def _field(name: str) -> str:
    """`security_group_rule` for `securityGroupRule`."""
    return re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name)


class Quotas(pulumi.ComponentResource):
    """Complete quotas of the control project, and Neutron's of `login_project`, where that is known.

    That one is never below `login_quota`, what it was before. Neutron counts subnet pools and RBAC policies in the
    project of whoever makes them.
    """

    def __init__(
        self,
        name: str,
        *,
        estate: Estate,
        roles: int,
        control_level: Classification,
        project_id: pulumi.Input[str],
        login_project: str | None,
        login_quota: Mapping[str, int],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:foundation:Quotas", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        limits = control(roles, len(estate.networks))
        gib = {
            each.name: limits.volume_gib if each.classification is control_level else 0
            for each in estate.volume_types.values()
        }
        by_type = quota_sets.of_volume_types(limits, gib, estate.other_volume_types)
        compute.QuotaSetV2("control", quota_sets.nova(limits, project_id), child)
        blockstorage.QuoteSetV3("control", quota_sets.cinder(limits, by_type, project_id), child)
        networking.QuotaV2(
            "control", quota_sets.neutron(limits, project_id, subnet_pools=0, rbac_policies=_SPARE), child
        )
        if login_project is not None:
            networking.QuotaV2(LOGIN, room(estate, login_project, login_quota), child)
        elif grants(estate) > DEFAULT_RBAC_POLICIES:
            pulumi.log.warn(
                f"agencies take {grants(estate)} RBAC policies in the project that Pulumi logs in to, Neutron gives it "
                f"{DEFAULT_RBAC_POLICIES}: set gdcc:loginProject to its id, and its quota is declared too"
            )
        self.register_outputs({})

"""An agency's stack, from the estate."""

import os
from collections.abc import Mapping

import pulumi

from infra import naming
from infra.agency import deployer, keystone
from infra.agency.catalogue import Catalogue
from infra.agency.deployer import Login
from infra.agency.groups import Groups
from infra.agency.members import Members
from infra.agency.pool import Pool
from infra.agency.project import Project
from infra.agency.readers import PROJECT_IDS, Projects
from infra.agency.system import System
from infra.config import StackConfig
from infra.foundation import exports
from infra.policy.meanings import Meanings
from inventory.model import Agency, Estate
from inventory.model import System as Declared

CREDENTIALS = "credentials"
"""The stack's secret output: id and secret of each system's application credential."""

NETWORK_IDS = "network_ids"
"""The stack's output: Neutron's id of each system's network."""

WAITING = "waiting"
"""The stack's output: a sentence for each access that waits for another agency's first `up`."""


def build(estate: Estate, agency: Agency, config: StackConfig) -> None:
    """Declares the agency. Raises `pulumi.RunError` where no provider can log in as a service user."""
    try:
        cloud = keystone.keystone(os.environ, pulumi.Config("openstack").get("cloud"))
    except keystone.LoginError as error:
        raise pulumi.RunError(str(error)) from error
    systems = [each for each in estate.systems.values() if each.agency == agency.name]
    catalogue = Catalogue(config.foundation)
    root = pulumi.ResourceOptions(parent=_Agency(agency.name))
    project_ids = _projects(agency, systems, catalogue, config, root)
    pool_id = _pool(agency, catalogue, config, root)
    projects = Projects(project_ids)
    built = {
        system.name: System(
            system.name,
            estate=estate,
            agency=agency,
            system=system,
            login=_login(cloud, system, config),
            projects=projects,
            project_id=project_ids[system.name],
            pool_id=pool_id,
            catalogue=catalogue,
            opts=root,
        )
        for system in systems
    }
    subnets = {each.first_name: built[each.name].cidr for each in systems}
    for each in built.values():
        each.filter({name: cidr for name, cidr in subnets.items() if cidr is not None})
    Meanings(
        agency.name,
        estate=estate,
        role_ids=catalogue.table(exports.ROLE_IDS),
        flavor_ids=catalogue.table(exports.FLAVOR_IDS),
        volume_type_ids=catalogue.table(exports.VOLUME_TYPE_IDS),
        image_ids=catalogue.table(exports.IMAGE_IDS),
        external_network_ids=catalogue.table(exports.EXTERNAL_NETWORK_IDS),
        project_ids=projects.of_others,
        opts=root,
    )
    waiting = [sentence for each in built.values() for sentence in each.waiting]
    for sentence in waiting:
        pulumi.log.warn(sentence)
    pulumi.export(PROJECT_IDS, project_ids)
    pulumi.export(NETWORK_IDS, {name: each.network_id for name, each in built.items() if each.network_id is not None})
    pulumi.export(CREDENTIALS, pulumi.Output.secret({name: each.credential for name, each in built.items()}))
    pulumi.export(WAITING, waiting)


class _Agency(pulumi.ComponentResource):
    """The root of an agency's tree of resources."""

    def __init__(self, name: str) -> None:
        super().__init__("gdcc:agency:Agency", name)
        self.register_outputs({})


def _projects(
    agency: Agency, systems: list[Declared], catalogue: Catalogue, config: StackConfig, opts: pulumi.ResourceOptions
) -> Mapping[str, pulumi.Output[str]]:
    groups = Groups(agency.name, agency=agency, domain_id=naming.AGENCIES_DOMAIN_ID, opts=opts)
    role_ids = catalogue.ids_of(exports.ROLE_IDS, groups.by_role)
    project_ids: dict[str, pulumi.Output[str]] = {}
    for system in systems:
        project_id = Project(system.name, system=system, domain_id=naming.AGENCIES_DOMAIN_ID, opts=opts).project_id
        Members(system.name, project_id=project_id, groups=groups.by_role, role_ids=role_ids, opts=opts)
        project_ids[system.name] = project_id
    return project_ids


def _pool(
    agency: Agency, catalogue: Catalogue, config: StackConfig, opts: pulumi.ResourceOptions
) -> pulumi.Output[str] | None:
    if agency.pool is None:
        return None
    return Pool(
        agency.name,
        prefix=agency.pool,
        address_scope_id=catalogue.one(exports.ADDRESS_SCOPE_ID),
        opts=opts,
    ).pool_id


def _login(cloud: keystone.Keystone, system: Declared, config: StackConfig) -> Login:
    if config.credentials_from is None:
        raise pulumi.RunError("gdcc:credentialsFrom is missing")
    return Login(
        keystone=cloud,
        domain=naming.AGENCIES_DOMAIN,
        password=deployer.password(config.seed, system.first_name, config.password_generation),
        credential_from=config.credentials_from,
        credential_expires_at=config.credentials_expire_at,
    )

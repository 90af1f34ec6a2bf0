"""One system of an agency: all that its project may have, holds, reads and shares."""

from collections.abc import Mapping

import pulumi

from infra import naming
from infra.agency import access, readers, rules
from infra.agency.access import Access
from infra.agency.catalogue import Catalogue
from infra.agency.data_sets import DataSets
from infra.agency.deployer import ROLE, Deployer, Login
from infra.agency.network import Network
from infra.agency.quotas import Quotas
from infra.agency.readers import Known, Projects
from infra.agency.security import SecurityGroups
from infra.agency.server_groups import ServerGroups
from infra.agency.sharing import Sharing
from infra.foundation import exports
from inventory import quotas
from inventory.model import Agency, Estate
from inventory.model import System as Declared


class System(pulumi.ComponentResource):
    """A system's parts around its project. `waiting`: what waits for another agency's `up`.

    `filter` completes it, once all systems of its agency have their networks (`cidr` is the subnet's).
    """

    credential: pulumi.Output[dict[str, str]]
    network_id: pulumi.Output[str] | None
    cidr: pulumi.Output[str] | None
    waiting: tuple[str, ...]

    def __init__(
        self,
        name: str,
        *,
        estate: Estate,
        agency: Agency,
        system: Declared,
        login: Login,
        projects: Projects,
        project_id: pulumi.Output[str],
        pool_id: pulumi.Output[str] | None,
        catalogue: Catalogue,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("gdcc:agency:System", name, None, opts)
        self._estate, self._agency, self._system, self._projects = estate, agency, system, projects
        self._project_id = project_id
        child = pulumi.ResourceOptions(parent=self)
        limits = quotas.limits(estate, system)
        quota = Quotas(name, system=system, limits=limits, estate=estate, project_id=project_id, opts=child)
        Access(
            name,
            project_id=project_id,
            flavor_ids=catalogue.ids_of(exports.FLAVOR_IDS, access.flavors(estate, system)),
            volume_type_ids=catalogue.ids_of(exports.VOLUME_TYPE_IDS, access.volume_types(estate, system)),
            opts=child,
        )
        deployer = Deployer(
            name,
            system=system,
            login=login,
            project_id=project_id,
            domain_id=naming.AGENCIES_DOMAIN_ID,
            role_id=catalogue.id_of(exports.ROLE_IDS, ROLE),
            opts=child,
        )
        self.credential = deployer.credential
        within = pulumi.ResourceOptions(parent=self, depends_on=[quota])
        if any(vm_set.spreads for vm_set in system.vm_sets):
            ServerGroups(name, system=system, provider=deployer.provider, opts=within)
        self._within = within
        network = self._network(pool_id, catalogue, within)
        self.network_id, self.cidr = (None, None) if network is None else (network.network_id, network.cidr)
        self.waiting = (*self._sharing(deployer, within), *self._data_sets(deployer, within))

    def filter(self, subnets: Mapping[str, pulumi.Output[str]]) -> None:
        """Declares what the system's VMs may say to whom; `subnets` are its agency's, by their systems' first names."""
        SecurityGroups(
            self._system.name,
            system=self._system,
            rules=rules.by_tier(self._estate, self._agency, self._system),
            project_id=self._project_id,
            subnets=subnets,
            opts=self._within,
        )
        self.register_outputs({"waiting": list(self.waiting)})

    def _network(
        self, pool_id: pulumi.Output[str] | None, catalogue: Catalogue, opts: pulumi.ResourceOptions
    ) -> Network | None:
        if pool_id is None:
            return None
        level = self._system.classification.name.lower()
        return Network(
            self._system.name,
            system=self._system,
            project_id=self._project_id,
            pool_id=pool_id,
            external_network_id=catalogue.id_of(exports.EXTERNAL_NETWORK_IDS, level),
            opts=opts,
        )

    def _sharing(self, deployer: Deployer, opts: pulumi.ResourceOptions) -> tuple[str, ...]:
        if self.network_id is None or not self._system.share_network_with:
            return ()
        systems = [self._estate.systems[name] for name in self._system.share_network_with]
        known = self._projects.known(f"network of {self._system.name}", systems)
        if known.project_ids:
            Sharing(
                self._system.name,
                network_id=self.network_id,
                targets=known.project_ids,
                provider=deployer.provider,
                opts=opts,
            )
        return known.waiting

    def _data_sets(self, deployer: Deployer, opts: pulumi.ResourceOptions) -> tuple[str, ...]:
        published = [each for each in self._estate.data_sets.values() if each.system == self._system.name]
        if not published:
            return ()
        known: dict[str, Known] = {
            each.name: self._projects.known(f"data set {each.name}", readers.systems_reading(self._estate, each))
            for each in published
        }
        DataSets(
            self._system.name,
            data_sets=published,
            readers={name: list(each.project_ids.values()) for name, each in known.items()},
            provider=deployer.provider,
            opts=opts,
        )
        return tuple(sentence for each in known.values() for sentence in each.waiting)

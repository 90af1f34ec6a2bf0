"""The lab's cloud as the estate of five agencies declares it: up for a module's tests, and gone after them."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openstack
import pytest

from infra import naming
from inventory import load
from inventory.model import Estate
from tests.lab import census
from tests.lab.fixtures import ESTATE, RECIPE, Lab
from tests.lab.stacks import AGENCIES, Stacks
from tests.lab.tenant import Tenant, deployer, member

EMPTY_S = 60.0


class Cloud:
    """The lab's cloud, empty but for an image, its administrator's view of it, and stacks that are not up yet."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.admin: Any = openstack.connect()
        self.estate: Estate = load.load(AGENCIES)
        self.image = next(iter(self.estate.images.values()))
        self.clear()
        self._take_public_flavors()
        self.roles = {role.name: role.id for role in self.admin.identity.roles()}
        self.stacks = Stacks(folder, lab.env, {name: self.roles[name] for name in ("admin", "member", "reader")})
        self._tenants: dict[str, Tenant] = {}

    def clear(self) -> None:
        """Deletes every server, and makes the estate's image where it is missing."""
        for server in self.servers():
            self.admin.compute.delete_server(server, force=True)
        end = time.monotonic() + EMPTY_S
        while self.servers():
            assert time.monotonic() < end, "servers do not go"
            time.sleep(0.5)
        if self.admin.image.find_image(self.image.id) is None:
            self.admin.image.create_image(
                name=self.image.name,
                id=self.image.id,
                disk_format="raw",
                container_format="bare",
                visibility="public",
                data=b"lab" * 100,
            )

    def give_quota_back(self) -> None:
        """As `infra/README.md` says: the login's project keeps the room that the foundation gave it, until this."""
        self.admin.network.delete_quota(self.admin.current_project_id)

    def _take_public_flavors(self) -> None:
        """Deletes those of the lab's own tenants, which `populate` makes again with their servers."""
        own = load.load(ESTATE).flavors
        for flavor in list(self.admin.compute.flavors(is_public=True)):
            if flavor.name in own:
                self.admin.compute.delete_flavor(flavor)

    def servers(self) -> list[Any]:
        return list(self.admin.compute.servers(all_projects=True))

    def project_id(self, system: str) -> str:
        return str(self.admin.identity.find_project(self.estate.systems[system].project, ignore_missing=False).id)

    def tenant(self, system: str) -> Tenant:
        """The system's deployment tool, by the credential that its agency's stack exports."""
        if system not in self._tenants:
            outputs = self.stacks.outputs(f"agency-{self.estate.systems[system].agency}")
            self._tenants[system] = deployer(self.lab.env["OS_AUTH_URL"], outputs["credentials"][system])
        return self._tenants[system]

    def person(self, system: str) -> contextlib.AbstractContextManager[Tenant]:
        """Somebody in the operators' group of the system's agency, as in the project."""
        group = naming.operators_group(self.estate.systems[system].agency)
        return member(self.admin, self.lab.env["OS_AUTH_URL"], self.project_id(system), group)

    def containers(self, project_id: str) -> list[str]:
        """What a project's account holds, whether or not the project is still there."""
        store = self.admin.object_store
        own = store.get_endpoint()
        url = own.replace(self.admin.current_project_id, project_id)
        return [row["name"] for row in store.get(url, params={"format": "json"}).json()]


@pytest.fixture(scope="module")
def cloud(standing_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The cloud with the object store, and nothing declared."""
    subprocess.run([RECIPE, "up", "swift"], check=True)
    standing_lab.calm()
    made = Cloud(standing_lab, tmp_path_factory.mktemp("estate"))
    yield made
    made.clear()


@pytest.fixture(scope="module")
def declared(cloud: Cloud) -> Iterator[Cloud]:
    """The whole estate, up: the foundation by the plain CLI, its agencies by `gdcc estate`."""
    before = census.taken(cloud.admin)
    with undone(cloud, before):
        cloud.stacks.make_foundation()
        cloud.stacks.pulumi("up", "--yes", "--skip-preview", stack="foundation")
        cloud.stacks.gdcc("up")
        yield cloud
        cloud.clear()
        cloud.stacks.destroy()
        cloud.give_quota_back()
        left = census.difference(before, census.taken(cloud.admin))
        assert left == {}, left


@contextlib.contextmanager
def undone(cloud: Cloud, before: census.Census) -> Iterator[None]:
    """Leaves the cloud as it was, whatever failed."""
    try:
        yield
    finally:
        cloud.clear()
        census.undo(cloud.admin, before)

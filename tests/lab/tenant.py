"""Those who work in a system's project: its deployment tool, by its application credential alone, and its members."""

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import openstack

PATIENCE_S = 180


class Tenant:
    """The cloud as one login of one project sees it."""

    def __init__(self, auth_url: str, auth_type: str, **auth: str) -> None:
        self.cloud: Any = openstack.connect(
            load_envvars=False,
            auth_type=auth_type,
            region_name="RegionOne",
            auth={"auth_url": auth_url, **auth},
        )
        self.project_id = self.cloud.current_project_id

    def boot(self, name: str, *, flavor: str, image: str, network: str, group: str | None = None) -> str:
        """A new server's id, which is not ACTIVE yet; names are those of what this tenant can see."""
        compute = self.cloud.compute
        hints = {}
        if group is not None:
            hints = {"scheduler_hints": {"group": compute.find_server_group(group, ignore_missing=False).id}}
        made = compute.create_server(
            name=name,
            flavor_id=compute.find_flavor(flavor, ignore_missing=False).id,
            image_id=image,
            networks=[{"uuid": self.cloud.network.find_network(network, ignore_missing=False).id}],
            **hints,
        )
        return str(made.id)

    def wait_for(self, server_id: str) -> None:
        """Until a server is ACTIVE."""
        compute = self.cloud.compute
        compute.wait_for_server(compute.get_server(server_id), wait=PATIENCE_S, interval=1)

    def status(self, service: str, method: str, path: str, **content: Any) -> int:
        """What a service answers: its HTTP status. `service` is openstacksdk's name (compute, network …)."""
        return self.answer(service, method, path, **content)[0]

    def answer(self, service: str, method: str, path: str, **content: Any) -> tuple[int, str]:
        """The same, with its words: those of the error, where it is one."""
        answer = getattr(self.cloud, service).request(path, method, raise_exc=False, **content)
        return int(answer.status_code), str(answer.text)

    def sees(self, service: str, kind: str) -> set[str]:
        """Names of everything of a kind (networks, flavors, types …) that this tenant is shown."""
        return {each.name for each in getattr(getattr(self.cloud, service), kind)()}


def deployer(auth_url: str, credential: Mapping[str, str]) -> Tenant:
    """A system's deployment tool: it knows its application credential and nothing else."""
    return Tenant(
        auth_url,
        "v3applicationcredential",
        application_credential_id=credential["id"],
        application_credential_secret=credential["secret"],
    )


@contextlib.contextmanager
def member(admin: Any, auth_url: str, project_id: str, group: str) -> Iterator[Tenant]:
    """A person who joined an agency's group, and left it afterwards: what the group may, and nothing besides."""
    password = secrets.token_urlsafe()
    person = admin.identity.create_user(name=f"person-of-{group}", password=password, domain_id="default")
    try:
        joined = admin.identity.find_group(group, ignore_missing=False)
        admin.identity.add_user_to_group(person, joined)
        yield Tenant(auth_url, "v3password", user_id=person.id, password=password, project_id=project_id)
    finally:
        admin.identity.delete_user(person)

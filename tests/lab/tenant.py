"""A system's deployment tool: it knows its application credential and nothing else."""

from collections.abc import Mapping
from typing import Any

import openstack

PATIENCE_S = 60


class Tenant:
    """The cloud as an application credential of one project sees it."""

    def __init__(self, auth_url: str, credential: Mapping[str, str]) -> None:
        self.cloud: Any = openstack.connect(
            load_envvars=False,
            auth_type="v3applicationcredential",
            region_name="RegionOne",
            auth={
                "auth_url": auth_url,
                "application_credential_id": credential["id"],
                "application_credential_secret": credential["secret"],
            },
        )
        self.project_id = self.cloud.current_project_id

    def boot(self, name: str, *, flavor: str, image: str, network: str, group: str | None = None) -> str:
        """A new server's id, once it is ACTIVE; names are those of what this tenant can see."""
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
        compute.wait_for_server(made, wait=PATIENCE_S, interval=1)
        return str(made.id)

    def status(self, service: str, method: str, path: str, **content: Any) -> int:
        """What a service answers: its HTTP status. `service` is openstacksdk's name (compute, network …)."""
        answer = getattr(self.cloud, service).request(path, method, raise_exc=False, **content)
        return int(answer.status_code)

    def sees(self, service: str, kind: str) -> set[str]:
        """Names of everything of a kind (networks, flavors, types …) that this tenant is shown."""
        return {each.name for each in getattr(getattr(self.cloud, service), kind)()}

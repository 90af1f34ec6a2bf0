"""A person with the lab's administrator account: boots, stops and deletes servers, and brings them into any state."""

import asyncio
from collections.abc import Mapping
from typing import Any

from keystoneauth1 import exceptions
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session


class Operator:
    """Nova's API by hand, as rows. `env` is what `lab env` prints."""

    def __init__(self, env: Mapping[str, str], project: str | None = None) -> None:
        auth = Password(
            auth_url=env["OS_AUTH_URL"],
            username=env["OS_USERNAME"],
            password=env["OS_PASSWORD"],
            project_name=project or env["OS_PROJECT_NAME"],
            user_domain_name=env["OS_USER_DOMAIN_NAME"],
            project_domain_name=env["OS_PROJECT_DOMAIN_NAME"],
        )
        session = Session(auth=auth)
        self._nova = Adapter(session, service_type="compute", default_microversion="2.96")
        self._glance = Adapter(session, service_type="image")
        self._neutron = Adapter(session, service_type="network")

    async def find(self, name: str) -> dict[str, Any] | None:
        """The server of that name, in any project."""
        rows = (await self._get(self._nova, f"/servers/detail?all_tenants=1&name=^{name}$"))["servers"]
        return rows[0] if rows else None

    async def boot(self, name: str, flavor: str, *, group: str | None = None) -> dict[str, Any]:
        """A new ACTIVE server on the lab's network, in the operator's project."""
        flavors = (await self._get(self._nova, "/flavors"))["flavors"]
        images = (await self._get(self._glance, "/v2/images?name=lab"))["images"]
        networks = (await self._get(self._neutron, "/v2.0/networks?name=provider-lab"))["networks"]
        wanted: dict[str, Any] = {
            "server": {
                "name": name,
                "flavorRef": next(row["id"] for row in flavors if row["name"] == flavor),
                "imageRef": images[0]["id"],
                "networks": [{"uuid": networks[0]["id"]}],
            }
        }
        if group is not None:
            wanted["os:scheduler_hints"] = {"group": group}
        made = await asyncio.to_thread(self._nova.post, "/servers", json=wanted)
        return await self.settled(made.json()["server"]["id"], "ACTIVE")

    async def act(self, server_id: str, action: str, status: str, **arguments: Any) -> dict[str, Any]:
        """One of Nova's server actions (os-stop, pause, suspend, rescue, resize …), until its status is reached."""
        await asyncio.to_thread(self._nova.post, f"/servers/{server_id}/action", json={action: arguments or None})
        return await self.settled(server_id, status)

    async def delete(self, server_id: str) -> None:
        """Deletes a server, and waits until it is gone."""
        await asyncio.to_thread(self._nova.delete, f"/servers/{server_id}")
        while True:
            try:
                await self._get(self._nova, f"/servers/{server_id}")
            except exceptions.NotFound:
                return
            await asyncio.sleep(0.3)

    async def settled(self, server_id: str, status: str, tries: int = 200) -> dict[str, Any]:
        """The server, once it has that status and no task; an AssertionError after ERROR or a minute."""
        for _ in range(tries):
            row: dict[str, Any] = (await self._get(self._nova, f"/servers/{server_id}"))["server"]
            if (row["status"], row["OS-EXT-STS:task_state"]) == (status, None):
                return row
            assert row["status"] != "ERROR" or status == "ERROR", row.get("fault")
            await asyncio.sleep(0.3)
        raise AssertionError(f"{server_id} did not become {status}")

    async def _get(self, service: Adapter, path: str) -> Any:
        return (await asyncio.to_thread(service.get, path)).json()

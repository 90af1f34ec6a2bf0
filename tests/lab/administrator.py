"""A person with the lab's administrator account: boots, stops and deletes servers, and brings them into any state."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from keystoneauth1 import exceptions
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

LOOK_S = 0.5
"""Between two looks at all servers. One look tells of all: a server asked for alone costs Nova as much, and two
questions to Neutron.
"""
PATIENCE_S = 180.0
LEAN = "2.95"
"""From the next microversion on, Nova reads the request of each server that it lists."""


class Administrator:
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
        self._keystone = Adapter(session, service_type="identity")
        self._looking = threading.Lock()
        self._looked: tuple[float, dict[str, dict[str, Any]]] = (0.0, {})

    def revoke(self, token: str) -> None:
        """Ends a token before its time."""
        self._keystone.delete("/auth/tokens", headers={"X-Subject-Token": token})

    def standing(self) -> Counter[tuple[str, str, str | None]]:
        """Every server of every project by name, status and task."""
        return Counter((row["name"], row["status"], row["OS-EXT-STS:task_state"]) for row in self.servers())

    def servers(self) -> list[dict[str, Any]]:
        """Every server of every project, in full but for the zone that it asked for."""
        listed = self._nova.get("/servers/detail?all_tenants=1", microversion=LEAN)
        rows: list[dict[str, Any]] = listed.json()["servers"]
        return rows

    def names_on(self, host: str) -> set[str]:
        """The servers that Nova shows on a host, by name."""
        return {row["name"] for row in self._nova.get(f"/servers?all_tenants=1&host={host}").json()["servers"]}

    def migrations(self) -> list[dict[str, Any]]:
        """Nova's own list of migrations, all of them, oldest first."""
        rows: list[dict[str, Any]] = self._nova.get("/os-migrations").json()["migrations"]
        return sorted(rows, key=lambda row: row["id"])

    def disabled(self) -> list[str]:
        """The hosts whose compute service is disabled."""
        rows = self._nova.get("/os-services?binary=nova-compute").json()["services"]
        return [row["host"] for row in rows if row["status"] == "disabled"]

    def reports(self) -> dict[str, str | None]:
        """When each host's nova-compute last reported; None where it is listed and never did."""
        rows = self._nova.get("/os-services?binary=nova-compute").json()["services"]
        return {row["host"]: row["updated_at"] for row in rows}

    async def find(self, name: str) -> dict[str, Any] | None:
        """The server of that name, in any project."""
        rows = (await self._get(self._nova, f"/servers/detail?all_tenants=1&name=^{name}$"))["servers"]
        return rows[0] if rows else None

    async def boot(self, name: str, flavor: str, *, host: str | None = None) -> dict[str, Any]:
        """A new ACTIVE server on the lab's network, in the administrator's project, on `host` if given."""
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
        if host is not None:
            wanted["server"]["host"] = host
        made = await asyncio.to_thread(self._nova.post, "/servers", json=wanted)
        return await self.settled(made.json()["server"]["id"], "ACTIVE")

    async def act(self, server_id: str, action: str, status: str, **arguments: Any) -> dict[str, Any]:
        """One of Nova's server actions (os-stop, pause, suspend, rescue, resize …), until its status is reached."""
        await self.ask(server_id, action, **arguments)
        return await self.settled(server_id, status)

    async def ask(self, server_id: str, action: str, **arguments: Any) -> None:
        """Asks for a server action, and does not wait for it."""
        await asyncio.to_thread(self._nova.post, f"/servers/{server_id}/action", json={action: arguments or None})

    async def delete(self, server_id: str) -> None:
        """Deletes a server, and waits until it is gone."""
        await asyncio.to_thread(self._nova.delete, f"/servers/{server_id}")
        while True:
            try:
                await self._get(self._nova, f"/servers/{server_id}")
            except exceptions.NotFound:
                return
            await asyncio.sleep(0.3)

    async def make_aggregate(self, name: str, host: str, metadata: Mapping[str, str]) -> int:
        """A host aggregate without a zone; its id."""

        def make() -> int:
            made: int = self._nova.post("/os-aggregates", json={"aggregate": {"name": name}}).json()["aggregate"]["id"]
            for action in ({"add_host": {"host": host}}, {"set_metadata": {"metadata": dict(metadata)}}):
                self._nova.post(f"/os-aggregates/{made}/action", json=action)
            return made

        return await asyncio.to_thread(make)

    async def delete_aggregate(self, aggregate: int, host: str) -> None:
        """The end of it, its host taken out first."""
        out = {"remove_host": {"host": host}}
        await asyncio.to_thread(self._nova.post, f"/os-aggregates/{aggregate}/action", json=out)
        await asyncio.to_thread(self._nova.delete, f"/os-aggregates/{aggregate}")

    async def settled(self, server_id: str, status: str) -> dict[str, Any]:
        """The server, once it has that status and no task; an AssertionError after ERROR or some minutes."""
        asked = time.monotonic()
        while time.monotonic() < asked + PATIENCE_S:
            row = (await asyncio.to_thread(self._seen_after, asked)).get(server_id, {})
            if row and (row["status"], row["OS-EXT-STS:task_state"]) == (status, None):
                return row
            assert row.get("status") != "ERROR" or status == "ERROR", row.get("fault")
            await asyncio.sleep(LOOK_S)
        raise AssertionError(f"{server_id} did not become {status}")

    def _seen_after(self, instant: float) -> dict[str, dict[str, Any]]:
        """All servers by id as they were seen after that instant, and lately: all who wait share their looks."""
        with self._looking:
            now = time.monotonic()
            if self._looked[0] < max(instant, now - LOOK_S):
                self._looked = (now, {row["id"]: row for row in self.servers()})
            return self._looked[1]

    async def _get(self, service: Adapter, path: str) -> Any:
        return (await asyncio.to_thread(service.get, path)).json()

"""Projects are not asked for at every look, and never missed where a server is owned by one."""

import asyncio
from typing import Any, cast

from controller.adapters.openstack.keystone import KEPT_S, Keystone
from controller.adapters.openstack.rest import Rest
from controller.model.ids import ProjectId


class Projects:
    """Keystone's projects by name behind what `Rest` offers of them; `asked` counts the listings."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.asked = 0

    async def rows(self, service: str, path: str, table: str) -> list[dict[str, Any]]:
        self.asked += 1
        return [{"id": f"id-{name}", "name": name, "enabled": True} for name in self.names]


def names(keystone: Keystone, *owners: str) -> list[str]:
    found = asyncio.run(keystone.projects({ProjectId(f"id-{one}") for one in owners}))
    return [project.name for project in found.values]


def test_they_are_kept_for_a_time_and_asked_for_when_a_server_has_a_new_owner() -> None:
    there, seconds = Projects("bus"), [0.0]
    keystone = Keystone(cast("Rest", there), now=lambda: seconds[0])
    assert names(keystone, "bus") == names(keystone, "bus") == names(keystone) == ["bus"]
    assert there.asked == 1
    there.names.append("rail")
    assert names(keystone, "bus", "rail") == ["bus", "rail"]
    assert there.asked == 2
    seconds[0] += KEPT_S
    there.names.remove("rail")
    assert names(keystone, "bus") == ["bus"]
    assert there.asked == 3


def test_an_owner_that_keystone_does_not_know_is_asked_for_once_in_that_time() -> None:
    there, seconds = Projects("bus"), [0.0]
    keystone = Keystone(cast("Rest", there), now=lambda: seconds[0])
    assert names(keystone, "gone") == names(keystone, "gone", "bus") == ["bus"]
    assert there.asked == 1
    there.names.append("gone")
    seconds[0] += KEPT_S
    assert names(keystone, "gone") == ["bus", "gone"]

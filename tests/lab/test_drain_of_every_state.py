"""A drain of a host that holds a server of each state the lab can make: who moves how, who stays, and who must act."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.api import client
from controller.model.migration import State
from tests.lab.administrator import Administrator
from tests.lab.daemon import Daemon
from tests.lab.fixtures import QUICK_MIB_S, Lab

HOST, ELSEWHERE = "cmp1", "cmp3"
PROJECT, FLAVOR = "smart-bus-terminal", "open.2c4g"
WAYS: dict[str, tuple[tuple[str, str, dict[str, Any]], ...]] = {
    "active": (),
    "paused": (("pause", "PAUSED", {}),),
    "shutoff": (("os-stop", "SHUTOFF", {}),),
    "suspended": (("suspend", "SUSPENDED", {}),),
    "rescued": (("rescue", "RESCUE", {}),),
    "broken": (("os-resetState", "ERROR", {"state": "error"}),),
    "shelved": (("shelve", "SHELVED", {}),),
    "offloaded": (("shelve", "SHELVED", {}), ("shelveOffload", "SHELVED_OFFLOADED", {})),
    "arrived": (("migrate", "VERIFY_RESIZE", {"host": HOST}),),
    "left": (("migrate", "VERIFY_RESIZE", {"host": ELSEWHERE}),),
    "uploading": (),
    "deleted": (),
}
"""Servers by name, and how an administrator brings each into its state."""

WHO_MUST_ACT = {
    "suspended": "the project's owner: resume it",
    "rescued": "the project's owner: unrescue it",
    "broken": "a cloud operator: find out why and repair it",
    "shelved": "the project's owner: unshelve it, or an operator: offload it",
    "arrived": "the project's owner: confirm or revert the resize",
    "left": "the project's owner: confirm or revert the resize",
    "uploading": "nobody yet: it ends by itself; if it does not, a cloud operator",
    "deleted": "a cloud operator: wait for the reclaim, or force the delete",
}
OF_THOSE_THAT_RUN = {name: who for name, who in WHO_MUST_ACT.items() if name != "deleted"}
"""What is off may stay on a host that is only rebooted."""
LIMITS = {"out_of_host": 3, "into_host": 3, "per_agency": 3, "per_system": 3}


async def made(lab: Lab) -> dict[str, str]:
    """A server of each state on HOST (`left` has left it, `offloaded` is on no host); their ids by name."""
    owner = Administrator(lab.env, project=PROJECT)
    lab.fault("uploading", "upload")

    async def one(name: str) -> tuple[str, str]:
        row = await owner.boot(name, FLAVOR, host=ELSEWHERE if name == "arrived" else HOST)
        for action, status, arguments in WAYS[name]:
            await lab.admin.act(row["id"], action, status, **arguments)
        return name, row["id"]

    ids = dict(await asyncio.gather(*map(one, WAYS)))
    await lab.admin.ask(ids["uploading"], "createImage", name="a snapshot")
    lab.vm_state(ids["deleted"], "soft-delete")
    return ids


async def mended(lab: Lab, ids: dict[str, str]) -> None:
    """Everybody acts as the drain said."""
    lab.calm()
    act = lab.admin.act
    ways: list[Callable[[], Awaitable[object]]] = [
        lambda: act(ids["suspended"], "resume", "ACTIVE"),
        lambda: act(ids["rescued"], "unrescue", "ACTIVE"),
        lambda: act(ids["broken"], "os-resetState", "ACTIVE", state="active"),
        lambda: act(ids["shelved"], "shelveOffload", "SHELVED_OFFLOADED"),
        lambda: act(ids["arrived"], "confirmResize", "ACTIVE"),
        lambda: act(ids["left"], "revertResize", "ACTIVE"),
    ]
    lab.vm_state(ids["deleted"], "active")
    await asyncio.gather(*(way() for way in ways))


@pytest.fixture
def daemon(lab: Lab, tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path, {"mode": "observe", "limits": LIMITS})
    yield daemon
    if daemon.process is not None:
        daemon.stop()


def drain_of(daemon: Daemon) -> Any:
    (found,) = client.call(daemon.socket, "GET", "/drains")
    return found


def held(drain: Any) -> dict[str, str]:
    return {one["server_name"]: one["who_must_act"] for one in drain["holdouts"]}


def kinds(lab: Lab, ids: dict[str, str], name: str) -> list[tuple[str, str]]:
    """Nova's own records of a server, oldest first: type and status."""
    return [
        (row["migration_type"], row["status"]) for row in lab.admin.migrations() if row["instance_uuid"] == ids[name]
    ]


def test_a_drain_moves_what_it_can_and_says_at_once_who_must_act_for_the_rest(lab: Lab, daemon: Daemon) -> None:
    ids = asyncio.run(made(lab))
    lab.set(link_mib_s=QUICK_MIB_S)
    daemon.start()
    daemon.until(lambda: daemon.status()["hosts"]["trusted"] == 6, "trusted readings")

    place = client.path("hosts", HOST, "drain")
    unknowns = client.call(daemon.socket, "POST", place, {})["unknowns"]
    for name, who in WHO_MUST_ACT.items():
        assert any(said.startswith(f"{name} cannot be moved") and who in said for said in unknowns), unknowns
    asked = {"why": "a test", "keep_shutoff": True, "confirmed": True}
    at_once = client.call(daemon.socket, "POST", place, asked)["drain"]
    assert (at_once["state"], held(at_once)) == ("stuck", OF_THOSE_THAT_RUN)
    assert daemon.entries() == ()

    stays = WHO_MUST_ACT.keys() - {"left", "deleted"} | {"shutoff"}
    daemon.until(lambda: lab.admin.names_on(HOST) == stays, "all that can move to have left")
    daemon.until(lambda: not daemon.status()["running"], "no move under way")
    assert held(drain_of(daemon)) == OF_THOSE_THAT_RUN
    assert kinds(lab, ids, "active") == kinds(lab, ids, "paused") == [("live-migration", "completed")]
    found = lab.admin.standing()
    assert found["active", "ACTIVE", None] == found["paused", "PAUSED", None] == found["shutoff", "SHUTOFF", None] == 1
    assert kinds(lab, ids, "shutoff") == []
    daemon.gdcc("enable", HOST)

    drained = daemon.gdcc("drain", HOST, "--yes", "--why", "decommission", ok=1)
    for name, who in WHO_MUST_ACT.items():
        assert name in drained and who.split(":")[0] in drained
    assert lab.admin.names_on(HOST) == stays - {"shutoff"}
    assert kinds(lab, ids, "shutoff") == [("migration", "confirmed")]
    assert lab.admin.standing()["shutoff", "SHUTOFF", None] == 1

    asyncio.run(mended(lab, ids))
    daemon.until(lambda: drain_of(daemon)["state"] == "empty", "an empty host")
    assert lab.admin.names_on(HOST) == set()
    assert {entry.state for entry in daemon.entries()} == {State.SUCCEEDED}
    made_by_us = Counter(entry.intent.server_id for entry in daemon.entries())
    assert made_by_us[ids["left"]] == 1, "reverted onto the host, it had to leave again"
    assert kinds(lab, ids, "left") == [("migration", "reverted"), ("live-migration", "completed")]
    daemon.gdcc("enable", HOST)

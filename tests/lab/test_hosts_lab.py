"""The joined lab itself: its hosts boot, keep and lose their guests, and upgrade as real ones do."""

import asyncio
from collections.abc import Callable

import pytest

from tests.lab.host_fixtures import NUMBERS, JoinedLab

TRIES = 240
PAIR = ("eec-oss-db-1", "eec-oss-db-2")


async def until(holds: Callable[[], bool], what: str) -> None:
    """Waits for a condition, for minutes at most."""
    for _ in range(TRIES):
        if await asyncio.to_thread(holds):
            return
        await asyncio.sleep(0.5)
    raise AssertionError(f"waited in vain: {what}")


def statuses(lab: JoinedLab) -> dict[str, str]:
    return {name: status for name, status, _ in lab.admin.standing()}


async def host_of(lab: JoinedLab, server: str) -> str:
    found = await lab.admin.find(server)
    assert found is not None
    return str(found["OS-EXT-SRV-ATTR:host"])


async def test_a_reboot_of_a_host_that_was_not_drained_stops_its_guests_and_nobody_elses(joined_lab: JoinedLab) -> None:
    host = await host_of(joined_lab, PAIR[0])
    lost = joined_lab.admin.names_on(host)
    before = joined_lab.hosts.boot_id(host)

    joined_lab.hosts.says(host, "systemctl reboot")

    await until(lambda: joined_lab.hosts.boot_id(host) not in {"", before}, f"{host} boots")
    await until(lambda: {statuses(joined_lab)[name] for name in lost} == {"SHUTOFF"}, f"Nova sees {lost} shut off")
    assert {status for name, status in statuses(joined_lab).items() if name not in lost} == {"ACTIVE"}
    joined_lab.await_reports()


async def test_a_restart_of_nova_compute_alone_harms_nobody(joined_lab: JoinedLab) -> None:
    before = joined_lab.admin.standing()

    for host in NUMBERS:
        joined_lab.hosts.command(host, "systemctl restart nova-compute")

    joined_lab.await_reports()
    assert joined_lab.admin.standing() == before


async def test_a_server_migrates_live_from_one_host_to_another(joined_lab: JoinedLab) -> None:
    server = await joined_lab.admin.find("digital-healthcare-app-1")
    assert server is not None
    source = server["OS-EXT-SRV-ATTR:host"]
    target = next(iter({"host2", "host3"} - {source}))

    await joined_lab.admin.ask(server["id"], "os-migrateLive", host=target, block_migration="auto")

    await until(lambda: "digital-healthcare-app-1" in joined_lab.admin.names_on(target), "the server arrives")
    row = await joined_lab.admin.settled(server["id"], "ACTIVE")
    assert row["OS-EXT-SRV-ATTR:host"] == target


async def test_servers_of_a_hard_group_stand_on_hosts_of_their_own(joined_lab: JoinedLab) -> None:
    assert await host_of(joined_lab, PAIR[0]) != await host_of(joined_lab, PAIR[1])


async def test_hosts_upgrade_from_their_own_repository_and_then_ask_for_a_reboot(joined_lab: JoinedLab) -> None:
    hosts = joined_lab.hosts
    hosts.publish("1.0")
    hosts.command("host3", "apt-get update -q && apt-get install -y -q --allow-downgrades gdcc-canary=1.0")
    hosts.command("host3", "rm -f /run/reboot-required /run/reboot-required.pkgs")

    hosts.publish("1.0", "1.1")
    hosts.command("host3", "apt-get update -q && apt-get install -y -q --only-upgrade gdcc-canary")

    assert hosts.command("host3", "dpkg-query -W -f '${Version}' gdcc-canary") == "1.1"
    assert hosts.command("host3", "cat /run/reboot-required.pkgs") == "gdcc-canary\n"
    hosts.publish("1.0")


@pytest.mark.parametrize("host", NUMBERS)
async def test_a_host_is_known_by_its_own_key_and_name(joined_lab: JoinedLab, host: str) -> None:
    assert joined_lab.hosts.command(host, "hostname") == f"{host}\n"

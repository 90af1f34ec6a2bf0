"""Net-snmp's own tools read the twin's agents (apt-get install snmp)."""

import asyncio

import pytest

from controller.twin import datacentre
from controller.twin.datacentre import DataCentre
from controller.twin.nature import Nature
from controller.twin.scenario import Scenario
from controller.twin.snmp.devices import Device
from tests.fakes.free_ports import free_port
from tests.fakes.small_estate import small_estate

pytestmark = pytest.mark.lab


async def ran(tool: str, twin: DataCentre, name: str, *oids: str) -> list[str]:
    device = next(each for each in twin.agents.devices if each.name == name)
    address = f"{device.address[0]}:{device.address[1]}"
    process = await asyncio.create_subprocess_exec(
        tool, *_login(device), "-On", "-t", "2", address, *oids,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    return out.decode().splitlines()


def _login(device: Device) -> list[str]:
    secret = device.secret
    if secret.community:
        return ["-v2c", "-c", secret.community]
    return [
        "-v3",
        "-l",
        "authPriv",
        "-u",
        secret.user,
        "-a",
        "SHA-256",
        "-A",
        secret.auth,
        "-x",
        "AES",
        "-X",
        secret.priv,
    ]


async def test_net_snmp_walks_every_kind_of_device_and_finds_all_of_its_objects() -> None:
    port = free_port()
    twin = datacentre.build(small_estate(snmp_port=port), Scenario(nature=Nature()), 1)
    twin.agents.open()
    try:
        for name in ("h1", "h2", "h3", "h4", "pdu-r1-A", "pdu-r1-B", "ups-NA", "sw-r1-B"):
            device = next(each for each in twin.agents.devices if each.name == name)
            names = {f".{oid}" for oid, _ in device.rows()}
            bulk = {line.split(" ", 1)[0] for line in await ran("snmpbulkwalk", twin, name, "1.3")}
            slow = {line.split(" ", 1)[0] for line in await ran("snmpwalk", twin, name, "1.3.6.1.4.1")}
            assert names <= bulk
            assert slow == {each for each in bulk if each.startswith(".1.3.6.1.4.1.")} or name in {"ups-NA", "sw-r1-B"}
            assert await ran("snmpget", twin, name, "1.3.6.1.2.1.1.5.0") == [f'.1.3.6.1.2.1.1.5.0 = STRING: "{name}"']
    finally:
        twin.agents.close()

"""Traps and informs as net-snmp's own tools send them (apt-get install snmp)."""

import asyncio
from datetime import timedelta

import pytest

from controller.adapters.clock import SystemClock
from controller.adapters.snmp.collector import SnmpCollector
from controller.adapters.snmp.credentials import Credential
from controller.adapters.snmp.stats import Stats
from tests.fakes.snmp_devices import COMMUNITY, USER, host_target, ilo

FAN_FAILURE = ".1.3.6.1.4.1.232.0.6036"
V3 = ["-v3", "-l", "authPriv", "-u", USER.name, "-a", "SHA-256", "-A", USER.auth, "-x", "AES", "-X", USER.priv]


async def sent(credential: Credential, *words: str) -> tuple[int, Stats]:
    """The tool's exit status, and what the collector counted."""
    fake = ilo(credential)
    async with fake.running():
        collector = SnmpCollector(
            [host_target(fake)], {"c": credential}, SystemClock(), interval=timedelta(minutes=5), traps=("127.0.0.1", 0)
        )
        await collector.start()
        try:
            port = collector.trap_port
            tool = await asyncio.create_subprocess_exec(
                *(word.replace("PORT", str(port)) for word in words), stderr=asyncio.subprocess.DEVNULL
            )
            status = await tool.wait()
            async with asyncio.timeout(5):
                while not collector.stats().traps:  # noqa: ASYNC110 - counters tell nobody that they have changed
                    await asyncio.sleep(0.01)
            return status, collector.stats()
        finally:
            await collector.stop()


@pytest.mark.parametrize(
    ("credential", "words"),
    [
        (COMMUNITY, ["snmptrap", "-v1", "-c", "public", "127.0.0.1:PORT", ".1.3.6.1.4.1.232", "", "6", "6036", ""]),
        (COMMUNITY, ["snmptrap", "-v2c", "-c", "public", "127.0.0.1:PORT", "", FAN_FAILURE]),
        (USER, ["snmptrap", "-e", "0x8000000001020304", *V3, "127.0.0.1:PORT", "", FAN_FAILURE]),
    ],
    ids=["v1", "v2c", "v3"],
)
async def test_a_trap_is_understood(credential: Credential, words: list[str]) -> None:
    status, stats = await sent(credential, *words)
    assert status == 0
    assert stats.trap_names == {"fan_failure": 1}


async def test_an_inform_is_acknowledged_so_that_its_sender_is_content() -> None:
    words = ["snmpinform", "-v2c", "-c", "public", "-r", "0", "-t", "3", "127.0.0.1:PORT", "", FAN_FAILURE]
    status, stats = await sent(COMMUNITY, *words)
    assert (status, stats.informs, stats.trap_names) == (0, 1, {"fan_failure": 1})


async def test_a_v3_inform_is_counted_as_unsupported_and_its_sender_told_nothing() -> None:
    status, stats = await sent(USER, "snmpinform", *V3, "-r", "0", "-t", "1", "127.0.0.1:PORT", "", FAN_FAILURE)
    assert status != 0
    assert stats.traps == {"unsupported": 1}

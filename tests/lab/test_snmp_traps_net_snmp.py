"""Traps and informs as net-snmp's own tools send them (apt-get install snmp)."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.clock import SystemClock
from controller.adapters.snmp import own_engine
from controller.adapters.snmp.collector import SnmpCollector
from controller.adapters.snmp.credentials import AuthProtocol, Credential, PrivProtocol
from controller.adapters.snmp.own_engine import OwnEngine
from controller.adapters.snmp.stats import Stats
from tests.fakes.snmp_devices import COMMUNITY, USER, host_target, ilo

FAN_FAILURE = ".1.3.6.1.4.1.232.0.6036"
V3 = ["-v3", "-l", "authPriv", "-u", USER.name, "-a", "SHA-256", "-A", USER.auth, "-x", "AES", "-X", USER.priv]


async def sent(credential: Credential, *words: str, engine: OwnEngine | None = None) -> tuple[int, Stats]:
    """The tool's exit status, and what the collector counted."""
    fake = ilo(credential)
    async with fake.running():
        collector = SnmpCollector(
            [host_target(fake)], {"c": credential}, SystemClock(), interval=timedelta(minutes=5),
            traps=("127.0.0.1", 0), engine=engine,
        )  # fmt: skip
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


@pytest.mark.parametrize(
    ("auth", "priv", "words"),
    [
        (AuthProtocol.SHA1, PrivProtocol.AES128, ("SHA", "AES")),
        (AuthProtocol.SHA256, PrivProtocol.AES128, ("SHA-256", "AES")),
        (AuthProtocol.SHA512, PrivProtocol.AES256, ("SHA-512", "AES-256")),
    ],
    ids=["sha1-aes128", "sha256-aes128", "sha512-aes256"],
)
async def test_a_v3_inform_is_acknowledged_at_every_start_of_our_engine(
    tmp_path: Path, auth: AuthProtocol, priv: PrivProtocol, words: tuple[str, str]
) -> None:
    user = replace(USER, auth_protocol=auth, priv_protocol=priv)
    tool = ["snmpinform", "-v3", "-l", "authPriv", "-u", user.name, "-a", words[0], "-A", user.auth, "-x", words[1],
            "-X", user.priv, "-r", "0", "-t", "5", "127.0.0.1:PORT", "", FAN_FAILURE]  # fmt: skip
    for boots in (1, 2):
        engine = own_engine.started(tmp_path / "engine.json", time.monotonic)
        assert engine.boots == boots
        status, stats = await sent(user, *tool, engine=engine)
        assert (status, stats.informs, stats.trap_names) == (0, 1, {"fan_failure": 1})


async def test_a_v3_inform_with_another_secret_is_refused_and_its_sender_told_so(tmp_path: Path) -> None:
    engine = own_engine.started(tmp_path / "engine.json", time.monotonic)
    wrong = ["another-secret" if word == USER.auth else word for word in V3]
    tool = ["snmpinform", *wrong, "-r", "0", "-t", "5", "127.0.0.1:PORT", "", FAN_FAILURE]
    status, stats = await sent(USER, *tool, engine=engine)
    assert status != 0
    assert stats.informs == 0 and stats.traps["auth"] >= 1 and not stats.trap_names


async def test_without_an_engine_a_v3_inform_is_unsupported_and_its_sender_told_nothing() -> None:
    status, stats = await sent(USER, "snmpinform", *V3, "-r", "0", "-t", "1", "127.0.0.1:PORT", "", FAN_FAILURE)
    assert status != 0
    assert stats.traps == {"unsupported": 1}

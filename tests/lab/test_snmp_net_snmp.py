"""Net-snmp's own agent read as an iLO: its engine, its digests, its boots (apt-get install snmpd snmp)."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from controller.adapters.snmp.credentials import AuthProtocol, Credential, PrivProtocol, User
from controller.adapters.snmp.oids import dotted
from controller.adapters.snmp.target import Target, Watts
from controller.model.sample import Kind, Quantity
from inventory.model import SnmpProfile
from tests.fakes.snmp_devices import COMMUNITY, ILO, watched

pytestmark = pytest.mark.lab

USERS = {
    "sha1": (AuthProtocol.SHA1, "SHA"),
    "sha256": (AuthProtocol.SHA256, "SHA-256"),
    "sha512": (AuthProtocol.SHA512, "SHA-512"),
}
CIPHERS = {PrivProtocol.AES128: "AES", PrivProtocol.AES256: "AES-256"}
CREDENTIALS = [
    User(name=f"{name}-{cipher.value}", auth="the-auth-secret", priv="the-priv-secret", auth_protocol=auth,
         priv_protocol=cipher)
    for name, (auth, _) in USERS.items() for cipher in CIPHERS
]  # fmt: skip


def configuration() -> str:
    lines = ["agentXSocket none", f"rocommunity {COMMUNITY.community} 127.0.0.0/8"]
    for user in CREDENTIALS:
        hashed = next(word for auth, word in USERS.values() if auth is user.auth_protocol)
        lines.append(f"createUser {user.name} {hashed} {user.auth} {CIPHERS[user.priv_protocol]} {user.priv}")
        lines.append(f"rouser {user.name} authpriv")
    lines += [f"override .{dotted(of)} integer {value}" for of, value in ILO.items()]
    return "\n".join(lines) + "\n"


@asynccontextmanager
async def snmpd(state: Path, port: int) -> AsyncIterator[None]:
    """A real agent; its boots and keys stay in `state`."""
    (state / "snmpd.conf").write_text(configuration())
    process = await asyncio.create_subprocess_exec(
        "snmpd", "-f", "-Lf", str(state / "log"), f"udp:127.0.0.1:{port}",
        env={
            "SNMP_PERSISTENT_DIR": str(state / "kept"), "SNMPCONFPATH": f"{state}:{state / 'kept'}",
            "PATH": "/usr/sbin:/usr/bin",
        },
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


def target(port: int) -> Target:
    return Target(
        name="bmc:h1", kind=Kind.HOST, subject="h1", address=("127.0.0.1", port), profile=SnmpProfile.ILO,
        credential="c", watts=Watts(least=75.0, most=700.0),
    )  # fmt: skip


@pytest.fixture
def port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        found: int = sock.getsockname()[1]
        return found


async def read(port: int, credential: Credential) -> tuple[dict[Quantity, float], list[str]]:
    async with watched(target(port), credential) as device:
        polled = await device.poll()
        return {each.quantity: each.value for each in polled.readings}, [fault.reason for fault in polled.faults]


async def test_net_snmp_is_read_with_every_algorithm_and_refuses_what_is_wrong(tmp_path: Path, port: int) -> None:
    async with snmpd(tmp_path, port):
        while (await read(port, COMMUNITY))[1] == ["timeout"]:
            pass
        for credential in (COMMUNITY, *CREDENTIALS):
            readings, faults = await read(port, credential)
            assert not faults, credential
            assert readings[Quantity.INLET_CELSIUS] == 21.0
            assert readings[Quantity.POWER_WATTS] == 287.0
        known = CREDENTIALS[2]
        assert (await read(port, replace(known, name="nobody")))[1] == ["auth"]
        assert (await read(port, replace(known, auth="another-one")))[1] == ["auth"]
        assert (await read(port, replace(known, priv="another-one")))[1] == ["auth"], "net-snmp drops it unread"


async def test_net_snmp_started_again_is_a_resync(tmp_path: Path, port: int) -> None:
    async with watched(target(port), CREDENTIALS[2]) as device:
        for boots in range(2):
            async with snmpd(tmp_path, port):
                polled = await device.poll()
                while not polled.answered:
                    polled = await device.poll()
                assert not polled.faults
                assert device.restarts == boots

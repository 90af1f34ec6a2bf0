"""Net-snmp's own agent read as an iLO and as a switch: its engine, digests, boots, and its machine's interfaces."""

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
from inventory.facility import SnmpProfile
from tests.fakes.free_ports import free_port
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


LOOPBACK_BITS_S = 4_000_000_000
"""What the agent is told of lo's speed, which Linux does not know."""


def configuration() -> str:
    lines = ["agentXSocket none", f"rocommunity {COMMUNITY.community} 127.0.0.0/8"]
    for user in CREDENTIALS:
        hashed = next(word for auth, word in USERS.values() if auth is user.auth_protocol)
        lines.append(f"createUser {user.name} {hashed} {user.auth} {CIPHERS[user.priv_protocol]} {user.priv}")
        lines.append(f"rouser {user.name} authpriv")
    lines.append(f"interface lo 24 {LOOPBACK_BITS_S}")
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
    return free_port()


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


KEPT_S = 20.0
"""For no longer does the agent answer with what it counted before."""

Count = tuple[float, int]
"""When, by the loop's clock, and what the kernel had counted on lo by then."""


def octets() -> int:
    """What the kernel has counted on lo, where each packet is sent and received."""
    return int(Path("/sys/class/net/lo/statistics/rx_bytes").read_text())


async def chatter(stop: asyncio.Event) -> list[Count]:
    """Passes about 4 MB a second over lo; what the kernel made of it."""
    loop, counts = asyncio.get_running_loop(), list[Count]()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        one.bind(("127.0.0.1", 0))
        while not stop.is_set():
            two.sendto(bytes(40_000), one.getsockname())
            one.recv(65_535)
            counts.append((loop.time(), octets()))
            await asyncio.sleep(0.01)
    return counts


def kernels(counts: list[Count], began: float, ended: float) -> list[float]:
    """The kernel's rates over as long a time, that one and each before it of which the agent may have answered."""
    found = []
    for at, count in counts:
        if began - KEPT_S <= at <= began:
            later, more = next((each for each in counts if each[0] >= at + ended - began), counts[-1])
            found.append((more - count) / (later - at))
    return found


async def test_what_passes_an_interface_of_a_real_machine_is_what_its_kernel_counts(tmp_path: Path, port: int) -> None:
    """By v2c and by v3 at once: both wait for as long as a rate is taken over. Other tests pass much over lo too."""
    stop = asyncio.Event()
    async with snmpd(tmp_path, port):
        talking = asyncio.create_task(chatter(stop))
        found = await asyncio.gather(*(rates_of_lo(port, credential) for credential in (COMMUNITY, CREDENTIALS[2])))
        stop.set()
        counts = await talking
    for rates in found:
        for into, out, began, ended in rates[1:]:
            assert into == pytest.approx(out), "what is sent on lo is received there"
            of_kernel = kernels(counts, began, ended)
            assert 0.5 * min(of_kernel) < into < 2 * max(of_kernel)
            assert into > 1e6


async def rates_of_lo(port: int, credential: Credential) -> list[tuple[float, float, float, float]]:
    """Two rates of lo, in and out, as the agent's counters give them, and when each was begun and read."""
    names = frozenset({"lo", "Ethernet49/1"})
    switch = replace(target(port), profile=SnmpProfile.IF_MIB, kind=Kind.PORT, subject="sw", uplinks=names)
    loop = asyncio.get_running_loop()
    rates: list[tuple[float, float, float, float]] = []
    reasons: set[str] = set()
    async with watched(switch, credential) as device:
        began = loop.time()
        while len(rates) < 2:
            now, polled = loop.time(), await device.poll()
            found = {each.quantity: each.value for each in polled.readings if each.name == "sw/lo"}
            if polled.answered:
                (fault,) = polled.faults  # the table is short where interfaces come and go meanwhile: other labs' do
                assert fault.subject == "sw/Ethernet49/1"
                reasons.add(fault.reason)
            if found:
                rates.append((found[Quantity.UPLINK_IN_BYTES_S], found[Quantity.UPLINK_OUT_BYTES_S], began, now))
                began = now
            await asyncio.sleep(0.25)
    assert "missing" in reasons and reasons <= {"missing", "truncated"}
    return rates

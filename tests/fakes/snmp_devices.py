"""Whole devices for SNMP tests: the answers of an iLO and of an APC PDU, and a collector or a device that watches."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from controller.adapters.clock import SystemClock
from controller.adapters.snmp.collector import SnmpCollector
from controller.adapters.snmp.credentials import Community, Credential, User
from controller.adapters.snmp.device import Device
from controller.adapters.snmp.oids import oid
from controller.adapters.snmp.target import Target, Watts
from controller.adapters.snmp.wire import Wire
from controller.engine.ports import Clock
from controller.model.sample import Batch, Kind, Quantity
from inventory.facility import SnmpProfile
from tests.fakes.snmp_agent import FakeAgent

COMMUNITY = Community(community="the-community")
USER = User(name="gdcc", auth="the-auth-secret", priv="the-priv-secret")
WAIT_S = 0.25
"""Patience of tests with a single device: loopback answers in a millisecond."""
LONG_WAIT_S = 2.0
"""Patience with devices that answer, on a machine with other work to do."""

C, A = "1.3.6.1.4.1.232", "1.3.6.1.4.1.318.1.1.26"
AMBIENT = oid(f"{C}.6.2.6.8.1.4.0.1")
ILO: dict[tuple[int, ...], int | bytes] = {
    oid(f"{C}.6.2.6.8.1.3.0.1"): 11, AMBIENT: 21,
    **{oid(f"{C}.6.2.6.8.1.3.0.{n}"): 6 for n in range(2, 31)},
    **{oid(f"{C}.6.2.6.8.1.4.0.{n}"): 40 + n for n in range(2, 31)},
    oid(f"{C}.6.2.15.3.0"): 287, oid(f"{C}.6.2.14.4.0"): 2,
    **{oid(f"{C}.6.2.6.7.1.9.0.{n}"): 2 for n in range(1, 8)},
    oid(f"{C}.6.2.9.3.1.3.0.1"): 3, oid(f"{C}.6.2.9.3.1.4.0.1"): 2,
}  # fmt: skip
APC: dict[tuple[int, ...], int | bytes] = {
    oid(f"{A}.4.3.1.5.1"): 214,
    **{oid(f"{A}.6.3.1.{column}.{n}"): value for n, watts in ((1, 70), (2, 80), (3, 64))
       for column, value in ((2, 1), (3, n), (5, 32), (6, 230), (7, watts))},
}  # fmt: skip


def ilo(credential: Credential = USER) -> FakeAgent:
    return FakeAgent(credential, dict(ILO))


def apc(credential: Credential = COMMUNITY) -> FakeAgent:
    return FakeAgent(credential, dict(APC))


def host_target(fake: FakeAgent, host: str = "h1") -> Target:
    """The fake iLO as that host's BMC."""
    return Target(
        name=f"bmc:{host}", kind=Kind.HOST, subject=host, address=fake.address, profile=SnmpProfile.ILO,
        credential="c", watts=Watts(least=75.0, most=700.0),
    )  # fmt: skip


def pdu_target(fake: FakeAgent, pdu: str = "p1") -> Target:
    """The fake APC as that PDU."""
    one = Watts(least=0.0, most=5000.0)
    return replace(
        host_target(fake), name=f"pdu:{pdu}", kind=Kind.PDU, subject=pdu, profile=SnmpProfile.APC_PDU, phases=3,
        watts=Watts(least=0.0, most=15_000.0), phase_watts=one,
    )  # fmt: skip


@asynccontextmanager
async def watched(
    target: Target, credential: Credential, clock: Clock | None = None, *, limit: timedelta = timedelta(seconds=10),
    wait_s: float = WAIT_S,
) -> AsyncIterator[Device]:  # fmt: skip
    """A device that is polled when the test says so."""
    wire = Wire()
    try:
        yield Device(target, credential, wire, clock or SystemClock(), first_wait=wait_s, limit=limit)
    finally:
        wire.close()


@asynccontextmanager
async def collecting(
    targets: Sequence[Target], credential: Credential, *, traps: tuple[str, int] | None = None,
    interval: timedelta = timedelta(minutes=1), wait_s: float = LONG_WAIT_S,
) -> AsyncIterator[SnmpCollector]:  # fmt: skip
    """A collector that polls each target once, and then again only when it is asked to."""
    collector = SnmpCollector(
        targets, {"c": credential}, SystemClock(), interval=interval, traps=traps,
        first_wait=timedelta(seconds=wait_s),
    )  # fmt: skip
    await collector.start()
    try:
        yield collector
    finally:
        await collector.stop()


def value(batches: Sequence[Batch], quantity: Quantity, name: str) -> float | None:
    """What the batches say of one thing, None where they say nothing."""
    for batch in batches:
        if batch.quantity is quantity and name in batch.names:
            return float(batch.values[batch.names.index(name)])
    return None

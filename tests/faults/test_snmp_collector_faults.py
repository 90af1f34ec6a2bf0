"""The collector over many devices: none in another's way, engine ids seen twice, traps that only hurry a poll."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from pyasn1.codec.ber import decoder

from controller.adapters.clock import SystemClock
from controller.adapters.snmp.collector import SnmpCollector
from controller.adapters.snmp.oids import Oid
from controller.adapters.snmp.traps import Hurry
from controller.adapters.snmp.usm import UserSecurity
from controller.errors import InputError
from controller.model.sample import Batch, Quantity
from inventory.facility import SnmpProfile
from tests.fakes.free_ports import free_port
from tests.fakes.snmp_agent import V2C, FakeAgent
from tests.fakes.snmp_devices import AMBIENT, COMMUNITY, USER, apc, collecting, host_target, ilo, pdu_target, value
from tests.fakes.snmp_switch import Switch

SOON = timedelta(seconds=5)
FAN_FAILURE = (1, 3, 6, 1, 4, 1, 232, 0, 6036)


async def until(holds: Callable[[], bool]) -> None:
    """Waits, at most half a minute: a machine with other work to do owes nobody a prompt answer."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - counters tell nobody that they have changed
            await asyncio.sleep(0.01)


async def told(collector: SnmpCollector, quantity: Quantity, name: str, number: float) -> Sequence[Batch]:
    """The readings as soon as they say this of one thing."""
    async with asyncio.timeout(30):
        while True:
            batches, _ = await collector.collect(SOON)
            if value(batches, quantity, name) == number:
                return batches
            await asyncio.sleep(0.01)


async def test_a_dead_device_delays_no_other() -> None:
    async with AsyncExitStack() as stack:
        fakes = [await stack.enter_async_context(ilo(COMMUNITY).running()) for _ in range(6)]
        fakes[0].dead = True
        targets = [host_target(fake, f"h{n}") for n, fake in enumerate(fakes)]
        collector = await stack.enter_async_context(collecting(targets, COMMUNITY, wait_s=2.0))
        await until(lambda: sum(collector.stats().polls.values()) >= 5)
        assert not collector.stats().faults, "the dead one is still waited for"
        batches, faults = await collector.collect(6 * SOON)
        assert [fault.reason for fault in faults] == ["timeout"]
        assert [value(batches, Quantity.INLET_CELSIUS, f"h{n}") for n in range(6)] == [None] + [21.0] * 5
        assert [value(batches, Quantity.UP, f"bmc:h{n}") for n in range(6)] == [0.0] + [1.0] * 5
        assert collector.stats().timeouts == 1


class BadClock(SystemClock):
    """Fails the first time that it is waited for no longer."""

    failed = False

    async def sleep(self, duration: timedelta) -> None:
        try:
            await super().sleep(duration)
        except asyncio.CancelledError:
            if self.failed:
                raise
            self.failed = True
            raise RuntimeError("a bug") from None


async def test_a_watch_that_fails_while_it_is_stopped_does_not_begin_again() -> None:
    async with ilo(COMMUNITY).running() as fake:
        clock = BadClock()
        collector = SnmpCollector([host_target(fake)], {"c": COMMUNITY}, clock)
        await collector.start()
        await until(lambda: bool(collector.stats().polls))
        await collector.stop()
        assert clock.failed
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_faults_are_told_once_and_readings_again_with_their_own_time() -> None:
    fake = apc()
    async with fake.running():
        fake.values = {of: value for of, value in fake.values.items() if of[-1] != 3}
        async with collecting([pdu_target(fake)], COMMUNITY) as collector:
            first, faults = await collector.collect(SOON)
            again, no_faults = await collector.collect(SOON)
            assert [fault.reason for fault in faults] == ["truncated"]
            assert not no_faults
            assert [batch.names for batch in again] == [batch.names for batch in first]
            assert all(np.array_equal(one.at, two.at) for one, two in zip(first, again, strict=True))


async def test_a_failed_poll_leaves_the_old_readings_to_grow_old() -> None:
    fake = ilo(COMMUNITY)
    async with (
        fake.running(),
        collecting([host_target(fake)], COMMUNITY, interval=timedelta(seconds=0.1), wait_s=0.3) as collector,
    ):
        before = await told(collector, Quantity.INLET_CELSIUS, "h1", 21.0)
        fake.dead = True
        after = await told(collector, Quantity.UP, "bmc:h1", 0.0)
        old = next(batch for batch in after if batch.quantity is Quantity.INLET_CELSIUS)
        up = next(batch for batch in after if batch.quantity is Quantity.UP)
        assert old.at[0] < up.at[0]
        assert up.values[0] == 0.0
        assert value(before, Quantity.INLET_CELSIUS, "h1") == value(after, Quantity.INLET_CELSIUS, "h1") == 21.0


async def test_a_value_that_turns_implausible_is_gone() -> None:
    fake = ilo(COMMUNITY)
    async with (
        fake.running(),
        collecting([host_target(fake)], COMMUNITY, interval=timedelta(seconds=0.1), wait_s=2) as collector,
    ):
        await collector.collect(SOON)
        fake.values[AMBIENT] = 250
        await until(lambda: bool(collector.stats().faults.get((SnmpProfile.ILO, "implausible"))))
        batches, _ = await collector.collect(SOON)
        assert value(batches, Quantity.INLET_CELSIUS, "h1") is None
        assert value(batches, Quantity.POWER_WATTS, "h1") == 287.0


async def test_an_engine_id_seen_twice_costs_both_devices_their_say_and_names_both() -> None:
    one, two, third = ilo(), ilo(), ilo()
    two.engine_id = one.engine_id
    async with one.running(), two.running(), third.running():
        targets = [host_target(one, "h1"), host_target(two, "h2"), host_target(third, "h3")]
        async with collecting(targets, USER) as collector:
            batches, faults = await collector.collect(SOON)
    assert {fault.reason for fault in faults} == {"duplicate_engine"}
    assert all(f"127.0.0.1:{fake.address[1]}" in faults[0].detail for fake in (one, two))
    assert value(batches, Quantity.INLET_CELSIUS, "h1") is None
    assert value(batches, Quantity.INLET_CELSIUS, "h2") is None
    assert value(batches, Quantity.INLET_CELSIUS, "h3") == 21.0


async def test_a_credential_that_is_not_configured_is_refused_before_anything_starts() -> None:
    with pytest.raises(InputError, match="no SNMP credential is configured by the name of other"):
        SnmpCollector([replace(host_target(ilo()), credential="other")], {"c": USER}, SystemClock())


async def test_a_poll_at_once_is_limited_for_each_device() -> None:
    fake = ilo(COMMUNITY)
    async with fake.running(), collecting([host_target(fake)], COMMUNITY) as collector:
        await collector.collect(SOON)
        assert collector.poll_now("bmc:h1") is Hurry.LIMITED
        assert collector.poll_now("bmc:h9") is Hurry.UNKNOWN


async def trapped(fake: FakeAgent, datagram: bytes, source: str = "127.0.0.1") -> dict[str, int]:
    """Sends a datagram to a collector's trap port, and waits for what becomes of it."""
    port = free_port()
    collector = SnmpCollector(
        [host_target(fake)], {"c": USER if fake.credential is USER else COMMUNITY}, SystemClock(),
        traps=("127.0.0.1", port), first_wait=SOON, interval=timedelta(minutes=5),
    )  # fmt: skip
    await collector.start()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((source, 0))
            sock.sendto(datagram, ("127.0.0.1", port))
        await until(lambda: bool(collector.stats().traps))
        return {**collector.stats().traps, **collector.stats().trap_names}
    finally:
        await collector.stop()


@pytest.mark.parametrize("credential", [COMMUNITY, USER], ids=["v2c", "v3"])
async def test_a_trap_of_a_known_device_asks_for_a_poll(credential: object) -> None:
    fake = ilo(credential)  # type: ignore[arg-type]
    async with fake.running():
        counts = await trapped(fake, fake.trap(FAN_FAILURE))
    assert counts["fan_failure"] == 1
    assert counts.get("polled", 0) + counts.get("limited", 0) == 1


@pytest.mark.parametrize(
    ("enterprise", "generic", "specific", "name"),
    [
        ((1, 3, 6, 1, 4, 1, 232), 6, 6036, "fan_failure"),
        ((1, 3, 6, 1, 4, 1, 318), 6, 5, "on_battery"),
        ((1, 3, 6, 1, 4, 1, 232), 0, 0, "cold_start"),
        ((1, 3, 6, 1, 4, 1, 232), 2, 0, "link_down"),
        ((1, 3, 6, 1, 4, 1, 232), 6, 1, "other"),
    ],
)
async def test_a_v1_trap_is_the_v2_trap_that_rfc_3584_makes_of_it(
    enterprise: Oid, generic: int, specific: int, name: str
) -> None:
    fake = ilo(COMMUNITY)
    async with fake.running():
        counts = await trapped(fake, fake.v1_trap(enterprise, generic, specific))
    assert counts[name] == 1
    assert counts.get("polled", 0) + counts.get("limited", 0) == 1


async def test_an_inform_is_acknowledged_and_asks_for_a_poll() -> None:
    fake, port = ilo(COMMUNITY), free_port()
    async with fake.running(), collecting([host_target(fake)], COMMUNITY, traps=("127.0.0.1", port)) as collector:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            sock.sendto(fake.trap(FAN_FAILURE, inform=True), ("127.0.0.1", port))
            answer = await asyncio.to_thread(sock.recv, 65535)
        stats = collector.stats()
    message, _ = decoder.decode(answer, asn1Spec=V2C.Message())
    response = V2C.apiMessage.get_pdu(message)
    assert isinstance(response, V2C.ResponsePDU)
    sent, _ = decoder.decode(fake.trap(FAN_FAILURE, inform=True), asn1Spec=V2C.Message())
    asked = V2C.apiMessage.get_pdu(sent)
    assert int(response["error-status"]) == 0
    assert V2C.apiPDU.get_varbinds(response) == V2C.apiPDU.get_varbinds(asked)
    assert (stats.informs, stats.trap_names["fan_failure"]) == (1, 1)


async def test_an_inform_of_a_stranger_is_not_acknowledged() -> None:
    fake = ilo(COMMUNITY)
    async with fake.running():
        counts = await trapped(fake, fake.trap(FAN_FAILURE, inform=True), "127.0.0.7")
    assert counts == {"unknown_source": 1}


async def test_a_v3_informs_search_for_our_engine_is_told_as_unsupported() -> None:
    fake = ilo()
    async with fake.running():
        assert await trapped(fake, UserSecurity(USER, lambda: 0.0).probe() or b"") == {"unsupported": 1}


async def test_a_v1_question_is_no_trap() -> None:
    fake = ilo(COMMUNITY)
    async with fake.running():
        assert await trapped(fake, fake.v1_get()) == {"unsupported": 1}


async def test_a_switch_is_asked_a_second_time_soon_so_that_its_rates_are_known_and_others_are_not() -> None:
    fake, switch = ilo(COMMUNITY), Switch(COMMUNITY)
    async with fake.running(), switch.agent.running():
        collector = SnmpCollector(
            [host_target(fake), switch.target()], {"c": COMMUNITY}, SystemClock(), interval=timedelta(hours=1),
            first_wait=SOON, second_look=timedelta(milliseconds=10),
        )  # fmt: skip
        await collector.start()
        try:
            await until(lambda: {*collector.stats().polls} == {SnmpProfile.IF_MIB, SnmpProfile.ILO})
            await until(lambda: collector.stats().polls[SnmpProfile.IF_MIB] == 2)
            assert collector.stats().polls[SnmpProfile.ILO] == 1
        finally:
            await collector.stop()


async def test_requests_resendings_and_timeouts_are_counted() -> None:
    fake = ilo(COMMUNITY)
    fake.deaf = 1
    async with fake.running(), collecting([host_target(fake)], COMMUNITY) as collector:
        await collector.collect(SOON)
        before = collector.stats()
        assert before.resendings >= 1 and before.timeouts == 0
        assert before.requests == len(fake.requests)


async def test_a_trap_is_never_a_reading() -> None:
    fake = ilo(COMMUNITY)
    port = free_port()
    async with fake.running(), collecting([host_target(fake)], COMMUNITY, traps=("127.0.0.1", port)) as collector:
        before, _ = await collector.collect(SOON)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for _ in range(3):
                sock.sendto(fake.trap(FAN_FAILURE), ("127.0.0.1", port))
        await until(lambda: collector.stats().traps.get("limited", 0) == 3)
        after, _ = await collector.collect(SOON)
        assert sum(collector.stats().polls.values()) == 1, "polled just now: no trap hurries it again"
        assert [list(batch.values) for batch in after] == [list(batch.values) for batch in before]


@pytest.mark.parametrize(
    ("spoil", "source", "outcome"),
    [
        (lambda data: data, "127.0.0.7", "unknown_source"),
        (lambda data: data[:-1] + bytes((data[-1] ^ 1,)), "127.0.0.1", "auth"),
        (lambda data: data[:40], "127.0.0.1", "malformed"),
        (lambda data: b"noise", "127.0.0.1", "unsupported"),
    ],
    ids=["unknown", "forged", "truncated", "noise"],
)
async def test_a_trap_that_cannot_be_trusted_is_counted_and_dropped(
    spoil: Callable[[bytes], bytes], source: str, outcome: str
) -> None:
    fake = ilo()
    async with fake.running():
        counts = await trapped(fake, spoil(fake.trap(FAN_FAILURE)), source)
    assert counts == {outcome: 1}

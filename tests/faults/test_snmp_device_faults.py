"""One device over real UDP that is slow, dead, hostile, short or rebooted: marked, counted, never a number."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from controller.adapters.snmp.credentials import AuthProtocol, Community, Credential, PrivProtocol
from controller.adapters.snmp.device import Polled
from controller.adapters.snmp.failure import PollError, Reason
from controller.adapters.snmp.oids import oid
from controller.adapters.snmp.wire import MOST_BYTES, Wire
from controller.model.sample import Quantity
from tests.fakes.snmp_agent import FakeAgent
from tests.fakes.snmp_devices import AMBIENT, COMMUNITY, USER, WAIT_S, apc, host_target, ilo, pdu_target, watched

BOTH = pytest.mark.parametrize("credential", [COMMUNITY, USER], ids=["v2c", "v3"])


def reading(polled: Polled, quantity: Quantity, name: str = "h1") -> float | None:
    return next((each.value for each in polled.readings if (each.quantity, each.name) == (quantity, name)), None)


def reasons(polled: Polled) -> list[str]:
    return [fault.reason for fault in polled.faults]


async def polled(fake: FakeAgent, credential: Credential, change: Callable[[FakeAgent], None]) -> Polled:
    """One poll of an iLO after something has befallen it."""
    change(fake)
    async with fake.running(), watched(host_target(fake), credential) as device:
        return await device.poll()


@pytest.mark.parametrize(
    "credential",
    [
        COMMUNITY,
        USER,
        replace(USER, auth_protocol=AuthProtocol.SHA1),
        replace(USER, auth_protocol=AuthProtocol.SHA512, priv_protocol=PrivProtocol.AES256),
        replace(USER, auth_protocol=AuthProtocol.SHA1, priv_protocol=PrivProtocol.AES256),
    ],
    ids=["v2c", "sha256-aes128", "sha1-aes128", "sha512-aes256", "sha1-aes256"],
)
async def test_a_device_is_read_with_its_own_credential(credential: Credential) -> None:
    answer = await polled(ilo(credential), credential, lambda fake: None)
    assert not answer.faults
    assert reading(answer, Quantity.INLET_CELSIUS) == 21.0
    assert reading(answer, Quantity.POWER_WATTS) == 287.0
    assert reading(answer, Quantity.UP, "bmc:h1") == 1.0


@pytest.mark.parametrize(
    "wrong",
    [replace(USER, name="nobody"), replace(USER, auth="another-secret"), replace(USER, priv="another-secret")],
    ids=["unknown user", "wrong digest", "wrong privacy"],
)
async def test_wrong_credentials_are_an_auth_fault(wrong: Credential) -> None:
    answer = await polled(ilo(), wrong, lambda fake: None)
    assert reasons(answer) == ["auth"]
    assert [each.quantity for each in answer.readings] == [Quantity.UP]
    assert reading(answer, Quantity.UP, "bmc:h1") == 0.0
    assert "secret" not in answer.faults[0].detail


async def test_a_device_that_drops_what_it_cannot_decrypt_is_an_auth_fault() -> None:
    def dropped(data: bytes) -> list[bytes]:
        return [] if USER.name.encode() in data else [data]

    answer = await polled(ilo(), USER, lambda fake: setattr(fake, "mangle", dropped))
    assert reasons(answer) == ["auth"]
    assert "privacy passphrase" in answer.faults[0].detail


async def test_a_wrong_community_is_silence() -> None:
    answer = await polled(ilo(COMMUNITY), Community(community="wrong"), lambda fake: None)
    assert reasons(answer) == ["timeout"]


@BOTH
async def test_a_lost_request_is_sent_again(credential: Credential) -> None:
    fake = ilo(credential)
    answer = await polled(fake, credential, lambda fake: setattr(fake, "deaf", 1))
    assert reading(answer, Quantity.INLET_CELSIUS) == 21.0


async def test_a_slow_answer_to_the_first_sending_counts_after_the_second() -> None:
    fake = apc()
    fake.delay_s = WAIT_S * 1.3
    async with fake.running(), watched(pdu_target(fake), COMMUNITY) as device:
        answer = await device.poll()
    assert reading(answer, Quantity.POWER_WATTS, "p1") == 2140.0


@pytest.mark.parametrize(("credential", "rows"), [(COMMUNITY, 1), (COMMUNITY, 5), (USER, 5)])
async def test_a_table_answered_short_is_read_to_its_end(credential: Credential, rows: int) -> None:
    fake = ilo(credential)
    full = await polled(ilo(credential), credential, lambda fake: None)
    short = await polled(fake, credential, lambda fake: setattr(fake, "rows_a_bulk", rows))
    assert short.readings == full.readings


async def test_an_agent_with_small_messages_is_asked_for_less_at_a_time() -> None:
    answer = await polled(ilo(COMMUNITY), COMMUNITY, lambda fake: setattr(fake, "most_bindings", 4))
    assert reading(answer, Quantity.INLET_CELSIUS) == 21.0
    assert not answer.faults


async def test_an_agent_that_cannot_answer_one_row_is_told_as_truncated() -> None:
    answer = await polled(ilo(COMMUNITY), COMMUNITY, lambda fake: setattr(fake, "most_bindings", 1))
    assert reasons(answer) == ["truncated"]


async def test_an_object_that_the_agent_fails_on_does_not_cost_the_others() -> None:
    answer = await polled(
        ilo(COMMUNITY), COMMUNITY, lambda fake: fake.broken.add(oid("1.3.6.1.4.1.232.6.2.15.3.0"))
    )  # fmt: skip
    assert reading(answer, Quantity.INLET_CELSIUS) == 21.0
    assert reading(answer, Quantity.POWER_WATTS) is None


async def test_a_table_that_goes_in_circles_is_malformed() -> None:
    answer = await polled(ilo(COMMUNITY), COMMUNITY, lambda fake: setattr(fake, "circling", True))
    assert reasons(answer) == ["malformed"]
    assert "circles" in answer.faults[0].detail


@BOTH
async def test_a_device_whose_answers_are_cut_short_is_malformed(credential: Credential) -> None:
    answer = await polled(
        ilo(credential), credential, lambda fake: setattr(fake, "mangle", lambda data: [data[: len(data) // 2]])
    )
    assert reasons(answer) == ["malformed"]
    assert reading(answer, Quantity.INLET_CELSIUS) is None


class Flood(asyncio.DatagramProtocol):
    """A device that answers each question by datagrams of these sizes."""

    def __init__(self, *sizes: int) -> None:
        self.sizes = sizes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for size in self.sizes:
            self.transport.sendto(bytes(size), addr)


@pytest.mark.parametrize("sizes", [(60_000,) * 20, (1_400,) * 500])
async def test_what_floods_an_answer_is_looked_at_no_longer_than_others_can_wait(sizes: tuple[int, ...]) -> None:
    loop, wire, looked_at = asyncio.get_running_loop(), Wire(), list[int]()
    transport, _ = await loop.create_datagram_endpoint(lambda: Flood(*sizes), local_addr=("127.0.0.1", 0))
    with pytest.raises(PollError, match="more than") as failed:
        await wire.ask(transport.get_extra_info("sockname"), b"?", lambda data: looked_at.append(len(data)), (0.3,))
    wire.close()
    transport.close()
    assert failed.value.reason is Reason.MALFORMED
    assert sum(looked_at) <= MOST_BYTES


@BOTH
async def test_garbage_before_the_devices_own_answer_does_no_harm(credential: Credential) -> None:
    noise = bytes(range(200))
    answer = await polled(ilo(credential), credential, lambda fake: setattr(fake, "mangle", lambda data: [noise, data]))
    assert reading(answer, Quantity.INLET_CELSIUS) == 21.0
    assert not answer.faults


@pytest.mark.parametrize("place", [-1, -20])
async def test_an_answer_changed_on_its_way_is_not_believed(place: int) -> None:
    def flipped(data: bytes) -> list[bytes]:
        changed = bytearray(data)
        if data.find(USER.name.encode()) > 0:
            changed[place] ^= 1
        return [bytes(changed)]

    answer = await polled(ilo(), USER, lambda fake: setattr(fake, "mangle", flipped))
    assert reasons(answer) == ["auth"]
    assert reading(answer, Quantity.INLET_CELSIUS) is None


async def test_an_answer_in_clear_to_an_encrypted_question_is_not_believed() -> None:
    answer = await polled(ilo(), USER, lambda fake: setattr(fake, "in_clear", True))
    assert reasons(answer) == ["malformed"]
    assert reading(answer, Quantity.INLET_CELSIUS) is None


async def test_answers_to_older_questions_are_passed_over() -> None:
    fake, last = ilo(COMMUNITY), [b""]

    def late(data: bytes) -> list[bytes]:
        before, last[0] = last[0], data
        return [before, data] if before else [data]

    answer = await polled(fake, COMMUNITY, lambda fake: setattr(fake, "mangle", late))
    assert reading(answer, Quantity.INLET_CELSIUS) == 21.0
    assert not answer.faults


async def test_an_answer_from_another_address_is_not_heard() -> None:
    fake, forger = ilo(COMMUNITY), ilo(COMMUNITY)
    async with fake.running(), forger.running(host="127.0.0.2"), watched(host_target(fake), COMMUNITY) as device:
        forger.values[AMBIENT] = 35
        asked = fake.datagram_received
        fake.datagram_received = forger.datagram_received  # type: ignore[method-assign]
        answer = await device.poll()
        fake.datagram_received = asked  # type: ignore[method-assign]
    assert reasons(answer) == ["timeout"]
    assert reading(answer, Quantity.INLET_CELSIUS) is None


async def test_a_sensor_saying_minus_99_costs_only_itself() -> None:
    answer = await polled(ilo(), USER, lambda fake: fake.values.update({AMBIENT: -99}))
    assert reasons(answer) == ["implausible"]
    assert reading(answer, Quantity.INLET_CELSIUS) is None
    assert reading(answer, Quantity.POWER_WATTS) == 287.0


async def test_a_device_of_another_make_is_told() -> None:
    fake = FakeAgent(COMMUNITY, {})
    async with fake.running(), watched(pdu_target(fake), COMMUNITY) as device:
        answer = await device.poll()
    assert not [each for each in answer.readings if each.quantity is not Quantity.UP]
    assert reasons(answer) == ["truncated"]


async def test_a_reboot_is_a_resync_and_not_a_failure() -> None:
    fake = ilo()
    async with fake.running(), watched(host_target(fake), USER) as device:
        await device.poll()
        fake.reboot()
        fake.values[AMBIENT] = 24
        fake.requests.clear()
        answer = await device.poll()
        assert reading(answer, Quantity.INLET_CELSIUS) == 24.0
        assert not answer.faults
        assert device.resyncs == 1
        assert device.restarts == 1
        assert "bulk" in fake.requests, "tables are walked again after a reboot"


async def test_a_controller_that_lost_its_boot_count_is_met_anew() -> None:
    fake = ilo()
    fake.boots = 40
    async with fake.running(), watched(host_target(fake), USER) as device:
        await device.poll()
        fake.boots, fake.time = 1, 5
        answer = await device.poll()
        assert reading(answer, Quantity.INLET_CELSIUS) == 21.0


async def test_a_replaced_controller_with_another_engine_id_is_met_anew() -> None:
    fake = ilo()
    async with fake.running(), watched(host_target(fake), USER) as device:
        first = await device.poll()
        fake.engine_id = bytes.fromhex("8000000001aabbccdd")
        answer = await device.poll()
        assert reading(answer, Quantity.INLET_CELSIUS) == 21.0
        assert answer.engine_id == fake.engine_id != first.engine_id


async def test_between_walks_a_device_is_asked_for_its_rows_by_name() -> None:
    fake = apc()
    async with fake.running(), watched(pdu_target(fake), COMMUNITY) as device:
        first = await device.poll()
        fake.requests.clear()
        second = await device.poll()
        assert fake.requests == ["get"]
        assert second.readings == first.readings


async def test_a_row_that_is_gone_has_its_table_walked_again() -> None:
    fake = apc()
    async with fake.running(), watched(pdu_target(fake), COMMUNITY) as device:
        await device.poll()
        fake.values = {of: value for of, value in fake.values.items() if of[-1] != 3}
        answer = await device.poll()
        assert reading(answer, Quantity.POWER_WATTS, "p1/3") is None
        assert reading(answer, Quantity.POWER_WATTS, "p1/2") == 800.0
        assert reasons(answer) == ["truncated"]


async def test_a_dead_device_is_given_up_and_asked_less_often() -> None:
    fake = apc()
    limit = timedelta(seconds=0.4)
    async with fake.running(), watched(pdu_target(fake), COMMUNITY, limit=limit) as device:
        fake.dead = True
        skips = []
        for _ in range(5):
            assert reasons(await device.poll()) == ["timeout"]
            skips.append(device.skip)
        assert skips == [1, 1, 2, 4, 4]
        fake.dead = False
        answer = await device.poll()
        assert reading(answer, Quantity.POWER_WATTS, "p1") == 2140.0
        assert device.skip == 1


async def test_a_poll_has_an_end_even_if_every_answer_comes_late() -> None:
    fake = ilo(COMMUNITY)
    fake.delay_s, fake.rows_a_bulk = WAIT_S / 2, 1
    limit = timedelta(seconds=0.6)
    async with fake.running(), watched(host_target(fake), COMMUNITY, limit=limit) as device:
        answer = await device.poll()
    assert reasons(answer) == ["timeout"]
    assert "not read through" in answer.faults[0].detail


async def test_two_questions_to_one_device_are_asked_one_after_the_other() -> None:
    fake = ilo(COMMUNITY)
    async with fake.running(), watched(host_target(fake), COMMUNITY) as device:
        answers = await asyncio.gather(device.poll(), device.poll())
        assert [reading(answer, Quantity.INLET_CELSIUS) for answer in answers] == [21.0, 21.0]

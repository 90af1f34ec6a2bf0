"""Storms and floods at the trap port: little of them is decoded, and who has something to say is still polled."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import Mock

import pytest

from controller.adapters.snmp import allowance, pdu, v3
from controller.adapters.snmp.credentials import Credential
from controller.adapters.snmp.own_engine import OwnEngine
from controller.adapters.snmp.stats import Tally
from controller.adapters.snmp.traps import Hurry, TrapListener
from controller.adapters.snmp.usm import UserSecurity
from controller.errors import InputError
from tests.fakes.snmp_agent import V2C
from tests.fakes.snmp_devices import COMMUNITY, USER, host_target, ilo

FAN_FAILURE = (1, 3, 6, 1, 4, 1, 232, 0, 6036)
ENGINE = OwnEngine(id=bytes.fromhex("80001f888000112233445566"), boots=7, began=0.0, monotonic=lambda: 1000.0)
PROBE = UserSecurity(USER, lambda: 0.0).probe() or b""


class Port:
    """A trap port without a socket, and a clock that stands still. A device is polled once and then not so soon."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, credential: Credential, devices: int = 2) -> None:
        self.now = 5000.0
        monkeypatch.setattr(asyncio, "get_running_loop", lambda: Mock(time=lambda: self.now))
        self.decoded = Mock(side_effect=v3.decoded)
        monkeypatch.setattr(v3, "decoded", self.decoded)
        self.tally, self.polled, self.transport = Tally(), list[str](), Mock()
        found = [replace(host_target(ilo(credential), f"h{n}"), address=(f"10.0.0.{n}", 161)) for n in range(devices)]
        self._listener = TrapListener(
            ("127.0.0.1", 0), found, {"c": credential}, self._poll_now, self.tally, engine=ENGINE
        )  # fmt: skip
        self._listener.connection_made(self.transport)

    def _poll_now(self, name: str) -> Hurry:
        if name in self.polled:
            return Hurry.LIMITED
        self.polled.append(name)
        return Hurry.POLLED

    def hears(self, datagram: bytes, device: int = 0, times: int = 1, before: str = "") -> None:
        for _ in range(times):
            self._listener.datagram_received(datagram, (f"{before}10.0.0.{device}", 4000))

    @property
    def answers(self) -> int:
        return int(self.transport.sendto.call_count)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[Port]:
    with monkeypatch.context() as patched:
        yield Port(patched, USER)


@pytest.fixture
def port_v2c(monkeypatch: pytest.MonkeyPatch) -> Iterator[Port]:
    with monkeypatch.context() as patched:
        yield Port(patched, COMMUNITY)


def question(size: int) -> bytes:
    """A search for our engine that is padded to about that many bytes."""
    asked = v3.scoped(b"", pdu.get(1, [(1, 3, 6, 1)] * (size // 9)))
    return v3.encoded(
        v3.Message(id=7, flags=4, engine_id=b"", boots=0, time=0, user=b"", digest=b"", salt=b"", scoped=asked)
    )


def test_a_port_of_both_families_knows_the_senders_of_the_older_one(port: Port) -> None:
    port.hears(PROBE, before="::ffff:")
    assert (port.tally.traps, port.answers) == ({"reported": 1}, 1)


@pytest.mark.parametrize("address", [64 * "a", "a\0b", "no such host"])
def test_an_address_that_no_port_can_be_opened_on_is_bad_input(address: str) -> None:
    listener = TrapListener((address, 162), [], {}, lambda _: Hurry.UNKNOWN, Tally())
    with pytest.raises(InputError, match="cannot listen for traps: "):
        asyncio.run(listener.start())


def test_a_datagram_larger_than_any_trap_is_not_decoded(port: Port) -> None:
    port.hears(question(63_000))
    port.hears(bytes(allowance.LARGEST + 1))
    assert (port.tally.traps, port.decoded.call_count, port.answers) == ({"too_big": 2}, 0, 0)


def test_a_long_one_that_is_not_too_long_is_decoded(port: Port) -> None:
    port.hears(question(7_000))
    assert (port.tally.traps, port.answers) == ({"reported": 1}, 1)


def test_what_polls_nothing_is_charged_too(port: Port) -> None:
    port.hears(PROBE, times=500)
    answered = int(allowance.EACH_AT_ONCE)
    assert (port.answers, port.decoded.call_count) == (answered, answered)
    assert port.tally.traps == {"reported": answered, "too_many": 500 - answered}
    port.now += 1
    port.hears(PROBE, times=500)
    assert port.answers == answered + allowance.EACH_A_SECOND


def test_one_devices_flood_leaves_the_others_their_say(port: Port) -> None:
    port.hears(PROBE, times=1000)
    port.hears(ilo(USER).trap(FAN_FAILURE), device=1)
    assert port.polled == ["bmc:h1"]


def test_a_storm_of_traps_still_leads_to_a_poll_now_and_later(port: Port) -> None:
    trap = ilo(USER).trap(FAN_FAILURE)
    port.hears(trap, times=1000)
    assert port.polled == ["bmc:h0"]
    assert port.tally.traps["limited"] == allowance.EACH_AT_ONCE - 1
    port.polled.clear()
    port.now += 5
    port.hears(trap, times=1000)
    assert port.polled == ["bmc:h0"]


def test_many_devices_that_call_at_once_are_all_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    port = Port(monkeypatch, USER, devices=40)
    trap = ilo(USER).trap(FAN_FAILURE)
    for device in range(40):
        port.hears(trap, device, times=5)
    assert len(port.polled) == 40


def test_informs_past_the_allowance_are_not_acknowledged_so_that_they_come_again(port_v2c: Port) -> None:
    inform = ilo(COMMUNITY).trap(FAN_FAILURE, inform=True)
    port_v2c.hears(inform, times=100)
    assert port_v2c.answers == port_v2c.tally.informs == allowance.EACH_AT_ONCE
    assert port_v2c.polled == ["bmc:h0"]


def test_a_long_inform_is_paid_for_by_its_length(port_v2c: Port) -> None:
    asked = V2C.InformRequestPDU()
    V2C.apiPDU.set_defaults(asked)
    V2C.apiPDU.set_varbinds(asked, [((1, 3, 6, 1), V2C.null)] * 800)
    long = pdu.v2c_message("public", asked)
    assert len(long) < allowance.LARGEST
    port_v2c.hears(long, times=10)
    assert (port_v2c.answers, port_v2c.tally.traps["too_many"]) == (1, 9)

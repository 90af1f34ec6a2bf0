"""A switch over real UDP: what passed its uplinks each way, and what of it is marked, counted and never a number."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from controller.adapters.snmp.credentials import Credential
from controller.adapters.snmp.device import Device, Polled
from controller.model.sample import Quantity
from tests.fakes.snmp_devices import COMMUNITY, USER, watched
from tests.fakes.snmp_switch import UPLINKS, Switch

IN, OUT = Quantity.UPLINK_IN_BYTES_S, Quantity.UPLINK_OUT_BYTES_S
ONE, TWO = "Ethernet49/1", "Ethernet50/1"
BUSY = {ONE: (30_000_000, 60_000_000), TWO: (3_000, 6_000), "Ethernet1": (10**9, 10**9)}
BOTH = {(IN, f"sw/{ONE}"): 1e6, (OUT, f"sw/{ONE}"): 2e6, (IN, f"sw/{TWO}"): 100.0, (OUT, f"sw/{TWO}"): 200.0}
SECOND = {key: value for key, value in BOTH.items() if TWO in key[1]}


def rates(polled: Polled) -> dict[tuple[Quantity, str], float]:
    return {(each.quantity, each.name): each.value for each in polled.readings if each.quantity is not Quantity.UP}


def reasons(polled: Polled) -> list[tuple[str, str]]:
    return [(fault.subject, fault.reason) for fault in polled.faults]


@asynccontextmanager
async def polling(switch: Switch, uplinks: frozenset[str] = UPLINKS) -> AsyncIterator[Device]:
    """The switch under watch."""
    async with switch.agent.running(), watched(switch.target(uplinks), switch.agent.credential) as device:
        yield device


@pytest.mark.parametrize("credential", [COMMUNITY, USER], ids=["v2c", "v3"])
async def test_what_passed_each_uplink_a_second_is_read_and_nothing_of_other_ports(credential: Credential) -> None:
    switch = Switch(credential)
    async with polling(switch) as device:
        first = await device.poll()
        assert rates(first) == {} and not first.faults, "the first look is no rate"
        switch.carry(30, BUSY)
        second = await device.poll()
        assert rates(second) == BOTH and not second.faults


async def test_names_are_looked_for_once_and_then_the_uplinks_alone_are_asked() -> None:
    switch = Switch(COMMUNITY)
    async with polling(switch) as device:
        await device.poll()
        assert switch.agent.requests == ["get", "bulk", "bulk", "get"]
        switch.agent.requests.clear()
        switch.carry(30, BUSY)
        assert rates(await device.poll()) == BOTH
        assert switch.agent.requests == ["get", "get"]


def reboot(switch: Switch) -> None:
    switch.agent.reboot()
    for port in switch.ports.values():
        port.received = port.sent = 2**40


def discontinuity(switch: Switch) -> None:
    for port in switch.ports.values():
        port.told = switch.agent.uptime


def unannounced(switch: Switch) -> None:
    for port in switch.ports.values():
        port.received = port.sent = 2**40


@pytest.mark.parametrize("begin_anew", [reboot, discontinuity, unannounced])
async def test_counters_that_began_anew_are_told_and_count_from_there(begin_anew: Callable[[Switch], None]) -> None:
    switch = Switch(COMMUNITY)
    async with polling(switch) as device:
        await device.poll()
        begin_anew(switch)
        switch.carry(30, BUSY)
        polled = await device.poll()
        assert rates(polled) == {}
        assert reasons(polled) == [(f"sw/{ONE}", "counter_reset"), (f"sw/{TWO}", "counter_reset")]
        switch.carry(30, BUSY)
        again = await device.poll()
        assert rates(again) == BOTH and not again.faults


async def test_a_restart_that_only_the_boots_tell_is_no_less_one_after_another_that_only_the_clock_told() -> None:
    switch = Switch(USER)
    async with polling(switch) as device:
        await device.poll()
        switch.agent.uptime = 300
        switch.carry(30, BUSY)
        assert rates(await device.poll()) == {}
        switch.carry(30, BUSY)
        assert rates(await device.poll()) == BOTH
        running = switch.agent.uptime
        switch.agent.reboot()
        switch.agent.uptime = running
        switch.carry(30, BUSY)
        polled = await device.poll()
        assert rates(polled) == {}
        assert reasons(polled) == [(f"sw/{ONE}", "counter_reset"), (f"sw/{TWO}", "counter_reset")]


def down(switch: Switch) -> None:
    switch.named(ONE).up = 2


def gone(switch: Switch) -> None:
    del switch.ports[149]
    switch.interfaces -= 1


def unanswered(switch: Switch) -> None:
    """Its row is not among those that the agent answers, which says that it has more."""
    del switch.ports[149]


def renamed(switch: Switch) -> None:
    switch.named(ONE).name = "Ethernet49"


def twice(switch: Switch) -> None:
    switch.ports[148].name = ONE


def narrow(switch: Switch) -> None:
    switch.named(ONE).wide = False


def too_fast(switch: Switch) -> None:
    switch.named(ONE).mbit_s = 10
    switch.named(ONE).sent += 10**12


@pytest.mark.parametrize(
    ("ails", "reason"),
    [
        (gone, "missing"), (unanswered, "truncated"), (renamed, "missing"), (twice, "duplicate"),
        (narrow, "missing"),
    ],
)  # fmt: skip
async def test_an_uplink_that_cannot_be_counted_is_told_and_costs_only_itself(
    ails: Callable[[Switch], None], reason: str
) -> None:
    switch = Switch(COMMUNITY)
    ails(switch)
    switch.show()
    async with polling(switch) as device:
        assert reasons(await device.poll()) == [(f"sw/{ONE}", reason)]
        switch.carry(30, BUSY)
        polled = await device.poll()
        assert reasons(polled) == [(f"sw/{ONE}", reason)]
        assert rates(polled) == SECOND


async def test_more_octets_than_the_port_carries_are_implausible() -> None:
    switch = Switch(COMMUNITY)
    async with polling(switch) as device:
        await device.poll()
        too_fast(switch)
        switch.named(ONE).mbit_s = 10_000
        switch.carry(30, BUSY)
        polled = await device.poll()
        assert reasons(polled) == [(f"sw/{ONE}", "implausible")]
        assert rates(polled) == SECOND


async def test_a_port_that_is_down_is_told_and_passes_what_its_counters_say() -> None:
    switch = Switch(COMMUNITY)
    async with polling(switch) as device:
        await device.poll()
        switch.carry(30, BUSY)
        assert rates(await device.poll()) == BOTH
        down(switch)
        switch.carry(30, {TWO: BUSY[TWO]})
        polled = await device.poll()
        assert reasons(polled) == [(f"sw/{ONE}", "down")]
        assert rates(polled) == {key: 0.0 if ONE in key[1] else value for key, value in BOTH.items()}
        switch.named(ONE).up = 1
        switch.carry(30, BUSY)
        polled = await device.poll()
        assert rates(polled) == BOTH and not polled.faults


async def test_a_row_that_became_another_ports_is_not_read_as_the_uplink() -> None:
    switch = Switch(COMMUNITY)
    async with polling(switch) as device:
        await device.poll()
        switch.ports[149], switch.ports[120] = switch.ports[120], switch.ports[149]
        switch.carry(30, BUSY)
        polled = await device.poll()
        assert rates(polled) == SECOND, "its name was looked for again, and counters of two rows are not compared"
        assert reasons(polled) == [(f"sw/{ONE}", "counter_reset")]
        switch.carry(30, BUSY)
        polled = await device.poll()
        assert rates(polled) == BOTH and not polled.faults


async def test_a_row_of_another_number_is_found_again_at_once() -> None:
    switch = Switch(COMMUNITY)
    async with polling(switch) as device:
        await device.poll()
        switch.ports[249] = switch.ports.pop(149)
        switch.carry(30, BUSY)
        polled = await device.poll()
        assert rates(polled) == SECOND
        assert reasons(polled) == [(f"sw/{ONE}", "counter_reset")]
        switch.carry(30, BUSY)
        assert rates(await device.poll()) == BOTH


async def test_many_uplinks_are_read_by_as_many_messages_as_they_need_each_with_its_own_time() -> None:
    switch = Switch(COMMUNITY)
    uplinks = frozenset(f"Ethernet{n}" for n in range(1, 9))
    octets = dict.fromkeys(uplinks, (1_000_000, 2_000_000))
    async with polling(switch, uplinks) as device:
        await device.poll()
        switch.agent.requests.clear()
        switch.carry(20, octets)
        polled = await device.poll()
        assert rates(polled) == {(way, f"sw/{n}"): 5e4 * (1 + (way is OUT)) for n in uplinks for way in (IN, OUT)}
        assert switch.agent.requests == ["get"] * 4


async def test_an_agent_with_small_messages_tells_a_port_at_a_time_and_one_that_cannot_is_truncated() -> None:
    switch = Switch(COMMUNITY)
    async with polling(switch) as device:
        switch.agent.most_bindings = 8
        await device.poll()
        switch.carry(30, BUSY)
        assert rates(await device.poll()) == BOTH
        switch.agent.most_bindings = 4
        polled = await device.poll()
        assert not polled.answered and [fault.reason for fault in polled.faults] == ["truncated"]


async def test_a_switch_that_is_silent_costs_its_readings_and_begins_anew_after_too_long() -> None:
    switch = Switch(COMMUNITY)
    async with polling(switch) as device:
        await device.poll()
        switch.agent.dead = True
        silent = await device.poll()
        assert not silent.answered and rates(silent) == {}
        switch.agent.dead = False
        switch.carry(3600, BUSY)
        polled = await device.poll()
        assert polled.answered and rates(polled) == {} and not polled.faults
        switch.carry(30, BUSY)
        assert rates(await device.poll()) == BOTH


async def test_a_poll_hurried_by_a_trap_does_not_measure_over_a_moment() -> None:
    switch = Switch(COMMUNITY)
    async with polling(switch) as device:
        await device.poll()
        switch.carry(2, {ONE: (20_000_000, 0)})
        hurried = await device.poll()
        assert rates(hurried) == {} and hurried.unchanged == {f"sw/{ONE}", f"sw/{TWO}"}
        switch.carry(28, {ONE: (10_000_000, 60_000_000), TWO: BUSY[TWO]})
        assert rates(await device.poll()) == BOTH

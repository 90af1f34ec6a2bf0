"""The small parts of the collector: tables by name, uptime's wrap, learned patience, turns, engine ids, targets."""

from dataclasses import replace

import pytest

from controller.adapters.snmp.answers import Dated
from controller.adapters.snmp.collector import next_turn
from controller.adapters.snmp.credentials import User
from controller.adapters.snmp.engines import Engines
from controller.adapters.snmp.failure import PollError
from controller.adapters.snmp.oids import SYS_UPTIME, Oid
from controller.adapters.snmp.pace import LONGEST_WAIT, ResponseTime
from controller.adapters.snmp.pdu import Value
from controller.adapters.snmp.plan import ReadingPlan, Table
from controller.adapters.snmp.reader import POLLS_A_WALK, Reader
from controller.adapters.snmp.target import Target, Watts, targets
from controller.errors import InputError
from controller.model.sample import Kind
from inventory.facility import SnmpProfile
from tests.fakes.small_estate import small_estate

COLUMN: Oid = (1, 3, 9, 1)
NAMES: Oid = (1, 3, 9, 2)
PLAN = ReadingPlan(tables=(Table(live=(COLUMN,), fixed=(NAMES,)),), decode=lambda answers, findings: None)
TARGET = Target(
    name="pdu:p", kind=Kind.PDU, subject="p", address=("127.0.0.1", 161), profile=SnmpProfile.APC_PDU, credential="c"
)


class TableOfOne:
    """A device with one row and an uptime."""

    def __init__(self) -> None:
        self.values: dict[Oid, Value] = {SYS_UPTIME: 5000, (*COLUMN, 1): 7, (*NAMES, 1): b"one"}
        self.walks = 0

    async def get(self, oids: tuple[Oid, ...]) -> dict[Oid, Value | None]:
        return {of: self.values.get(of) for of in oids}

    async def get_together(self, groups: tuple[tuple[Oid, ...], ...]) -> tuple[Dated, ...]:
        raise AssertionError("nothing of this plan belongs together")

    async def walk(self, columns: tuple[Oid, ...], rows: int) -> dict[Oid, Value]:
        self.walks += 1
        return {of: value for of, value in self.values.items() if of[:4] in columns}


async def test_a_table_is_walked_once_and_then_read_by_name_until_its_turn_comes_again() -> None:
    device = TableOfOne()
    reader = Reader(device, PLAN, TARGET)
    for _ in range(POLLS_A_WALK + 1):
        answers = await reader.read()
        assert answers.values == device.values
    assert device.walks == 1
    device.values |= {(*COLUMN, 2): 8, (*NAMES, 2): b"two"}
    assert (await reader.read()).values == device.values
    assert device.walks == 2


async def test_an_uptime_that_falls_back_is_a_restart() -> None:
    device = TableOfOne()
    reader = Reader(device, PLAN, TARGET)
    await reader.read()
    device.values[SYS_UPTIME] = 10
    await reader.read()
    assert reader.restarts == 1
    assert device.walks == 2


async def test_an_uptime_that_wraps_after_497_days_is_no_restart() -> None:
    device = TableOfOne()
    reader = Reader(device, PLAN, TARGET)
    device.values[SYS_UPTIME] = 2**32 - 1500
    await reader.read()
    device.values[SYS_UPTIME] = 1500
    await reader.read()
    assert reader.restarts == 0
    assert device.walks == 1


async def test_a_device_that_has_nothing_of_its_profile_is_told() -> None:
    device = TableOfOne()
    device.values = {}
    with pytest.raises(PollError, match="none of its profile's objects"):
        await Reader(device, PLAN, TARGET).read()


def test_patience_follows_the_devices_own_answers() -> None:
    quick, slow = ResponseTime(), ResponseTime()
    for _ in range(20):
        quick.answered(0.01, sendings=1)
        slow.answered(3.0, sendings=1)
    assert quick.waits()[0] == 0.5
    assert 3.0 < slow.waits()[0] < 4.0
    assert slow.waits(dead=True) == (slow.waits()[0],)


def test_patience_grows_with_silence_to_its_bound_and_shrinks_with_an_answer() -> None:
    time = ResponseTime()
    time.answered(0.4, sendings=1)
    first = time.waits()[0]
    for _ in range(8):
        time.lost()
    assert time.waits()[0] == min(8 * first, LONGEST_WAIT)
    time.answered(0.4, sendings=1)
    assert time.waits()[0] < 2 * first


@pytest.mark.parametrize(
    ("now", "skip", "turn"), [(100.0, 1, 117.0), (110.0, 1, 147.0), (116.9, 1, 147.0), (100.0, 2, 147.0)]
)
def test_a_device_keeps_its_place_in_the_interval(now: float, skip: int, turn: float) -> None:
    assert next_turn(now, phase=27.0, interval=30.0, skip=skip) == turn


def test_an_engine_id_is_free_again_when_its_holder_has_long_been_silent() -> None:
    engines = Engines(forget_after_s=120.0)
    assert engines.claim(b"id", "a", 0.0) == ()
    assert engines.claim(b"id", "b", 30.0) == ("a",)
    assert engines.claim(b"id", "a", 60.0) == ("b",)
    assert engines.claim(b"other", "a", 90.0) == ()
    assert engines.claim(b"id", "b", 91.0) == ()
    assert engines.claim(b"other", "c", 300.0) == ()


def test_every_bmc_pdu_ups_and_switch_of_the_estate_is_a_target() -> None:
    estate = small_estate(snmp_port=1161)
    found = {target.name: target for target in targets(estate)}
    assert len(found) == 8 + 8 + 4 + 8
    bmc, pdu, ups = found["bmc:h1"], found["pdu:pdu-r1-A"], found["ups:ups-NA"]
    assert (bmc.kind, bmc.subject, bmc.address) == (Kind.HOST, "h1", ("127.20.1.11", 1161))
    assert bmc.watts == Watts(least=75.0, most=715.0)
    assert (pdu.kind, pdu.subject, pdu.phases, pdu.profile) == (Kind.PDU, "pdu-r1-A", 3, SnmpProfile.APC_PDU)
    assert pdu.watts.most == pytest.approx(3 * pdu.phase_watts.most)
    assert (ups.kind, ups.subject) == (Kind.FEED, "NA")
    switch = found["switch:sw-r2-B"]
    assert (switch.kind, switch.subject, switch.address) == (Kind.PORT, "sw-r2-B", ("127.20.2.211", 1161))
    assert switch.uplinks == {"Ethernet49", "Ethernet50"}


def test_a_switch_that_nothing_reads_is_no_target() -> None:
    estate = small_estate()
    switch = replace(estate.devices["sw-r2-B"], profile=None, credential=None, uplinks=frozenset())
    found = targets(replace(estate, devices={**estate.devices, "sw-r2-B": switch}))
    assert not [target for target in found if target.subject == "sw-r2-B"]


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(InputError, match="shorter than 8 characters"):
        User(name="gdcc", auth="short", priv="long-enough")

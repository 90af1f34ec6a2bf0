"""The twin's agents, asked by pysnmp: values in their devices' units, by v2c and v3, and every way of not answering."""

import asyncio
import socket
from typing import Any

import pytest
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    bulk_walk_cmd,
    get_cmd,
    usmAesCfb128Protocol,
    usmHMAC192SHA256AuthProtocol,
)

from controller.errors import InputError
from controller.model.sample import Health
from controller.twin import credentials, datacentre
from controller.twin.ailments import Part, Sensor
from controller.twin.datacentre import DataCentre
from controller.twin.scenario import Scenario
from controller.twin.snmp import ber, pdus, views
from controller.twin.snmp.devices import Device
from controller.twin.snmp.table import Table
from tests.fakes.small_estate import small_estate

DELL = "1.3.6.1.4.1.674.10892.5"
HPE = "1.3.6.1.4.1.232"
LENOVO = "1.3.6.1.4.1.19046.11.1"
ATEN = "1.3.6.1.4.1.21317.1.3.1"
APC = "1.3.6.1.4.1.318.1.1.26"
RARITAN = "1.3.6.1.4.1.13742.6"
UPS = "1.3.6.1.2.1.33.1"
BY_PROFILE = {"idrac": "h4", "ilo": "h1", "xcc": "h2", "supermicro": "h3"}


def agent(twin: DataCentre, name: str) -> Device:
    return next(each for each in twin.agents.devices if each.name == name)


def who(device: Device) -> Any:
    secret = device.secret
    if secret.community:
        return CommunityData(secret.community, mpModel=1)
    return UsmUserData(
        secret.user, secret.auth, secret.priv,
        authProtocol=usmHMAC192SHA256AuthProtocol, privProtocol=usmAesCfb128Protocol,
    )  # fmt: skip


async def asked(twin: DataCentre, name: str, *oids: str, user: Any = None) -> tuple[str, list[Any]]:
    """The error, if any, and the values of some objects of a device."""
    device = agent(twin, name)
    engine = SnmpEngine()
    try:
        target = await UdpTransportTarget.create(device.address, timeout=1, retries=0)
        objects = [ObjectType(ObjectIdentity(oid)) for oid in oids]
        error, _, _, bindings = await get_cmd(
            engine, user or who(device), target, ContextData(), *objects, lookupMib=False
        )
        return str(error or ""), [value for _, value in bindings]
    finally:
        engine.close_dispatcher()


async def walked(twin: DataCentre, name: str, root: str) -> dict[str, Any]:
    """Everything of a device below an object, by GETBULK."""
    device = agent(twin, name)
    engine = SnmpEngine()
    found: dict[str, Any] = {}
    try:
        target = await UdpTransportTarget.create(device.address, timeout=1, retries=0)
        walk = bulk_walk_cmd(
            engine, who(device), target, ContextData(), 0, 25, ObjectType(ObjectIdentity(root)),
            lookupMib=False, lexicographicMode=False,
        )  # fmt: skip
        async for error, _, _, bindings in walk:
            assert not error
            found |= {str(oid): value for oid, value in bindings}
        return found
    finally:
        engine.close_dispatcher()


async def test_a_walk_gives_every_object_of_a_device_in_order(twin: DataCentre) -> None:
    device = agent(twin, BY_PROFILE["idrac"])
    found = await walked(twin, device.name, DELL)
    expected = [name for name, _ in device.rows()]
    assert set(found) == set(expected)
    assert [ber.parse(oid) for oid in found] == sorted(ber.parse(oid) for oid in expected)


async def test_each_bmc_tells_inlet_and_watts_in_its_own_units(twin: DataCentre) -> None:
    topo, hosts = twin.world.topology, twin.world.hosts
    truth = {p: (hosts.inlet[topo.host_row(n)], hosts.watts[topo.host_row(n)]) for p, n in BY_PROFILE.items()}
    _, idrac = await asked(twin, BY_PROFILE["idrac"], f"{DELL}.4.700.20.1.6.1.2", f"{DELL}.4.600.30.1.6.1.3")
    inlet, watts = truth["idrac"]
    assert [float(v) for v in idrac] == [pytest.approx(inlet * 10, abs=2), pytest.approx(watts, abs=9)]
    _, ilo = await asked(twin, BY_PROFILE["ilo"], f"{HPE}.6.2.6.8.1.4.0.1", f"{HPE}.6.2.15.3.0")
    assert [float(v) for v in ilo] == [pytest.approx(truth["ilo"][0], abs=1), pytest.approx(truth["ilo"][1], abs=9)]
    _, xcc = await asked(twin, BY_PROFILE["xcc"], f"{LENOVO}.1.1.2.1.3.1", f"{LENOVO}.1.10.1.10.0")
    assert float(bytes(xcc[0])) == pytest.approx(truth["xcc"][0], abs=0.2)
    assert bytes(xcc[1]).endswith(b" Watts")
    _, aten = await asked(twin, BY_PROFILE["supermicro"], f"{ATEN}.2.10", f"{ATEN}.13.10")
    assert float(bytes(aten[0]).rstrip(b"\0")) == pytest.approx(truth["supermicro"][0], abs=0.2)
    assert (len(bytes(aten[0])), bytes(aten[1]).rstrip(b"\0")) == (16, b"Inlet Temp")


async def test_pdus_and_upses_tell_phases_and_lines_in_their_own_units(twin: DataCentre) -> None:
    plant, topo = twin.world.plant, twin.world.topology
    phase = topo.phases.index("pdu-r1-A/2")
    _, apc = await asked(twin, "pdu-r1-A", f"{APC}.6.3.1.7.2", f"{APC}.6.3.1.5.2", f"{APC}.4.3.1.5.1")
    watts = float(plant.phase_watts[phase])
    total = float(plant.pdu_watts[topo.pdus.index("pdu-r1-A")])
    assert [float(v) for v in apc] == pytest.approx([watts / 10, watts / 230 * 10, total / 10], abs=1)
    pole = f"{RARITAN}.5.2.4.1.4.1.1.2"
    _, raritan = await asked(twin, "pdu-r1-B", f"{pole}.1", f"{RARITAN}.3.3.6.1.7.1.1.2.1", f"{pole}.5")
    assert float(raritan[0]) / 10 ** int(raritan[1]) == pytest.approx(watts / 230, abs=0.05)
    assert float(raritan[2]) == pytest.approx(watts, abs=5)
    _, ups = await asked(twin, "ups-NA", f"{UPS}.4.1.0", *(f"{UPS}.4.4.1.4.{n}" for n in (1, 2, 3)))
    assert int(ups[0]) == 3
    assert sum(float(v) for v in ups[1:]) == pytest.approx(float(plant.feed_watts[topo.feed_row("NA")]), rel=0.02)


async def test_engine_ids_differ_unless_an_impostor_was_asked_for(twin: DataCentre) -> None:
    ids = [each.engine.id for each in twin.agents.devices]
    assert len(set(ids)) == len(ids)
    twin.world.ailments.impostors["h1"] = "h2"
    assert twin.agents._engine(agent(twin, "h1")).id == agent(twin, "h2").engine.id
    error, values = await asked(twin, "h1", "1.3.6.1.2.1.1.5.0")
    assert (error, bytes(values[0])) == ("", b"h1")


async def test_wrong_credentials_get_no_value(twin: DataCentre) -> None:
    device = agent(twin, "h1")
    wrong = UsmUserData(
        "gdcc", "wrong-passphrase", device.secret.priv,
        authProtocol=usmHMAC192SHA256AuthProtocol, privProtocol=usmAesCfb128Protocol,
    )  # fmt: skip
    error, values = await asked(twin, "h1", "1.3.6.1.2.1.1.5.0", user=wrong)
    assert (error, values) == ("Wrong SNMP PDU digest", [])
    unknown = UsmUserData(
        "nobody", device.secret.auth, device.secret.priv,
        authProtocol=usmHMAC192SHA256AuthProtocol, privProtocol=usmAesCfb128Protocol,
    )  # fmt: skip
    error, values = await asked(twin, "h1", "1.3.6.1.2.1.1.5.0", user=unknown)
    assert (error, values) == ("Unknown USM user", [])


def test_a_wrong_community_a_write_and_hostile_bytes_change_and_give_nothing() -> None:
    twin = datacentre.build(small_estate(), Scenario(), 1)
    device = agent(twin, "pdu-r1-A")
    name = ber.tlv(ber.SEQUENCE, ber.object_id(ber.parse("1.3.6.1.2.1.1.5.0")) + b"\x05\x00")
    body = ber.integer(7) + ber.integer(0) + ber.integer(0) + ber.tlv(ber.SEQUENCE, name)

    def message(community: str, kind: int) -> bytes:
        return ber.tlv(ber.SEQUENCE, ber.integer(1) + ber.text(community) + ber.tlv(kind, body))

    assert twin.agents._answer(device, message("wrong", pdus.GET)) is None
    right = message(device.secret.community, pdus.GET)
    assert b"pdu-r1-A" in (twin.agents._answer(device, right) or b"")
    refused = twin.agents._answer(device, message(device.secret.community, pdus.SET)) or b""
    assert ber.integer(7) + ber.integer(pdus.NOT_WRITABLE) in refused
    for size in range(len(right)):
        with pytest.raises(ber.MalformedError):
            twin.agents._answer(device, right[:size])


def test_a_bulk_answer_stays_within_one_frame_and_ends_at_the_end_of_the_table() -> None:
    rows = [(f"1.3.6.1.4.1.9.{n}", ber.text("x" * 60)) for n in range(1, 60)]
    table = Table(rows)
    name = ber.tlv(ber.SEQUENCE, ber.object_id(ber.parse("1.3.6.1.4.1.9")) + b"\x05\x00")
    body = ber.integer(1) + ber.integer(0) + ber.integer(50) + ber.tlv(ber.SEQUENCE, name)
    answer = pdus.answered(table, ber.tlv(pdus.GETBULK, body), 0) or b""
    assert 1000 < len(answer) < 1472
    last = ber.tlv(ber.SEQUENCE, ber.object_id(ber.parse("1.3.6.1.4.1.9.58")) + b"\x05\x00")
    body = ber.integer(1) + ber.integer(0) + ber.integer(50) + ber.tlv(ber.SEQUENCE, last)
    answer = pdus.answered(table, ber.tlv(pdus.GETBULK, body), 0) or b""
    assert answer.endswith(ber.END_OF_MIB)
    assert answer.count(ber.END_OF_MIB) == 1


async def test_dead_and_unfed_devices_are_silent_and_slow_ones_answer_late(twin: DataCentre) -> None:
    twin.world.ailments.dead.add("h1")
    twin.world.ailments.slow["h2"] = 0.1
    row = twin.world.topology.feed_row("SA")
    twin.world.plant.mains[row], twin.world.plant.battery_minutes[row] = False, 0.0
    silent, late, unfed = await asyncio.gather(
        asked(twin, "h1", "1.3.6.1.2.1.1.5.0"), asked(twin, "h2", "1.3.6.1.2.1.1.5.0"),
        asked(twin, "pdu-r3-A", "1.3.6.1.2.1.1.5.0"),
    )  # fmt: skip
    assert "before timeout" in silent[0]
    assert (late[0], bytes(late[1][0])) == ("", b"h2")
    assert "before timeout" in unfed[0]


async def test_a_restarted_agent_counts_a_boot_and_begins_its_uptime_anew(twin: DataCentre) -> None:
    boots = agent(twin, "h1").engine.boots
    twin.world.ailments.restarts["h1"] = (twin.world.now, 1)
    datacentre.step(twin, 0.25)
    error, values = await asked(twin, "h1", "1.3.6.1.2.1.1.3.0", "1.3.6.1.6.3.10.2.1.2.0")
    assert error == ""
    assert int(values[0]) < 60_000
    assert int(values[1]) == boots + 1


def test_dead_sensors_are_told_in_each_devices_own_way() -> None:
    twin = datacentre.build(small_estate(), Scenario(), 1)
    for name in BY_PROFILE.values():
        for sensor in Sensor:
            twin.world.ailments.sensors[name, sensor] = None
    dead = {profile: dict(agent(twin, name).rows()) for profile, name in BY_PROFILE.items()}
    assert f"{DELL}.4.700.20.1.6.1.2" not in dead["idrac"]
    assert dead["idrac"][f"{DELL}.4.700.20.1.5.1.2"] == ber.integer(2)
    assert dead["ilo"][f"{HPE}.6.2.6.8.1.4.0.1"] == ber.integer(-99)
    assert dead["ilo"][f"{HPE}.6.2.15.3.0"] == ber.integer(-1)
    assert dead["xcc"][f"{LENOVO}.1.1.2.1.3.1"] == ber.text("")
    assert dead["supermicro"][f"{ATEN}.2.10"] == ber.tlv(ber.OCTETS, bytes(16))


@pytest.mark.parametrize(
    ("profile", "oid", "value"),
    [
        ("idrac", f"{DELL}.4.200.10.1.27.1", ber.integer(5)),
        ("idrac", f"{DELL}.4.1100.50.1.5.1.3", ber.integer(5)),
        ("ilo", f"{HPE}.6.2.14.4.0", ber.integer(4)),
        ("xcc", f"{LENOVO}.1.5.21.1.8.3", ber.text("Critical")),
    ],
)
def test_failing_memory_shows_where_each_bmc_shows_it(profile: str, oid: str, value: bytes) -> None:
    twin = datacentre.build(small_estate(), Scenario(), 1)
    name = BY_PROFILE[profile]
    twin.world.ailments.health[name, Part.MEMORY] = Health.FAILED
    assert dict(agent(twin, name).rows())[oid] == value


def test_a_host_with_a_dead_cord_has_a_failed_supply_and_a_worse_state() -> None:
    twin = datacentre.build(small_estate(), Scenario(), 1)
    row = twin.world.topology.feed_row("NB")
    twin.world.plant.mains[row], twin.world.plant.battery_minutes[row] = False, 0.0
    board = views.board(twin.world, twin.world.estate.hosts["h1"], 0)
    assert board.psus == (True, False)
    assert board.worst is Health.WARNING


async def test_a_change_sends_one_trap_from_the_devices_own_address(twin: DataCentre) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        twin.agents.traps.receiver = receiver.getsockname()
        datacentre.step(twin, 0.25)
        twin.world.plant.mains[twin.world.topology.feed_row("NA")] = False
        twin.world.ailments.health["h4", Part.MEMORY] = Health.FAILED
        datacentre.step(twin, 0.25)
        datacentre.step(twin, 0.25)
        loop = asyncio.get_running_loop()
        heard = [await asyncio.wait_for(loop.sock_recvfrom(receiver, 4096), 2) for _ in range(2)]
        with pytest.raises(BlockingIOError):
            receiver.recv(1)
    sources = {address[0]: data for data, address in heard}
    assert set(sources) == {agent(twin, "ups-NA").address[0], agent(twin, "h4").address[0]}
    trap = ber.object_id(ber.parse("1.3.6.1.2.1.33.2.1"))
    assert trap in sources[agent(twin, "ups-NA").address[0]]
    assert agent(twin, "h4").engine.id in sources[agent(twin, "h4").address[0]]


def test_secrets_depend_on_the_seed_alone_and_their_files_are_their_owners(tmp_path: Any) -> None:
    estate = small_estate()
    assert credentials.snmp_secrets(estate, 1) == credentials.snmp_secrets(estate, 1)
    assert credentials.snmp_secrets(estate, 1) != credentials.snmp_secrets(estate, 2)
    twin = datacentre.build(estate, Scenario(), 1)
    datacentre.hand_over(twin, tmp_path, tmp_path / "state")
    for name in ("clouds.yaml", "daemon.yaml"):
        assert (tmp_path / "state" / name).stat().st_mode & 0o777 == 0o600
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InputError, match=r"file: credentials cannot be written: "):
        datacentre.hand_over(twin, tmp_path, tmp_path / "file")


@pytest.mark.parametrize("address", ["h:0", "h:99999", "h:²", "h:", ":162", "h"])
def test_what_cannot_receive_traps_is_told(address: str) -> None:
    with pytest.raises(InputError, match="is no receiver of traps"):
        datacentre.receiver(address)

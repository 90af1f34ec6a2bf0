"""What passes the uplinks of the twin's racks, and the tables in which its switches tell it."""

import numpy as np
import pytest

from controller.errors import InputError
from controller.twin import datacentre, truth
from controller.twin.copying import shares
from controller.twin.datacentre import DataCentre
from controller.twin.faults.devices import CounterReset, PortDown, RebootDevice
from controller.twin.machines import MIB
from controller.twin.nature import Nature
from controller.twin.scenario import Scenario
from controller.twin.snmp import ber, switches, views
from tests.fakes.small_estate import small_estate

SWITCH = "sw-r1-B"
X = "1.3.6.1.2.1.31.1.1.1"


@pytest.fixture
def twin() -> DataCentre:
    return datacentre.build(small_estate(), Scenario(nature=Nature(noise_ratio=0.0)), 1)


def octets(twin: DataCentre, rack: int) -> tuple[int, int]:
    """What all uplinks of a rack have received and sent."""
    ports = [port.octets for port in twin.world.uplinks.ports.values() if port.rack == rack]
    return sum(received for received, _ in ports), sum(sent for _, sent in ports)


def rows(twin: DataCentre, switch: str = SWITCH) -> dict[str, bytes]:
    device = next(each for each in twin.agents.devices if each.name == switch)
    return dict(device.rows())


def told(twin: DataCentre, column: int, name: str, switch: str = SWITCH) -> bytes:
    """What a switch's table says of a port."""
    table = rows(twin, switch)
    row = next(of.rpartition(".")[2] for of, value in table.items() if value == ber.text(name) and of.startswith(X))
    return table[f"{X}.{column}.{row}"]


def test_uplinks_count_what_the_racks_vms_pass_beyond_it(twin: DataCentre) -> None:
    world = twin.world
    before = octets(twin, 0)
    world.advance(1.0)
    of_rack = world.topology.host_rack[np.maximum(world.vms.host, 0)] == 0
    passing = 0.7 * float(world.vms.net_bytes_s[of_rack & world.vms.running].sum())
    received, sent = (now - then for now, then in zip(octets(twin, 0), before, strict=True))
    assert received == pytest.approx(0.6 * passing, abs=4)
    assert sent == pytest.approx(0.4 * passing, abs=4)


def test_a_copy_across_racks_leaves_by_one_racks_uplinks_and_comes_in_by_the_others(twin: DataCentre) -> None:
    world = twin.world
    server = next(s for s in world.servers.values() if s.flavor.name == "m2" and world.topology.host_rack[s.host] == 0)
    target = next(row for row, rack in enumerate(world.topology.host_rack) if rack == 2)
    twin.cloud.orders.live_migrate(server, world.topology.hosts[target], at_once=True)
    for _ in range(8):
        datacentre.step(twin, 0.25)
    ways = world.uplinks
    assert ways.copies_out[0] == ways.copies_in[2] > 100 * MIB
    assert ways.copies_in[0] == ways.copies_out[1] == 0.0
    told_of = truth.told(twin.cloud)["racks"]
    assert told_of["r1"]["out_bytes_s"] == pytest.approx(float(ways.vms_out[0] + ways.copies_out[0]))
    assert told_of["r3"]["in_bytes_s"] == pytest.approx(float(ways.vms_in[2] + ways.copies_in[2]))


def test_copies_have_what_vms_leave_of_an_uplink(twin: DataCentre) -> None:
    topo = twin.world.topology
    copies = {n: (n % 2, 2 + n % 2) for n in range(4)}
    busy = np.array([2000.0, 0.0, 0.0, 0.0]) * MIB
    rates = shares(copies, topo, 1.0, busy)
    assert sum(rates.values()) == pytest.approx((2400.0 - 2000.0) * MIB)
    assert sum(shares(copies, topo, 1.0, 10 * busy).values()) == pytest.approx(0.05 * 2400.0 * MIB)


def test_a_switch_tells_a_port_for_each_host_and_its_uplinks_in_64_bits(twin: DataCentre) -> None:
    twin.world.advance(1.0)
    names = [value for of, value in rows(twin).items() if of.startswith(f"{X}.1.")]
    assert names == [ber.text(name) for name in ("Ethernet1/1", "Ethernet2/1", "Ethernet49", "Ethernet50")]
    port = twin.world.uplinks.of_switch(SWITCH)["Ethernet50"]
    assert told(twin, 6, "Ethernet50") == ber.integer(port.octets[0], ber.COUNTER64)
    assert told(twin, 10, "Ethernet50") == ber.integer(port.octets[1], ber.COUNTER64)
    assert told(twin, 15, "Ethernet50") == ber.gauge(10_000)
    assert told(twin, 19, "Ethernet50") == ber.ticks(0.0)
    assert ber.counter64(2**64 + 5) == ber.integer(5, ber.COUNTER64)


def test_counters_that_begin_anew_say_when_and_those_of_a_reboot_begin_with_it(twin: DataCentre) -> None:
    world = twin.world
    world.advance(1.0)
    CounterReset(fault="counter_reset", device=SWITCH).befall(twin.cloud)
    began = next(each.engine.began for each in twin.agents.devices if each.name == SWITCH)
    assert told(twin, 6, "Ethernet49") == ber.integer(0, ber.COUNTER64)
    assert told(twin, 19, "Ethernet49") == ber.ticks(world.now - began)
    assert told(twin, 6, "Ethernet49", "sw-r1-A") != ber.integer(0, ber.COUNTER64)
    RebootDevice(fault="reboot_device", device="sw-r1-A").befall(twin.cloud)
    assert told(twin, 6, "Ethernet49", "sw-r1-A") == ber.integer(0, ber.COUNTER64)
    assert told(twin, 19, "Ethernet49", "sw-r1-A") == ber.ticks(0.0)


def test_the_other_uplinks_carry_what_one_that_is_down_does_not(twin: DataCentre) -> None:
    down = PortDown(fault="port_down", device=SWITCH, port="Ethernet49")
    down.befall(twin.cloud)
    still, before = twin.world.uplinks.of_switch(SWITCH)["Ethernet49"].octets, octets(twin, 0)
    twin.world.advance(2.0)
    assert twin.world.uplinks.of_switch(SWITCH)["Ethernet49"].octets == still
    assert octets(twin, 0)[0] - before[0] == pytest.approx(2.0 * float(twin.world.uplinks.into[0]), rel=0.05)
    down.lift(twin.cloud)
    twin.world.advance(1.0)
    assert twin.world.uplinks.of_switch(SWITCH)["Ethernet49"].octets > still


def test_a_fault_of_a_switch_or_port_that_is_not_there_is_told(twin: DataCentre) -> None:
    with pytest.raises(InputError, match="no switch 'ups-NA'"):
        CounterReset(fault="counter_reset", device="ups-NA").befall(twin.cloud)
    with pytest.raises(InputError, match="no uplink 'Ethernet1/1'"):
        PortDown(fault="port_down", device=SWITCH, port="Ethernet1/1").befall(twin.cloud)


def test_a_panel_shows_a_switch_as_it_is_now(twin: DataCentre) -> None:
    device = twin.world.estate.devices[SWITCH]
    panel = views.panel(twin.world, device, twin.world.began)
    assert [port.alias for port in panel.ports] == ["h1", "h2", "spine", "spine"]
    assert ("1.3.6.1.2.1.2.1.0", ber.integer(4)) in list(switches.if_mib(panel))

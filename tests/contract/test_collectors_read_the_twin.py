"""The controller's collectors and the twin's devices were written apart: what one serves, the other reads as it is."""

import asyncio
from datetime import timedelta

import pytest

from controller.adapters.clock import SystemClock
from controller.adapters.exporters.collector import ExporterCollector
from controller.adapters.snmp.collector import SnmpCollector
from controller.adapters.snmp.credentials import Community, User
from controller.adapters.snmp.target import targets
from controller.engine.ports import Collector
from controller.model.sample import Kind, Quantity
from controller.twin import credentials, datacentre
from controller.twin.datacentre import DataCentre
from controller.twin.nature import Nature
from controller.twin.scenario import Scenario
from inventory.model import Estate
from tests.fakes.free_ports import free_port
from tests.fakes.small_estate import small_estate

Readings = dict[tuple[Kind, Quantity, str], float]


def ports() -> tuple[int, int, int]:
    """Free ports for SNMP, node exporter and libvirt exporter; the last ends in 177."""
    return free_port(), free_port(), free_port(ending=177)


async def readings(collector: Collector, wanted: int) -> Readings:
    """What a collector knows once it has that many readings. Fails on any fault."""
    await collector.start()
    try:
        for _ in range(200):
            await asyncio.sleep(0.05)
            batches, faults = await collector.collect(timedelta(seconds=1))
            assert not faults
            found = {
                (batch.kind, batch.quantity, name): float(value)
                for batch in batches
                for name, value in zip(batch.names, batch.values, strict=True)
            }
            if len(found) >= wanted:
                return found
        raise AssertionError(f"only {len(found)} of {wanted} readings came")
    finally:
        await collector.stop()


def snmp(estate: Estate) -> SnmpCollector:
    known = {
        name: Community(community=secret.community)
        if secret.community
        else User(name=secret.user, auth=secret.auth, priv=secret.priv)
        for name, secret in credentials.snmp_secrets(estate, 1).items()
    }
    return SnmpCollector(targets(estate), known, SystemClock(), interval=timedelta(minutes=1))


@pytest.fixture
def centre() -> DataCentre:
    snmp_port, node, libvirt = ports()
    estate = small_estate(snmp_port=snmp_port, node_port=node, libvirt_port=libvirt)
    return datacentre.build(estate, Scenario(nature=Nature(noise_ratio=0.0)), 1)


async def test_bmcs_pdus_and_upses_are_read_as_the_twin_has_them(centre: DataCentre) -> None:
    world = centre.world
    centre.agents.open()
    found = await readings(snmp(world.estate), wanted=120)
    centre.agents.close()
    for row, name in enumerate(world.topology.hosts):
        assert found[Kind.HOST, Quantity.POWER_WATTS, name] == pytest.approx(world.hosts.watts[row], abs=1)
        assert found[Kind.HOST, Quantity.INLET_CELSIUS, name] == pytest.approx(world.hosts.inlet[row], abs=0.6)
        assert found[Kind.HOST, Quantity.PSU_HEALTH, name] == 0.0
    for row, name in enumerate(world.topology.pdus):
        assert found[Kind.PDU, Quantity.POWER_WATTS, name] == pytest.approx(world.plant.pdu_watts[row], abs=6)
    for row, name in enumerate(world.topology.phases):
        assert found[Kind.PHASE, Quantity.POWER_WATTS, name] == pytest.approx(world.plant.phase_watts[row], abs=6)
    for row, name in enumerate(world.topology.feeds):
        assert found[Kind.FEED, Quantity.POWER_WATTS, name] == pytest.approx(world.plant.feed_watts[row], abs=3)
        assert found[Kind.FEED, Quantity.ON_BATTERY, name] == 0.0


async def test_exporters_are_read_as_the_twin_has_its_hosts_and_vms(centre: DataCentre) -> None:
    world = centre.world
    collector = ExporterCollector(world.estate.hosts.values(), SystemClock(), interval=timedelta(seconds=1))
    async with datacentre.serving(centre, ports()[0]):
        found = await readings(collector, wanted=5 * 8 + 6 * 40)
        for row, name in enumerate(world.topology.hosts):
            assert found[Kind.HOST, Quantity.CPU_RATIO, name] == pytest.approx(world.hosts.cpu_ratio[row], abs=0.15)
            assert found[Kind.HOST, Quantity.MEMORY_BYTES, name] == pytest.approx(
                world.hosts.memory_bytes[row], rel=0.02
            )
        for server in world.servers.values():
            dirty = found[Kind.VM, Quantity.DIRTY_BYTES_S, server.id]
            assert dirty == pytest.approx(world.vms.dirty_bytes_s[server.row], rel=0.05)
            assert found[Kind.VM, Quantity.STEAL_RATIO, server.id] == 0.0

"""The twin's switches read by the controller's collector, to the racks of a snapshot: what passes is what is read."""

import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from controller.adapters.snmp.credentials import Community, User
from controller.adapters.snmp.device import Device
from controller.adapters.snmp.latest import Latest
from controller.adapters.snmp.target import targets
from controller.engine.assemble import uplinks
from controller.engine.gate import Gate
from controller.engine.readings import Readings, merged
from controller.model.cluster import Reading
from controller.model.policy import TrustPolicy
from controller.model.sample import Fault, Trust
from controller.twin import credentials, datacentre
from controller.twin.datacentre import DataCentre
from controller.twin.faults.devices import CounterReset, PortDown, RebootDevice
from controller.twin.nature import Nature
from controller.twin.scenario import Scenario
from inventory.facility import SnmpProfile
from tests.fakes.free_ports import free_port
from tests.fakes.small_estate import small_estate
from tests.fakes.snmp_devices import LONG_WAIT_S, watched

PORTS = {"r1": {"sw-r1-A/Ethernet49", "sw-r1-B/Ethernet49", "sw-r1-B/Ethernet50"}}
SECONDS = 20.0


@pytest.fixture
def centre() -> Iterator[DataCentre]:
    estate = small_estate(snmp_port=free_port())
    yield datacentre.build(estate, Scenario(nature=Nature(noise_ratio=0.0)), 1)


class Site:
    """Every switch of a twin under watch, and what was read of them."""

    def __init__(self, centre: DataCentre, devices: list[Device]) -> None:
        self.centre = centre
        self._devices = devices
        self._latest = Latest()
        self._readings = Readings()

    async def poll(self) -> list[Fault]:
        """Polls all of them after 20 s of the twin's time; answers the faults."""
        self.centre.world.advance(SECONDS)
        self.centre.agents.tell()
        faults: list[Fault] = []
        for device in self._devices:
            polled = await device.poll()
            self._latest.put(device.target.name, polled)
            faults += polled.faults
        batches = ((0, batch) for batch in self._latest.batches())
        self._readings = merged(self._readings, batches, forget_before=0.0)
        return faults

    def traffic(self) -> tuple[Reading, Reading]:
        gate = Gate(readings=self._readings, sources=self._readings.sources, policy=TrustPolicy(), now=time.time())
        return uplinks.traffic(self.centre.world.estate, gate, self.centre.world.topology.racks)


async def watching(centre: DataCentre, stack: AsyncExitStack) -> Site:
    """The twin's agents served, and each switch watched with its own credential, v2c or v3."""
    estate, devices = centre.world.estate, []
    centre.agents.open()
    stack.callback(centre.agents.close)
    secrets = credentials.snmp_secrets(estate, 1)
    for target in targets(estate):
        if target.profile is SnmpProfile.IF_MIB:
            secret = secrets[target.credential]
            known = (
                Community(community=secret.community)
                if secret.community
                else User(name=secret.user, auth=secret.auth, priv=secret.priv)
            )
            devices.append(await stack.enter_async_context(watched(target, known, wait_s=LONG_WAIT_S)))
    return Site(centre, devices)


async def test_what_passes_each_racks_uplinks_is_what_a_snapshot_says(centre: DataCentre) -> None:
    async with AsyncExitStack() as stack:
        site = await watching(centre, stack)
        assert await site.poll() == []
        into, out = site.traffic()
        assert set(into.trust) == set(out.trust) == {Trust.ABSENT}, "one look is no rate"
        assert await site.poll() == []
        into, out = site.traffic()
        assert into.fresh.all() and out.fresh.all()
        assert into.values == pytest.approx(centre.world.uplinks.into, rel=0.02)
        assert out.values == pytest.approx(centre.world.uplinks.out, rel=0.02)
        assert out.values.min() > 1000.0


@pytest.mark.parametrize(
    ("fault", "reason", "ports"),
    [
        (CounterReset(fault="counter_reset", device="sw-r1-B"), "counter_reset", 2),
        (RebootDevice(fault="reboot_device", device="sw-r1-B"), "counter_reset", 2),
    ],
)
async def test_a_rack_with_an_uplink_that_tells_nothing_has_no_reading(
    centre: DataCentre, fault: CounterReset | RebootDevice, reason: str, ports: int
) -> None:
    async with AsyncExitStack() as stack:
        site = await watching(centre, stack)
        await site.poll()
        fault.befall(centre.cloud)
        faults = await site.poll()
        assert [each.reason for each in faults] == [reason] * ports
        assert {each.subject for each in faults} <= PORTS["r1"]
        into, out = site.traffic()
        assert into.trust.tolist() == out.trust.tolist() == [Trust.ABSENT] + [Trust.FRESH] * 3
        fault.lift(centre.cloud)
        await site.poll()
        await site.poll()
        into, _ = site.traffic()
        assert into.fresh.all()
        assert into.values == pytest.approx(centre.world.uplinks.into, rel=0.02)


async def test_a_port_that_is_down_is_told_and_what_passes_its_rack_is_known_all_the_same(centre: DataCentre) -> None:
    async with AsyncExitStack() as stack:
        site = await watching(centre, stack)
        await site.poll()
        PortDown(fault="port_down", device="sw-r1-B", port="Ethernet50").befall(centre.cloud)
        for _ in range(2):
            assert [(each.subject, each.reason) for each in await site.poll()] == [("sw-r1-B/Ethernet50", "down")]
        into, out = site.traffic()
        assert into.fresh.all() and out.fresh.all()
        assert into.values == pytest.approx(centre.world.uplinks.into, rel=0.02), "the others carry what it carried"

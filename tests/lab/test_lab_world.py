"""The lab is what its estate says, and its sensors follow its loads."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from controller.adapters.clock import SystemClock
from controller.adapters.prometheus.collector import PrometheusCollector, Server
from controller.adapters.prometheus.joined import HostLabels
from controller.adapters.prometheus.query import defaults
from controller.adapters.snmp.collector import SnmpCollector
from controller.adapters.snmp.credentials import Community, User
from controller.adapters.snmp.target import targets
from controller.engine.ports import Collector
from controller.model.sample import Kind, Quantity
from inventory import load
from inventory.model import Classification
from tests.lab import populate, world
from tests.lab.fixtures import ESTATE, Lab

Readings = dict[tuple[Kind, Quantity, str], float]

CREDENTIALS = {
    "bmc-v3": User(name="gdcc", auth="lab-auth-secret", priv="lab-priv-secret"),
    "pdu-v2c": Community(community="lab-community"),
    "ups-v2c": Community(community="lab-community"),
}


async def look(collector: Collector) -> Readings:
    """What a collector knows now; it must have no fault to tell."""
    batches, faults = await collector.collect(timedelta(seconds=10))
    assert not faults
    return {
        (batch.kind, batch.quantity, name): float(value)
        for batch in batches
        for name, value in zip(batch.names, batch.values, strict=True)
    }


async def seen(collector: Collector, expected: Mapping[tuple[Kind, Quantity, str], tuple[float, float]]) -> Readings:
    """All readings, once those that are expected lie between their bounds."""
    await collector.start()
    try:
        for _ in range(80):
            readings = await look(collector)
            wrong = {key for key, (low, high) in expected.items() if not low <= readings.get(key, -1.0) <= high}
            if not wrong:
                return readings
            await asyncio.sleep(0.5)
        raise AssertionError(f"{[(key, readings.get(key)) for key in wrong]} are not within {expected}")
    finally:
        await collector.stop()


async def test_the_tenants_of_the_estate_stand_where_their_data_may(lab: Lab) -> None:
    estate, facts = load.load(ESTATE), await lab.cloud.facts()
    names = {name: system for system, _, name in populate.wanted(estate)}
    servers = {server.name: server for server in facts.servers if server.name in names}
    projects = {project.id: project.name for project in facts.projects}
    assert len(servers) == len(names) == 30
    assert len({server.project_id for server in servers.values()}) == 4
    for name, server in servers.items():
        assert server.host is not None
        assert projects[server.project_id] == names[name].project
        assert estate.hosts[server.host].clearance >= names[name].classification
    secret = [one for one in servers.values() if names[one.name].classification is Classification.CONFIDENTIAL]
    assert {"trait:CUSTOM_CLEARANCE_CONFIDENTIAL"} == {key for one in secret for key in one.extra_specs}
    assert {group.policy for group in facts.groups} == {"anti-affinity"}


async def test_real_agents_tell_watts_heat_and_health_of_what_the_hosts_do(lab: Lab) -> None:
    lab.load_host("cmp1", extra_vcpus=20, memory_health="warning", inlet_celsius=28.5)
    estate = load.load(ESTATE)
    collector = SnmpCollector(targets(estate), CREDENTIALS, SystemClock(), interval=timedelta(seconds=1))
    watts = world.machine(lab.directory, "cmp1").watts
    rack = world.rack_watts(lab.directory, "rack-1") / 2
    readings = await seen(
        collector,
        {
            (Kind.HOST, Quantity.POWER_WATTS, "cmp1"): (watts - 1.0, watts + 1.0),
            (Kind.PDU, Quantity.POWER_WATTS, "rack-1-a"): (rack - 10.0, rack + 10.0),
            (Kind.FEED, Quantity.ON_BATTERY, "feed-a"): (0.0, 0.0),
        },
    )
    assert watts > world.IDLE_WATTS + 20 * world.WATTS_PER_THREAD
    assert readings[Kind.HOST, Quantity.INLET_CELSIUS, "cmp1"] == 28.5
    assert readings[Kind.HOST, Quantity.MEMORY_HEALTH, "cmp1"] == 1.0


async def test_a_real_prometheus_shows_a_busy_guest_and_its_host(lab: Lab) -> None:
    name = "smart-bus-terminal-web-1"
    guest = await lab.admin.find(name)
    assert guest is not None
    host = guest["OS-EXT-SRV-ATTR:host"]
    lab.load_guest(name, busy_vcpus=2.0, dirty_mib_s=300)
    lab.load_host(host, extra_vcpus=30)
    collector = PrometheusCollector(
        Server(url="http://127.0.0.1:9090"),
        defaults(timedelta(seconds=6)),
        HostLabels.of(load.load(ESTATE).hosts.values()),
    )
    busy = world.machine(lab.directory, host).busy_threads / world.THREADS
    readings = await seen(
        collector,
        {
            (Kind.VM, Quantity.CPU_VCPUS, guest["id"]): (1.9, 2.1),
            (Kind.HOST, Quantity.CPU_RATIO, host): (busy - 0.03, busy + 0.03),
        },
    )
    assert readings[Kind.VM, Quantity.DIRTY_BYTES_S, guest["id"]] == 300 << 20

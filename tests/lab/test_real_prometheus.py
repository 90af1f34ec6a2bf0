"""The built-in queries against a real Prometheus that scrapes exporters as users run them."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from controller.adapters.prometheus.collector import PrometheusCollector, Server
from controller.adapters.prometheus.joined import HostLabels
from controller.adapters.prometheus.query import defaults
from controller.model.sample import Batch, Fault, Kind, Quantity
from inventory.model import Classification, Host
from tests.fakes.exporters import FakeDomain, FakeNode, libvirt_page
from tests.fakes.real_prometheus import Prometheus, prometheus

pytestmark = pytest.mark.lab

VM = "1bac351f-242e-4d53-8cf3-fd91b061069c"
OTHER = "7e8be6d2-9a3c-4a55-8a0e-0d8b6e6f3a11"
WINDOW = timedelta(seconds=10)


class Machine:
    """A host whose node and libvirt exporters are one page; its counters follow the clock."""

    def __init__(self, domains: dict[str, FakeDomain], info: str) -> None:
        self.node, self.domains, self.info = FakeNode(), domains, info
        self.last = time.monotonic()
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        self.server = TestServer(app)

    @property
    def address(self) -> str:
        return f"{self.server.host}:{self.server.port}"

    async def _metrics(self, request: web.Request) -> web.Response:
        seconds, self.last = time.monotonic() - self.last, time.monotonic()
        self.node.run(seconds, busy=0.3, bytes_s=1e6, pressure=0.05)
        for vm in self.domains.values():
            vm.run(seconds, vcpus=1.5, steal=0.1, bytes_s=1e5)
        return web.Response(text=self.node.page() + libvirt_page(self.domains, info=self.info))


@pytest.fixture
async def machines() -> AsyncIterator[list[Machine]]:
    machines = [
        Machine({"instance-1": FakeDomain(VM, dirty_mib_s=3.0)}, "meta"),
        Machine({"instance-1": FakeDomain(OTHER)}, "openstack"),
    ]
    for machine in machines:
        await machine.server.start_server()
    yield machines
    for machine in machines:
        await machine.server.close()


@pytest.fixture
async def server(machines: list[Machine], tmp_path: Path) -> AsyncIterator[Prometheus]:
    async with prometheus(tmp_path, {"exporters": [machine.address for machine in machines]}) as running:
        await running.until(f"rate(node_pressure_memory_waiting_seconds_total[{WINDOW.seconds}s]) > 0", 2)
        await running.until(f"rate(libvirt_domain_info_cpu_time_seconds_total[{WINDOW.seconds}s]) > 0", 2)
        yield running


@pytest.fixture
async def collector(machines: list[Machine], server: Prometheus) -> AsyncIterator[PrometheusCollector]:
    hosts = [
        Host(
            name=f"c{n}", type="t", rack="r", unit=n, clearance=Classification.OPEN, cords=(),
            exporters=(machine.address,),
        )
        for n, machine in enumerate(machines, 1)
    ]  # fmt: skip
    collector = PrometheusCollector(Server(url=server.url), defaults(WINDOW), HostLabels.of(hosts))
    await collector.start()
    yield collector
    await collector.stop()


async def collected(collector: PrometheusCollector) -> tuple[dict[tuple[Kind, Quantity], Batch], list[Fault]]:
    batches, faults = await collector.collect(timedelta(seconds=10))
    return {(batch.kind, batch.quantity): batch for batch in batches}, list(faults)


def of(batch: Batch) -> dict[str, float]:
    return dict(zip(batch.names, batch.values.tolist(), strict=True))


async def test_every_default_query_reads_the_truth(server: Prometheus, collector: PrometheusCollector) -> None:
    # Prometheus counts from when it asks and a machine to when it answers: late by 0.1 s is a tenth of one second
    await server.until(f"count_over_time(node_pressure_memory_waiting_seconds_total[{WINDOW.seconds}s]) > 6", 2)
    begun = time.time()
    batches, faults = await collected(collector)
    assert faults == []
    near = partial(pytest.approx, rel=0.15)
    assert of(batches[Kind.HOST, Quantity.CPU_RATIO]) == {name: near(0.3) for name in ("c1", "c2")}
    assert of(batches[Kind.HOST, Quantity.MEMORY_BYTES]) == {"c1": 16e9, "c2": 16e9}
    assert of(batches[Kind.HOST, Quantity.MEMORY_PRESSURE_RATIO])["c1"] == near(0.05)
    assert of(batches[Kind.HOST, Quantity.NETWORK_BYTES_S])["c2"] == near(2e6)
    assert of(batches[Kind.VM, Quantity.CPU_VCPUS]) == {name: near(1.5) for name in (VM, OTHER)}
    assert of(batches[Kind.VM, Quantity.STEAL_RATIO])[VM] == near(0.1)
    assert of(batches[Kind.VM, Quantity.MEMORY_BYTES]) == {VM: 2e9, OTHER: 2e9}
    assert of(batches[Kind.VM, Quantity.NETWORK_BYTES_S])[OTHER] == near(2e5)
    assert of(batches[Kind.VM, Quantity.DIRTY_BYTES_S]) == {VM: 3 * 2**20}
    assert all(begun - 5 < at < time.time() + 1 for batch in batches.values() for at in batch.at)


async def test_a_vm_that_is_on_two_hosts_counts_once_where_it_runs(
    machines: list[Machine], server: Prometheus, collector: PrometheusCollector
) -> None:
    machines[1].domains["instance-9"] = replace(FakeDomain(VM), balloon=1.0, rss=1.0)
    machines[1].info = "meta"
    await server.until(
        f'rate(libvirt_domain_info_cpu_time_seconds_total{{domain="instance-9"}}[{WINDOW.seconds}s]) > 0', 1
    )
    batches, faults = await collected(collector)
    assert faults == []
    assert of(batches[Kind.VM, Quantity.MEMORY_BYTES])[VM] == 2e9
    assert of(batches[Kind.VM, Quantity.CPU_VCPUS])[VM] == pytest.approx(1.5, rel=0.2)


async def test_a_counter_that_was_reset_gives_no_value_while_the_window_sees_it(
    machines: list[Machine], server: Prometheus, collector: PrometheusCollector
) -> None:
    machines[0].domains["instance-1"].cpu = 0.0
    await server.until(f"resets(libvirt_domain_info_cpu_time_seconds_total[{WINDOW.seconds}s]) == 1", 1)
    batches, _ = await collected(collector)
    assert batches[Kind.VM, Quantity.CPU_VCPUS].names == (OTHER,)


async def test_when_an_exporter_dies_its_rates_are_stale_at_once_and_the_others_stay(
    machines: list[Machine], server: Prometheus, collector: PrometheusCollector
) -> None:
    await machines[0].server.close()
    await server.until("up == 0", 1)
    await server.until(f"rate(node_pressure_memory_waiting_seconds_total[{WINDOW.seconds}s])", 2)
    batches, faults = await collected(collector)
    assert batches[Kind.HOST, Quantity.CPU_RATIO].names == ("c2",)
    assert batches[Kind.VM, Quantity.CPU_VCPUS].names == (OTHER,)
    assert ("c1", "stale") in {(fault.subject, fault.reason) for fault in faults}

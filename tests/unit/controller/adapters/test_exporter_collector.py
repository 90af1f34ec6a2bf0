"""Every exporter at its own pace: a dead, slow or lying one delays no other."""

import asyncio
from collections import defaultdict
from datetime import timedelta

import pytest

from controller.adapters.exporters.collector import ExporterCollector
from controller.adapters.exporters.textformat import PageError
from controller.model.sample import Batch, Kind, Quantity
from inventory.model import Classification, Host
from tests.fakes.clock import VirtualClock
from tests.fakes.exporters import FakeDomain, FakeNode, libvirt_page

VM = "1bac351f-242e-4d53-8cf3-fd91b061069c"
NOW = timedelta(0)
INTERVAL = timedelta(seconds=15)


class FakeFetch:
    """Pages by address; an address in `dead` fails only after the whole time-out."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.nodes: dict[str, FakeNode] = {}
        self.domains: dict[str, dict[str, FakeDomain]] = defaultdict(dict)
        self.dead: set[str] = set()
        self.bugs: list[Exception] = []
        self.bugs_when_stopped = False
        self.asked: list[tuple[str, float]] = []
        self.last = 0.0

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def page(self, address: str, within: timedelta) -> bytes:
        self.asked.append((address, self.clock.monotonic()))
        self._pass_time()
        if self.bugs:
            raise self.bugs.pop()
        if address in self.dead:
            try:
                await self.clock.sleep(within)
            except asyncio.CancelledError:
                if self.bugs_when_stopped:
                    raise RuntimeError("a bug") from None
                raise
            raise PageError("timeout", "no page")
        if address in self.nodes:
            return self.nodes[address].page().encode()
        return libvirt_page(self.domains[address]).encode()

    def _pass_time(self) -> None:
        seconds, self.last = self.clock.monotonic() - self.last, self.clock.monotonic()
        for node in self.nodes.values():
            node.run(seconds, busy=0.4)
        for domains in self.domains.values():
            for vm in domains.values():
                vm.run(seconds, vcpus=1.0)


def host(name: str, *exporters: str) -> Host:
    return Host(name=name, type="t", rack="r", unit=1, clearance=Classification.OPEN, cords=(), exporters=exporters)


def value(batches: list[Batch], kind: Kind, quantity: Quantity, name: str) -> float | None:
    for batch in batches:
        if (batch.kind, batch.quantity) == (kind, quantity) and name in batch.names:
            return float(batch.values[batch.names.index(name)])
    return None


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def fetch(clock: VirtualClock) -> FakeFetch:
    return FakeFetch(clock)


async def test_what_nobody_foresaw_in_a_page_is_a_fault_and_its_exporter_is_read_again(
    clock: VirtualClock, fetch: FakeFetch, caplog: pytest.LogCaptureFixture
) -> None:
    fetch.nodes["10.0.0.1:9100"], fetch.bugs = FakeNode(), [RuntimeError("a bug")]
    collector = ExporterCollector([host("c1", "10.0.0.1:9100")], clock, interval=INTERVAL, fetch=fetch)
    await collector.start()
    await clock.sleep(3 * INTERVAL)
    batches, faults = await collector.collect(NOW)
    await collector.stop()
    assert [(fault.subject, fault.reason) for fault in faults] == [("c1 10.0.0.1:9100", "malformed")]
    assert "reading 10.0.0.1:9100 of c1 failed" in caplog.text
    assert value(list(batches), Kind.HOST, Quantity.CPU_RATIO, "c1") is not None


async def test_a_watch_that_fails_while_it_is_stopped_does_not_begin_again(
    clock: VirtualClock, fetch: FakeFetch
) -> None:
    fetch.nodes["10.0.0.1:9100"], fetch.dead = FakeNode(), {"10.0.0.1:9100"}
    collector = ExporterCollector([host("c1", "10.0.0.1:9100")], clock, interval=INTERVAL, fetch=fetch)
    await collector.start()
    await clock.sleep(INTERVAL / 15)
    assert len(fetch.asked) == 1
    fetch.bugs_when_stopped = True
    await collector.stop()
    await clock.sleep(3 * INTERVAL)
    assert len(fetch.asked) == 1


async def test_rates_come_soon_after_the_start_and_dead_exporters_delay_nothing(
    clock: VirtualClock, fetch: FakeFetch
) -> None:
    hosts = [host(f"c{n}", f"10.0.0.{n}:9100") for n in range(1, 9)]
    fetch.nodes = {f"10.0.0.{n}:9100": FakeNode() for n in range(1, 9)}
    fetch.dead = {"10.0.0.3:9100", "10.0.0.4:9100"}
    collector = ExporterCollector(hosts, clock, interval=INTERVAL, fetch=fetch)
    await collector.start()
    await clock.sleep(INTERVAL * 2)
    batches, faults = await collector.collect(NOW)
    await collector.stop()
    cpu = next(batch for batch in batches if batch.quantity is Quantity.CPU_RATIO)
    assert cpu.names == ("c1", "c2", "c5", "c6", "c7", "c8")
    assert cpu.values.tolist() == pytest.approx([0.4] * 6)
    assert min(cpu.at) >= clock.now().timestamp() - INTERVAL.total_seconds()
    assert {(fault.subject, fault.reason) for fault in faults} == {
        ("c3 10.0.0.3:9100", "timeout"), ("c4 10.0.0.4:9100", "timeout")
    }  # fmt: skip


async def test_exporters_are_asked_spread_over_the_interval(clock: VirtualClock, fetch: FakeFetch) -> None:
    hosts = [host(f"c{n}", f"10.0.0.{n}:9100") for n in range(1, 6)]
    fetch.nodes = {f"10.0.0.{n}:9100": FakeNode() for n in range(1, 6)}
    collector = ExporterCollector(hosts, clock, interval=INTERVAL, fetch=fetch)
    await collector.start()
    await clock.sleep(INTERVAL * 4)
    await collector.stop()
    times = sorted(at % 15 for _, at in fetch.asked if 30 <= at < 45)
    assert times == pytest.approx([0.0, 3.0, 6.0, 9.0, 12.0])


async def test_faults_are_told_once(clock: VirtualClock, fetch: FakeFetch) -> None:
    fetch.dead = {"10.0.0.1:9100"}
    collector = ExporterCollector([host("c1", "10.0.0.1:9100")], clock, interval=INTERVAL, fetch=fetch)
    await collector.start()
    await clock.sleep(timedelta(seconds=11))
    first = await collector.collect(NOW)
    again = await collector.collect(NOW)
    await collector.stop()
    assert [fault.reason for fault in first[1]] == ["timeout"]
    assert again == ([], ())


async def test_an_exporters_readings_are_given_out_for_three_intervals_and_keep_their_time(
    clock: VirtualClock, fetch: FakeFetch
) -> None:
    fetch.nodes = {"10.0.0.1:9100": FakeNode()}
    collector = ExporterCollector([host("c1", "10.0.0.1:9100")], clock, interval=INTERVAL, fetch=fetch)
    await collector.start()
    await clock.sleep(INTERVAL * 2.5)
    read_at = (await collector.collect(NOW))[0][0].at[0]
    fetch.dead = {"10.0.0.1:9100"}
    await clock.sleep(INTERVAL * 2)
    assert (await collector.collect(NOW))[0][0].at[0] == read_at
    await clock.sleep(INTERVAL)
    assert (await collector.collect(NOW))[0] == []
    await collector.stop()


async def test_a_vm_on_two_hosts_while_it_migrates_is_read_where_it_runs(clock: VirtualClock, fetch: FakeFetch) -> None:
    hosts = [host("c1", "10.0.0.1:9177"), host("c2", "10.0.0.2:9177")]
    fetch.domains["10.0.0.1:9177"]["instance-1"] = FakeDomain(VM)
    collector = ExporterCollector(hosts, clock, interval=INTERVAL, fetch=fetch)
    await collector.start()
    await clock.sleep(INTERVAL * 2)

    class Incoming(FakeDomain):
        def run(self, seconds: float, *, vcpus: float, steal: float = 0.0, bytes_s: float = 0.0) -> None:
            super().run(seconds, vcpus=0.01)

    fetch.domains["10.0.0.2:9177"]["instance-1"] = Incoming(VM)
    await clock.sleep(INTERVAL * 2)
    both = list((await collector.collect(NOW))[0])
    assert value(both, Kind.VM, Quantity.CPU_VCPUS, VM) == pytest.approx(1.0)
    del fetch.domains["10.0.0.1:9177"]["instance-1"]
    fetch.domains["10.0.0.2:9177"]["instance-1"] = FakeDomain(VM, cpu=1e6)
    await clock.sleep(INTERVAL * 3)
    batches, faults = await collector.collect(NOW)
    assert value(list(batches), Kind.VM, Quantity.CPU_VCPUS, VM) == pytest.approx(1.0)
    assert all(fault.subject != VM for fault in faults)
    await collector.stop()


async def test_a_page_of_something_else_is_a_fault(clock: VirtualClock, fetch: FakeFetch) -> None:
    collector = ExporterCollector([host("c1", "10.0.0.1:9999")], clock, interval=INTERVAL, fetch=fetch)
    await collector.start()
    await clock.sleep(timedelta(seconds=1))
    _, faults = await collector.collect(NOW)
    await collector.stop()
    assert [(fault.subject, fault.reason) for fault in faults] == [("c1 10.0.0.1:9999", "empty")]


async def test_stopping_leaves_no_task_behind(clock: VirtualClock, fetch: FakeFetch) -> None:
    collector = ExporterCollector([host("c1", "10.0.0.1:9100")], clock, interval=INTERVAL, fetch=fetch)
    before = asyncio.all_tasks()
    await collector.start()
    await collector.stop()
    assert asyncio.all_tasks() == before

"""What a VM used in the coming hour a day and a week ago, asked of a real Prometheus that holds those days."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.prometheus.collector import PrometheusCollector, Server
from controller.adapters.prometheus.joined import HostLabels
from controller.adapters.prometheus.query import defaults
from controller.model.sample import Kind, Quantity
from tests.fakes.real_prometheus import prometheus

pytestmark = pytest.mark.lab

VM = "1bac351f-242e-4d53-8cf3-fd91b061069c"
OTHER = "7e8be6d2-9a3c-4a55-8a0e-0d8b6e6f3a11"
MOVED = "2c1e3b52-0d5f-4b7e-9d8e-3f5b7c2a9e10"
GONE = "9d4f5a63-1e6a-4c8f-8e9f-4a6c8d3b0f21"
HOUR, DAY = 3600.0, 86400.0
PAGE = "libvirt_domain_info_cpu_time_seconds_total"

Used = list[tuple[str, str, str, int, float]]
"""Domain, uuid, host, how many days ago, and the vCPUs it used in the hour that then began."""

USED: Used = [
    ("instance-1", VM, "old:9177", 1, 3.0),
    ("instance-1", VM, "older:9177", 7, 2.0),
    ("instance-2", OTHER, "old:9177", 7, 0.5),
    ("instance-3", MOVED, "old:9177", 1, -1.0),
    ("instance-4", GONE, "old:9177", 1, 4.0),
]
"""A counter that falls (-1) was begun anew."""


def history(now: float) -> str:
    """Those hours, minute by minute, and for all but one that they are there now."""
    samples: dict[str, list[tuple[float, str]]] = {PAGE: [], "libvirt_domain_info_meta": [], "up": []}

    def show(at: float, host: str, domain: str, uuid: str, seconds: float) -> None:
        labels = f'instance="{host}",job="libvirt"'
        samples[PAGE].append((at, f'{PAGE}{{domain="{domain}",{labels}}} {seconds} {at:.3f}'))
        meta = f'libvirt_domain_info_meta{{domain="{domain}",uuid="{uuid}",{labels}}} 1 {at:.3f}'
        samples["libvirt_domain_info_meta"].append((at, meta))

    for domain, uuid, host, days, vcpus in USED:
        for minute in range(-3, 64):
            at = now - days * DAY + minute * 60.0
            show(at, host, domain, uuid, 1e6 + vcpus * minute * 60.0)
    for host in ("old:9177", "older:9177", "new:9177"):
        spans = [(now - days * DAY - 200, now - days * DAY + HOUR + 300) for days in (7, 1)] + [(now - 300, now)]
        samples["up"] += [
            (at, f'up{{instance="{host}",job="libvirt"}} 1 {at:.3f}')
            for begin, end in spans
            for at in range(int(begin), int(end), 60)
        ]
    for domain, uuid in {(d, u) for d, u, *_ in USED if u != GONE}:
        for minute in range(5):
            show(now - minute * 60.0, "new:9177", domain, uuid, 5e6 - minute * 60.0)
    lines = []
    for name, found in samples.items():
        lines += [f"# TYPE {name} gauge", *(line for _, line in sorted(set(found)))]
    return "\n".join(lines) + "\n"


async def test_the_greater_of_yesterday_and_last_week_wherever_it_then_ran(tmp_path: Path) -> None:
    now = time.time()
    async with prometheus(tmp_path, {}, history=history(now)) as server:
        asked = [query for query in defaults(timedelta(minutes=1)) if query.quantity is Quantity.CPU_AHEAD_VCPUS]
        collector = PrometheusCollector(Server(url=server.url), asked, HostLabels.of([]))
        await collector.start()
        batches, faults = await collector.collect(timedelta(seconds=10))
        await collector.stop()
    assert faults == []
    (batch,) = batches
    assert batch.kind is Kind.VM
    assert dict(zip(batch.names, batch.values.tolist(), strict=True)) == {
        VM: pytest.approx(3.0, rel=0.02),
        OTHER: pytest.approx(0.5, rel=0.02),
    }
    assert all(now - 60 <= at <= now + 1 for at in batch.at)


async def test_where_there_is_no_history_it_says_nothing_and_that_is_no_fault(tmp_path: Path) -> None:
    async with prometheus(tmp_path, {}) as server:
        asked = [query for query in defaults(timedelta(minutes=1)) if query.quantity is Quantity.CPU_AHEAD_VCPUS]
        collector = PrometheusCollector(Server(url=server.url), asked, HostLabels.of([]))
        await collector.start()
        batches, faults = await collector.collect(timedelta(seconds=10))
        await collector.stop()
    assert (list(batches), list(faults)) == ([], [])

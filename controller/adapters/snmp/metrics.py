"""What the SNMP collector did, as metrics."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from controller.adapters.snmp.stats import Stats

Rows = Iterable[tuple[tuple[str, ...], float]]


class SnmpMetrics(Collector):
    """`stats` is asked at each scrape."""

    def __init__(self, stats: Callable[[], Stats]) -> None:
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        """Counts since the collector began; a reload that rebuilds it begins anew."""
        stats = self._stats()
        yield from _polling(stats)
        yield from _messages(stats)
        outcomes = (((outcome,), float(count)) for outcome, count in sorted(stats.traps.items()))
        yield _counters("gdcc_snmp_traps", "Traps and informs by what became of them.", ("outcome",), outcomes)
        names = (((name,), float(count)) for name, count in sorted(stats.trap_names.items()))
        yield _counters("gdcc_snmp_traps_by_name", "Traps and informs of known devices by name.", ("trap",), names)
        yield _counter("gdcc_snmp_informs_acknowledged", "Informs that were answered.", stats.informs)

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry need not collect to learn names."""
        return ()


def _polling(stats: Stats) -> Iterator[Metric]:
    yield GaugeMetricFamily("gdcc_snmp_devices", "Devices that are polled.", value=stats.devices)
    text = "Devices that answered their newest poll."
    yield GaugeMetricFamily("gdcc_snmp_devices_answering", text, value=stats.answering)
    polls = (((profile.value,), float(count)) for profile, count in sorted(stats.polls.items()))
    yield _counters("gdcc_snmp_polls", "Polls of whole devices.", ("profile",), polls)
    faults = (((profile.value, reason), float(count)) for (profile, reason), count in sorted(stats.faults.items()))
    text = "What devices gave that could not be used: timeout, auth, malformed, implausible, counter_reset, down …"
    yield _counters("gdcc_snmp_faults", text, ("profile", "reason"), faults)
    yield _counter("gdcc_snmp_agent_restarts", "Device agents that began anew.", stats.restarts)


def _messages(stats: Stats) -> Iterator[Metric]:
    yield _counter(
        "gdcc_snmp_requests", "Messages that devices were asked with, resendings not counted.", stats.requests
    )
    yield _counter("gdcc_snmp_resendings", "Messages sent again for want of an answer.", stats.resendings)
    yield _counter("gdcc_snmp_timeouts", "Messages that were never answered.", stats.timeouts)
    yield _counter("gdcc_snmp_resyncs", "Reports (SNMPv3) after which a device was asked again.", stats.resyncs)
    yield _counter("gdcc_snmp_unexpected_packets", "Datagrams from addresses that were not asked.", stats.strays)


def _counter(name: str, text: str, count: int) -> Metric:
    return CounterMetricFamily(name, text, value=count)


def _counters(name: str, text: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family

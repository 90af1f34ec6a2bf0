"""Short ways to say a metric."""

from collections.abc import Iterable, Mapping
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from controller.engine.tally import Histogram

Rows = Iterable[tuple[tuple[str, ...], float]]
"""Label values and the value."""


def gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def gauges(name: str, text: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def counters(name: str, text: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    """`name` without `_total`."""
    family = CounterMetricFamily(name, text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def counted(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    return gauges(name, text, (label,), (((key,), float(count)) for key, count in sorted(counts.items())))


def histograms(name: str, text: str, label: str | None, rows: Mapping[str, Histogram]) -> Metric:
    """One histogram a key of `rows`; the key is the label's value where there is a label."""
    family = HistogramMetricFamily(name, text, labels=[label] if label else [])
    for key, histogram in sorted(rows.items()):
        bounds = [*map(str, histogram.bounds), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(histogram.counts)), strict=True))
        family.add_metric([key] if label else [], buckets, histogram.total)
    return family

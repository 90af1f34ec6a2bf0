"""What `gdcc estate drift` tells Prometheus, through node_exporter's textfile collector."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from controller.errors import InputError


def write(path: Path, drifted: Mapping[str, int], unread: Mapping[str, str], at: datetime, seconds: float) -> None:
    """Replaces the file at once. `drifted` counts resources by stack that was looked at, `unread` are the others.

    Raises `InputError` where it cannot be written.
    """
    registry = CollectorRegistry()
    resources = Gauge(
        "gdcc_estate_drifted_resources",
        "Resources of a stack that are not as its last run left them.",
        ["stack"],
        registry=registry,
    )
    looked = Gauge(
        "gdcc_estate_drift_look_success",
        "Whether the last look at a stack succeeded; without success its drift is unknown.",
        ["stack"],
        registry=registry,
    )
    for stack, count in sorted(drifted.items()):
        resources.labels(stack).set(count)
    for stack in sorted({*drifted, *unread}):
        looked.labels(stack).set(stack in drifted)
    when = "gdcc_estate_drift_look_timestamp_seconds"
    Gauge(when, "When the last look for drift ended.", registry=registry).set(at.timestamp())
    took = "gdcc_estate_drift_look_duration_seconds"
    Gauge(took, "How long the last look for drift took.", registry=registry).set(seconds)
    try:
        write_to_textfile(str(path), registry)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from error

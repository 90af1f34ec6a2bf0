"""What a look for drift, or for facts that differ, tells Prometheus, through node_exporter's textfile collector."""

import contextlib
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from controller.errors import InputError

_FOR_ALL = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is looked at: metrics begin with `prefix`, carry the label `label`, and count `counted` by it.

    What is looked for is `sought`; the metrics on the look itself are named for it.
    """

    prefix: str
    label: str
    counted: str
    help: str
    sought: str = "drift"


ESTATE = Subject(
    prefix="gdcc_estate",
    label="stack",
    counted="drifted_resources",
    help="Resources of a stack that are not as its last run left them.",
)
HOSTS = Subject(
    prefix="gdcc_host", label="host", counted="drifted_tasks", help="Tasks that would change something on a host."
)


FACTS = Subject(
    prefix="gdcc_host",
    label="host",
    counted="differing_facts",
    help="Facts of a host that are not what is declared.",
    sought="facts",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`drifted` counts for each thing that was looked at, `unread` is the rest; it ended `at`, after `seconds`.

    `credentials_end`: when the first application credential of a thing ends, where it has one.
    """

    drifted: Mapping[str, int]
    unread: Collection[str]
    at: datetime
    seconds: float
    credentials_end: Mapping[str, datetime] = field(default_factory=dict)


def write(path: Path, subject: Subject, look: Look) -> None:
    """Replaces the file at once, for everybody to read: node_exporter is another user, whatever our umask.

    Raises `InputError` where it cannot be written.
    """
    registry = CollectorRegistry()
    prefix, label, sought = subject.prefix, subject.label, subject.sought
    counted = Gauge(f"{prefix}_{subject.counted}", subject.help, [label], registry=registry)
    success = f"Whether the last look at a {label} succeeded; without success nothing is known of its {sought}."
    looked = Gauge(f"{prefix}_{sought}_look_success", success, [label], registry=registry)
    for name, count in sorted(look.drifted.items()):
        counted.labels(name).set(count)
    for name in sorted({*look.drifted, *look.unread}):
        looked.labels(name).set(name in look.drifted)
    if look.credentials_end:
        first = f"When the first application credential of a {label} ends."
        ends = Gauge(f"{prefix}_credentials_end_timestamp_seconds", first, [label], registry=registry)
        for name, end in sorted(look.credentials_end.items()):
            ends.labels(name).set(end.timestamp())
    when = f"{prefix}_{sought}_look_timestamp_seconds"
    Gauge(when, f"When the last look for {sought} ended.", registry=registry).set(look.at.timestamp())
    took = f"{prefix}_{sought}_look_duration_seconds"
    Gauge(took, f"How long the last look for {sought} took.", registry=registry).set(look.seconds)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_to_textfile(str(draft), registry)
        draft.chmod(_FOR_ALL)
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from error

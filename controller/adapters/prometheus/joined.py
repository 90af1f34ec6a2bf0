"""Puts values and times together under the inventory's names: what has both is a reading, all else a fault. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from controller.adapters.prometheus.answer import Bad, Vector
from controller.adapters.prometheus.query import Query
from controller.model.sample import Batch, Fault, Kind
from inventory.model import Host

SOURCE = "prometheus"
NAMED = 20
"""So many faults of one query and reason carry their names; the rest are told in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLabels:
    """Which host an instance label means: its name, its address or an exporter's host:port."""

    hosts: Mapping[str, str]

    @classmethod
    def of(cls, hosts: Iterable[Host]) -> "HostLabels":
        """From the inventory."""
        known: dict[str, str] = {}
        for host in hosts:
            known |= dict.fromkeys((host.name, *host.exporters, *([host.address] if host.address else [])), host.name)
        return cls(hosts=known)

    def host(self, label: str) -> str | None:
        """The host's name, None for an instance that is no host of the inventory."""
        return self.hosts.get(label) or self.hosts.get(label.rsplit(":", 1)[0])


def joined(query: Query, values: Vector, times: Vector, labels: HostLabels) -> tuple[Batch | None, list[Fault]]:
    """The readings of one query, and what of it cannot be used."""
    bad = [*values.bad, *(b for b in times.bad if b.name in values.values)]
    unusable = {b.name for b in times.bad}
    found: dict[str, tuple[float, float]] = {}
    twice: set[str] = set()
    for label, value in values.values.items():
        name = labels.host(label) if query.kind is Kind.HOST else label
        if name is None or label in unusable:
            continue
        if label not in times.values:
            bad.append(Bad(name=name, reason="stale", detail="it has no sample now: its target is down or gone"))
        elif name in found:
            twice.add(name)
        else:
            found[name] = (value, times.values[label])
    for name in sorted(twice):
        del found[name]
        bad.append(Bad(name=name, reason="duplicate", detail="several instances are this host"))
    faults = _faults(query, bad)
    if not found and not faults and not (query.optional and not values.values):
        faults = [_empty(query, values)]
    return _batch(query, found), faults


def fault(query: Query, reason: str, detail: str, name: str = "") -> Fault:
    """A fault of one query; its subject is the name, or the quantity where it concerns them all."""
    subject = name or f"{query.kind.value} {query.quantity.value}"
    return Fault(source=SOURCE, subject=subject, reason=reason, detail=f"{query.quantity.value}: {detail}")


def _batch(query: Query, found: Mapping[str, tuple[float, float]]) -> Batch | None:
    if not found:
        return None
    names = tuple(sorted(found))
    columns = np.array([found[name] for name in names], np.float64)
    return Batch(
        kind=query.kind, quantity=query.quantity, source=SOURCE, names=names, values=columns[:, 0], at=columns[:, 1]
    )


def _faults(query: Query, bad: list[Bad]) -> list[Fault]:
    by_reason: dict[str, list[Bad]] = defaultdict(list)
    for one in bad:
        by_reason[one.reason].append(one)
    faults = []
    for reason, several in sorted(by_reason.items()):
        several.sort(key=lambda one: one.name)
        faults += [fault(query, reason, one.detail, one.name) for one in several[:NAMED]]
        if len(several) > NAMED:
            faults.append(fault(query, reason, f"{len(several) - NAMED} more names: {several[NAMED].detail}"))
    return faults


def _empty(query: Query, values: Vector) -> Fault:
    if values.values:
        example = next(iter(sorted(values.values)))
        return fault(query, "empty", f"no series names a host of the inventory; {query.label} is {example!r} for one")
    return fault(query, "empty", "no series; is the exporter scraped, and the window twice the scrape interval?")

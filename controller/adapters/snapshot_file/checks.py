"""What must hold between the columns of a snapshot; each function yields (JSON path, what is wrong) pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from itertools import chain, pairwise

import numpy as np

from controller.engine import bounds
from controller.model.cluster import BoolColumn, Cluster, PowerKind, Reading
from controller.model.sample import IntColumn, Quantity, Trust
from inventory.model import Classification

Flaw = tuple[str, str]


def flaws(cluster: Cluster) -> Iterator[Flaw]:
    """Everything wrong with a snapshot whose columns are each well formed; lengths first, rows only if those hold."""
    lengths = list(_wrong_lengths(cluster))
    if lengths:
        yield from lengths
        return
    yield from chain(
        _wrong_keys(cluster),
        _wrong_rows(cluster),
        _wrong_readings(cluster),
        _wrong_facts(cluster),
        _unbelievable(cluster),
        _impossible_machines(cluster),
    )


def _tables(cluster: Cluster) -> tuple[tuple[str, object, Sequence[str]], ...]:
    return (
        ("hosts", cluster.hosts, cluster.hosts.names),
        ("vms", cluster.vms, cluster.vms.ids),
        ("host_types", cluster.host_types, cluster.host_types.names),
        ("catalog", cluster.catalog, cluster.catalog.names),
        ("racks", cluster.racks, cluster.racks.names),
        ("rooms", cluster.rooms, cluster.rooms.names),
        ("zones", cluster.zones, cluster.zones.names),
        ("power", cluster.power, cluster.power.names),
        ("systems", cluster.systems, cluster.systems.names),
        ("agencies", cluster.agencies, cluster.agencies.names),
    )


def _columns(path: str, table: object) -> Iterator[tuple[str, Sequence[object]]]:
    """Every column of a table with its JSON path, those of its readings too."""
    assert is_dataclass(table)
    for field in fields(table):
        value = getattr(table, field.name)
        if isinstance(value, Reading):
            yield from _columns(f"{path}.{field.name}", value)
        else:
            yield f"{path}.{field.name}", value


def _wrong_lengths(cluster: Cluster) -> Iterator[Flaw]:
    for name, table, keys in _tables(cluster):
        for path, column in _columns(f"$.{name}", table):
            if len(column) != len(keys):
                yield path, f"has {len(column)} entries where the table has {len(keys)} rows"


def _wrong_keys(cluster: Cluster) -> Iterator[Flaw]:
    keys = [(f"$.{name}.{'ids' if name == 'vms' else 'names'}", keys) for name, _, keys in _tables(cluster)]
    named: list[tuple[str, Sequence[str]]] = [("$.sources", cluster.sources), ("$.flavors", cluster.flavors)]
    named += [("$.groups", [group.name for group in cluster.groups])]
    power = [f"{PowerKind(kind).name.lower()} {name}" for kind, name in zip(*_power_keys(cluster), strict=True)]
    named += [("$.power.names", power)]
    for path, names in [*(key for key in keys if key[0] != "$.power.names"), *named]:
        if len(set(names)) != len(names):
            yield path, f"{_first_twice(names)!r} stands there twice"
    for path, names in keys[:2]:
        if any(a > b for a, b in pairwise(names)):
            yield path, "is not sorted"


def _power_keys(cluster: Cluster) -> tuple[list[int], tuple[str, ...]]:
    """Kind and name of each power row: a feed and a PDU may have one name."""
    return cluster.power.kind.tolist(), cluster.power.names


def _first_twice(names: Sequence[str]) -> str:
    return next(a for a, b in pairwise(sorted(names)) if a == b)


def _wrong_rows(cluster: Cluster) -> Iterator[Flaw]:
    hosts, vms = cluster.hosts, cluster.vms
    sizes = {name: len(keys) for name, _, keys in _tables(cluster)}
    for path, rows, size, may_be_none in (
        ("$.hosts.rack", hosts.rack, sizes["racks"], True),
        ("$.hosts.type", hosts.type, sizes["host_types"], True),
        ("$.hosts.power", hosts.power, sizes["power"], True),
        ("$.vms.host", vms.host, sizes["hosts"], True),
        ("$.vms.target", vms.target, sizes["hosts"], True),
        ("$.vms.system", vms.system, sizes["systems"], True),
        ("$.vms.requirement", vms.requirement, len(cluster.requirements), False),
        ("$.vms.flavor", vms.flavor, len(cluster.flavors), False),
        ("$.catalog.requirement", cluster.catalog.requirement, len(cluster.requirements), False),
        ("$.racks.zone", cluster.racks.zone, sizes["zones"], False),
        ("$.racks.room", cluster.racks.room, sizes["rooms"], False),
        ("$.power.partner", cluster.power.partner, sizes["power"], True),
        ("$.power.feed", cluster.power.feed, sizes["power"], True),
        ("$.systems.agency", cluster.systems.agency, sizes["agencies"], False),
    ):
        yield from _out_of_range(path, rows, size, low=-1 if may_be_none else 0)
    yield from _wrong_members(cluster)


def _out_of_range(path: str, rows: IntColumn, size: int, *, low: int) -> Iterator[Flaw]:
    bad = np.argwhere((rows < low) | (rows >= size))
    if len(bad):
        at = "".join(f"[{n}]" for n in bad[0])
        yield path + at, f"is row {rows[tuple(bad[0])]} of a table of {size} rows"


def _wrong_members(cluster: Cluster) -> Iterator[Flaw]:
    vms, hosts = len(cluster.vms.ids), len(cluster.hosts.names)
    lists = [(f"$.groups[{n}].members", group.members, vms) for n, group in enumerate(cluster.groups)]
    lists += [(f"$.aggregates[{n}].hosts", aggregate.hosts, hosts) for n, aggregate in enumerate(cluster.aggregates)]
    for path, rows, size in lists:
        yield from _out_of_range(path, rows, size, low=0)
        if np.any(rows[1:] <= rows[:-1]):
            yield path, "must be sorted, each row once"
    for n, refusal in enumerate(cluster.refusals):
        if refusal.vm >= vms or refusal.host >= hosts:
            yield f"$.refusals[{n}]", f"names VM {refusal.vm} of {vms} and host {refusal.host} of {hosts}"


def _wrong_readings(cluster: Cluster) -> Iterator[Flaw]:
    for name, table, _ in _tables(cluster):
        assert is_dataclass(table)
        for field in fields(table):
            value = getattr(table, field.name)
            if isinstance(value, Reading):
                yield from _wrong_reading(f"$.{name}.{field.name}", value, len(cluster.sources))


def _wrong_reading(path: str, reading: Reading, sources: int) -> Iterator[Flaw]:
    yield from _out_of_range(f"{path}.source", reading.source, sources, low=-1)
    empty = np.isnan(reading.values)
    for what, wrong in (
        ("is fresh without a value, a time and a source", _fresh_without(reading)),
        ("is absent and yet has a value", np.equal(reading.trust, Trust.ABSENT) & ~empty),
        ("is infinite", np.isinf(reading.values) | np.isinf(reading.at)),
    ):
        yield from _first(path, wrong, what)


def _fresh_without(reading: Reading) -> BoolColumn:
    return reading.fresh & (np.isnan(reading.values) | np.isnan(reading.at) | (reading.source < 0))


def _unbelievable(cluster: Cluster) -> Iterator[Flaw]:
    """Fresh values that no machine reads; whoever wrote them, a plan would go by them. Nothing at all is believable."""
    for name, table, keys in _tables(cluster):
        assert is_dataclass(table)
        for field in fields(table):
            reading = getattr(table, field.name)
            if isinstance(reading, Reading):
                least, most = bounds.RANGE[Quantity(field.name)]
                least = min(least, 0.0)
                row = _row(reading.fresh & ((reading.values < least) | (reading.values > most)))
                if row is not None:
                    what = f"says {reading.values[row]:g} of {keys[row]}, believable are {least:g} to {most:g}"
                    yield f"$.{name}.{field.name}.values[{row}]", what


def _impossible_machines(cluster: Cluster) -> Iterator[Flaw]:
    """A host of the inventory without threads or memory; one that is not known may show none, but no part of one."""
    hosts = cluster.hosts
    for column, values in (("threads", hosts.threads), ("physical_memory_mib", hosts.physical_memory_mib)):
        row = _row((values < 1) & (hosts.known | (values > 0)))
        if row is not None:
            known = ", which the inventory knows" if hosts.known[row] else ""
            yield f"$.hosts.{column}[{row}]", f"says {values[row]:g} of {hosts.names[row]}{known}"


def _row(wrong: BoolColumn) -> int | None:
    return int(wrong.argmax()) if wrong.any() else None


def _first(path: str, wrong: BoolColumn, what: str) -> Iterator[Flaw]:
    if wrong.any():
        yield f"{path}[{int(wrong.argmax())}]", what


def _wrong_facts(cluster: Cluster) -> Iterator[Flaw]:
    vms, power, hosts = cluster.vms, cluster.power, cluster.hosts
    feeds = power.kind == PowerKind.FEED
    partnered = power.partner >= 0
    yield from _first("$.vms.target", (vms.target >= 0) & (vms.target == vms.host), "is the host the VM stands on")
    unknown = (vms.system < 0) & (vms.classification != max(Classification))
    yield from _first("$.vms.classification", unknown, "must be the highest where the system is not known")
    yield from _first("$.power.partner", partnered & ~feeds, "only a feed has a partner")
    if not any(_out_of_range("", power.feed, len(power.names), low=-1)):
        yield from _first("$.power.feed", (power.feed >= 0) & ~feeds[power.feed], "is not a feed")
        own = np.arange(len(power.names), dtype=np.int32)
        yield from _first("$.power.feed", feeds & (power.feed != own), "of a feed is the feed itself")
    if not any(_out_of_range("", power.partner, len(power.names), low=-1)):
        yield from _first("$.power.partner", partnered & ~feeds[power.partner], "is not a feed")
    yield from _first("$.hosts.trusted", hosts.trusted & ~hosts.known, "a host that is not known cannot be trusted")

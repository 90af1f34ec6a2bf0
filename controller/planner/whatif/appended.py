"""Rows put at the end of a table: copies of one of its rows, or of values."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from controller.model import cluster as model
from controller.model.sample import Trust

Table = TypeVar("Table", model.Hosts, model.Vms)

_COLUMNS = ("values", "at", "source", "trust")


def copied(table: Table, row: int, count: int) -> Table:
    """The table with its row `row` standing in it `count` times more, at the end."""

    def column(value: Any) -> Any:
        if isinstance(value, model.Reading):
            return model.Reading(**{name: column(getattr(value, name)) for name in _COLUMNS})
        if isinstance(value, tuple):
            return (*value, *(value[row],) * count)
        return np.concatenate([value, np.repeat(value[row : row + 1], count, axis=0)])

    return replace(table, **{each.name: column(getattr(table, each.name)) for each in fields(table)})


def made(table: Table, rows: Sequence[Mapping[str, Any]]) -> Table:
    """The table with these rows more, each a value a column; nothing of them is read."""

    def column(name: str, value: Any) -> Any:
        if isinstance(value, model.Reading):
            return grown(value, len(rows))
        if isinstance(value, tuple):
            return (*value, *(row[name] for row in rows))
        return np.concatenate([value, np.array([row[name] for row in rows], value.dtype)])

    return replace(table, **{each.name: column(each.name, getattr(table, each.name)) for each in fields(table)})


def server(catalog: model.Catalog, row: int, flavors: Sequence[str]) -> dict[str, Any]:
    """The columns of a server of a declared flavor that runs, stands nowhere and is of no system; `flavors`: by row."""
    return {
        "host": -1, "target": -1, "system": -1, "classification": catalog.classification[row],
        "requirement": catalog.requirement[row], "flavor": flavors.index(catalog.names[row]),
        "vcpus": catalog.vcpus[row], "memory_mib": catalog.memory_mib[row], "disk_gib": catalog.disk_gib[row],
        "state": model.VmState.ACTIVE, "busy": False, "locked": False, "fit_known": catalog.fit_known[row],
        "cooldown_until": 0.0, "cpu_high_vcpus": np.nan, "network_high_bytes_s": np.nan, "ids": "", "names": "",
    }  # fmt: skip


def grown(reading: model.Reading, count: int) -> model.Reading:
    """The reading with `count` rows more that are absent."""
    more = model.absent(count)
    return model.Reading(**{name: np.concatenate([getattr(reading, name), getattr(more, name)]) for name in _COLUMNS})


def unread(reading: model.Reading, start: int) -> model.Reading:
    """The reading with nothing in its rows from `start` on."""
    count = len(reading.values) - start
    kept = model.Reading(**{name: getattr(reading, name)[:start] for name in _COLUMNS})
    return grown(kept, count)


def read(reading: model.Reading, start: int, value: float, at: float, sources: int) -> model.Reading:
    """The reading with this value, fresh, in its rows from `start` on; with none where the snapshot has no source."""
    if not sources:
        return unread(reading, start)
    return model.Reading(
        values=put(reading.values, start, value),
        at=put(reading.at, start, at),
        source=put(reading.source, start, max(int(reading.source[start]), 0)),
        trust=put(reading.trust, start, Trust.FRESH),
    )


def put(column: Any, start: int, value: Any) -> Any:
    """The column with this value in its rows from `start` on."""
    changed = column.copy()
    changed[start:] = value
    return changed


def names(like: str, count: int, known: Iterable[str]) -> Iterator[str]:
    """`c17+1`, `c17+2` …, those left out that there are."""
    there = frozenset(known)
    numbered = (f"{like}+{n}" for n in itertools.count(1))
    return itertools.islice((name for name in numbered if name not in there), count)

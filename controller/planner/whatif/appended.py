"""Rows put at the end of a table: copies of one of its rows, or of values."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
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


def made(table: Table, values: Mapping[str, Any], count: int) -> Table:
    """The table with `count` rows more of these values, one a column; nothing of them is read."""

    def column(name: str, value: Any) -> Any:
        if isinstance(value, model.Reading):
            return unread(grown(value, count), len(value.values))
        if isinstance(value, tuple):
            return (*value, *(values[name],) * count)
        return np.concatenate([value, np.full(count, values[name], value.dtype)])

    return replace(table, **{each.name: column(each.name, getattr(table, each.name)) for each in fields(table)})


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

"""What every source said last, as columns: one per kind of thing, quantity and source.

What a source said last counts, even where an earlier answer bore a later time: a clock that once ran ahead must not
shadow the right readings that follow. Nothing is judged here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np

from controller.engine import bounds
from controller.model.cluster import BoolColumn
from controller.model.sample import Batch, FloatColumn, IntColumn, Kind, Quantity

WELL = 0.0
"""The value of every state (`bounds.WORST_COUNTS`) that is well."""

Key = tuple[Kind, Quantity, str]
"""Kind, quantity and source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The last reading of each name (`values`, `at`) and the one before it, NaN where there is none.

    `rank` is the source's place in the configured order, smaller is preferred.
    """

    names: tuple[str, ...]
    values: FloatColumn
    at: FloatColumn
    before_values: FloatColumn
    before_at: FloatColumn
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    columns: Mapping[Key, Column] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of all sources, sorted."""
        return tuple(sorted({source for _, _, source in self.columns}))

    def of(self, kind: Kind, quantity: Quantity) -> tuple[tuple[str, Column], ...]:
        """Each source's column of one quantity, the preferred source first."""
        found = [(source, column) for (k, q, source), column in self.columns.items() if k is kind and q is quantity]
        return tuple(sorted(found, key=lambda item: (item[1].rank, item[0])))


def merged(readings: Readings, batches: Iterable[tuple[int, Batch]], *, forget_before: float) -> Readings:
    """The readings with new batches, each with its source's rank, in the order they came.

    A name that the newest batch leaves out keeps its last reading (it ages) until that is from before `forget_before`.
    A state that was not well is never forgotten: it ages until the thing itself says that it is well again.
    """
    columns = {key: column for key, column in readings.columns.items() if _lasting(key[1], column, forget_before).any()}
    for rank, batch in batches:
        if len(batch.names):
            key = (batch.kind, batch.quantity, batch.source)
            old = columns.get(key)
            kept = None if old is None else _lasting(batch.quantity, old, forget_before)
            columns[key] = _updated(old, kept, _distinct(batch), rank)
    return Readings(columns=columns)


def positions(names: tuple[str, ...], wanted: tuple[str, ...]) -> IntColumn:
    """Where each wanted name stands among `names`, -1 where it does not."""
    if names == wanted:
        return np.arange(len(names), dtype=np.int32)
    place = dict(zip(names, range(len(names)), strict=True))
    return np.fromiter(map(place.get, wanted, repeat(-1)), np.int32, len(wanted))


def _distinct(batch: Batch) -> Batch:
    """The batch with each name once, at its newest time; of a state (two UPSs of one feed) the worst counts."""
    if len(set(batch.names)) == len(batch.names):
        return batch
    worst = batch.values if batch.quantity in bounds.WORST_COUNTS else np.zeros(len(batch.names))
    order = np.lexsort((batch.at, worst))[::-1]
    last: dict[str, int] = {}
    for row in order.tolist():
        last.setdefault(batch.names[row], row)
    rows = np.array(sorted(last.values()), np.int32)
    return Batch(
        kind=batch.kind,
        quantity=batch.quantity,
        source=batch.source,
        names=tuple(batch.names[row] for row in rows),
        values=batch.values[rows],
        at=batch.at[rows],
    )


def _lasting(quantity: Quantity, column: Column, forget_before: float) -> BoolColumn:
    """Which of its readings are kept where no newer one comes."""
    recent: BoolColumn = np.greater_equal(column.at, forget_before)
    return recent | np.not_equal(column.values, WELL) if quantity in bounds.WORST_COUNTS else recent


def _updated(old: Column | None, lasting: BoolColumn | None, batch: Batch, rank: int) -> Column:
    nothing = np.full(len(batch.names), np.nan)
    new = Column(
        names=batch.names,
        values=batch.values.astype(np.float64),
        at=batch.at.astype(np.float64),
        before_values=nothing,
        before_at=nothing,
        rank=rank,
    )
    if old is None or lasting is None:
        return new
    shared = positions(old.names, batch.names)
    return _joined(_kept(old, batch.names, lasting), _after(old, new, shared))


def _after(old: Column, new: Column, shared: IntColumn) -> Column:
    """The new column with what stood there before; the same reading told again changes nothing."""
    found = shared >= 0
    again = found & (old.at[shared] == new.at) & (old.values[shared] == new.values)
    before_values = np.where(again, old.before_values[shared], old.values[shared])
    before_at = np.where(again, old.before_at[shared], old.at[shared])
    return Column(
        names=new.names,
        values=new.values,
        at=new.at,
        before_values=np.where(found, before_values, np.nan),
        before_at=np.where(found, before_at, np.nan),
        rank=new.rank,
    )


def _kept(old: Column, replaced: tuple[str, ...], lasting: BoolColumn) -> Column | None:
    if old.names == replaced:
        return None
    gone = set(replaced)
    rows = [n for n, (name, lasts) in enumerate(zip(old.names, lasting, strict=True)) if name not in gone and lasts]
    return Column(
        names=tuple(old.names[n] for n in rows),
        values=old.values[rows],
        at=old.at[rows],
        before_values=old.before_values[rows],
        before_at=old.before_at[rows],
        rank=old.rank,
    )


def _joined(kept: Column | None, new: Column) -> Column:
    if kept is None or not kept.names:
        return new
    return Column(
        names=new.names + kept.names,
        values=np.concatenate([new.values, kept.values]),
        at=np.concatenate([new.at, kept.at]),
        before_values=np.concatenate([new.before_values, kept.before_values]),
        before_at=np.concatenate([new.before_at, kept.before_at]),
        rank=new.rank,
    )

"""The trust gate: says of each reading whether it is fresh, stale, implausible or absent, and picks the source.

Of several sources the first in the configured order that is fresh counts. Fresh ones that differ by more than the
quantity's tolerance make the reading implausible, since nobody can say which of them lies; of states the worse counts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.engine import bounds
from controller.engine import readings as store
from controller.model import cluster as model
from controller.model.policy import TrustPolicy
from controller.model.sample import FloatColumn, Kind, Quantity, Trust

Bound = FloatColumn | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """All sources' readings, held against one policy at one time (seconds since the epoch)."""

    readings: store.Readings
    sources: tuple[str, ...]
    policy: TrustPolicy
    now: float

    def reading(
        self,
        kind: Kind,
        quantity: Quantity,
        names: tuple[str, ...],
        *,
        low: Bound = -np.inf,
        high: Bound = np.inf,
        not_before: Bound = -np.inf,
    ) -> model.Reading:
        """The column of one quantity for `names`.

        `low` and `high` bound what each name can believably read (NaN: no bound of its own); a reading taken before
        `not_before` is stale.
        """
        columns = self.readings.of(kind, quantity)
        if not columns or not names:
            return model.absent(len(names))
        found = [store.positions(column.names, names) for _, column in columns]
        values = _rows([column.values for _, column in columns], found)
        at = _rows([column.at for _, column in columns], found)
        believable = self._in_range(quantity, values, low, high) & self._in_time(at)
        believable &= _steady(quantity, values, at, [column for _, column in columns], found)
        old = (self.now - at > self._max_age(quantity)) | (at < not_before)
        trust = np.where(old, Trust.STALE, Trust.FRESH)
        trust = np.where(believable, trust, Trust.IMPLAUSIBLE)
        trust = np.where(np.array(found) < 0, Trust.ABSENT, trust).astype(np.int8)
        index = np.array([self.sources.index(source) for source, _ in columns], np.int32)
        return _chosen(quantity, values, at, trust, index)

    def _max_age(self, quantity: Quantity) -> float:
        return self.policy.max_age.get(quantity, self.policy.default_max_age).total_seconds()

    def _in_time(self, at: FloatColumn) -> model.BoolColumn:
        return np.isfinite(at) & (at <= self.now + self.policy.max_future.total_seconds())

    @staticmethod
    def _in_range(quantity: Quantity, values: FloatColumn, low: Bound, high: Bound) -> model.BoolColumn:
        least, most = bounds.RANGE[quantity]
        inside = np.isfinite(values) & (values >= least) & (values <= most)
        inside &= ~(values < low) & ~(values > high)
        if quantity in bounds.WHOLE:
            inside &= values == np.round(values)
        return inside


def _rows(columns: list[FloatColumn], found: list[NDArray[np.int32]]) -> FloatColumn:
    """One row a source, shape (S, N): its value for each name, NaN where it has none or what it has is no number."""
    rows = np.stack([np.where(at < 0, np.nan, column[at]) for column, at in zip(columns, found, strict=True)])
    return np.where(np.isfinite(rows), rows, np.nan)


def _steady(
    quantity: Quantity,
    values: FloatColumn,
    at: FloatColumn,
    columns: list[store.Column],
    found: list[NDArray[np.int32]],
) -> model.BoolColumn:
    """Where a value is no greater jump from the believable one before it than physics allows."""
    rate = bounds.RATE.get(quantity)
    if rate is None:
        return np.ones(values.shape, np.bool_)
    before = _rows([column.before_values for column in columns], found)
    seconds = at - _rows([column.before_at for column in columns], found)
    least, most = bounds.RANGE[quantity]
    comparable = (before >= least) & (before <= most) & (seconds >= 0)
    return ~(comparable & (np.abs(values - before) > rate.step + rate.per_second * seconds))


def _chosen(
    quantity: Quantity, values: FloatColumn, at: FloatColumn, trust: NDArray[np.int8], index: NDArray[np.int32]
) -> model.Reading:
    """One of several sources' readings for each name, by trust and then by order."""
    fresh = trust == Trust.FRESH
    pick = np.argmin(trust, axis=0)
    if quantity in bounds.WORST_COUNTS:
        worst = np.argmax(np.where(fresh, values, -np.inf), axis=0)
        pick = np.where(fresh.any(axis=0), worst, pick)
    row = np.arange(values.shape[1])
    verdict = trust[pick, row]
    if quantity not in bounds.WORST_COUNTS and len(values) > 1:
        verdict = np.where(_at_odds(quantity, values, fresh), Trust.IMPLAUSIBLE, verdict).astype(np.int8)
    absent = verdict == Trust.ABSENT
    return model.Reading(
        values=values[pick, row],
        at=at[pick, row],
        source=np.where(absent, -1, index[pick]).astype(np.int32),
        trust=verdict,
    )


def _at_odds(quantity: Quantity, values: FloatColumn, fresh: model.BoolColumn) -> model.BoolColumn:
    tolerance = bounds.TOLERANCE[quantity]
    several = fresh.sum(axis=0) > 1
    most = np.where(several, np.where(fresh, values, -np.inf).max(axis=0), 0.0)
    least = np.where(several, np.where(fresh, values, np.inf).min(axis=0), 0.0)
    differ: model.BoolColumn = most - least > np.maximum(tolerance.absolute, tolerance.relative * np.abs(most))
    return differ

"""How many watts one more busy thread costs, learned from the hosts' own readings.

Per host type: `watts = intercept(host) + slope * busy threads`, least squares with an intercept for each host (removed
by taking each host's own mean off its readings) and Huber's weights, so that a lying sensor does not tilt the line.
Until the readings spread enough, the type's nameplate gives the slope, with a margin that says so.

P. J. Huber, "Robust Estimation of a Location Parameter", 1964; weights `min(1, 1.345 * sigma / |residual|)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.model import cluster as model
from controller.model.sample import FloatColumn
from inventory.model import HostType

KEPT_LOOKS = 60
_LEAST_SAMPLES = 30
_LEAST_SPREAD = 0.02
"""Readings tell a slope when busy threads differ by this share of all threads (standard deviation within a host)."""
_NAMEPLATE_ERROR = 0.15
"""Servers' measured power curves stray from a straight line by about this share of peak minus idle (modelled)."""
_BELIEVABLE_SLOPE = (0.2, 4.0)
"""A fitted slope outside these multiples of the nameplate's is not believed."""
_SWING = 0.25
"""The margin holds for a host whose busy threads change by up to this share of its threads."""
_HUBER = 1.345
_ROUNDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """`error_watts` is the margin of one host's prediction (two standard errors). `samples` is 0 for a nameplate's."""

    watts_per_thread: float
    error_watts: float
    samples: int

    @property
    def fitted(self) -> bool:
        """Whether readings gave it, not the nameplate."""
        return self.samples > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The last looks at every host: busy threads and watts, one row a look (oldest first), NaN where not both fresh.

    `at` is when each host's newest kept watts were read, so that one reading is not counted twice.
    """

    names: tuple[str, ...] = ()
    busy_threads: FloatColumn
    watts: FloatColumn
    at: FloatColumn


def no_samples() -> Samples:
    """The state to begin with."""
    return Samples(busy_threads=np.empty((0, 0)), watts=np.empty((0, 0)), at=np.empty(0))


def nameplate(type_: HostType) -> Slope:
    """The slope by the type's idle and peak watts alone."""
    span = max(0.0, type_.peak_watts - type_.idle_watts)
    return Slope(watts_per_thread=span / max(1, type_.vcpus), error_watts=_NAMEPLATE_ERROR * span, samples=0)


def remembered(samples: Samples, hosts: model.Hosts) -> Samples:
    """The samples with this look at the hosts, the oldest look dropped when there are more than `KEPT_LOOKS`."""
    busy, watts, at = _carried(samples, hosts.names)
    use = hosts.cpu_ratio.fresh & hosts.power_watts.fresh & (hosts.power_watts.at != at)
    now_busy = np.where(use, hosts.cpu_ratio.values * hosts.threads, np.nan)
    now_watts = np.where(use, hosts.power_watts.values, np.nan)
    return Samples(
        names=hosts.names,
        busy_threads=np.vstack([busy, now_busy])[-KEPT_LOOKS:],
        watts=np.vstack([watts, now_watts])[-KEPT_LOOKS:],
        at=np.where(use, hosts.power_watts.at, at),
    )


def slopes(samples: Samples, types: Mapping[str, HostType], type_of_host: Mapping[str, str]) -> dict[str, Slope]:
    """The slope of every type; `type_of_host` names each host's type."""
    columns: dict[str, list[int]] = {name: [] for name in types}
    for column, host in enumerate(samples.names):
        if type_of_host.get(host) in columns:
            columns[type_of_host[host]].append(column)
    return {
        name: _fitted(samples.busy_threads[:, columns[name]], samples.watts[:, columns[name]], type_)
        for name, type_ in types.items()
    }


def _carried(samples: Samples, names: tuple[str, ...]) -> tuple[FloatColumn, FloatColumn, FloatColumn]:
    """The samples under this look's names; a new host has none."""
    if samples.names == names:
        return samples.busy_threads, samples.watts, samples.at
    place = {name: column for column, name in enumerate(samples.names)}
    looks = len(samples.busy_threads)
    busy, watts = np.full((looks, len(names)), np.nan), np.full((looks, len(names)), np.nan)
    at = np.full(len(names), np.nan)
    for column, name in enumerate(names):
        if name in place:
            busy[:, column] = samples.busy_threads[:, place[name]]
            watts[:, column] = samples.watts[:, place[name]]
            at[column] = samples.at[place[name]]
    return busy, watts, at


def _fitted(busy: FloatColumn, watts: FloatColumn, type_: HostType) -> Slope:
    expected = nameplate(type_)
    use = np.isfinite(busy) & np.isfinite(watts)
    use &= use.sum(axis=0) > 1
    hosts = np.nonzero(use)[1]
    x, y = busy[use], watts[use]
    if len(x) < _LEAST_SAMPLES:
        return expected
    slope, sigma, spread, freedom = _huber(x, y, hosts)
    low, high = (bound * expected.watts_per_thread for bound in _BELIEVABLE_SLOPE)
    if spread < _LEAST_SPREAD * type_.vcpus or not low <= slope <= high:
        return expected
    slope_error = sigma / (spread * np.sqrt(max(1.0, freedom)))
    error = 2.0 * np.hypot(sigma, slope_error * _SWING * type_.vcpus)
    return Slope(watts_per_thread=float(slope), error_watts=float(error), samples=len(x))


def _huber(x: FloatColumn, y: FloatColumn, hosts: NDArray[np.intp]) -> tuple[float, float, float, float]:
    """Slope, standard deviation of residuals, spread of x within hosts, degrees of freedom."""
    weights = np.ones(len(x))
    slope, sigma, spread = 0.0, 0.0, 0.0
    for _ in range(_ROUNDS):
        x_off, y_off = _off_mean(x, weights, hosts), _off_mean(y, weights, hosts)
        square = float(weights @ x_off**2)
        spread = float(np.sqrt(square / weights.sum()))
        if square <= 0:
            break
        slope = float(weights @ (x_off * y_off)) / square
        residual = y_off - slope * x_off
        sigma = 1.4826 * float(np.median(np.abs(residual)))
        weights = np.minimum(1.0, _HUBER * sigma / np.maximum(np.abs(residual), 1e-12)) if sigma > 0 else weights
    return slope, sigma, spread, len(x) - len(np.unique(hosts)) - 1.0


def _off_mean(values: FloatColumn, weights: FloatColumn, hosts: NDArray[np.intp]) -> FloatColumn:
    """Values less their host's weighted mean."""
    total = np.bincount(hosts, weights=weights * values)
    weight = np.bincount(hosts, weights=weights)
    mean: FloatColumn = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    return values - mean[hosts]

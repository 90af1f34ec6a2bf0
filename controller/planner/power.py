"""Watts: what each host draws, what a moved VM adds or takes, and what each feed, PDU and phase must then carry.

A row of the power table must carry, with its partner failed, its base and all watts of every host with a cord on it:

    load = base_watts + sum(watts of the hosts on it)

and a host's predicted watts follow the CPU it gains and loses:

    watts = measured + watts_per_thread * (threads received - threads shed) + error

Two loads are kept. The *least* counts only hosts with a fresh reading; above its limit a row is surely broken. Its
error is `watts_error` where a host received anything. The *most* takes a host without a fresh reading at the highest
watts a thread that any fresh host draws, and as a shedding host's error `min(watts_error, watts shed)`: it may have
shed that much less. What is moved onto a row must fit under its limit even then.

A row's own fresh meter that shows more than either load takes its place: something hangs on the row that the inventory
does not know. While both cords carry, the meter of a feed shows only its share, so that it rarely counts. A row that
neither a host's reading nor its meter measures binds nothing.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from controller.model import cluster as model
from controller.model.sample import FloatColumn, IntColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Cords:
    """`rows[h]`: power rows host `h` has a cord on, each once. `row` and `host`: the same as pairs, by host.

    `sets` (S, K): the distinct ones of them, padded with -1, and `set_of` (H,) which of these each host hangs on.
    """

    rows: tuple[IntColumn, ...]
    row: IntColumn
    host: IntColumn
    sets: IntColumn
    set_of: IntColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Watts:
    """`cords`: see there. `per_thread_in` and `per_thread_out`: watts that a busy thread adds
    where it arrives and takes where it leaves, both on the careful side. `margin`: a host's `watts_error`, once.
    `drawn` (H,): what each host draws, or may where it is not read. `least` and `most` (P,): loads now; NaN where not
    measured.
    """

    cords: Cords
    per_thread_in: FloatColumn
    per_thread_out: FloatColumn
    margin: FloatColumn
    drawn: FloatColumn
    least: FloatColumn
    most: FloatColumn

    @property
    def rows(self) -> tuple[IntColumn, ...]:
        """For each host the power rows that it has a cord on."""
        return self.cords.rows

    def added(
        self, threads: FloatColumn | float, hosts: IntColumn | int, arrived: model.BoolColumn | bool
    ) -> FloatColumn:
        """What so many more busy threads add on each host: by its slope, and the margin unless any have `arrived`."""
        first = np.logical_not(arrived) & (threads > 0)
        added: FloatColumn = self.per_thread_in[hosts] * threads + self.margin[hosts] * first
        return added


def cords(power: IntColumn) -> Cords:
    """Of hosts' power rows (H, K), padded with -1."""
    rows = np.sort(power, axis=1)
    first = np.ones(rows.shape, np.bool_)
    first[:, 1:] = rows[:, 1:] != rows[:, :-1]
    host, column = np.nonzero(first & (rows >= 0))
    row = rows[host, column]
    ends = np.searchsorted(host, np.arange(len(rows) + 1)).tolist()
    each = tuple(row[begin:end] for begin, end in itertools.pairwise(ends))
    sets, set_of = np.unique(np.where(first, rows, -1), axis=0, return_inverse=True)
    return Cords(rows=each, row=row, host=host.astype(np.int32), sets=sets, set_of=set_of.reshape(-1).astype(np.int32))


def of_cluster(cluster: model.Cluster, its_cords: Cords | None = None) -> Watts:
    """Loads as they are now. `its_cords`: of its hosts, where they are known."""
    hosts, on = cluster.hosts, its_cords or cords(cluster.hosts.power)
    meters = _meters(cluster.power)
    read = hosts.power_watts.fresh & np.isfinite(hosts.power_watts.values)
    measured = np.where(read, hosts.power_watts.values, 0.0)
    densest = _densest(hosts, read)
    assumed = np.where(read, measured, hosts.threads * densest)
    slope = hosts.watts_per_thread
    fitted = np.isfinite(slope) & (slope >= 0)
    margin = np.where(np.isfinite(hosts.watts_error), np.maximum(hosts.watts_error, 0.0), 0.0)
    return Watts(
        cords=on,
        per_thread_in=np.where(fitted, slope, densest),
        per_thread_out=np.where(fitted & read, slope, 0.0),
        margin=margin,
        drawn=assumed,
        least=_loads(cluster.power, on, measured, read, meters),
        most=_loads(cluster.power, on, assumed, read, meters),
    )


def _densest(hosts: model.Hosts, read: model.BoolColumn) -> float:
    """The most watts a thread of any host that is read, 0 where none is."""
    read = read & (hosts.threads > 0)
    density = hosts.power_watts.values[read] / hosts.threads[read]
    return float(density.max(initial=0.0))


def _meters(power: model.Power) -> FloatColumn:
    """What fresh meters show, NaN elsewhere."""
    shown = power.power_watts.values
    return np.where(power.power_watts.fresh & np.isfinite(shown), shown, np.nan)


def _loads(
    power: model.Power, on: Cords, watts: FloatColumn, read: model.BoolColumn, meters: FloatColumn
) -> FloatColumn:
    loads = power.base_watts.astype(np.float64).copy()
    np.add.at(loads, on.row, watts[on.host])
    measured = np.isfinite(meters)
    measured[on.row[read[on.host]]] = True
    return np.where(measured, np.fmax(loads, meters), np.nan)

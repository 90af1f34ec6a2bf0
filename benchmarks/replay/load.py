"""What a day asks of every VM: a daily cycle of its agency and system, noise, and spikes. Modelled, from a seed.

A function of the seed, the step and where VMs stood at first, and of nothing else: whatever moves, every arm of a
replay carries the same load.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.twin.world import World

Floats = NDArray[np.float64]
Rows = NDArray[np.int32]

STEP_S = 15.0
"""Load stands still for so long: a scrape interval."""
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S

CYCLES = {
    "office": ((9.5, 1.2, 0.9), (14.0, 2.0, 1.0)),
    "evening": ((20.0, 2.2, 1.0), (12.5, 1.0, 0.4)),
    "batch": ((2.0, 1.2, 1.0), (23.5, 0.8, 0.6)),
    "flat": ((13.0, 6.0, 0.15),),
}
"""Bumps of each cycle on its floor: hour, width in hours, height."""
SHARES = {"office": 0.55, "evening": 0.2, "batch": 0.1, "flat": 0.15}
_FLOOR = 0.45
_VM_NOISE, _VM_NOISE_S = 0.12, 90.0
_SYSTEM_NOISE, _SYSTEM_NOISE_S = 0.10, 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """VMs of one host at first, at `level` of their vCPUs from `begins` to `ends`, seconds of the replay."""

    host: int
    begins: float
    ends: float
    rows: tuple[int, ...]
    level: float

    @property
    def lasts(self) -> bool:
        """Whether it is one to act on."""
        return self.ends - self.begins > 3 * 60


class DayLoad:
    """The load of a world's VMs, asked step by step, in order.

    `mean_ratio`: of the estate's threads, the day's mean. `begins_s`: the second of the day at which the replay begins.
    """

    def __init__(self, world: World, seed: int, mean_ratio: float, *, begins_s: float, span_s: float) -> None:
        draw = np.random.default_rng((seed, 1))
        servers = sorted(world.servers.values(), key=lambda server: server.row)
        self._rows = np.array([server.row for server in servers], np.int32)
        self._vcpus = world.vms.vcpus[self._rows]
        self._system, systems = _numbered([server.system for server in servers])
        self._agency_of, _ = _numbered([world.estate.systems[name].agency for name in systems])
        self._curves = _curves(draw, len(systems), self._agency_of)
        share = draw.lognormal(0.0, 0.45, len(servers)) * draw.lognormal(0.0, 0.35, len(systems))[self._system]
        threads = float(world.topology.threads[world.topology.in_nova].sum())
        self._base = np.minimum(share * mean_ratio * threads / float((share * self._vcpus).sum()), 0.85)
        self._begins_s = begins_s
        self.spikes = _spikes(world, np.random.default_rng((seed, 2)), span_s)
        self._noise = np.random.default_rng((seed, 3))
        self._of_vm = self._noise.normal(size=len(servers))
        self._of_system = self._noise.normal(size=len(systems))

    def lay(self, world: World, second: float) -> None:
        """Sets what every VM asks for from this second of the replay to the next step."""
        self._of_vm = _walked(self._of_vm, self._noise, _VM_NOISE_S)
        self._of_system = _walked(self._of_system, self._noise, _SYSTEM_NOISE_S)
        minute = int((self._begins_s + second) / 60.0) % self._curves.shape[1]
        now = self._curves[:, minute] * (1.0 + _SYSTEM_NOISE * self._of_system)
        share = self._base * now[self._system] * (1.0 + _VM_NOISE * self._of_vm)
        world.vms.pinned[self._rows] = np.clip(share, 0.01, 1.0)
        for spike in self.spikes:
            if spike.begins <= second < spike.ends:
                rows = list(spike.rows)
                world.vms.pinned[rows] = np.maximum(world.vms.pinned[rows], spike.level)


def _numbered(names: list[str]) -> tuple[Rows, list[str]]:
    distinct = sorted(set(names))
    place = {name: n for n, name in enumerate(distinct)}
    return np.array([place[name] for name in names], np.int32), distinct


def _curves(draw: np.random.Generator, systems: int, agency: Rows) -> Floats:
    """Each system's factor at every minute of the day, 1 on the mean; an agency's are early or late together."""
    kinds = draw.choice(list(CYCLES), systems, p=[SHARES[kind] for kind in CYCLES])
    late = draw.normal(0.0, 0.6, int(agency.max()) + 1)[agency] + draw.normal(0.0, 0.25, systems)
    height = draw.uniform(0.5, 1.2, systems)
    hours = np.arange(24 * 60) / 60.0
    curves = np.full((systems, len(hours)), _FLOOR)
    for row, kind in enumerate(kinds):
        for at, width, rise in CYCLES[kind]:
            away = np.abs((hours - at - late[row] + 12.0) % 24.0 - 12.0)
            curves[row] += height[row] * rise * np.exp(-0.5 * (away / width) ** 2)
    level: Floats = curves / curves.mean(axis=1, keepdims=True)
    return level


def _walked(before: Floats, draw: np.random.Generator, seconds: float) -> Floats:
    keep = np.exp(-STEP_S / seconds)
    after: Floats = before * keep + draw.normal(size=len(before)) * np.sqrt(1.0 - keep * keep)
    return after


def _spikes(world: World, draw: np.random.Generator, span_s: float) -> tuple[Spike, ...]:
    """For each host and day 1.5 short ones (20 to 100 s) and a third of a lasting one (20 to 90 min), at any time."""
    hosts = [row for row in np.flatnonzero(world.topology.in_nova).tolist() if world.on_host[row]]
    days = span_s / DAY_S
    spikes = []
    for often, shortest, longest in ((1.5, 20.0, 100.0), (1 / 3, 1200.0, 5400.0)):
        for _ in range(max(1, round(often * days * len(hosts)))):
            host = int(draw.choice(hosts))
            begins, length = draw.uniform(0.0, span_s), draw.uniform(shortest, longest)
            wanted = draw.uniform(0.45, 0.7) * float(world.topology.threads[host])
            rows = _loud(world, draw, host, wanted)
            spikes.append(Spike(host=host, begins=begins, ends=begins + length, rows=rows, level=0.9))
    return tuple(sorted(spikes, key=lambda spike: (spike.begins, spike.host)))


def _loud(world: World, draw: np.random.Generator, host: int, threads: float) -> tuple[int, ...]:
    """VMs of a host with that many vCPUs together."""
    servers = world.servers_on(host)
    rows, held = [], 0.0
    for place in draw.permutation(len(servers)).tolist():
        if held < threads:
            rows.append(servers[place].row)
            held += servers[place].flavor.vcpus
    return tuple(rows)

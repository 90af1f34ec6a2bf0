"""A twin that lives through a replayed day: its time goes on when somebody looks, and its load is the day's."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from benchmarks.replay.load import DAY_S, STEP_S, DayLoad
from controller.twin.nature import Nature
from controller.twin.openstack.cloud import Cloud
from controller.twin.orders import Orders
from controller.twin.world import World
from inventory.model import Estate

BEGINS = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
"""Midnight of a Tuesday in Bangkok."""
_COPYING_S = 1.0
"""Time goes on in such pieces while a VM is being copied."""


class Site:
    """A world under a day's load. `stepped` is called at the end of every step of load."""

    def __init__(self, estate: Estate, seed: int, mean_ratio: float, *, begins_s: float, span_s: float) -> None:
        nature = Nature(seed=seed, noise_ratio=0.0, span_seconds=STEP_S, token_seconds=10.0 * 365 * DAY_S)
        self.world = World(estate, nature, BEGINS.timestamp())
        self.orders = Orders(self.world)
        self.cloud = Cloud(world=self.world, orders=self.orders, base_url="http://127.0.0.1:1", password="")
        self.load = DayLoad(self.world, seed, mean_ratio, begins_s=begins_s, span_s=span_s)
        self.stepped: list[Callable[[], None]] = []
        self.steps = 0
        self._begin_step()

    @property
    def second(self) -> float:
        """Seconds since the day began."""
        return self.world.now - self.world.began

    def until(self, now: datetime) -> None:
        """Lets time pass up to `now`."""
        left = now.timestamp() - self.world.now
        while left > 1e-6:
            piece = min(left, self._step_left(), _COPYING_S if self.orders.copies else STEP_S)
            self.world.advance(piece)
            self.orders.step(piece)
            left = now.timestamp() - self.world.now
            if self._step_left() < 1e-6:
                self.steps += 1
                for tell in self.stepped:
                    tell()
                self._begin_step()

    def _step_left(self) -> float:
        return (self.steps + 1) * STEP_S - self.second

    def _begin_step(self) -> None:
        self.load.lay(self.world, self.steps * STEP_S)

    def hosts_in_nova(self) -> list[int]:
        """Rows of the hosts that Nova knows."""
        rows: list[int] = np.flatnonzero(self.world.topology.in_nova).tolist()
        return rows

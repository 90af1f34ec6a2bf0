"""What a site says of itself at one moment, to be changed by a test before it is assembled."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from controller.engine import synthetic
from controller.engine.assemble import History, assemble
from controller.engine.readings import Readings, merged
from controller.model.cloud import CloudFacts, Server
from controller.model.cluster import Cluster
from controller.model.policy import Policy
from controller.model.sample import Batch, Kind, Quantity
from inventory.model import Estate
from tests.fakes.small_estate import small_estate

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


class Site:
    """A small estate, its cloud's facts and its readings, all fresh at `NOW`."""

    def __init__(self, estate: Estate | None = None, seed: int = 1) -> None:
        self.estate = estate or small_estate()
        self.facts: CloudFacts = synthetic.facts(self.estate, seed, NOW)
        self.batches = list(synthetic.batches(self.estate, self.facts, seed, NOW))
        self.policy = Policy()
        self.history = History()

    def cluster(self, now: datetime = NOW) -> Cluster:
        return assemble(self.estate, self.facts, self.readings(), self.policy, now, history=self.history)

    def readings(self) -> Readings:
        return merged(Readings(), ((0, batch) for batch in self.batches), forget_before=0.0)

    def batch(self, kind: Kind, quantity: Quantity) -> Batch:
        return next(batch for batch in self.batches if batch.kind is kind and batch.quantity is quantity)

    def read(self, kind: Kind, quantity: Quantity, name: str, value: float, *, age_s: float = 0.0) -> None:
        """Sets one reading."""
        batch = self.batch(kind, quantity)
        row = batch.names.index(name)
        batch.values[row] = value
        batch.at[row] = NOW.timestamp() - age_s

    def lose(self, kind: Kind, quantity: Quantity, name: str) -> None:
        """Takes one reading away."""
        batch = self.batch(kind, quantity)
        keep = [row for row, known in enumerate(batch.names) if known != name]
        lost = replace(
            batch, names=tuple(batch.names[row] for row in keep), values=batch.values[keep], at=batch.at[keep]
        )
        self.batches = [lost if each is batch else each for each in self.batches]

    def second_source(self, kind: Kind, quantity: Quantity, source: str, change: Callable[[float], float]) -> Batch:
        """Another source that reads the same, changed."""
        batch = self.batch(kind, quantity)
        values = np.array([change(value) for value in batch.values])
        return replace(batch, source=source, values=values, at=batch.at.copy())

    def serve(self, servers: Iterable[Server]) -> None:
        self.facts = replace(self.facts, servers=tuple(servers))

    def change_server(self, name: str, /, **changes: object) -> Server:
        """One server, changed; returns it as it is then."""
        server = next(server for server in self.facts.servers if server.name == name)
        changed = replace(server, **changes)  # type: ignore[arg-type]
        self.serve(changed if each is server else each for each in self.facts.servers)
        return changed

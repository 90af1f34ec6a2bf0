"""The registry that `/metrics` serves."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from controller.adapters.exposition import facility, moves, state
from controller.engine.status import Published


class _Published(Collector):
    def __init__(self, published: Callable[[], Published | None]) -> None:
        self._published = published

    def collect(self) -> Iterable[Metric]:
        """Nothing before the first turn."""
        newest = self._published()
        if newest is None:
            return
        yield from state.families(newest.status)
        yield from moves.families(newest.status)
        yield from facility.families(newest)

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry need not collect to learn names."""
        return ()


def registry(published: Callable[[], Published | None], *others: Collector) -> CollectorRegistry:
    """A registry with the controller's metrics, its process's and `others`; `published` gives the newest turn."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    for collector in (_Published(published), *others):
        registry.register(collector)
    return registry

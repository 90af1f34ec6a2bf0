"""Reads every exporter of every host at its own pace, spread over the interval, and keeps each one's last readings."""

import logging
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import numpy as np

from controller.adapters.exporters.fetch import Fetch, HttpFetch
from controller.adapters.exporters.page import NAMES, Key, Page, page
from controller.adapters.exporters.rates import SOURCE, Read, read
from controller.adapters.exporters.textformat import PageError, Reader
from controller.engine.ports import Clock
from controller.engine.watches import Watches
from controller.model.sample import Batch, Fault, Kind, Quantity
from inventory.model import IN_NOVA, Host

_log = logging.getLogger(__name__)

_LIFE = 3
"""A reading is given out for so many intervals, and a rate spans at most so many."""
_MOST_FAULTS = 10_000
_READER = Reader(NAMES)


@dataclass(slots=True)
class _Target:
    """One exporter: where it is, whose it is, when in the interval it is read, and what it said last."""

    address: str
    host: str
    slot: float
    before: Page | None = None
    last: Read = field(default_factory=lambda: Read(at=0.0, values={}, faults=()))


class ExporterCollector:
    """A `ports.Collector` over the `exporters` of the inventory's hosts."""

    name = SOURCE

    def __init__(
        self,
        hosts: Iterable[Host],
        clock: Clock,
        *,
        interval: timedelta = timedelta(seconds=15),
        timeout: timedelta | None = None,
        fetch: Fetch | None = None,
    ) -> None:
        """Reads the exporters of hosts that Nova knows (registered or in service).

        `timeout` bounds one exporter's answer; two thirds of `interval` without it, at most 10 s.
        """
        pairs = sorted(
            (address, host.name) for host in hosts if host.lifecycle in IN_NOVA for address in host.exporters
        )
        self._targets = [_Target(address, host, n / len(pairs)) for n, (address, host) in enumerate(pairs)]
        self._clock = clock
        self._interval = interval
        self._timeout = timeout or min(interval * 2 / 3, timedelta(seconds=10))
        self._fetch: Fetch = fetch or HttpFetch()
        self._faults: deque[Fault] = deque(maxlen=_MOST_FAULTS)
        self._watches = Watches()

    async def start(self) -> None:
        await self._fetch.open()
        for target in self._targets:
            self._watch(target)

    async def stop(self) -> None:
        await self._watches.stop()
        await self._fetch.close()

    async def collect(self, deadline: timedelta) -> tuple[Sequence[Batch], Sequence[Fault]]:
        """What is known now; waits for nothing."""
        oldest = self._clock.now().timestamp() - _LIFE * self._interval.total_seconds()
        newest: dict[Key, tuple[float, float]] = {}
        for target in self._targets:
            if target.last.at >= oldest:
                for key, value in target.last.values.items():
                    newest[key] = self._better(newest.get(key), (value, target.last.at))
        faults = tuple(self._faults)
        self._faults.clear()
        return _batches(newest), faults

    def _better(self, one: tuple[float, float] | None, two: tuple[float, float]) -> tuple[float, float]:
        """Of two exporters' readings of one thing. A migrating VM is on both hosts, and its incoming copy is paused.

        The newer where they are more than an interval apart, else the greater value at the older time.
        """
        if one is None:
            return two
        if abs(one[1] - two[1]) > self._interval.total_seconds():
            return max(one, two, key=lambda reading: reading[1])
        return max(one[0], two[0]), min(one[1], two[1])

    def _watch(self, target: _Target, *, anew: bool = False) -> None:
        self._watches.begin(self._run(target, anew=anew), partial(self._failed, target))

    def _failed(self, target: _Target, error: BaseException) -> None:
        """A defect of ours: it is told, and the exporter read again."""
        _log.error("reading %s of %s failed", target.address, target.host, exc_info=error)
        self._fault(target, "malformed", f"could not be read: {type(error).__name__}: {error}")
        self._watch(target, anew=True)

    async def _run(self, target: _Target, *, anew: bool) -> None:
        """One early read, so that rates come soon after the start, then one in each interval at the target's slot.

        `anew`: it has been read before, and waits for its slot.
        """
        interval = self._interval.total_seconds()
        begun = self._clock.monotonic()
        slot = next_ = target.slot * interval
        if not anew:
            early = target.slot * interval / 5
            await self._clock.sleep(timedelta(seconds=early))
            await self._read(target)
            next_ = slot if slot - early >= interval / 3 else slot + interval
        while True:
            passed = self._clock.monotonic() - begun
            while next_ <= passed:
                next_ += interval
            await self._clock.sleep(timedelta(seconds=next_ - passed))
            await self._read(target)

    async def _read(self, target: _Target) -> None:
        at, clock = self._clock.now().timestamp(), self._clock.monotonic()
        try:
            body = await self._fetch.page(target.address, self._timeout)
            now = page(_READER.read(body), target.host, at=at, clock=clock)
            if now.empty:
                raise PageError("empty", "the page has none of the metrics of node exporter or a libvirt exporter")
        except PageError as error:
            self._fault(target, error.reason, error.detail)
            return
        target.last = read(target.before, now, longest=_LIFE * self._interval.total_seconds())
        target.before = now
        self._faults.extend(target.last.faults)

    def _fault(self, target: _Target, reason: str, detail: str) -> None:
        where = f"{target.host} {target.address}"
        self._faults.append(Fault(source=SOURCE, subject=where, reason=reason, detail=detail))


def _batches(newest: dict[Key, tuple[float, float]]) -> list[Batch]:
    grouped: dict[tuple[Kind, Quantity], list[tuple[str, float, float]]] = defaultdict(list)
    for (kind, quantity, name), (value, at) in sorted(newest.items()):
        grouped[kind, quantity].append((name, value, at))
    return [
        Batch(
            kind=kind,
            quantity=quantity,
            source=SOURCE,
            names=tuple(name for name, _, _ in rows),
            values=np.array([value for _, value, _ in rows], np.float64),
            at=np.array([at for _, _, at in rows], np.float64),
        )
        for (kind, quantity), rows in grouped.items()
    ]

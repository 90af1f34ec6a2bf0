"""The collector: every device at its own pace, a dead one in nobody's way, and traps that hurry a poll."""

import asyncio
import contextlib
import logging
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial

from controller.adapters.snmp.counters import LEAST_S
from controller.adapters.snmp.credentials import Credentials
from controller.adapters.snmp.device import DEAD_AFTER, Device, Polled
from controller.adapters.snmp.engines import Engines
from controller.adapters.snmp.failure import Reason
from controller.adapters.snmp.findings import SOURCE
from controller.adapters.snmp.latest import Latest
from controller.adapters.snmp.own_engine import OwnEngine
from controller.adapters.snmp.pace import FIRST_WAIT
from controller.adapters.snmp.stats import Stats, Tally
from controller.adapters.snmp.target import Target
from controller.adapters.snmp.traps import Hurry, TrapListener
from controller.adapters.snmp.wire import Address, Wire
from controller.engine.ports import Clock
from controller.engine.watches import Watches
from controller.errors import InputError
from controller.model.sample import Batch, Fault, Kind

_log = logging.getLogger(__name__)

FIRST_POLLS_APART = timedelta(milliseconds=20)
"""At the start devices are asked one after the other, this far apart, so that all are known soon."""

FIRST_COLLECT_SHARE = 0.8
"""How much of its deadline the first collect waits for devices that have not been asked yet."""

SECOND_LOOK_AFTER = timedelta(seconds=LEAST_S + 1)
"""A device with counters is asked a second time this long after its first answer, so that rates are known soon."""

POLL_NOW_APART = timedelta(seconds=5)
"""A device is not polled for a trap sooner than this after its last poll began."""

FORGET_ENGINE_AFTER = 4
"""Intervals without an answer after which a device no longer holds its engine id."""

POLL_LIMIT = 2
"""A poll that is not through after so many intervals is given up."""


class SnmpCollector:
    """`ports.Collector` over SNMP. Build it inside the running event loop."""

    name = SOURCE

    def __init__(
        self,
        targets: Iterable[Target],
        credentials: Credentials,
        clock: Clock,
        *,
        interval: timedelta = timedelta(seconds=30),
        traps: Address | None = None,
        engine: OwnEngine | None = None,
        first_wait: timedelta = timedelta(seconds=FIRST_WAIT),
        second_look: timedelta = SECOND_LOOK_AFTER,
    ) -> None:
        """`traps`: where to listen for them, None for nowhere. `engine`: our own, of which v3 informs need to know.
        `first_wait`: patience with a device not yet known. `second_look`: after what one with counters is asked again.

        Raises InputError where a target's credential is not configured.
        """
        self._clock = clock
        self._interval = interval
        self._second_look = second_look
        self._wire = Wire()
        self._tally = Tally()
        self._engines = Engines(forget_after_s=FORGET_ENGINE_AFTER * interval.total_seconds())
        self._faults: dict[tuple[str, str, str], Fault] = {}
        self._watches = Watches()
        self._unpolled: set[str] = set()
        self._all_polled = asyncio.Event()
        wait = first_wait.total_seconds()
        wanted = tuple(targets)
        _require(wanted, credentials)
        self._latest = Latest(Counter(target.subject for target in wanted if target.kind is Kind.FEED))
        self._devices = {
            target.name: Device(
                target, credentials[target.credential], self._wire, clock, first_wait=wait, limit=POLL_LIMIT * interval
            )
            for target in wanted
        }

        self._traps = None if traps is None else TrapListener(
            traps, wanted, credentials, self.poll_now, self._tally, engine=engine
        )  # fmt: skip

    async def start(self) -> None:
        """Begins polling, and listening for traps. Raises InputError when the trap port cannot be opened."""
        if self._traps is not None:
            await self._traps.start()
        self._unpolled = set(self._devices)
        if not self._devices:
            self._all_polled.set()
        base = self._clock.monotonic()
        for place, device in enumerate(self._devices.values()):
            self._begin_watch(device, place, base)

    async def stop(self) -> None:
        """Ends polling and closes the sockets."""
        if self._traps is not None:
            await self._traps.stop()
        await self._watches.stop()
        self._wire.close()

    async def collect(self, deadline: timedelta) -> tuple[Sequence[Batch], Sequence[Fault]]:
        """The newest readings and the faults since the last call, at once.

        Only at the beginning it waits, up to the deadline, until every device has been asked once.
        """
        if not self._all_polled.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_polled.wait(), FIRST_COLLECT_SHARE * deadline.total_seconds())
        faults = tuple(self._faults.values())
        self._faults.clear()
        return self._latest.batches(), faults

    def poll_now(self, name: str) -> Hurry:
        """Polls a device at once, unless it has been asked just now."""
        device = self._devices.get(name)
        if device is None:
            return Hurry.UNKNOWN
        if self._clock.monotonic() - device.asked < POLL_NOW_APART.total_seconds():
            return Hurry.LIMITED
        device.asked = self._clock.monotonic()
        self._watches.begin(self._poll(device), partial(self._failed, device))
        return Hurry.POLLED

    @property
    def trap_port(self) -> int | None:
        """Where traps are heard, once started; None where they are not."""
        return None if self._traps is None else self._traps.address[1]

    def stats(self) -> Stats:
        """What has been done until now."""
        devices = self._devices.values()
        return Stats(
            polls=dict(self._tally.polls),
            faults=dict(self._tally.faults),
            traps=dict(self._tally.traps),
            trap_names=dict(self._tally.trap_names),
            informs=self._tally.informs,
            requests=self._wire.requests,
            resendings=self._wire.resendings,
            timeouts=self._wire.timeouts,
            restarts=sum(device.restarts for device in devices),
            resyncs=sum(device.resyncs for device in devices),
            strays=self._wire.strays,
            devices=len(self._devices),
            answering=sum(device.failures == 0 and device.asked > float("-inf") for device in devices),
        )

    def _begin_watch(self, device: Device, place: int, base: float) -> None:
        def failed(error: BaseException) -> None:
            self._failed(device, error)
            self._begin_watch(device, place, base)

        self._watches.begin(self._watch(device, place, base), failed)

    async def _watch(self, device: Device, place: int, base: float) -> None:
        """Polls one device at its own place in the interval, for ever."""
        interval = self._interval.total_seconds()
        phase = base + interval * place / len(self._devices)
        if device.target.name in self._unpolled:
            await self._clock.sleep(min(place * FIRST_POLLS_APART, timedelta(seconds=phase - base)))
            await self._poll(device)
            if device.counts and self._interval > self._second_look:
                await self._clock.sleep(self._second_look)
                await self._poll(device)
        while True:
            now = self._clock.monotonic()
            turn = next_turn(now, phase, interval, device.skip)
            await self._clock.sleep(timedelta(seconds=turn - now))
            await self._poll(device)

    async def _poll(self, device: Device) -> None:
        failures = device.failures
        polled = await device.poll()
        self._take(device, polled)
        self._told(device, failures, polled)

    def _take(self, device: Device, polled: Polled) -> None:
        name, profile = device.target.name, device.target.profile
        self._tally.polls[profile] += 1
        self._latest.put(name, polled)
        faults = [*polled.faults, *self._duplicates(device, polled)]
        for fault in faults:
            self._tally.faults[profile, fault.reason] += 1
            self._faults[fault.subject, fault.reason, fault.detail] = fault
        self._unpolled.discard(name)
        if not self._unpolled:
            self._all_polled.set()

    def _duplicates(self, device: Device, polled: Polled) -> Iterable[Fault]:
        """Two devices under one engine id cannot be told apart: what either said is dropped."""
        if polled.engine_id is None:
            return
        others = self._engines.claim(polled.engine_id, device.target.name, self._clock.monotonic())
        for other in others:
            self._latest.forget(other)
            self._latest.forget(device.target.name)
            one, two = _named(device.target), _named(self._devices[other].target)
            yield Fault(
                source=SOURCE,
                subject=device.target.subject,
                reason=Reason.DUPLICATE_ENGINE.value,
                detail=f"{one} and {two} answer under one engine id, {polled.engine_id.hex()}; neither counts",
            )

    def _told(self, device: Device, failures: int, polled: Polled) -> None:
        """Logs a device's loss and return once each."""
        if polled.answered and failures >= DEAD_AFTER:
            _log.info("%s answers again after %d failed polls", _named(device.target), failures)
        elif not polled.answered and device.failures == DEAD_AFTER:
            _log.warning("%s is asked less often from now: %s", _named(device.target), polled.faults[0].detail)

    def _failed(self, device: Device, error: BaseException) -> None:
        """A defect of ours in reading one device is told as a fault of it."""
        _log.error("reading %s failed", _named(device.target), exc_info=error)
        detail = f"{_named(device.target)} could not be read: {type(error).__name__}: {error}"
        fault = Fault(source=SOURCE, subject=device.target.subject, reason=Reason.MALFORMED.value, detail=detail)
        self._tally.faults[device.target.profile, fault.reason] += 1
        self._faults[fault.subject, fault.reason, fault.detail] = fault
        self._unpolled.discard(device.target.name)


def next_turn(now: float, phase: float, interval: float, skip: int) -> float:
    """The first of a device's turns (`phase` and every `interval` after) that leaves it half an interval's rest.

    `skip` above 1 passes over so many turns less one.
    """
    earliest = now + interval / 2 + (skip - 1) * interval
    return phase + math.ceil((earliest - phase) / interval) * interval


def _named(target: Target) -> str:
    return f"{target.name} at {target.address[0]}:{target.address[1]}"


def _require(targets: Sequence[Target], credentials: Credentials) -> None:
    missing = sorted({target.credential for target in targets} - set(credentials))
    if missing:
        raise InputError(
            f"no SNMP credential is configured by the name of {', '.join(missing)}",
            where="snmp.credentials",
            remedy="name the inventory's credentials in the configuration",
        )

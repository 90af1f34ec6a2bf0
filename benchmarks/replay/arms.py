"""One day, three times: with nobody, with a plain balancer, and with the controller."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from benchmarks.replay import balancer, engine
from benchmarks.replay.account import Account, Accountant
from benchmarks.replay.cloud import SiteCloud
from benchmarks.replay.sensors import SiteSensors
from benchmarks.replay.site import BEGINS, Site
from controller.model.migration import Entry
from controller.model.policy import Mode, Policy
from controller.twin.orders import Record
from inventory.model import Estate
from tests.fakes.clock import VirtualClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What is replayed, from `begins` of the day on. `mean_ratio`: how busy all threads are on the day's mean."""

    estate: Estate
    seed: int
    length: timedelta
    begins: timedelta = timedelta(0)
    mean_ratio: float = 0.28
    policy: Policy = field(default_factory=lambda: Policy(mode=Mode.AUTO))

    def site(self) -> Site:
        """A new twin at the beginning of the day."""
        begins_s, span_s = self.begins.total_seconds(), self.length.total_seconds()
        return Site(self.estate, self.seed, self.mean_ratio, begins_s=begins_s, span_s=span_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """How an arm went, in so many seconds of wall clock and of CPU. `entries`: the controller's journal."""

    account: Account
    seconds: float
    cpu_seconds: float
    entries: tuple[Entry, ...] = ()


def nothing(day: Day) -> Lived:
    """Nobody moves anything."""
    return _lived(day, lambda site: site.until(BEGINS + day.length))


def threshold(day: Day) -> Lived:
    """The plain balancer."""
    return _lived(day, lambda site: balancer.live(site, day.policy, engine.INTERVAL, day.length))


def controller(day: Day, turned: Callable[[engine.Engine], None] = lambda _: None) -> Lived:
    """The controller, in mode auto, with the policy's defaults."""
    entries: list[Entry] = []

    def live(site: Site) -> None:
        entries.extend(asyncio.run(_controlled(day, site, turned)))

    lived = _lived(day, live, lambda record: rule_of(entries, record))
    return replace(lived, entries=tuple(entries))


def rule_of(entries: Iterable[Entry], record: Record) -> str:
    """What the journal says that a migration was made for."""
    return next((e.intent.rule for e in entries if e.migration_id == record.id), "")


async def _controlled(day: Day, site: Site, turned: Callable[[engine.Engine], None]) -> tuple[Entry, ...]:
    clock = VirtualClock(BEGINS)
    with engine.journal() as journal:
        cloud, sensors = SiteCloud(site, clock), SiteSensors(site, clock)
        running = engine.Engine(day.estate, cloud, (sensors,), clock, day.policy, journal)
        await running.live(day.length, turned)
        return journal.entries_since(BEGINS)


def _lived(day: Day, live: Callable[[Site], None], rule_of: Callable[[Record], str] = lambda _: "cpu") -> Lived:
    began, spent = time.perf_counter(), time.process_time()
    site = day.site()
    accountant = Accountant(site, day.policy)
    live(site)
    site.until(BEGINS + day.length)
    account = accountant.close(rule_of)
    return Lived(account=account, seconds=time.perf_counter() - began, cpu_seconds=time.process_time() - spent)

"""Running counts since the process began, as values: each `add` gives a new one, so no reader sees half a change."""

import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from controller.model.migration import Entry, State
from controller.model.sample import Fault

PHASE_BOUNDS = (0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
MIGRATION_BOUNDS = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0)
BLACKOUT_BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """`counts[i]` observations at or below `bounds[i]` and above the bound before it; the last is all above."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float = 0.0

    @classmethod
    def empty(cls, bounds: tuple[float, ...]) -> Self:
        return cls(bounds=bounds, counts=(0,) * (len(bounds) + 1))

    def add(self, value: float) -> Self:
        at = bisect.bisect_left(self.bounds, value)
        counts = (*self.counts[:at], self.counts[at] + 1, *self.counts[at + 1 :])
        return replace(self, counts=counts, total=self.total + value)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveCount:
    """Ended moves of one origin (`plan` or `drain`), outcome state, rule that asked for them, and why they failed."""

    origin: str
    state: str
    rule: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalCount:
    """Orders of one origin that a rule stood against before anything was journaled or sent."""

    origin: str
    rule: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What ended moves came to and what they cost. `seconds` and `blackout` are of those that succeeded."""

    counts: tuple[MoveCount, ...] = ()
    seconds: Histogram = field(default_factory=lambda: Histogram.empty(MIGRATION_BOUNDS))
    blackout: Histogram = field(default_factory=lambda: Histogram.empty(BLACKOUT_BOUNDS))
    copied_bytes: int = 0

    def add(self, entry: Entry) -> Self:
        """With one more ended entry; an entry without an outcome changes nothing."""
        outcome = entry.outcome
        if outcome is None:
            return self
        counts = {(c.origin, c.state, c.rule, c.reason): c.count for c in self.counts}
        key = (entry.intent.origin, outcome.state.value, entry.intent.rule, outcome.rule)
        counts[key] = counts.get(key, 0) + 1
        done = outcome.state is State.SUCCEEDED
        paused = outcome.blackout_estimate if done else None
        return replace(
            self,
            counts=tuple(
                MoveCount(origin=origin, state=state, rule=rule, reason=reason, count=count)
                for (origin, state, rule, reason), count in sorted(counts.items())
            ),
            seconds=self.seconds.add(outcome.seconds) if done and outcome.seconds is not None else self.seconds,
            blackout=self.blackout if paused is None else self.blackout.add(paused.total_seconds()),
            copied_bytes=self.copied_bytes + (outcome.copied_bytes or 0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCount:
    source: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How often each source gave what could not be used, by reason. Subjects are in the log, not here."""

    counts: tuple[FaultCount, ...] = ()

    def add(self, faults: Iterable[Fault]) -> Self:
        counts = {(c.source, c.reason): c.count for c in self.counts}
        for fault in faults:
            key = (fault.source, fault.reason)
            counts[key] = counts.get(key, 0) + 1
        return replace(
            self, counts=tuple(FaultCount(source=s, reason=r, count=n) for (s, r), n in sorted(counts.items()))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """How many turns of the loop ended, and how long each phase of them took, in seconds."""

    count: int = 0
    phases: Mapping[str, Histogram] = field(default_factory=dict)

    def add(self, seconds: Mapping[str, float]) -> Self:
        phases = dict(self.phases)
        for phase, duration in seconds.items():
            phases[phase] = phases.get(phase, Histogram.empty(PHASE_BOUNDS)).add(duration)
        return replace(self, count=self.count + 1, phases=phases)

"""Whether the copying of a live migration's memory gets anywhere. Pure.

Pre-copy goes in rounds. Within one the hypervisor's memory_remaining falls; at its end the pages written meanwhile are
added and it jumps up to the peak at which the next round starts. With memory M, writing at d and copying at b bytes a
second, round n starts at M·(d/b)^(n-1) and takes M/b·(d/b)^(n-1) seconds: the peaks shrink exactly while d < b. Bytes
are copied either way, so a count of bytes says nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

_SHRUNK = 0.98
"""A peak counts as smaller from 2 % on: the first look at a round comes up to a poll late and sees a little less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copying:
    """What the looks at memory_remaining add up to. All amounts in bytes.

    A look is progress when it shows either
    (a) a round that starts: remaining > last remaining, with remaining <= 0.98 · the smallest starting peak so far; or
    (b) remaining < last remaining, in the first round seen or in one that started by (a).
    In a round that started no smaller nothing is progress, so a guest that writes as fast as it is copied stands still
    from its second round on. The smallest peak, not the last one, is the measure: rounds shorter than a poll are seen
    at any point of theirs, and of such numbers about every other is smaller than the one before.

    `progress_at`: the last progress. `remaining`: the last look's.
    `peak`: the smallest starting peak; the first round's is the whole memory, since it may be seen late (adoption).
    `shrinking`: whether the round under way is the first one or started smaller than all before it.
    """

    progress_at: datetime
    remaining: int
    peak: int
    shrinking: bool = True

    @classmethod
    def begun(cls, at: datetime, remaining: int, total: int | None) -> Self:
        """From the first look that shows counters; `total` is memory_total, the guest's whole memory."""
        return cls(progress_at=at, remaining=remaining, peak=max(remaining, total or 0))

    def forced(self, at: datetime) -> "Copying":
        """From now on nothing is added: whatever makes it smaller is progress."""
        return replace(self, progress_at=at, peak=self.remaining, shrinking=True)

    def seen(self, at: datetime, remaining: int) -> "Copying":
        """With one more look."""
        shrinking, peak, moved = self.shrinking, self.peak, remaining != self.remaining
        if remaining > self.remaining:
            shrinking = remaining <= _SHRUNK * self.peak
            peak = remaining if shrinking else peak
        progress_at = at if moved and shrinking else self.progress_at
        return replace(self, progress_at=progress_at, remaining=remaining, peak=peak, shrinking=shrinking)

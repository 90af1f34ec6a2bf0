"""What a live migration takes, estimated from memory, dirty rate and link.

Pre-copy sends all memory `M` over a link `L`; while a round runs the guest dirties pages at `D`, and the next round
sends those. With `r = D / L` the rounds are `M, M r, M r^2 …`; they end when what remains fits into the pause that Nova
allows (`live_migration_downtime`, 500 ms). With `n` rounds:

    copy = M / L * (1 - r^n) / (1 - r)      sent = copy * L      blackout = M r^n / L

It never ends where `r >= 1`. A disk `B` that is not shared is copied before, as QEMU mirrors it: `copy` is `B / L`
longer, and `B` more is sent. `B` is all that the flavor gives, the most that it may hold; what the guest writes to it
while it is copied is not counted.
"""

import math
from dataclasses import dataclass

import numpy as np

from controller.model.sample import FloatColumn

DOWNTIME_S = 0.5
"""Nova's default live_migration_downtime."""

ASSUMED_DIRTY_BYTES_S = 64.0 * 2**20
"""For each busy vCPU of a VM whose dirty rate nobody measures. A modelled number: few guests write faster for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Seconds and bytes of one migration; `math.inf` where pre-copy would never converge.

    `forced`: it is planned to be forced to its end (`completion`).
    """

    copy_s: float
    sent_bytes: float
    blackout_s: float
    forced: bool = False


def estimate(memory_bytes: float, dirty_bytes_s: float, link_bytes_s: float, disk_bytes: float = 0.0) -> Estimate:
    """One live migration alone on its share of the link; `disk_bytes`: what of disks is copied with it."""
    if link_bytes_s <= 0 or dirty_bytes_s >= link_bytes_s:
        return Estimate(copy_s=math.inf, sent_bytes=math.inf, blackout_s=math.inf)
    rate = dirty_bytes_s / link_bytes_s
    rounds = _rounds(memory_bytes / link_bytes_s, rate)
    copy = disk_bytes / link_bytes_s + memory_bytes / link_bytes_s * (1 - rate**rounds) / (1 - rate)
    return Estimate(copy_s=copy, sent_bytes=copy * link_bytes_s, blackout_s=memory_bytes / link_bytes_s * rate**rounds)


def pause_s(left_bytes: float, dirty_bytes_s: float | None, link_bytes_s: float) -> float:
    """The pause at the end of a copy that converged, from what was `left_bytes` at the last look before it.

    `left / L * r^k` for the least k that makes it fit into the allowed pause; all of the allowed pause where the dirty
    rate is not known or is above the link's share: it fitted, and nothing tells how well.
    """
    seconds = left_bytes / link_bytes_s
    if seconds <= DOWNTIME_S:
        return seconds
    if dirty_bytes_s is None or dirty_bytes_s >= link_bytes_s:
        return DOWNTIME_S
    rate = dirty_bytes_s / link_bytes_s
    return seconds * rate ** _rounds(seconds, rate)


def cold(disk_bytes: float, link_bytes_s: float) -> Estimate:
    """A cold migration: its disk copied once; the server is off all the while, so there is no blackout to add."""
    seconds = disk_bytes / link_bytes_s if link_bytes_s > 0 else math.inf
    return Estimate(copy_s=seconds, sent_bytes=disk_bytes, blackout_s=0.0)


def longest_s(
    memory_bytes: float, dirty_bytes_s: float, links_bytes_s: FloatColumn, disk_bytes: float = 0.0
) -> FloatColumn:
    """`B / L + M / (L - D)` for each link, the bound that the copy approaches from below.

    Infinite where it never converges.
    """
    spare = links_bytes_s - dirty_bytes_s
    seconds = np.full(len(spare), np.inf)
    np.divide(memory_bytes, spare, out=seconds, where=spare > 0)
    return seconds + disk_s(disk_bytes, links_bytes_s)


def disk_s(disk_bytes: float, links_bytes_s: FloatColumn) -> FloatColumn:
    """`B / L` for each link; zero where no disk is copied, infinite over a link that carries nothing."""
    if disk_bytes <= 0:
        return np.zeros(len(links_bytes_s))
    seconds = np.full(len(links_bytes_s), np.inf)
    np.divide(disk_bytes, links_bytes_s, out=seconds, where=links_bytes_s > 0)
    return seconds


def _rounds(seconds_whole: float, rate: float) -> int:
    """Rounds until what remains fits into the allowed pause, at least one."""
    if rate <= 0 or seconds_whole * rate <= DOWNTIME_S:
        return 1
    return math.ceil(math.log(DOWNTIME_S / seconds_whole) / math.log(rate))

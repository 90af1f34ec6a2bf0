"""The most there was lately, so that a cloud or an inventory that shrinks by small steps is noticed too. Pure.

Only good looks are noted, so that time stands still while a shrunken one freezes the loop: what was there in the last
good hour is compared with until it is back or an operator accepts the loss, over every restart.
"""

import functools
from datetime import datetime, timedelta

from controller.model.extent import Extent, Peak

PARTS = 12
"""In so many stretches the time that is looked back on is kept."""


def noted(peaks: tuple[Peak, ...], extent: Extent, at: datetime, span: timedelta) -> tuple[Peak, ...]:
    """The peaks of the last `span` (and at most one stretch more) with a good look at `at`, oldest first.

    One that a clock which ran ahead has dated later ends as if it had begun now.
    """
    length = span / PARTS
    begun = (Peak(since=min(peak.since, at), extent=peak.extent) for peak in peaks)
    kept = tuple(peak for peak in begun if peak.since + length > at - span)
    if kept and at < kept[-1].since + length:
        return (*kept[:-1], Peak(since=kept[-1].since, extent=kept[-1].extent.or_more(extent)))
    return (*kept, Peak(since=at, extent=extent))


def most(peaks: tuple[Peak, ...]) -> Extent | None:
    """The most of each there was; None where nothing was noted."""
    return functools.reduce(Extent.or_more, (peak.extent for peak in peaks)) if peaks else None

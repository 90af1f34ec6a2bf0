"""Reads one device by its profile's plan: tables whole at first and now and then, by name in between."""

from dataclasses import dataclass
from typing import Protocol

from controller.adapters.snmp.answers import Answers
from controller.adapters.snmp.failure import PollError, Reason
from controller.adapters.snmp.oids import SYS_UPTIME, Oid
from controller.adapters.snmp.pdu import Value
from controller.adapters.snmp.plan import ReadingPlan, Table

POLLS_A_WALK = 20
"""A table is walked again after so many polls (ten minutes at 30 s), to see a part that was plugged in."""

UPTIME_WRAP = 2**32
WRAP_MARGIN = 10 * 60 * 100
"""Ticks before the wrap within which an uptime that starts again has wrapped; elsewhere the agent has."""


class Asked(Protocol):
    """The two questions of `agent.Agent`."""

    async def get(self, oids: tuple[Oid, ...]) -> dict[Oid, Value | None]: ...

    async def walk(self, columns: tuple[Oid, ...]) -> dict[Oid, Value]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """What the last walk found: objects to read each time, and values that do not change."""

    live: tuple[Oid, ...]
    fixed: dict[Oid, Value]


class Reader:
    """`restarts` counts how often the device's agent began anew, as sysUpTime tells."""

    def __init__(self, agent: Asked, plan: ReadingPlan) -> None:
        self._agent = agent
        self._plan = plan
        self._layout: _Layout | None = None
        self._reads_left = 0
        self._uptime: int | None = None
        self.restarts = 0

    async def read(self) -> Answers:
        """Everything that the profile's decoder looks at. Raises PollError."""
        layout = self._layout if self._reads_left else None
        scalars = (SYS_UPTIME, *self._plan.scalars)
        got = await self._agent.get(scalars if layout is None else (*scalars, *layout.live))
        values = {of: value for of, value in got.items() if value is not None}
        if not values:
            raise PollError(
                Reason.TRUNCATED, "the device has none of its profile's objects", remedy="check its profile"
            )
        restarted = self._restarted(values.get(SYS_UPTIME))
        if layout is None or restarted or any(got[of] is None for of in layout.live):
            return Answers({**values, **await self._walked()})
        self._reads_left -= 1
        return Answers({**layout.fixed, **values})

    async def _walked(self) -> dict[Oid, Value]:
        self._layout = None
        found: dict[Oid, Value] = {}
        live: list[Oid] = []
        for table in self._plan.tables:
            rows = await self._agent.walk((*table.live, *table.fixed))
            found |= rows
            live += [of for of in rows if _is_live(table, of)]
        lasting = {of: value for of, value in found.items() if of not in set(live)}
        self._layout = _Layout(live=tuple(live), fixed=lasting)
        self._reads_left = POLLS_A_WALK
        return found

    def _restarted(self, uptime: Value | None) -> bool:
        """Whether the agent began anew: sysUpTime fell back, and not by its wrap after 497 days."""
        if not isinstance(uptime, int):
            return False
        before, self._uptime = self._uptime, uptime
        if before is None or uptime >= before or before > UPTIME_WRAP - WRAP_MARGIN:
            return False
        self.restarts += 1
        return True


def _is_live(table: Table, of: Oid) -> bool:
    for column in table.live:
        if of[: len(column)] == column:
            return table.wanted(of[len(column) :])
    return False

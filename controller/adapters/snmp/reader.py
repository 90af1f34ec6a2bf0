"""Reads one device by its profile's plan: tables whole at first and now and then, by name in between.

What means something only of one moment (a counter and the time it was read at) comes last, each group in one message.
"""

from dataclasses import dataclass
from typing import Protocol

from controller.adapters.snmp.answers import Answers, Dated
from controller.adapters.snmp.failure import PollError, Reason
from controller.adapters.snmp.oids import SYS_UPTIME, Oid
from controller.adapters.snmp.pdu import Value
from controller.adapters.snmp.plan import ReadingPlan, Table
from controller.adapters.snmp.target import Target
from controller.adapters.snmp.uptime import ticks_between

POLLS_A_WALK = 20
"""A table is walked again after so many polls (ten minutes at 30 s), to see a part that was plugged in."""


class Asked(Protocol):
    """The three questions of `agent.Agent`."""

    async def get(self, oids: tuple[Oid, ...]) -> dict[Oid, Value | None]: ...

    async def get_together(self, groups: tuple[tuple[Oid, ...], ...]) -> tuple[Dated, ...]: ...

    async def walk(self, columns: tuple[Oid, ...], rows: int) -> dict[Oid, Value]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """What the last walk found: objects to read each time, and values that do not change."""

    live: tuple[Oid, ...]
    fixed: dict[Oid, Value]


class Reader:
    """`restarts` counts how often the device's agent began anew, as sysUpTime tells, `walks` its tables' walks."""

    def __init__(self, agent: Asked, plan: ReadingPlan, target: Target) -> None:
        self._agent = agent
        self._plan = plan
        self._target = target
        self._layout: _Layout | None = None
        self._reads_left = 0
        self._uptime: int | None = None
        self._got: dict[Oid, Value] = {}
        self.restarts = 0
        self.walks = 0

    async def read(self) -> Answers:
        """Everything that the profile's decoder looks at. Raises PollError."""
        walks = self.walks
        answers = await self._scalars_and_tables()
        if self._plan.together is None:
            return answers
        dated = await self._together(answers)
        if walks == self.walks and self._renamed(dated):
            answers = Answers({**self._got, **await self._walked()})
            dated = await self._together(answers)
        return Answers(answers.values, dated)

    async def _scalars_and_tables(self) -> Answers:
        layout = self._layout if self._reads_left else None
        scalars = (SYS_UPTIME, *self._plan.scalars)
        got = await self._agent.get(scalars if layout is None else (*scalars, *layout.live))
        values = {of: value for of, value in got.items() if value is not None}
        if not values:
            raise PollError(
                Reason.TRUNCATED, "the device has none of its profile's objects", remedy="check its profile"
            )
        self._got = values
        restarted = self._restarted(values.get(SYS_UPTIME))
        if layout is None or restarted or any(got[of] is None for of in layout.live):
            return Answers({**values, **await self._walked()})
        self._reads_left -= 1
        return Answers({**layout.fixed, **values})

    async def _together(self, answers: Answers) -> tuple[Dated, ...]:
        assert self._plan.together is not None
        return await self._agent.get_together(self._plan.together(answers, self._target))

    def _renamed(self, dated: tuple[Dated, ...]) -> bool:
        """Whether a row has another name, or none, than when its table was walked."""
        fixed = {} if self._layout is None else self._layout.fixed
        return any(value != fixed[of] for each in dated for of, value in each.values.items() if of in fixed)

    async def _walked(self) -> dict[Oid, Value]:
        self._layout = None
        self.walks += 1
        found: dict[Oid, Value] = {}
        live: list[Oid] = []
        for table in self._plan.tables:
            rows = await self._agent.walk((*table.live, *table.fixed), table.rows_a_bulk)
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
        if before is None or ticks_between(before, uptime) is not None:
            return False
        self.restarts += 1
        return True


def _is_live(table: Table, of: Oid) -> bool:
    for column in table.live:
        if of[: len(column)] == column:
            return table.wanted(of[len(column) :])
    return False

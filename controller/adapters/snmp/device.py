"""One device under watch: polled one at a time, its findings decoded, its silence remembered."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from controller.adapters.snmp.agent import Agent
from controller.adapters.snmp.community import CommunitySecurity
from controller.adapters.snmp.counters import Counters
from controller.adapters.snmp.credentials import Community, Credential
from controller.adapters.snmp.failure import PollError, Reason
from controller.adapters.snmp.findings import SOURCE, Findings, Reading
from controller.adapters.snmp.pace import ResponseTime
from controller.adapters.snmp.profiles.catalog import PLANS
from controller.adapters.snmp.reader import Reader
from controller.adapters.snmp.target import Target
from controller.adapters.snmp.usm import UserSecurity
from controller.adapters.snmp.wire import Wire
from controller.engine.ports import Clock
from controller.model.sample import Fault, Kind, Quantity

DEAD_AFTER = 3
"""Failed polls in a row after which a device is asked less often and less patiently."""
LONGEST_SKIP = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """One poll's outcome. `at` (seconds since the epoch): when the device had answered, or was given up. `unchanged`:
    names of whom it said nothing new.
    """

    at: float
    answered: bool
    readings: tuple[Reading, ...]
    faults: tuple[Fault, ...]
    unchanged: frozenset[str] = frozenset()
    engine_id: bytes | None = None


class Device:
    """`asked` is our clock's second of the last poll's start."""

    def __init__(
        self, target: Target, credential: Credential, wire: Wire, clock: Clock, *, first_wait: float, limit: timedelta
    ) -> None:
        self.target = target
        self.asked = float("-inf")
        self.failures = 0
        self._clock = clock
        self._limit = limit
        self._lock = asyncio.Lock()
        self._plan = PLANS[target.profile]
        self.security = (
            CommunitySecurity(credential)
            if isinstance(credential, Community)
            else UserSecurity(credential, clock.monotonic)
        )
        self._agent = Agent(target.address, self.security, wire, ResponseTime(first_wait))
        self._reader = Reader(self._agent, self._plan, target)
        self._memory: set[str] = set()
        self._counters = Counters()
        self._begun = self._beginnings()

    @property
    def skip(self) -> int:
        """After how many of its turns it is polled again: 1 while it answers, more the longer it is dead."""
        return 1 if self.failures < DEAD_AFTER else min(2 ** (self.failures - DEAD_AFTER + 1), LONGEST_SKIP)

    @property
    def counts(self) -> bool:
        """Whether it tells counters, which say something from the second look on."""
        return self._plan.together is not None

    @property
    def restarts(self) -> int:
        return max(self._beginnings())

    @property
    def resyncs(self) -> int:
        return self._agent.resyncs

    async def poll(self) -> Polled:
        """Asks for everything; a failure is a fault."""
        async with self._lock:
            self.asked = self._clock.monotonic()
            self._agent.dead = self.failures >= DEAD_AFTER
            try:
                async with asyncio.timeout(self._limit.total_seconds()):
                    answers = await self._reader.read()
            except TimeoutError:
                return self._failed(Reason.TIMEOUT, f"not read through in {self._limit.total_seconds():g} s")
            except PollError as error:
                return self._failed(error.reason, str(error))
            self.failures = 0
            if self._begun != (begun := self._beginnings()):
                self._begun = begun
                self._counters.begin_anew()
            findings = Findings(self.target, self._memory, self._counters)
            self._plan.decode(answers, findings)
            return Polled(
                at=self._clock.now().timestamp(),
                answered=True,
                readings=(*findings.readings, self._up(1.0)),
                faults=tuple(findings.faults),
                unchanged=frozenset(findings.unchanged),
                engine_id=self._agent.engine_id,
            )

    def _beginnings(self) -> tuple[int, int]:
        """How often the agent began anew by its clock, and by its boots; each may miss what the other tells."""
        return self._reader.restarts, self.security.reboots

    def _failed(self, reason: Reason, detail: str) -> Polled:
        self.failures += 1
        fault = Fault(source=SOURCE, subject=self.target.subject, reason=reason.value, detail=f"{self._name}: {detail}")
        return Polled(
            at=self._clock.now().timestamp(), answered=False, readings=(self._up(0.0),), faults=(fault,)
        )  # fmt: skip

    def _up(self, value: float) -> Reading:
        return Reading(kind=Kind.DEVICE, quantity=Quantity.UP, name=self.target.name, value=value)

    @property
    def _name(self) -> str:
        address, port = self.target.address
        return f"{self.target.name} at {address}:{port}"

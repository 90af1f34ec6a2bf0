"""Rates from the 64-bit octet counters of ports, by the agent's own clock.

A rate is of the time between two looks at one agent that ran through, at one counter that ran through. It is believed
only up to what the port can carry. All else is no number: the first look, one after the agent or the counter began
anew or the port's row became another, or too late to be a rate of now. A look too soon after the one before says
nothing new: agents keep counters for seconds, and a rate over few more would be nothing, or double. An agent of v2c
that began anew and has run longer since than at the look before, or was about to wrap its clock then, is known by
counters that fell and not by its clock; one of v3 by its boots.
"""

from dataclasses import dataclass, field, replace
from enum import Enum

from controller.adapters.snmp.failure import Reason
from controller.adapters.snmp.oids import Oid
from controller.adapters.snmp.uptime import ticks_between

COUNTER_WRAP = 2**64
LEAST_S = 20.0
"""Twice as long as agents are known to keep counters; modelled."""
MOST_S = 600.0
MARGIN = 1.5
"""A rate above the port's speed by so much is no rate: an agent may tell counters that are seconds old; modelled."""


class NoRate(Enum):
    """Why a look says nothing new, as it must be."""

    FIRST = "first"
    TOO_SOON = "too soon"
    TOO_LATE = "too late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a port's counters said, in octets, with the `ticks` (sysUpTime, 1/100 s) of the same message.

    `row`: the port's in the table, whose counters these are.
    `discontinuity`: ifCounterDiscontinuityTime, None where the agent does not tell it. `speed`: bytes/s that the port
    carries, None where it is not known.
    """

    row: Oid
    ticks: int
    received: int
    sent: int
    discontinuity: int | None
    speed: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Bytes/s."""

    received: float
    sent: float


@dataclass(slots=True)
class Counters:
    """The look at each port that its next one is compared with."""

    _looks: dict[str, Look] = field(default_factory=dict)

    def rates(self, port: str, look: Look) -> Rates | Reason | NoRate:
        """The rates since the look before, or why there are none."""
        before = self._looks.get(port)
        found = NoRate.FIRST if before is None else rates(before, look)
        if found is not NoRate.TOO_SOON:
            self._looks[port] = look
        return found

    def forget(self, port: str) -> None:
        """The port's next look is its first."""
        self._looks.pop(port, None)

    def begin_anew(self) -> None:
        """The agent did, whatever its clock says: no next look is compared with the one before."""
        self._looks = {port: replace(look, row=()) for port, look in self._looks.items()}


def elapsed_s(before: Look, now: Look) -> float | None:
    """Seconds through which the agent and the counters ran; None where either began anew."""
    ticks = ticks_between(before.ticks, now.ticks)
    ran_through = before.row == now.row and before.discontinuity == now.discontinuity
    return ticks / 100 if ticks is not None and ran_through else None


def rates(before: Look, now: Look) -> Rates | Reason | NoRate:
    """What passed a second between two looks; a counter that fell has wrapped if the port could carry so much."""
    seconds = elapsed_s(before, now)
    if seconds is None:
        return Reason.COUNTER_RESET
    if seconds < LEAST_S:
        return NoRate.TOO_SOON
    fell = now.received < before.received or now.sent < before.sent
    received, sent = (
        (after - earlier) % COUNTER_WRAP / seconds
        for earlier, after in ((before.received, now.received), (before.sent, now.sent))
    )
    speeds = [look.speed for look in (before, now) if look.speed is not None]
    if max(received, sent) > MARGIN * max(speeds) if speeds else fell:
        return Reason.COUNTER_RESET if fell else Reason.IMPLAUSIBLE
    return NoRate.TOO_LATE if seconds > MOST_S else Rates(received=received, sent=sent)

"""What operators asked for: pauses, drains, approvals. Journaled, so that a restart forgets none of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from controller.model.ids import HostName, PlanId, ServerId
from controller.model.policy import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """No new move of any kind in this scope; None is everywhere."""

    scope: Scope | None
    who: str
    why: str
    since: datetime


def paused_everywhere(pauses: Iterable[Pause]) -> str:
    """That everything is paused, by whom and why; empty where it is not."""
    found = next((pause for pause in pauses if pause.scope is None), None)
    return "" if found is None else f"everything is paused by {found.who}: {found.why or 'no reason given'}"


class DrainState(StrEnum):
    """EMPTYING goes on until the host is EMPTY (verified), or is STUCK with somebody else to act, or was ENDED."""

    EMPTYING = "emptying"
    STUCK = "stuck"
    EMPTY = "empty"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """A server the drain cannot move: its state, and who must do what."""

    server_id: ServerId
    server_name: str
    status: str
    why: str
    who_must_act: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """An operator's drain of one host. `keep_shutoff`: SHUTOFF servers may stay (for a reboot)."""

    id: str
    host: HostName
    who: str
    why: str
    keep_shutoff: bool
    since: datetime
    state: DrainState
    holdouts: tuple[Holdout, ...] = ()

    @property
    def standing(self) -> tuple[DrainState, frozenset[tuple[str, str]]]:
        """How far it has got, whatever words say so: its state, and which servers hold it up in which status."""
        return self.state, frozenset((each.server_id, each.status) for each in self.holdouts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    plan_id: PlanId
    who: str
    at: datetime

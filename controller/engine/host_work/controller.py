"""The controller as work on hosts needs it: over the daemon's socket, or in this process holding the journal's lock."""

from dataclasses import dataclass
from typing import Protocol

from controller.model.host_run import HostRun, HostStep, HostVerb
from controller.model.ids import HostName
from controller.model.operation import Drain


@dataclass(frozen=True, slots=True, kw_only=True)
class Emptying:
    """How far a drain is, None where it was ended: the moves it made, whether one is under way, steps of drains so far.

    `paused` says that everything is paused, by whom and why; empty where it is not.
    """

    drain: Drain | None
    moves: int
    moving: bool
    steps: int
    paused: str = ""


class Controller(Protocol):
    """Raises `RefusedError` for a no, `TransientError` where the daemon or the cloud does not answer."""

    async def open_runs(self) -> tuple[HostRun, ...]: ...

    async def begin(self, host: HostName, verb: HostVerb, step: HostStep) -> HostRun:
        """Journals a new run; who asks is known to the controller."""
        ...

    async def save(self, run: HostRun) -> None:
        """Journals how far an open run is, or its end."""
        ...

    async def drains(self) -> tuple[Drain, ...]:
        """Those that have not ended."""
        ...

    async def unknowns(self, host: HostName) -> tuple[str, ...]:
        """What is not known about a drain of this host, a sentence each."""
        ...

    async def drain(self, host: HostName, why: str, *, keep_shutoff: bool) -> Drain: ...

    async def emptying(self, drain: Drain) -> Emptying: ...

    async def look(self, drain: Drain) -> Drain:
        """The drain as Nova shows its host right now; changes nothing. Raises where Nova does not answer."""
        ...

    async def enable(self, host: HostName) -> str: ...

"""What operators may ask of a running controller. The API calls it; the daemon and `drain --direct` are behind it."""

from datetime import datetime
from typing import Protocol

from controller.engine.ports import HostRuns
from controller.engine.status import Status
from controller.model.cluster import Cluster
from controller.model.ids import HostName, PlanId
from controller.model.migration import Entry
from controller.model.operation import Drain
from controller.model.plan import Plan
from controller.model.policy import Scope


class Desk(Protocol):
    """Each refusal is a `RefusedError` that names its rule; `who` is the operator's login name."""

    def status(self) -> Status: ...

    def moves(self, since: datetime) -> tuple[Entry, ...]:
        """Journal entries created since then, oldest first."""
        ...

    def plan(self, plan_id: PlanId | None) -> Plan | None:
        """That plan, or the one on the table, or the last one there was."""
        ...

    def recommended(self) -> Plan | None:
        """What would be done if scopes in mode recommend were acted on too; None where there are none."""
        ...

    def snapshot(self) -> Cluster:
        """The newest look, with what looks before it told; TransientError before the first."""
        ...

    def drains(self) -> tuple[Drain, ...]: ...

    def approve(self, plan_id: PlanId, who: str) -> str:
        """Allows the newest plan's moves in scopes of mode approve; answers with one sentence."""
        ...

    async def pause(self, scope: Scope | None, who: str, why: str, *, abort: bool) -> str:
        """Stops new moves of every kind; with `abort`, running ones of ours too."""
        ...

    def resume(self, scope: Scope | None, who: str) -> str: ...

    async def drain_unknowns(self, host: HostName) -> tuple[str, ...]:
        """What is not known about a drain of this host, a sentence each; RefusedError for no such host."""
        ...

    async def drain(self, host: HostName, who: str, why: str, *, keep_shutoff: bool) -> Drain:
        """Begins a drain: the service is disabled when this returns; emptying goes on."""
        ...

    async def look(self, host: HostName) -> Drain:
        """The host's drain as Nova shows the host right now; RefusedError (rule `no-drain`) where it has none."""
        ...

    async def enable(self, host: HostName, who: str, *, force: bool) -> str: ...

    @property
    def host_runs(self) -> HostRuns:
        """The records of what operators do to hosts by playbooks."""
        ...

"""Fakes around work on hosts: playbooks that follow a script, and a controller that drains at its own pace."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from controller.engine.host_work.controller import Emptying
from controller.engine.host_work.order import Outcome
from controller.engine.ports import Clock
from controller.errors import GdccError, InputError, RefusedError, TransientError
from controller.model.host_run import HostRun, HostRunId, HostRunState, HostStep, HostVerb
from controller.model.ids import HostName, ServerId
from controller.model.operation import Drain, DrainState, Holdout
from controller.model.playbook import Change, HostResult, PlaybookResult, PlaybookRun, TaskEvent, TaskFailure
from tests.fakes.journals import START

MOST_FAILED = {
    "host-prepare.yml": 10,
    "host-configure.yml": 0,
    "host-verify.yml": 100,
    "host-boot-id.yml": 100,
    "host-reboot.yml": 10,
    "host-patch.yml": 10,
    "host-rotate-keys.yml": 10,
    "host-decommission.yml": 0,
}
"""Of each playbook the share of hosts, in percent, that may fail before it breaks off: the least of its plays."""


def host_run(run_id: str = "first", host: str = "c1") -> HostRun:
    """A reboot that was just begun."""
    return HostRun(
        id=HostRunId(run_id),
        host=HostName(host),
        verb=HostVerb.REBOOT,
        who="ann",
        since=START,
        step=HostStep.DRAIN,
        state=HostRunState.OPEN,
        changed_at=START,
    )


class FakeHosts:
    """`engine.ports.Playbooks`: hosts with a boot id each, which a reboot changes unless it has happened.

    `failing` maps playbooks to hosts that fail in them (`failures` says how): where more fail than the playbook allows,
    the others do not get to their end, as Ansible does it. `mute` hosts tell no boot id; `error` is raised instead of
    the next run; `dies_in` loses the caller in the middle of that playbook, after it has done its work.
    """

    def __init__(self, clock: Clock, *hosts: str) -> None:
        self._clock = clock
        self.boots = {HostName(host): 1 for host in hosts}
        self.failing: dict[str, set[str]] = {}
        self.failures: dict[tuple[str, HostName], TaskFailure] = {}
        self.reboot_required: set[str] = set()
        self.mute: set[str] = set()
        self.error: GdccError | None = None
        self.dies_in: str | None = None
        self.runs: list[PlaybookRun] = []
        self.before: Callable[[PlaybookRun], None] = lambda _: None
        self._breaks_off = False

    async def run(
        self,
        run: PlaybookRun,
        progress: Callable[[TaskEvent], None],
        ready: Callable[[], Awaitable[None]] | None = None,
    ) -> PlaybookResult:
        self.before(run)
        self.runs.append(run)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        failed = [host for host in run.hosts if self._fails(run, host)]
        allowed = run.where_known.get("max_failed_percentage", MOST_FAILED[run.playbook])
        self._breaks_off = 100 * len(failed) / len(run.hosts) > float(str(allowed))
        results = {host: self._result(run, host) for host in run.hosts}
        if self.dies_in == run.playbook:
            self.dies_in = None
            raise KilledError
        return PlaybookResult(run=run, hosts=results, ended_at=self._clock.now(), artifacts=f"/artifacts/{run.id}")

    def _result(self, run: PlaybookRun, host: HostName) -> HostResult:
        if host in self.failing.get(run.playbook, ()):
            failure = TaskFailure(task="Prove it", said="declared 9000, found 1500")
            return HostResult(host=host, ended=True, ok=1, failure=failure)
        known = self.failures.get((run.playbook, host))
        if known is not None or self._breaks_off:
            return HostResult(host=host, ended=False, ok=1, changes=(Change(task="Begin"),), failure=known)
        facts: dict[str, object] = {}
        if run.playbook == "host-reboot.yml" and not run.check and run.variables["reboot_boot_id"] == self._boot(host):
            self.boots[host] += 1
        if run.playbook == "host-patch.yml" and host in self.reboot_required:
            facts = {"reboot_required": True, "reboot_required_by": ["linux-image-amd64"]}
        if host not in self.mute:
            facts["boot_id"] = self._boot(host)
        return HostResult(host=host, ended=True, ok=1, facts=facts)

    def _fails(self, run: PlaybookRun, host: HostName) -> bool:
        return host in self.failing.get(run.playbook, ()) or (run.playbook, host) in self.failures

    def _boot(self, host: HostName) -> str:
        return f"boot-{self.boots[host]}"


class KilledError(BaseException):
    """The process ends here."""


class FakeController:
    """`engine.host_work.controller.Controller`: a drain empties after so many looks, or is stuck; keeps its records.

    `paused` is told until the look `resumed_at_look`. Nova answers the next `unheard` looks not at all; onto `late`
    hosts a server came after they were empty, which the next look finds and the loop then moves.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.records: dict[str, HostRun] = {}
        self.drained: dict[HostName, Drain] = {}
        self.looks_to_empty = 3
        self.stuck: set[str] = set()
        self.staying: tuple[str, ...] = ("db-1",)
        self.unlisted: set[str] = set()
        self.others: set[str] = set()
        self.in_campaigns: set[str] = set()
        self.refuses_to_enable: BaseException | None = None
        self.enabled: list[str] = []
        self.saved: list[tuple[str, HostStep, HostRunState]] = []
        self.written = asyncio.Event()
        self.paused = ""
        self.resumed_at_look = 0
        self.unheard = 0
        self.late: set[str] = set()
        self._looks: dict[str, int] = {}

    async def open_runs(self) -> tuple[HostRun, ...]:
        return tuple(run for run in self.records.values() if run.state is HostRunState.OPEN)

    async def begin(self, host: HostName, verb: HostVerb, step: HostStep) -> HostRun:
        if host in self.in_campaigns:
            raise RefusedError("campaign kernel-6.1 works on it", rule="host-in-campaign", where=host)
        run = replace(host_run(f"{verb}-{host}-{len(self.records)}", host), verb=verb, step=step)
        self.records[run.id] = run
        return run

    async def save(self, run: HostRun) -> None:
        if len(run.said) > 2000:
            raise InputError("the request is not understood: said is too long")
        self.records[run.id] = run
        self.saved.append((run.host, run.step, run.state))
        self.written.set()

    async def drains(self) -> tuple[Drain, ...]:
        return tuple(self.drained.values())

    async def unknowns(self, host: HostName) -> tuple[str, ...]:
        return ()

    async def drain(self, host: HostName, why: str, *, keep_shutoff: bool) -> Drain:
        if host in self.unlisted:
            raise RefusedError("Nova has no compute service of this name", rule="unknown-host", where=host)
        return self.put(host, why, keep_shutoff, self._clock.now())

    def put(self, host: str, why: str, keep_shutoff: bool = True, since: datetime = START) -> Drain:
        """A drain that is under way."""
        self.drained[HostName(host)] = Drain(
            id=f"drain-{host}",
            host=HostName(host),
            who="ann",
            why=why,
            keep_shutoff=keep_shutoff,
            since=since,
            state=DrainState.EMPTYING,
        )
        return self.drained[HostName(host)]

    async def emptying(self, drain: Drain) -> Emptying:
        looks = self._looks[drain.host] = self._looks.get(drain.host, 0) + 1
        paused = self.paused if looks < self.resumed_at_look else ""
        found = self.drained.get(drain.host)
        if found is not None and drain.host in self.stuck:
            held = (
                Holdout(
                    server_id=ServerId(name),
                    server_name=name,
                    status="ERROR",
                    why="is in ERROR",
                    who_must_act="its agency",
                )
                for name in self.staying
            )
            found = replace(found, state=DrainState.STUCK, holdouts=tuple(held))
        elif found is not None and looks > self.looks_to_empty:
            found = replace(found, state=DrainState.EMPTY)
            self.drained[drain.host] = found
        return Emptying(drain=found, moves=min(looks, self.looks_to_empty), moving=False, steps=looks, paused=paused)

    def looks(self, host: str) -> int:
        """How often its drain was looked at."""
        return self._looks[HostName(host)]

    async def look(self, drain: Drain) -> Drain:
        if self.unheard:
            self.unheard -= 1
            raise TransientError("Nova does not answer", where=drain.host)
        if drain.host in self.late:
            self.late.discard(drain.host)
            return replace(drain, state=DrainState.EMPTYING)
        return self.drained[drain.host]

    async def enable(self, host: HostName) -> str:
        if self.refuses_to_enable is not None:
            error, self.refuses_to_enable = self.refuses_to_enable, None
            raise error
        if host in self.others:
            raise RefusedError(f"{host} was disabled by somebody else: disk", rule="not-ours", where=host)
        self.drained.pop(host, None)
        self.enabled.append(host)
        return f"{host} is enabled."

    def empty(self, host: str) -> bool:
        """Whether nothing runs on that host now."""
        found = self.drained.get(HostName(host))
        return found is not None and found.state is DrainState.EMPTY


class Silent:
    """A watcher that remembers the steps."""

    def __init__(self) -> None:
        self.steps: list[tuple[tuple[HostName, ...], HostStep]] = []
        self.outcomes: list[Outcome] = []
        self.waited: list[tuple[HostName, str]] = []

    def step(self, hosts: Sequence[HostName], step: HostStep) -> None:
        self.steps.append((tuple(hosts), step))

    def task(self, event: TaskEvent) -> None: ...

    def waits(self, host: HostName, why: str) -> None:
        self.waited.append((host, why))

    def ended(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

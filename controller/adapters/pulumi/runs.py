"""Many stacks at once: each a chain of CLI calls, some side by side, and one way to stop them all.

A stack that fails stops no other of its wave. Stopping lets every call end what it began: nothing is half written.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from controller.adapters.pulumi import locks, remedies, stack_files
from controller.adapters.pulumi.child import Child
from controller.adapters.pulumi.stacks import Verb, Wave
from controller.adapters.pulumi.state import Pending
from controller.adapters.pulumi.tally import Tally
from controller.adapters.pulumi.tool import Tool
from controller.errors import GdccError


class State(StrEnum):
    """Where a stack's run is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    LOCKED = "locked"
    STOPPED = "stopped"
    SKIPPED = "skipped"


OVER = frozenset({State.DONE, State.FAILED, State.LOCKED, State.STOPPED, State.SKIPPED})


@dataclass(slots=True, kw_only=True)
class Run:
    """One stack's run: `step` is the call under way, `tally` its counts, `said` its outcome in a sentence.

    `settled` tells of each operation that a killed run had left open; a run that only looks has them as `pending`,
    or as `beside` whose run is going on just then. It has a `copy` of its stack's file for its calls, and `made` the
    stack where there was none.
    """

    stack: str
    verb: Verb
    folder: Path
    state: State = State.WAITING
    step: str = ""
    tally: Tally = field(default_factory=Tally)
    said: str = ""
    held: tuple[locks.Lock, ...] = ()
    settled: tuple[str, ...] = ()
    pending: tuple[Pending, ...] = ()
    beside: str = ""
    copy: Path | None = None
    made: bool = False
    began_s: float | None = None
    ended_s: float | None = None

    @property
    def seconds(self) -> float:
        """How long it has run, by a monotonic clock."""
        if self.began_s is None:
            return 0.0
        return (time.monotonic() if self.ended_s is None else self.ended_s) - self.began_s

    def output(self, step: str) -> Path:
        """What the CLI wrote to its standard output in that step."""
        return self.folder / step / "output"


class StepFailedError(Exception):
    """A call did not succeed; the run's own words tell why."""

    def __init__(self, state: State, said: str) -> None:
        super().__init__(said)
        self.state = state
        self.said = said


class Runner:
    """Runs stacks. `work` is what is done with one of them, by calls of `step`; `changed` is told of every change."""

    def __init__(
        self,
        tool: Tool,
        work: Callable[["Runner", Run], Awaitable[None]],
        changed: Callable[[Run], None],
        parallel: int,
    ) -> None:
        self._tool = tool
        self._work = work
        self._changed = changed
        self._slots = asyncio.Semaphore(parallel)
        self._children: dict[str, Child] = {}
        self._stopping = False

    @property
    def tool(self) -> Tool:
        """The CLI that the calls go through."""
        return self._tool

    @property
    def stopping(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stopping

    async def go(self, waves: Sequence[Wave], runs: Sequence[Run]) -> None:
        """Runs every wave to its end; a wave that needs all before it is skipped where one of them did not succeed.

        What nobody foresaw of one stack is raised only once the others of its wave have ended.
        """
        by_stack = {run.stack: run for run in runs}
        for wave in waves:
            now = [by_stack[stack] for stack in wave.stacks]
            before = [run for run in runs if run.state in OVER and run.state is not State.DONE]
            if wave.needs_all and before and not self._stopping:
                for run in now:
                    self._over(run, State.SKIPPED, f"not begun: {before[0].stack} did not succeed")
                continue
            ended = await asyncio.gather(*(self._one(run) for run in now), return_exceptions=True)
            for error in ended:
                if error is not None:
                    raise error

    async def _one(self, run: Run) -> None:
        async with self._slots:
            if self._stopping:
                self._over(run, State.STOPPED, "not begun")
                return
            run.state, run.began_s = State.RUNNING, time.monotonic()
            self._changed(run)
            try:
                await self._work(self, run)
            except StepFailedError as failed:
                self._over(run, failed.state, failed.said)
            except GdccError as error:
                self._over(run, State.FAILED, str(error))
            except (OSError, json.JSONDecodeError) as error:
                self._over(run, State.FAILED, f"what it wrote could not be kept or read ({run.folder}): {error}")
            else:
                self._over(run, State.DONE, run.said)

    def _over(self, run: Run, state: State, said: str) -> None:
        run.state, run.said, run.ended_s = state, said, time.monotonic()
        self._changed(run)

    async def step(self, run: Run, name: str, *words: str) -> None:
        """One call of the CLI for this stack; the run's tally starts anew with it.

        Raises `StepFailedError` where it did not end well.
        """
        if self._stopping:
            raise StepFailedError(State.STOPPED, f"stopped before its {name}")
        run.step, run.tally = name, Tally()
        argv = self._tool.argv(*words, "--stack", run.stack, *stack_files.config_file(run.copy))
        child = Child(
            argv=argv,
            root=self._tool.root,
            env=stack_files.environment(self._tool, run.stack, run.copy),
            folder=run.folder / name,
        )
        self._children[run.stack] = child
        try:
            status = await child.run(lambda line: self._heard(run, line))
        finally:
            del self._children[run.stack]
        if status != 0:
            raise self._failure(run, child, status)

    def _heard(self, run: Run, line: bytes) -> None:
        run.tally.take(line)
        self._changed(run)

    def _failure(self, run: Run, child: Child, status: int) -> StepFailedError:
        told = child.errors.read_text(encoding="utf-8", errors="replace")
        run.held = locks.told(told)
        if run.held:
            return StepFailedError(State.LOCKED, f"{run.held[0]}; {locks.remedy(run.stack, run.held[0])}")
        if self._stopping:
            return StepFailedError(State.STOPPED, _left(run))
        return StepFailedError(State.FAILED, _why(run, told, status))

    def stop(self) -> None:
        """Begins nothing more; asks every call under way to end, the second time at once."""
        self._stopping = True
        for child in list(self._children.values()):
            child.interrupt()


def _left(run: Run) -> str:
    if run.tally.under_way:
        return f"stopped in the middle of {len(run.tally.under_way)}; the next run asks the cloud about them"
    return "stopped; nothing is half done, the next run goes on from here"


def _why(run: Run, told: str, status: int) -> str:
    broken = [each for each in run.tally.violations if each.mandatory]
    if broken:
        return f"policy {broken[0].policy}: {broken[0].message}" + _more(len(broken) - 1)
    if run.tally.errors:
        real = [each for each in run.tally.errors if not each.endswith("update failed")] or run.tally.errors
        return remedies.told(real[0]) + _more(len(real) - 1)
    if status < 0:
        left = f" in the middle of {len(run.tally.under_way)}" if run.tally.under_way else ""
        return f"its process was killed (signal {-status}){left}; the next run asks the cloud about that"
    lines = [line.removeprefix("error: ") for line in told.splitlines() if line.strip()]
    return remedies.told(lines[0]) if lines else f"pulumi ended with status {status}"


def _more(count: int) -> str:
    return f" (and {count} more)" if count > 0 else ""

"""Runs kept going, and what Ctrl-C means for them.

The first asks every call under way to end what it began and begins nothing more. The second says what a third would
leave behind, and the third ends the calls at once.
"""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from controller.adapters.pulumi import child, stack_files, stacks, work
from controller.adapters.pulumi.runs import Run, Runner, State
from controller.adapters.pulumi.stacks import Verb
from controller.cli.estate.screen import Screen
from controller.cli.output import DONE, REFUSED, errors, people
from controller.errors import InputError

_KEPT_RUNS = 20
_QUIET_S = 3600.0
"""After that long without a word no call is under way any more."""


def run(verb: Verb, names: Sequence[str], orders: work.Orders, *, parallel: int, as_json: bool) -> list[Run]:
    """Runs the verb on every stack and gives the runs, each over. Raises `InputError` where nothing may begin."""
    if verb is not Verb.PREVIEW:
        asyncio.run(_same_cloud(orders))
    folder = _folder(verb)
    runs = [Run(stack=name, verb=verb, folder=folder / name) for name in names]
    with Screen(runs, errors if as_json else people, quiet=as_json) as screen:
        asyncio.run(_go(verb, runs, orders, screen, parallel))
    return runs


async def _same_cloud(orders: work.Orders) -> None:
    """Another cloud knows nothing of what the states hold: a refresh would forget all of it, an `up` make it there."""
    said = stack_files.setting(orders.tool.root, stacks.FOUNDATION, "gdcc:loginProject")
    found = await orders.login_project() if said is not None else None
    if found is not None and found != said:
        raise InputError(
            f"the environment logs in to project {found}, and the foundation was made from project {said}",
            where="cloud",
            remedy="are its OS_ variables another cloud's? where not: pulumi config set gdcc:loginProject, that stack",
        )


async def _go(verb: Verb, runs: list[Run], orders: work.Orders, screen: Screen, parallel: int) -> None:
    runner = Runner(orders.tool, work.worker(orders), screen.changed, parallel)
    interrupts = 0

    def interrupted() -> None:
        nonlocal interrupts
        interrupts += 1
        if interrupts != 2:
            runner.stop()
        screen.say(answer(interrupts, runner, runs))

    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(each, interrupted)
    try:
        await runner.go(stacks.waves(verb, [run.stack for run in runs]), runs)
    finally:
        await asyncio.gather(*(work.leave_nothing(run, orders.tool) for run in runs))
    again = second_pass(verb, runs)
    if again and not runner.stopping:
        screen.say(f"once more, now that the others stand: {', '.join(run.stack for run in again)}")
        for run in again:
            run.state, run.said, run.folder = State.WAITING, "", run.folder / "again"
        there = replace(orders, known={**orders.known, **{run.stack: {} for run in again}})
        runner = Runner(orders.tool, work.worker(there), screen.changed, parallel)
        await runner.go([stacks.Wave(stacks=tuple(run.stack for run in again))], again)


def second_pass(verb: Verb, runs: Sequence[Run]) -> list[Run]:
    """The stacks to run once more: they wait for what another stack of this run has made by now."""
    made = [run.stack for run in runs if run.state is State.DONE]
    if verb is not Verb.UP or len(made) < 2:
        return []
    return [run for run in runs if run.state is State.DONE and run.tally.waits]


def answer(interrupts: int, runner: Runner, runs: Sequence[Run]) -> str:
    """What is said to the first, the second and each later Ctrl-C."""
    going = [run for run in runs if run.state is State.RUNNING]
    if interrupts == 1:
        return f"stopping: {len(going)} stacks end what they began; nothing new is begun"
    left = [f"  {run.stack}: {left_behind(run)}" for run in going]
    if interrupts == 2:
        return "\n".join(["once more ends them at once, and leaves behind:", *left])
    return "ended at once"


def left_behind(run: Run) -> str:
    """What would be unknown if this run's process died now."""
    names = ", ".join(f"{op} of {urn.rpartition('::')[2]}" for urn, op in sorted(run.tally.under_way.items()))
    return f"its lock; {names or 'no operation'} under way"


def status(runs: Sequence[Run]) -> int:
    """The exit status: 1 where a stack did not end well."""
    return DONE if all(run.state is State.DONE for run in runs) else REFUSED


def _folder(verb: Verb) -> Path:
    """Where this run's calls write. The last runs are kept, and those in which something was written lately."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "gdcc" / "estate"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-", suffix=f"-{verb}", dir=home))
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}", where=str(home), remedy="see XDG_STATE_HOME"
        ) from error
    _tidy([other for other in sorted(home.iterdir()) if other != folder])
    return folder


def _tidy(earlier: Sequence[Path]) -> None:
    """Takes the oldest of these runs away, and out of the others what a killed one left that must not stay."""
    for number, old in enumerate(reversed(earlier), start=1):
        if number >= _KEPT_RUNS and not _goes_on(old):
            shutil.rmtree(old, ignore_errors=True)
        elif child.uncleaned(old) and not _goes_on(old):
            child.clean(old)


def _goes_on(folder: Path) -> bool:
    """Whether its calls may still write there: many short runs, such as a timer's, may pass beside a long one."""
    since_s = time.time() - _QUIET_S
    try:
        return any(path.stat().st_mtime > since_s for path in folder.rglob("*"))
    except FileNotFoundError:  # another run takes it away
        return False

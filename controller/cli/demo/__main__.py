"""`python -m controller.cli.demo`: exit status 0 only where all problems were found and cured."""

import contextlib
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from controller.cli.demo import problems, programs, report, screen, site, verdict, watch
from controller.cli.output import DONE, REFUSED, errors, people, told
from controller.errors import TransientError
from controller.twin import scenario as scenarios

PORT = 18774
"""Of the twin's APIs and truth."""
WHOLE_S = 175.0
"""How long all of it may take, twin and daemon included."""
STEADY_S = 9.0
"""How long everything must hold before it counts: three turns of the daemon."""
STARTS_S = 60.0
LOOK_S = 0.5


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Stay up afterwards, until Ctrl-C.")] = False,
) -> None:
    """Start a data centre in software and the controller, and show three problems being found, explained and cured."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        with told(), _folder() as folder:
            good = _shown(folder, keep=keep)
    except KeyboardInterrupt:
        errors.print("interrupted: twin and daemon are stopped, nothing is left behind")
        raise typer.Exit(REFUSED) from None
    raise typer.Exit(DONE if good else REFUSED)


def _shown(folder: Path, *, keep: bool) -> bool:
    """The whole of it. Raises GdccError where a program does not start or ends on its own."""
    began = time.monotonic()
    found = problems.of_scenario(scenarios.load(site.SCENARIO))
    view = screen.Screen(people, found)
    with _twin(folder, view) as twin:
        truth = watch.truth(PORT)
        story = watch.Story(first=truth, truth=truth)
        for problem in found:
            view.say(f"WRONG   {problem.title}", "red")
        with _daemon(folder, view) as (daemon, settings, metrics):
            _follow(story, view, folder, (twin, daemon), began + WHOLE_S)
            people.print(*report.report(story, found), sep="\n")
            lacks = verdict.missing(story, found)
            _say_verdict(not lacks, time.monotonic() - began)
            if keep:
                people.print(
                    *report.further(folder, settings, metrics, f"http://127.0.0.1:{PORT}/twin/truth"), sep="\n"
                )
                _stay((twin, daemon), good=not lacks)
            else:
                people.print("Stay up and look around: make demo KEEP=1")
    return not lacks


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gdcc-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _twin(folder: Path, view: screen.Screen) -> Iterator[programs.Program]:
    view.say("starting the twin: a data centre in software, on loopback")
    asked = ["--estate", str(site.ESTATE), "--scenario", str(site.SCENARIO), "--state", str(folder)]
    with programs.running("twin", ["twin", *asked, "--port", str(PORT)], folder / "twin.log") as twin:
        twin.wait_for("ready after", STARTS_S)
        view.say(twin.first_line())
        yield twin


@contextlib.contextmanager
def _daemon(folder: Path, view: screen.Screen) -> Iterator[tuple[programs.Program, Path, str]]:
    view.say("starting the controller (gdcc run) in mode auto; it knows the estate, not what is wrong")
    settings, metrics = site.write_settings(folder)
    with programs.running("gdcc run", ["run", "--config", str(settings)], folder / "daemon.log") as daemon:
        yield daemon, settings, metrics


def _follow(
    story: watch.Story, view: screen.Screen, folder: Path, running: tuple[programs.Program, ...], end: float
) -> None:
    """Looks and shows until everything has held for a while, or time is up."""
    steady_since: float | None = None
    with view.live():
        while time.monotonic() < end:
            for program in running:
                program.check()
            with contextlib.suppress(TransientError):  # busy, or not yet up; `check` tells one that ended
                watch.look(story, folder / "gdcc.sock", PORT)
            view.show(story)
            now = time.monotonic()
            steady_since = (steady_since or now) if verdict.cured(story, view.problems) else None
            if steady_since is not None and now - steady_since >= STEADY_S:
                return
            time.sleep(LOOK_S)


def _say_verdict(good: bool, seconds: float) -> None:
    if good:
        people.print(f"\nAll found, explained and cured by live migrations, in {seconds:.0f} s.", style="bold green")
    else:
        people.print(f"\nNot shown within {seconds:.0f} s; what is missing stands above.", style="bold red")


def _stay(running: tuple[programs.Program, ...], *, good: bool) -> NoReturn:
    """Until Ctrl-C or SIGTERM, which end it as well as it went."""
    people.print("\nup until Ctrl-C", style="bold")
    try:
        while True:
            for program in running:
                program.check()
            time.sleep(1)
    except KeyboardInterrupt:
        people.print("stopping twin and daemon")
        raise typer.Exit(DONE if good else REFUSED) from None


def _terminated(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    typer.run(demo)

#!/usr/bin/python3
"""Undoes a change that could cut this host off, unless it is confirmed over an SSH connection begun after the change.

    gdcc-rollback arm NAME <plan.json   keep the old files, and set the timer that brings them back
    gdcc-rollback apply NAME            write the new files and run the commands in a moment, apart from this connection
    gdcc-rollback confirm NAME          keep the change; status 75: not yet, ask again
    gdcc-rollback restore NAME|--all    bring the old files back and run the plan's commands for that

The plan is `Plan` as JSON. The new files are written by `apply` and not before, so that a timer that was faster than
the controller leaves none behind. `restore --all` is what the next boot does: files only, before the network.
"""

import fcntl
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

STATE = Path(os.environ.get("GDCC_ROLLBACK_STATE", "/var/lib/gdcc-rollback"))
ARMED = STATE / "armed"
NOT_YET = 75
DETACH_S = 1
"""How long `apply` waits before it changes anything, so that its own answer still gets out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`files` are path to content; a command of `apply` or `restore` that begins with "-" may fail."""

    files: Mapping[str, str]
    absent: Sequence[str]
    owner: str
    group: str
    mode: str
    apply: Sequence[str]
    restore: Sequence[str]
    seconds: int
    settle_seconds: float

    @property
    def paths(self) -> Sequence[str]:
        return [*self.files, *self.absent]


class RefusedError(Exception):
    """What was asked cannot be done; the text says why and what to do."""


def arm(name: str) -> None:
    """Keeps the plan's files as they are now. Refused while an earlier change waits for its confirmation."""
    plan = Plan(**json.load(sys.stdin))
    if (ARMED / name).exists():
        raise RefusedError(f"a change to the {name} is not confirmed yet; wait until it is, or is rolled back")
    new = STATE / f"{name}.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True, mode=0o700)
    for index, path in enumerate(plan.paths):
        if Path(path).exists():
            copy(Path(path), new / str(index))
    (new / "plan.json").write_text(json.dumps(asdict(plan)))
    ARMED.mkdir(exist_ok=True, mode=0o700)
    os.sync()
    with locked():
        new.rename(ARMED / name)
    try:
        later(f"gdcc-rollback-{name}", plan.seconds, "restore", name)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(ARMED / name)
        raise RefusedError(f"no rollback timer could be set: {error.stderr.strip()}") from error


def apply(name: str) -> None:
    armed(name)
    later(f"gdcc-apply-{name}", DETACH_S, "apply-now", name)


def apply_now(name: str) -> None:
    """Writes the new files, runs the plan's commands, and writes down when they were done, or which failed."""
    with locked():
        plan = armed(name)
        for path, content in plan.files.items():
            write(Path(path), content, plan)
        for path in plan.absent:
            Path(path).unlink(missing_ok=True)
    failure = run(plan.apply)
    if failure is None:
        time.sleep(plan.settle_seconds)
    with locked():
        if (ARMED / name).exists():
            text = json.dumps({"failure": failure, "boottime_s": time.clock_gettime(time.CLOCK_BOOTTIME)})
            (ARMED / name / "applied.json").write_text(text)


def confirm(name: str) -> int:
    with locked():
        armed(name)
        try:
            applied = json.loads((ARMED / name / "applied.json").read_text())
        except FileNotFoundError:
            return NOT_YET
        if applied["failure"] is not None:
            raise RefusedError(f"the {name} was not applied: {applied['failure']}")
        began = connection_began_s(os.getpid())
        if began is not None and began < applied["boottime_s"]:
            return NOT_YET
        forget(name)
        (STATE / f"{name}.rolled-back.json").unlink(missing_ok=True)
    run([f"-systemctl stop gdcc-rollback-{name}.timer"])
    return 0


def restore(name: str, *, files_only: bool = False) -> None:
    """Brings the old files back; those that did not stand are removed."""
    with locked():
        plan = armed(name)
        for index, path in enumerate(plan.paths):
            put_back(ARMED / name / str(index), Path(path))
        tell(name, "the commands that put them into effect have not ended")
        forget(name)
    failure = None if files_only else run(plan.restore)
    tell(name, failure)
    if failure is not None:
        raise RefusedError(f"the old files of the {name} are back, but {failure}")


def tell(name: str, failure: str | None) -> None:
    """Writes down that the change was taken back: while nothing is armed, this file is there unless it was kept."""
    last = {"at": time.strftime("%FT%TZ", time.gmtime()), "failure": failure}
    (STATE / f"{name}.rolled-back.json").write_text(json.dumps(last))


def armed(name: str) -> Plan:
    try:
        return Plan(**json.loads((ARMED / name / "plan.json").read_text()))
    except FileNotFoundError:
        raise RefusedError(f"no change to the {name} waits here; it was confirmed or rolled back") from None


def forget(name: str) -> None:
    old = STATE / f"{name}.old"
    shutil.rmtree(old, ignore_errors=True)
    (ARMED / name).rename(old)
    shutil.rmtree(old)


def put_back(saved: Path, path: Path) -> None:
    if not saved.exists():
        path.unlink(missing_ok=True)
        return
    beside = path.with_name(f".{path.name}.rollback")
    copy(saved, beside)
    beside.replace(path)


def write(path: Path, content: str, plan: Plan) -> None:
    """The whole file or nothing of it."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(content)
    beside.chmod(int(plan.mode, 8))
    shutil.chown(beside, plan.owner, plan.group)
    beside.replace(path)


def copy(source: Path, target: Path) -> None:
    """With its mode and owners."""
    shutil.copy2(source, target)
    os.chown(target, source.stat().st_uid, source.stat().st_gid)


def later(unit: str, seconds: float, *arguments: str) -> None:
    timer = [f"--unit={unit}", f"--on-active={seconds}s", "--timer-property=AccuracySec=100ms"]
    command = ["systemd-run", "--quiet", "--collect", *timer, sys.executable, __file__, *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True)


def run(commands: Sequence[str]) -> str | None:
    """What the first failing command said; those after it are not run."""
    for command in commands:
        words = shlex.split(command.removeprefix("-"))
        try:
            done = subprocess.run(words, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            return f"there is no {words[0]}"
        if done.returncode and not command.startswith("-"):
            return f"`{command}` said: {done.stderr.strip() or done.stdout.strip() or done.returncode}"
    return None


def connection_began_s(process: int) -> float | None:
    """When the SSH connection that this process serves began, in seconds since boot; None outside of one."""
    began = None
    while process > 1:
        name, rest = Path(f"/proc/{process}/stat").read_text().split("(", 1)[1].rsplit(")", 1)
        fields = rest.split()
        process = int(fields[1])
        if name.startswith("sshd") and process > 1:
            began = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return began


@contextmanager
def locked() -> Iterator[None]:
    """One at a time: a confirmation and the timer may come at the same moment."""
    with (STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str]) -> int:
    match list(arguments):
        case ["arm", name]:
            arm(name)
        case ["apply", name]:
            apply(name)
        case ["apply-now", name]:
            apply_now(name)
        case ["confirm", name]:
            return confirm(name)
        case ["restore", "--all"]:
            for waiting in sorted(ARMED.iterdir()):
                restore(waiting.name, files_only=True)
        case ["restore", name]:
            restore(name)
        case _:
            raise RefusedError((__doc__ or "").strip())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except RefusedError as refused:
        sys.exit(str(refused))

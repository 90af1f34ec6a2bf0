"""Locks on stacks: whose, since when, and whether their process still lives. Pure but for the look at the process."""

import json
import os
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from controller.adapters.pulumi import file_backend
from controller.adapters.pulumi.tool import Tool
from inventory.names import PROJECT

_CREATED_BY = re.compile(r"created by (?P<user>\S+)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<since>\S+)")
_LOCKED = "the stack is currently locked by"
_PROC = Path("/proc")
_STARTED = 19
"""Of the fields that follow the command's name in /proc/PID/stat: when it started, in ticks since the boot."""
_CLOCK_SLACK_S = 60.0
"""The kernel counts by seconds from a boot whose time moves with the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One lock as Pulumi wrote it."""

    user: str
    host: str
    pid: int
    since: datetime

    def __str__(self) -> str:
        return f"locked by {self.user}@{self.host} (process {self.pid}) since {self.since:%Y-%m-%d %H:%M:%S %Z}"


def told(text: str) -> tuple[Lock, ...]:
    """The locks named in the CLI's refusal, from any backend; none where it refused for another reason."""
    if _LOCKED not in text:
        return ()
    return tuple(
        Lock(user=m["user"], host=m["host"], pid=int(m["pid"]), since=datetime.fromisoformat(m["since"]))
        for m in _CREATED_BY.finditer(text)
    )


def in_files(backend_url: str, project: str, root: Path = Path()) -> dict[str, tuple[Lock, ...]]:
    """The locks of a file backend by stack; empty for any other backend, which tells of a lock when it refuses.

    `root` is where the CLI runs: a backend's relative folder lies there.
    """
    home = file_backend.folder(backend_url, root)
    if home is None:
        return {}
    folder = home / ".pulumi/locks/organization" / project
    found = {path.name: tuple(_read(path.glob("*.json"))) for path in sorted(folder.glob("*")) if path.is_dir()}
    return {stack: locks for stack, locks in found.items() if locks}


def living(tool: Tool, stack: str) -> tuple[Lock, ...]:
    """The locks on a stack of processes that run here; empty where the backend is no directory."""
    held = in_files(tool.env.get("PULUMI_BACKEND_URL", ""), PROJECT, tool.root).get(stack, ())
    return tuple(lock for lock in held if lives(lock))


def _read(paths: Iterable[Path]) -> Iterable[Lock]:
    for path in sorted(paths):
        try:
            text, modified_s = path.read_text(encoding="utf-8", errors="replace"), path.stat().st_mtime
        except FileNotFoundError:  # given back while we looked
            continue
        try:
            row = json.loads(text)
            since = datetime.fromisoformat(row["timestamp"])
            yield Lock(user=row["username"], host=row["hostname"], pid=int(row["pid"]), since=since)
        except (KeyError, TypeError, ValueError):  # cut short, as by a full disk; it locks all the same
            yield Lock(user="somebody", host="a machine unknown", pid=0, since=datetime.fromtimestamp(modified_s, UTC))


def lives(lock: Lock) -> bool | None:
    """Whether the process that holds it still runs; None where that is another machine's to say.

    One that began after the lock was taken only has the number of the one that took it.
    """
    if lock.host != socket.gethostname():
        return None
    try:
        os.kill(lock.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    began_s = _began_s(lock.pid)
    return began_s is None or began_s <= lock.since.timestamp() + _CLOCK_SLACK_S


def _began_s(pid: int) -> float | None:
    """When a process began, in seconds since 1970; None where this machine does not tell."""
    try:
        booted_s = next(
            float(line.split()[1]) for line in (_PROC / "stat").read_text().splitlines() if line.startswith("btime ")
        )
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return booted_s + int(fields[_STARTED]) / os.sysconf("SC_CLK_TCK")
    except (OSError, StopIteration, IndexError, ValueError):
        return None


def remedy(stack: str, lock: Lock) -> str:
    """What a reader can do about it."""
    match lives(lock):
        case True:
            return "it is still running: wait for it"
        case False:
            return f"its process is gone: gdcc estate … --unlock {stack}"
        case _:
            return f"look on {lock.host} whether it still runs; if not: --unlock {stack}"

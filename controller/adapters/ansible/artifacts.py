"""What a run leaves behind, in a folder of its own: what was asked, every event, Ansible's words, what came of it.

All of it without the secrets that are known, for its owner and group only.
"""

import dataclasses
import json
import re
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TextIO

from controller.adapters.ansible import shared
from controller.adapters.ansible.redaction import Redactor
from controller.errors import InputError, PermanentError
from controller.model.playbook import LONGEST_RUN_ID, PlaybookResult, PlaybookRun

ASKED, EVENTS, OUTPUT, RESULT = "run.json", "events.jsonl", "output.txt", "result.json"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Artifacts:
    """Open while the run goes on; use it as a context."""

    def __init__(self, home: Path, run: PlaybookRun, at: datetime, *, kept: int, redactor: Redactor) -> None:
        """Makes the folder, and drops the oldest ones that are more than `kept`.

        Raises `InputError` for an id that cannot name a folder or was used before, `PermanentError` where nothing can
        be written.
        """
        if not _ID.fullmatch(run.id) or len(run.id) > LONGEST_RUN_ID:
            remedy = f"letters, digits, dot, dash, underscore; {LONGEST_RUN_ID} at most"
            raise InputError(f"{run.id!r} cannot be a run's id", remedy=remedy)
        self.folder = home / run.id
        try:
            shared.folder(home, there=True)
            shared.folder(self.folder)
            self._events: TextIO = _opened(self.folder / EVENTS)
            self._output: TextIO = _opened(self.folder / OUTPUT)
        except FileExistsError as error:
            raise InputError("a run of this id was made before", where=str(self.folder)) from error
        except OSError as error:
            raise _unwritten(home, error) from error
        _write(self.folder / ASKED, redactor.data({"at": at.isoformat(), **_asked(run)}))
        _drop_oldest(home, kept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._events.close()
        self._output.close()

    def add(self, event: Mapping[str, Any]) -> None:
        """Keeps one event, which has no secret in it."""
        self._events.write(json.dumps(event, ensure_ascii=False) + "\n")
        if event.get("stdout"):
            self._output.write(f"{event['stdout']}\n")

    def close(self, result: PlaybookResult) -> None:
        """Keeps what came of it. Raises `PermanentError` where that cannot be written."""
        hosts = {host: dataclasses.asdict(each) for host, each in result.hosts.items()}
        ended = {"ended_at": result.ended_at.isoformat(), "stopped": result.stopped}
        _write(self.folder / RESULT, {**ended, "hosts": hosts})


def _asked(run: PlaybookRun) -> dict[str, Any]:
    asked = {
        "playbook": run.playbook,
        "hosts": run.hosts,
        "tags": run.tags,
        "check": run.check,
        "timeout_s": run.timeout.total_seconds(),
    }
    shown = {name: None if name in run.secrets else value for name, value in run.variables.items()}
    return asked | {"variables": shown}


def _opened(path: Path) -> TextIO:
    shared.written(path)
    return path.open("w", encoding="utf-8", buffering=1)


def _write(path: Path, data: Mapping[str, Any]) -> None:
    try:
        shared.written(path)
        path.write_text(json.dumps(data, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
    except OSError as error:
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> PermanentError:
    what = f"a run's artifacts cannot be written: {error.strerror}"
    return PermanentError(what, where=str(path), remedy="make room there; see ansible.artifacts")


def _drop_oldest(home: Path, kept: int) -> None:
    folders = sorted(
        (each for each in home.iterdir() if (each / ASKED).is_file()), key=lambda each: each.stat().st_mtime_ns
    )
    for old in folders[:-kept]:
        shutil.rmtree(old, ignore_errors=True)

"""One call of the CLI, by a shell script that writes what the real one writes."""

import asyncio
import os
from pathlib import Path

import pytest

from controller.adapters.pulumi.child import Child, uncleaned

DEBUG = '{"diagnosticEvent":{"message":"password hunter2","severity":"debug"}}'
INFO = '{"diagnosticEvent":{"message":"made","severity":"info"}}'


def call(folder: Path, then: str) -> Child:
    """A CLI that writes a line of each kind to the event log it is given, and then does this."""
    script = f"""printf '%s\\n' '{DEBUG}' '{INFO}' >>"$2"; {then}"""
    return Child(argv=("sh", "-c", script, "pulumi"), root=folder, env=os.environ, folder=folder / "up")


@pytest.mark.parametrize("status", [0, 1])
def test_once_it_ended_its_events_have_no_debug_lines_which_hold_secrets_in_clear(tmp_path: Path, status: int) -> None:
    child = call(tmp_path, f"exit {status}")
    seen: list[tuple[str, str, bool]] = []

    def on_line(line: bytes) -> None:
        seen.append((line.decode(), child.event_log.read_text(), uncleaned(tmp_path)))

    assert asyncio.run(child.run(on_line)) == status
    assert seen == [(line, f"{DEBUG}\n{INFO}\n", True) for line in (DEBUG, INFO)]
    assert child.event_log.read_text() == f"{INFO}\n" and not uncleaned(tmp_path)

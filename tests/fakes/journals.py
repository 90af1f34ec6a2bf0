"""Real journals for tests: a SQLite file in a temporary folder, copied from one that was upgraded once."""

import functools
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from controller.adapters.store import journal, schema
from controller.model.ids import HostName, MoveId, ServerId
from controller.model.migration import Intent

START = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
"""A Monday, 10:00 in Bangkok."""


@functools.cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        schema.upgrade(f"sqlite:///{folder}/journal.db")
        return Path(folder, "journal.db").read_bytes()


def address(folder: Path) -> str:
    """The address of an empty, upgraded journal in that folder, made on the first call."""
    file = folder / "journal.db"
    if not file.exists():
        file.write_bytes(_template())
    return f"sqlite:///{file}"


def opened(folder: Path) -> journal.SqlJournal:
    """A journal of that folder; opening the folder again is what a restart does."""
    return journal.open_journal(address(folder))


def intent(move_id: str = "p1-1", **changes: Any) -> Intent:
    """An intent to move server `vm-1` from c1 to c2, with any field changed."""
    values: dict[str, Any] = {
        "id": MoveId(move_id),
        "origin": "plan",
        "server_id": ServerId("vm-1"),
        "server_name": "web-1",
        "source": HostName("c1"),
        "target": HostName("c2"),
        "cold": False,
        "rule": "cpu",
        "why": "c1 is hot",
        "system": "eec-oss",
        "agency": "eec",
        "created_at": START,
        "deadline": START + timedelta(seconds=10),
        "epoch": 1,
    }
    return Intent(**values | changes)

"""Our own SNMP engine: the authority for the informs that devices send us (RFC 3411 5, RFC 3414 2.2).

Its id and how often it has started outlive the process, in one small file: a sender that knows our clock must be able
to tell an older message of its own from a new one.
"""

import json
import os
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from controller.adapters.snmp.usm import LAST_BOOTS
from controller.adapters.snmp.v3 import ENGINE_ID_BYTES
from controller.errors import InputError

ENTERPRISE = 8072
"""Net-SNMP's number (we have none): ids of format 6 and above are the enterprise's own to make (RFC 3411)."""
RANDOM_ID = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEngine:
    """`time` is the seconds since this start, of which there have been `boots` under this id."""

    id: bytes
    boots: int
    began: float
    monotonic: Callable[[], float]

    @property
    def time(self) -> int:
        return min(int(self.monotonic() - self.began), LAST_BOOTS)


def started(path: Path, monotonic: Callable[[], float]) -> OwnEngine:
    """The engine of that file, started once more; a new one where there is none, or one that is used up or broken.

    Written before it is used, whole or not at all, in a folder that is made where there is none. Raises InputError
    where that cannot be.
    """
    known, boots = _read(path)
    if known is None or boots >= LAST_BOOTS - 1:
        known, boots = _new_id(), 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        _write(path, json.dumps({"engine_id": known.hex(), "boots": boots + 1}) + "\n")
    except OSError as error:
        raise InputError(
            f"the boots of our SNMP engine cannot be kept: {error.strerror}",
            where=str(path),
            remedy="make the folder writable, or listen for no traps",
        ) from error
    return OwnEngine(id=known, boots=boots + 1, began=monotonic(), monotonic=monotonic)


def _new_id() -> bytes:
    return (0x80000000 | ENTERPRISE).to_bytes(4, "big") + bytes((RANDOM_ID,)) + secrets.token_bytes(8)


def _read(path: Path) -> tuple[bytes | None, int]:
    """What the file says; no id where it says nothing that can be used."""
    try:
        said = json.loads(path.read_text())
        known, boots = bytes.fromhex(said["engine_id"]), said["boots"]
    except (OSError, ValueError, TypeError, KeyError):
        return None, 0
    usable = isinstance(boots, int) and 0 < boots <= LAST_BOOTS and len(known) in ENGINE_ID_BYTES
    return (known, boots) if usable else (None, 0)


def _write(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)

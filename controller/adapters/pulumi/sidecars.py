"""What a kill leaves beside a file backend's states and locks: attribute files without their attributes.

Go CDK's fileblob, by which the CLI stores, writes a file NAME.attrs before it renames NAME into place, and not
atomically: one that was created and never written stops every command that comes by, `stack ls` too, with the one word
`EOF`. It holds a content type and a checksum that nothing reads, and a file without one is read as any other.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from controller.adapters.pulumi import file_backend
from controller.adapters.pulumi.tool import Tool
from controller.errors import InputError


def take_away_broken(tool: Tool) -> tuple[Path, ...]:
    """Deletes them among states, locks and the backend's own, and gives which they were; none in any other backend.

    A run that writes one at this moment loses nothing by it. Raises `InputError` where one cannot be read or deleted.
    """
    home = file_backend.folder(tool.env.get("PULUMI_BACKEND_URL", ""), tool.root)
    if home is None:
        return ()
    kept = home / ".pulumi"
    looked_at = (*kept.glob("*.attrs"), *(kept / "stacks").rglob("*.attrs"), *(kept / "locks").rglob("*.attrs"))
    broken = tuple(sorted(_broken(looked_at)))
    for path in broken:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            said = f"a killed run left it empty, and it cannot be deleted: {error.strerror}"
            raise InputError(said, where=str(path), remedy="delete it; Pulumi needs nothing of it") from error
    return broken


def _broken(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        try:
            json.loads(path.read_bytes())
        except FileNotFoundError:  # gone with what it belonged to
            continue
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
        except ValueError:
            yield path

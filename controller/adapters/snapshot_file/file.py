"""Reads and writes snapshot files: all or nothing, and every error with the file and the place in it."""

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from controller.adapters.snapshot_file import checks, wire
from controller.errors import InputError, InvariantError
from controller.model import cluster as model
from inventory.model import NumaCell

_SHOWN = 20


def read(path: Path) -> model.Cluster:
    """The snapshot in a file; raises `InputError` with the file and the JSON path of what is wrong."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return parsed(content, str(path))


def parsed(content: bytes, where: str) -> model.Cluster:
    """The snapshot in a file's content, from `where`; raises `InputError` with the JSON path of what is wrong."""
    if not content.strip():
        raise InputError("is empty", where=where, remedy="take the snapshot again")
    try:
        cluster = _cluster(wire.Snapshot.model_validate_json(content))
    except ValidationError as error:
        raise _format_error(where, error) from error
    flaws = list(islice(checks.flaws(cluster), _SHOWN + 1))
    if flaws:
        raise _input_error(where, flaws)
    return cluster


def write(cluster: model.Cluster, path: Path) -> None:
    """Writes the snapshot beside `path`, flushes it to disk, and puts it in its place in one step.

    Raises `InvariantError` for a cluster that `read` would refuse: no broken snapshot ever stands on disk.
    """
    text = content(cluster)
    try:
        _replace(path, text)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from error


def content(cluster: model.Cluster) -> bytes:
    """What a file of the snapshot holds; raises `InvariantError` for a cluster that `read` would refuse."""
    for where, what in checks.flaws(cluster):
        raise InvariantError(what, where=where)
    text = to_json({"version": model.SNAPSHOT_VERSION, **_plain(cluster)}, inf_nan_mode="null")
    try:
        wire.Snapshot.model_validate_json(text)
    except ValidationError as error:
        flaw = error.errors(include_url=False, include_input=False)[0]
        raise InvariantError(flaw["msg"], where=_json_path(flaw["loc"])) from error
    return text


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o640)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _format_error(where: str, error: ValidationError) -> InputError:
    """What is wrong with the text; of another version's text only that, for the rest would say nothing."""
    for flaw in error.errors(include_url=False):
        if flaw["loc"] == ("version",) and flaw["type"] != "missing":
            return InputError(
                f"is a snapshot of version {flaw['input']!r}; this program reads version {model.SNAPSHOT_VERSION}",
                where=f"{where}: $.version",
                remedy="take the snapshot again with this program",
            )
    flaws = error.errors(include_url=False, include_input=False)
    return _input_error(where, [(_json_path(flaw["loc"]), flaw["msg"]) for flaw in flaws])


def _input_error(where: str, flaws: list[tuple[str, str]]) -> InputError:
    shown = "; ".join(f"{at} {what}" for at, what in flaws[1:_SHOWN])
    more = f"; and {len(flaws) - _SHOWN} more" if len(flaws) > _SHOWN else ""
    what = flaws[0][1] + (f"; {shown}{more}" if shown else "")
    return InputError(what, where=f"{where}: {flaws[0][0]}", remedy="take the snapshot again or mend it")


def _json_path(location: tuple[int | str, ...]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)


def _plain(value: Any) -> Any:
    """The value as JSON knows it: columns as lists (NaN becomes null), sets sorted, tables as objects."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple) and value and not isinstance(value[0], str | None):
        return [_plain(item) for item in value]
    return value


TABLES: dict[type[BaseModel], type[Any]] = {
    wire.Reading: model.Reading,
    wire.Hosts: model.Hosts,
    wire.HostTypes: model.HostTypes,
    wire.Catalog: model.Catalog,
    wire.NumaCell: NumaCell,
    wire.Vms: model.Vms,
    wire.Racks: model.Racks,
    wire.Rooms: model.Rooms,
    wire.Zones: model.Zones,
    wire.Power: model.Power,
    wire.Systems: model.Systems,
    wire.Agencies: model.Agencies,
    wire.Requirement: model.Requirement,
    wire.Aggregate: model.Aggregate,
    wire.Group: model.Group,
    wire.LearnedRefusal: model.LearnedRefusal,
}
"""Which table of the model each table on the wire becomes; their fields are the same."""


LATER: Mapping[str, Callable[[int], Any]] = {
    "storage_mib_s": lambda count: np.full(count, np.nan),
    "storage_bytes_s": model.absent,
    "pause_s": np.zeros,
}
"""Columns that files of before them have not, by what then stands in so many rows."""


def _cluster(snapshot: wire.Snapshot) -> model.Cluster:
    values = {name: _value(value) for name, value in snapshot if name != "version"}
    return model.Cluster(**values)


def _value(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return TABLES[type(value)](**_filled({name: _value(inner) for name, inner in value}))
    if isinstance(value, tuple) and value and isinstance(value[0], BaseModel | tuple):
        return tuple(_value(item) for item in value)
    return value


def _filled(columns: dict[str, Any]) -> dict[str, Any]:
    """With what a file of before those columns does not say; a table's first column names its rows."""
    missing = [name for name in LATER if name in columns and columns[name] is None]
    return columns | {name: LATER[name](len(next(iter(columns.values())))) for name in missing}

"""Scenarios: how a twin begins and what befalls it when. The only reader of their files; every error has its line.

version: 1
nature: {seed: 7, mean_cpu_ratio: 0.3, copy_speed: 8}
events:
- {at: 20s, fault: health, host: cmp0005, part: memory}
- {at: 1m, for: 30s, fault: feed_loss, feed: feed-1a}
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from controller.errors import InputError
from controller.twin.faults.catalogue import AnyFault
from controller.twin.nature import Nature

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fault that befalls the twin `at` after its start, and is lifted `lasts` later (None: never)."""

    at: timedelta
    lasts: timedelta | None
    fault: AnyFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`events` are in the order of their time."""

    nature: Nature = field(default_factory=Nature)
    events: tuple[Event, ...] = ()


def _duration(value: object) -> object:
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("is a number with a unit: 500ms, 30s, 5m or 1h")
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


_Duration = Annotated[timedelta, BeforeValidator(_duration)]


class _Timed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    at: _Duration
    lasts: _Duration | None = Field(default=None, alias="for")
    fault: AnyFault


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1]
    nature: Nature = Nature()
    events: tuple[_Timed, ...] = ()


def chosen(path: Path | None, seed: int | None) -> Scenario:
    """The scenario of a file, or an ordinary day where none is named. Raises InputError."""
    if path is not None:
        return load(path, seed)
    return Scenario(nature=Nature() if seed is None else Nature(seed=seed))


def load(path: Path, seed: int | None = None) -> Scenario:
    """The scenario of a file; `seed` overrides the file's. Raises InputError with one line for each error."""
    try:
        text = path.read_text()
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except OSError as error:
        raise InputError(f"the scenario cannot be read: {error.strerror}", where=str(path)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"is not YAML: {' '.join(str(error).split())}", where=str(path)) from error
    if not isinstance(data, dict):
        raise InputError("is empty or no mapping", where=f"{path}:1", remedy="begin with version: 1")
    try:
        read = _File.model_validate(_nested(data))
    except ValidationError as error:
        raise InputError("\n".join(_told(path, node, error))) from error
    nature = read.nature if seed is None else read.nature.model_copy(update={"seed": seed})
    events = sorted(read.events, key=lambda event: event.at)
    return Scenario(
        nature=nature,
        events=tuple(Event(at=event.at, lasts=event.lasts, fault=event.fault) for event in events),
    )


def _nested(data: dict[str, Any]) -> dict[str, Any]:
    """Each event's fault as a value of its own beside `at` and `for`."""
    events = data.get("events")
    if not isinstance(events, list):
        return data
    return data | {"events": [_split(event) if isinstance(event, dict) else event for event in events]}


def _split(event: dict[str, Any]) -> dict[str, Any]:
    own = {key: value for key, value in event.items() if key in {"at", "for"}}
    return own | {"fault": {key: value for key, value in event.items() if key not in {"at", "for"}}}


def _told(path: Path, node: yaml.Node | None, error: ValidationError) -> list[str]:
    """One line for each error: file, line, where in the file, and what is wrong."""
    lines = []
    for each in error.errors():
        names = [part for part in each["loc"] if not _invented(part, each["loc"])]
        line = _line(node, names)
        what = each["msg"].removeprefix("Value error, ")
        lines.append((line, f"{path}:{line}: {'.'.join(str(name) for name in names)}: {what}"))
    return [text for _, text in sorted(lines)]


def _invented(part: str | int, loc: tuple[str | int, ...]) -> bool:
    """Whether a part of an error's place is not in the file: the nested fault, and the union's tag behind it."""
    place = loc.index(part)
    if place == 2 and loc[0] == "events" and part == "fault":
        return len(loc) > 3
    return place == 3 and loc[:1] == ("events",) and loc[2] == "fault"


def _line(node: yaml.Node | None, names: list[str | int]) -> int:
    """The line of the deepest node that the names lead to; that of the key where it is a mapping's."""
    line = node.start_mark.line + 1 if node is not None else 1
    for name in names:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == name]
            if not found:
                return line
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(name, int) and name < len(node.value):
            node = node.value[name]
            line = node.start_mark.line + 1
    return line

"""What the cloud has that the last runs did not leave there, in plain words. Pure.

It reads the events of a refresh that writes nothing. What a refresh merely fills in (empty lists that a create did not
return) the engine counts as the same; that is no drift.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controller.adapters.pulumi import finding, units, urns


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """The run that made a resource what it was declared as: its number from the stack's first, None if that is gone."""

    number: int | None
    at: datetime

    def __str__(self) -> str:
        run = "run" if self.number is None else f"run {self.number}"
        return f"{run} of {self.at:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One property that differs, in words with its unit. A secret is shown as Pulumi shows it."""

    name: str
    declared: str
    found: str

    def __str__(self) -> str:
        return f"{self.name}: declared {self.declared}, found {self.found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A resource that differs, or is gone (then without fields)."""

    urn: str
    gone: bool
    fields: tuple[Field, ...] = ()
    since: Since | None = None

    @property
    def name(self) -> str:
        """Its name in the program."""
        return urns.name_of(self.urn)

    @property
    def type(self) -> str:
        """Its type, as `openstack:compute/quotaSetV2:QuotaSetV2`."""
        return urns.type_of(self.urn)

    def __str__(self) -> str:
        """`QuotaSetV2 eec-oss: cores: declared 10, found 20 (since run 3 of …)`."""
        what = "declared, and gone" if self.gone else "; ".join(map(str, self.fields))
        since = "" if self.since is None else f" (since {self.since})"
        return f"{self.type.rpartition(':')[2]} {self.name}: {what}{since}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A resource that a stack holds, as its last run left it."""

    urn: str
    type: str
    id: str
    inputs: Mapping[str, Any]

    def __str__(self) -> str:
        """`SecGroup patients-app`."""
        return f"{urns.kind_of(self.urn)} {urns.name_of(self.urn)}"


def held(events: Iterable[str]) -> tuple[Held, ...]:
    """What a stack holds in the cloud, from the same lines: what drifted too, and what is gone."""
    steps = (json.loads(line)["resOutputsEvent"]["metadata"] for line in events if '"resOutputsEvent"' in line)
    return tuple(
        Held(urn=step["urn"], type=step["type"], id=step["old"]["id"], inputs=step["old"].get("inputs") or {})
        for step in steps
        if step.get("old") and step["old"].get("id")
    )


def credentials_end(found: Iterable[Held]) -> datetime | None:
    """When the first of the application credentials among these ends; None where there is none that does."""
    said = [each.inputs.get("expiresAt") for each in found if each.type == finding.APPLICATION_CREDENTIAL]
    return min((datetime.fromisoformat(each) for each in said if each), default=None)


def differences(events: Iterable[str]) -> tuple[Difference, ...]:
    """What differs, from the lines of the event log of a previewed refresh; sorted by URN."""
    return tuple(sorted(_differences(events), key=lambda each: each.urn))


def _differences(events: Iterable[str]) -> Iterator[Difference]:
    for line in events:
        if '"resOutputsEvent"' not in line:
            continue
        step = json.loads(line)["resOutputsEvent"]["metadata"]
        if step["op"] == "delete":
            yield Difference(urn=step["urn"], gone=True)
        elif step["op"] == "update":
            fields = tuple(_fields(step))
            if fields:
                yield Difference(urn=step["urn"], gone=False, fields=fields)


def _fields(step: Mapping[str, Any]) -> Iterator[Field]:
    old, new = (step.get(side) or {} for side in ("old", "new"))
    was, now = ({**(each.get("outputs") or {}), **(each.get("inputs") or {})} for each in (old, new))
    inputs = (set(old.get("inputs") or ()) | set(new.get("inputs") or ())) - {"__defaults"}
    changed = {name for name in inputs if was.get(name) != now.get(name)}
    kind = urns.kind_of(step["urn"])
    for name in sorted(changed | set(step.get("diffs") or ())):
        declared, found = (units.words(side.get(name), kind, name) for side in (was, now))
        yield Field(name=name, declared=declared, found=found)


def dated(
    found: Iterable[Difference], modified: Mapping[str, datetime | None], history: Sequence[Mapping[str, Any]]
) -> tuple[Difference, ...]:
    """The differences with the run each resource was last changed by. `history` is Pulumi's, newest first."""
    return tuple(
        Difference(urn=each.urn, gone=each.gone, fields=each.fields, since=_since(modified.get(each.urn), history))
        for each in found
    )


def _since(modified: datetime | None, history: Sequence[Mapping[str, Any]]) -> Since | None:
    if modified is None:
        return None
    for index, run in enumerate(history):
        began, ended = (datetime.fromisoformat(run[key]) for key in ("startTime", "endTime"))
        if began.replace(microsecond=0) <= modified.replace(microsecond=0) <= ended:
            return Since(number=len(history) - index, at=began)
    return Since(number=None, at=modified)

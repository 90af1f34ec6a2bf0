"""Reads what Prometheus answered, strictly: a vector of named numbers, or why it cannot be used. Pure.

Format: https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
Series are decoded one by one: to decode an answer of 100,000 at once would hold every thread up for as long.
"""

import json
import math
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

_RESULT = re.compile(r'"result"\s*:\s*\[\s*')
_NEXT = re.compile(r"\s*,\s*")
_END = re.compile(r"\s*\]")
_DECODER = json.JSONDecoder()
_REASONS = {"timeout": "timeout", "canceled": "timeout"}


class UnusableError(Exception):
    """A whole answer that gives no number. `reason` is a `Fault`'s."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """One name whose value cannot be used."""

    name: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """Finite values by name; a name in `bad` has none."""

    values: dict[str, float] = field(default_factory=dict)
    bad: tuple[Bad, ...] = ()


def refusal(status: int, body: bytes) -> UnusableError:
    """What a status other than 200 means."""
    kind, text = _error(body)
    if status in {401, 403}:
        return UnusableError("auth", f"HTTP {status}: check token, username and password")
    if status in {408, 504}:
        return UnusableError("timeout", f"HTTP {status}: {text}")
    return UnusableError(_REASONS.get(kind, "http"), f"HTTP {status}: {text}")


def vector(body: bytes, label: str) -> Vector:
    """The values by what `label` says. Raises UnusableError for an answer that is not a whole vector."""
    values: dict[str, float] = {}
    bad: dict[str, Bad] = {}
    unnamed = 0
    for series in _series(body):
        name, text = _named(series, label)
        if name == "":
            unnamed += 1
        elif name in values or name in bad:
            values.pop(name, None)
            bad[name] = Bad(name=name, reason="duplicate", detail=f"several series have {label}={name!r}")
        elif math.isfinite(value := _number(text)):
            values[name] = value
        else:
            bad[name] = Bad(name=name, reason="nan", detail=f"its value is {text}")
    if unnamed:
        bad[""] = Bad(name="", reason="malformed", detail=f"{unnamed} series have no label {label!r}")
    return Vector(values=values, bad=tuple(bad.values()))


def _series(body: bytes) -> Iterator[Any]:
    """Each series of the vector. The document around them is judged after the last."""
    try:
        text = body.decode()
        begin = _RESULT.search(text)
        end = None if begin is None else (yield from _elements(text, begin.end()))
        document = json.loads(text if begin is None else f"{text[: begin.end()]}]{text[end:]}")
    except (ValueError, RecursionError) as error:
        reason = "malformed" if body.rstrip().endswith(b"}") else "truncated"
        raise UnusableError(reason, f"no JSON after {len(body)} bytes: {error}") from error
    _require_vector(document, body)


def _elements(text: str, at: int) -> Generator[Any, None, int]:
    """Each element of the JSON array whose first begins at `at`; where the text goes on behind its bracket."""
    if end := _END.match(text, at):
        return end.end()
    while True:
        element, at = _DECODER.raw_decode(text, at)
        yield element
        if comma := _NEXT.match(text, at):
            at = comma.end()
        elif end := _END.match(text, at):
            return end.end()
        else:
            raise ValueError(f"no series and no end of them at character {at}")


def _require_vector(document: Any, body: bytes) -> None:
    if not isinstance(document, dict):
        raise UnusableError("malformed", "the answer is no JSON object")
    if document.get("status") != "success":
        kind, text = _error(body)
        raise UnusableError(_REASONS.get(kind, "http"), text)
    if document.get("warnings"):
        raise UnusableError("partial", f"Prometheus warns: {str(document['warnings'])[:200]}")
    data = document.get("data")
    if not isinstance(data, dict) or data.get("resultType") != "vector" or data.get("result") != []:
        raise UnusableError("malformed", "the answer is no instant vector")


def _named(series: Any, label: str) -> tuple[str, str]:
    try:
        name, (_, text) = series["metric"].get(label, ""), series["value"]
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise UnusableError("malformed", f"a series is no metric with a value: {str(series)[:200]}") from error
    if not isinstance(name, str) or not isinstance(text, str):
        raise UnusableError("malformed", f"a series is no metric with a value: {str(series)[:200]}")
    return name, text


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise UnusableError("malformed", f"a value is {text[:40]!r}") from error


def _error(body: bytes) -> tuple[str, str]:
    """Prometheus's error type and text; of anything else the beginning."""
    try:
        document = json.loads(body)
        return str(document["errorType"]), str(document["error"])[:200]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", repr(body[:100])

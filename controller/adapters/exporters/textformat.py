"""Prometheus's text format, the lines of some metrics only: strict where it reads, blind elsewhere.

Format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details. What it accepts,
prometheus_client's parser reads the same (tests hold it to that); it refuses what exporters do not send: samples with
times of their own, hexadecimal numbers, unknown escapes. On a page of 2,100 lines it takes a thirtieth of that parser's
time (benchmarks/textformat.py), which is what lets one process read every host.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\\n]++|\\[\\"n])*+)"[ \t]*(,|$)')
_REST = (
    r"[ \t]*+(?:\{((?:[^\"{}\n]++|\"(?:[^\"\\\n]++|\\.)*+\")*+)\})?[ \t]*+"
    r"((?<=[ \t}])(?:[+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?|[+-]?Inf|NaN))[ \t]*+"
)
_ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
_ESCAPE = re.compile(r"\\.")


class PageError(Exception):
    """A page that cannot be read. `reason` is a `Fault`'s."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Sample(NamedTuple):
    name: str
    labels: Mapping[str, str]
    value: float


class Reader:
    """Reads the samples of the metrics it was made for."""

    def __init__(self, names: Iterable[str]) -> None:
        alternatives = "|".join(sorted(map(re.escape, names), reverse=True))
        # Begins with a literal, so that lines of other metrics are passed over at the speed of a search for one byte.
        self._lines = re.compile(rf"\n[ \t]*+({alternatives})(?=[{{ \t])(?:{_REST}(?=\n)|.*)", re.ASCII)

    def read(self, body: bytes) -> list[Sample]:
        """In the page's order. Raises PageError for a page cut short, a line that is none, or a series told twice."""
        if body and not body.endswith(b"\n"):
            raise PageError("truncated", f"the page ends inside a line, after {len(body)} bytes")
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            raise PageError("malformed", f"the page is not UTF-8: {error.reason} at byte {error.start}") from error
        samples, seen = [], set()
        for match in self._lines.finditer("\n" + text):
            name, labels, value = match.groups("")
            if not value:
                raise PageError("malformed", f"not a sample: {match.group()[1:101]!r}")
            if (name, labels) in seen:
                raise PageError("duplicate", f"told twice: {name}{{{labels[:100]}}}")
            seen.add((name, labels))
            samples.append(Sample(name, _labels(labels), float(value)))
        return samples


@lru_cache(maxsize=1 << 16)
def _labels(text: str) -> Mapping[str, str]:
    """Cached: the CPUs and devices of one host are those of the next."""
    labels: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _LABEL.match(text, at)
        if match is None:
            if not text[at:].strip(" \t"):
                break
            raise PageError("malformed", f"not labels: {text[:100]!r}")
        name, value, _ = match.groups()
        if name in labels:
            raise PageError("malformed", f"a label twice: {text[:100]!r}")
        labels[name] = _ESCAPE.sub(lambda m: _ESCAPED[m.group()], value) if "\\" in value else value
        at = match.end()
    return MappingProxyType(labels)

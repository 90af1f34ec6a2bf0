"""From YAML nodes to the values of `inventory.model`, by the type hints of its dataclasses.

Every function reads one node and answers its value, or `FAILED` after telling the document what is wrong with it; the
caller goes on, so that one look tells every error.
"""

import dataclasses
import difflib
import math
import re
import types
from collections.abc import Callable, Mapping
from enum import IntEnum, StrEnum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from inventory import bounds, windows
from inventory.model import Gap, Window
from inventory.nodes import Document, entries, is_gap, shown

FAILED = object()
"""What a reader answers for a node that it could not understand."""

Reader = Callable[[Document, Node, str], Any]
"""Reads a node; the text names the subject (`hosts cmp1: unit`) for messages."""

_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9_]*)")
_MOST_DIGITS = 300
"""What a float can hold; above it a whole number counts as endless, as no bound admits it anyway."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a row: its name in YAML and in the model, its type, whether it must be given, and how it is read.

    `alone`: a sequence that is written as its one value where it has one, and as nothing where it has none.
    """

    name: str
    attribute: str
    hint: Any
    required: bool
    read: Reader
    alone: bool


@cache
def fields_of(cls: Any) -> tuple[Field, ...]:
    """The fields of a dataclass of the model, in their order; metadata `alone` is the name of such a one in YAML."""
    hints = get_type_hints(cls)
    return tuple(
        Field(
            name=each.metadata.get("alone", each.name),
            attribute=each.name,
            hint=hints[each.name],
            required=each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING,
            read=(_alone if "alone" in each.metadata else _reader)(hints[each.name], each.name),
            alone="alone" in each.metadata,
        )
        for each in dataclasses.fields(cls)
    )


def optional(hint: Any) -> Any:
    """`X` of `X | None`; None for any other hint."""
    if get_origin(hint) in {Union, types.UnionType}:
        (inner,) = (each for each in get_args(hint) if each is not type(None))
        return inner
    return None


def row(document: Document, node: Node, cls: Any, table: str) -> Any:
    """One row of a table as its dataclass, or `FAILED`; a value tagged `!gap` becomes a `Gap` and fails the row."""
    if not isinstance(node, MappingNode):
        document.problem(node, f"{table}: {shown(node)} is not a mapping (write '- name: …' and its fields)")
        return FAILED
    name = name_of(node) or "(unnamed)"
    return _fields(document, node, cls, f"{table} {name}", gaps_of=(table, name))


def name_of(node: Node) -> str | None:
    """The row's name as far as it can be told, even where the rest of the row is wrong."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == "name" and isinstance(value, ScalarNode) and not is_gap(value):
                return str(value.value)
    return None


def header(document: Document, node: Node, fields: tuple[Field, ...]) -> Any:
    """What stands under `estate:`, by field name, or `FAILED`."""
    return _values(document, node, fields, "estate", None)


def _fields(document: Document, node: Node, cls: Any, subject: str, gaps_of: tuple[str, str] | None) -> Any:
    values = _values(document, node, fields_of(cls), subject, gaps_of)
    return FAILED if values is FAILED else cls(**values)


def _values(
    document: Document, node: Node, fields: tuple[Field, ...], subject: str, gaps_of: tuple[str, str] | None
) -> Any:
    if not isinstance(node, MappingNode):
        document.problem(node, f"{subject} must be a mapping, not {shown(node)}")
        return FAILED
    findings = document.findings
    before = len(findings.problems) + len(findings.gaps)
    given = entries(document, node, subject)
    _tell_unknown(document, given, [each.name for each in fields], subject)
    values: dict[str, Any] = {}
    for each in fields:
        if each.name not in given:
            if each.required:
                document.problem(node, f"{subject}: {each.name} is missing (add it)")
        elif is_gap(given[each.name][1]) and gaps_of is not None and each.name != "name":
            findings.gaps.append(Gap(table=gaps_of[0], name=gaps_of[1], field=each.name))
        else:
            values[each.attribute] = each.read(document, given[each.name][1], f"{subject}: {each.name}")
    return FAILED if len(findings.problems) + len(findings.gaps) > before else values


def _tell_unknown(document: Document, given: Mapping[str, tuple[Node, Node]], known: list[str], subject: str) -> None:
    for key, (key_node, _) in given.items():
        if key not in known:
            document.problem(key_node, unknown_key(subject, key, known))


def unknown_key(subject: str, key: str, known: list[str]) -> str:
    """Says that a key is unknown and what may have been meant."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    remedy = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
    return f"{subject}: unknown key {key!r} ({remedy})"


@cache
def _reader(hint: Any, name: str) -> Reader:
    inner = optional(hint)
    if inner is not None:
        return _optional(_reader(inner, name))
    origin = get_origin(hint)
    if origin is tuple or origin is frozenset:
        return _sequence(_reader(get_args(hint)[0], name), origin)
    if origin is not None:
        return _texts
    if hint is Window:
        return _window
    if dataclasses.is_dataclass(hint):
        return lambda document, node, subject: _fields(document, node, hint, subject, None)
    return _scalar_reader(hint, name)


def _scalar_reader(hint: Any, name: str) -> Reader:
    if hint is bool:
        return _boolean
    if hint is str:
        return _name if name in bounds.NAMES else _text
    if issubclass(hint, StrEnum):
        return _choice({str(member.value): member for member in hint})
    if issubclass(hint, IntEnum):
        return _choice({member.name.lower(): member for member in hint})
    return _number(hint, bounds.bound_of(name))


def _optional(inner: Reader) -> Reader:
    def read(document: Document, node: Node, subject: str) -> Any:
        return None if node.tag == _TAG + "null" else inner(document, node, subject)

    return read


def _sequence(inner: Reader, kind: type[Any]) -> Reader:
    def read(document: Document, node: Node, subject: str) -> Any:
        if not isinstance(node, SequenceNode):
            document.problem(node, f"{subject} must be a list, not {shown(node)}")
            return FAILED
        values = [inner(document, each, subject) for each in node.value]
        if any(value is FAILED for value in values):
            return FAILED
        if kind is frozenset and len(set(values)) < len(values):
            document.problem(node, f"{subject} names one thing twice (keep one)")
            return FAILED
        return kind(values)

    return read


def _alone(hint: Any, name: str) -> Reader:
    """One value, or a list of them, or nothing."""
    (inner, *_), many = get_args(hint), _reader(hint, name)

    def read(document: Document, node: Node, subject: str) -> Any:
        if node.tag == _TAG + "null":
            return ()
        if isinstance(node, SequenceNode):
            return many(document, node, subject)
        value = _reader(inner, name)(document, node, subject)
        return FAILED if value is FAILED else (value,)

    return read


def _texts(document: Document, node: Node, subject: str) -> Any:
    if not isinstance(node, MappingNode):
        document.problem(node, f"{subject} must be a mapping of text to text, not {shown(node)}")
        return FAILED
    given = entries(document, node, subject)
    values = {key: _text(document, value, f"{subject} {key}") for key, (_, value) in given.items()}
    return FAILED if any(value is FAILED for value in values.values()) else values


def _text(document: Document, node: Node, subject: str) -> Any:
    if isinstance(node, ScalarNode) and node.tag == _TAG + "str":
        return node.value
    if isinstance(node, ScalarNode) and not is_gap(node) and node.tag != _TAG + "null":
        kind = node.tag.removeprefix(_TAG)
        document.problem(node, f'{subject} must be text, not the {kind} {node.value} (write "{node.value}" in quotes)')
    else:
        document.problem(node, f"{subject} must be text, not {shown(node)}")
    return FAILED


def _name(document: Document, node: Node, subject: str) -> Any:
    text = _text(document, node, subject)
    if text is FAILED or bounds.is_name(text):
        return text
    most = bounds.LONGEST_NAME
    document.problem(
        node, f"{subject} {text[:60]!r} is no name (write 1 to {most} printable characters, no outer blank)"
    )
    return FAILED


def _boolean(document: Document, node: Node, subject: str) -> Any:
    if node.tag == _TAG + "bool" and node.value in {"true", "false"}:
        return node.value == "true"
    document.problem(node, f"{subject} must be true or false, not {shown(node)}")
    return FAILED


def _window(document: Document, node: Node, subject: str) -> Any:
    text = _text(document, node, subject)
    if text is FAILED:
        return FAILED
    try:
        return windows.window(text)
    except ValueError as error:
        document.problem(node, f"{subject}: {error}")
        return FAILED


def _choice(members: Mapping[str, Any]) -> Reader:
    def read(document: Document, node: Node, subject: str) -> Any:
        if isinstance(node, ScalarNode) and node.value in members:
            return members[node.value]
        document.problem(node, f"{subject} is {shown(node)} (write one of: {', '.join(members)})")
        return FAILED

    return read


def _number(kind: type[int] | type[float], bound: bounds.Bound) -> Reader:
    def read(document: Document, node: Node, subject: str) -> Any:
        value = _parsed(node, kind)
        if value is None:
            noun = "whole number" if kind is int else "number"
            unit = f"; the unit is {bound.unit}" if bound.unit else ""
            document.problem(node, f"{subject} must be a {noun}, not {shown(node)} (write the number alone{unit})")
            return FAILED
        if not bound.admits(value):
            document.problem(node, f"{subject} is {value:g}, which cannot be (write a number {bound})")
            return FAILED
        return value

    return read


def _parsed(node: Node, kind: type[int] | type[float]) -> int | float | None:
    if not isinstance(node, ScalarNode):
        return None
    if node.tag == _TAG + "int" and _INTEGER.fullmatch(node.value):
        text = node.value.replace("_", "")
        return kind(text) if len(text) <= _MOST_DIGITS else float(text)
    if kind is float and node.tag in {_TAG + "float", _TAG + "int"}:
        try:
            value = float(node.value.replace("_", ""))
        except ValueError:
            return None
        return value if math.isfinite(value) else None
    return None

"""The only reader of estates: a directory of YAML in, one `Estate` out, or every error with its file and line.

Each file is a mapping with `version: 1` and any of the tables of `Estate`; the tables of all files are joined.
"""

import functools
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from inventory import garbage, nodes, shapes, validate
from inventory.model import ESTATE_VERSION, Estate, Problem
from inventory.nodes import Document, Findings

TABLES: Mapping[str, type[Any]] = {
    each.name: get_args(each.hint)[1] for each in shapes.fields_of(Estate) if get_origin(each.hint) is Mapping
}
"""The tables of an estate and the dataclass of their rows."""

HEADER_FIELDS = tuple(each for each in shapes.fields_of(Estate) if each.name not in TABLES and each.name != "gaps")
"""What stands under `estate:`."""


class EstateError(Exception):
    """An estate that cannot be used. `problems` are all that is wrong with it, in the order of files and lines."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(f"{each.where}: {each.what}" if each.where else each.what for each in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a row stands, and each of its fields: what is kept of a row's nodes once it is read."""

    file: str
    line: int
    fields: Mapping[str, int]

    def where(self, field_name: str = "") -> str:
        return f"{self.file}:{self.fields.get(field_name, self.line)}"


def _place(document: Document, node: Node) -> _Place:
    fields: dict[str, int] = {}
    if isinstance(node, MappingNode):
        for key, _ in node.value:
            if isinstance(key, ScalarNode):
                fields.setdefault(key.value, key.start_mark.line + 1)
    return _Place(file=document.file, line=node.start_mark.line + 1, fields=fields)


@dataclass(slots=True, kw_only=True)
class _Reading:
    """What has been read so far. `rows` remembers where each named row stands, broken ones too."""

    findings: Findings = field(default_factory=Findings)
    tables: dict[str, dict[str, Any]] = field(default_factory=lambda: {table: {} for table in TABLES})
    rows: dict[tuple[str, str], _Place] = field(default_factory=dict)
    broken: set[tuple[str, str]] = field(default_factory=set)
    header: _Place | None = None
    header_values: dict[str, Any] = field(default_factory=dict)

    def where(self, table: str, name: str, field_name: str = "") -> str:
        """`file:line` of a row's field, of the row, or of the estate itself."""
        place = self.rows.get((table, name)) or self.header
        return "" if place is None else place.where(field_name)


def load(directory: Path) -> Estate:
    """The estate of a directory. Raises `EstateError` with every problem, those of `validate.problems` too."""
    with garbage.uncollected():
        return _load(directory)


def _load(directory: Path) -> Estate:
    reading = _read(directory)
    if reading.header is None and reading.rows:
        what = "no file has an 'estate:' section (add 'estate: {name: …}' to one)"
        reading.findings.problems.append(Problem(where=f"{directory}:1", what=what))
    values: dict[str, Any] = {"name": "", **reading.header_values, **reading.tables}
    estate = Estate(**values, gaps=tuple(reading.findings.gaps))
    crossed = validate.problems(estate, reading.where, frozenset(reading.broken))
    problems = [*reading.findings.problems, *crossed]
    if problems:
        raise EstateError(tuple(sorted(dict.fromkeys(problems), key=_position)))
    return estate


def place(directory: Path, table: str, name: str, field_name: str = "") -> str:
    """`file:line` of a row's field, or of the row where it has no such field: for proposing an edit."""
    return _read(directory).where(table, name, field_name)


def _read(directory: Path) -> _Reading:
    reading = _Reading()
    documents = nodes.documents(directory, reading.findings)
    while (document := next(documents, None)) is not None:
        _read_document(reading, document)
        del document  # its nodes, before the next file's are made
    return reading


def _position(problem: Problem) -> tuple[str, int, str]:
    file, _, line = problem.where.rpartition(":")
    return (file, int(line) if line.isdigit() else 0, problem.what)


def _read_document(reading: _Reading, document: Document) -> None:
    sections = nodes.entries(document, document.root, "file")
    if not _version_is_ours(document, sections.pop("version", None)):
        return
    for key, (key_node, node) in sections.items():
        if key == "estate":
            _read_header(reading, document, key_node, node)
        elif key in TABLES:
            _read_table(reading, document, key, node)
        else:
            document.problem(key_node, shapes.unknown_key("file", key, ["version", "estate", *TABLES]))


def _version_is_ours(document: Document, entry: tuple[Node, Node] | None) -> bool:
    if entry is None:
        document.problem(document.root, f"version is missing (begin the file with 'version: {ESTATE_VERSION}')")
        return False
    if not isinstance(entry[1], ScalarNode) or entry[1].value != str(ESTATE_VERSION):
        what = f"version is {nodes.shown(entry[1])}, this program reads version {ESTATE_VERSION}"
        document.problem(entry[0], f"{what} (convert the file, or use the program that wrote it)")
        return False
    return True


def _read_header(reading: _Reading, document: Document, key: Node, node: Node) -> None:
    if reading.header is not None:
        first = reading.header.where()
        document.problem(key, f"estate: declared a second time, first at {first} (keep one)")
        return
    reading.header = _place(document, node)
    value = shapes.header(document, node, HEADER_FIELDS)
    if value is shapes.FAILED:
        return
    unusable = _unusable(value.get("timezone", Estate(name="").timezone))
    if unusable is not None:
        reading.findings.problems.append(Problem(where=reading.where("", "", "timezone"), what=unusable))
        return
    reading.header_values = value


def _unusable(timezone: str) -> str | None:
    """Why nobody can tell the time of day there."""
    known = _timezones(zoneinfo.TZPATH)
    if timezone in known:
        return None
    if not known:
        return f"estate: timezone {timezone!r} cannot be looked up: this machine has no time zone data (install tzdata)"
    return f"estate: timezone {timezone!r} is unknown (write a name such as 'Asia/Bangkok')"


@functools.cache
def _timezones(_folders: tuple[str, ...]) -> frozenset[str]:
    """Every name that this machine knows, from files all of which have to be opened to tell."""
    return frozenset(zoneinfo.available_timezones())


def _read_table(reading: _Reading, document: Document, table: str, node: Node) -> None:
    if not isinstance(node, SequenceNode):
        document.problem(node, f"{table} must be a list of mappings, not {nodes.shown(node)} (write '- name: …')")
        return
    for row_node in node.value:
        value = shapes.row(document, row_node, TABLES[table], table)
        name = shapes.name_of(row_node)
        if name is None:
            continue
        if (table, name) in reading.rows:
            first = reading.rows[(table, name)].where()
            document.problem(row_node, f"{table} {name}: declared a second time, first at {first} (keep one)")
            continue
        reading.rows[(table, name)] = _place(document, row_node)
        if value is shapes.FAILED:
            reading.broken.add((table, name))
        else:
            reading.tables[table][name] = value

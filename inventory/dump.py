"""An estate as YAML files that `load` reads back to the same values: one line a row where rows are many."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from inventory import shapes, windows
from inventory.model import ESTATE_VERSION, Estate, Window
from inventory.nodes import GAP_TAG

FILES: Mapping[str, tuple[str, ...]] = {
    "estate.yaml": ("estate", "sites", "rooms", "zones", "feeds"),
    "racks.yaml": ("racks", "pdus", "devices"),
    "hosts.yaml": ("host_types", "host_networks", "hosts"),
    "cloud.yaml": ("aggregates", "flavors", "images", "storage_backends", "volume_types", "networks", "operators"),
    "agencies.yaml": ("agencies",),
    "systems.yaml": ("systems", "data_sets"),
}
"""Which file holds which tables."""

GAP = object()
"""In a plain row: a value that is not known, written as `!gap`."""

_BLOCK_TABLES = frozenset({"estate", "host_types", "systems", "data_sets"})
_TAG = "tag:yaml.org,2002:"
_WIDTH = 1 << 20

Row = Mapping[str, object]


def write(estate: Estate, directory: Path, *, schema: str) -> tuple[Path, ...]:
    """Writes the estate's files and returns their paths; `schema` is what editors find the JSON Schema by."""
    return write_rows(rows(estate), directory, schema=schema)


def write_rows(tables: Mapping[str, Iterable[Row]], directory: Path, *, schema: str) -> tuple[Path, ...]:
    """Writes plain rows by table, `estate` among them with one row; tables without rows are left out."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for file, names in FILES.items():
        content = {name: list(tables.get(name, ())) for name in names}
        if any(content.values()):
            path = directory / file
            path.write_text(text(content, schema=schema), encoding="utf-8")
            written.append(path)
    return tuple(written)


def rows(estate: Estate) -> dict[str, list[Row]]:
    """Every table as plain rows; what has its default value is left out."""
    tables: dict[str, list[Row]] = {"estate": [{}]}
    for each in shapes.fields_of(Estate):
        value = getattr(estate, each.name)
        if isinstance(value, Mapping):
            tables[each.name] = [_row(row) for row in value.values()]
        elif each.name != "gaps" and value != _default(Estate, each.name):
            tables["estate"] = [{**tables["estate"][0], each.name: _plain(value, _row)}]
    return tables


def whole_row(value: Any) -> Row:
    """One value as a plain row with every field, defaults too, in the words of the YAML."""
    return {each.name: _field(value, each, whole_row) for each in shapes.fields_of(value.__class__)}


def text(tables: Mapping[str, list[Row]], *, schema: str) -> str:
    """One file's text."""
    pairs: list[tuple[Node, Node]] = [(_scalar("version"), _scalar(ESTATE_VERSION))]
    for table, table_rows in tables.items():
        if table_rows:
            nodes = [_node(row, flow=table not in _BLOCK_TABLES) for row in table_rows]
            whole = nodes[0] if table == "estate" else SequenceNode(_TAG + "seq", nodes, flow_style=False)
            pairs.append((_scalar(table), whole))
    root = MappingNode(_TAG + "map", pairs, flow_style=False)
    body = yaml.serialize(root, Dumper=yaml.CSafeDumper, width=_WIDTH, allow_unicode=True)
    return f"# yaml-language-server: $schema={schema}\n{body}"


def _row(value: Any) -> Row:
    return {
        each.name: _field(value, each, _row)
        for each in shapes.fields_of(value.__class__)
        if each.required or getattr(value, each.attribute) != _default(value.__class__, each.attribute)
    }


def _field(value: Any, each: shapes.Field, row: Callable[[Any], Row]) -> object:
    held = getattr(value, each.attribute)
    if each.alone and len(held) < 2:
        return next((_plain(one, row) for one in held), None)
    return _plain(held, row)


def _default(cls: Any, name: str) -> object:
    for each in dataclasses.fields(cls):
        if each.name == name:
            return each.default if each.default_factory is dataclasses.MISSING else each.default_factory()
    return dataclasses.MISSING


def _plain(value: Any, row: Callable[[Any], Row]) -> object:
    if isinstance(value, Window):
        return windows.text_of(value)
    if dataclasses.is_dataclass(value):
        return row(value)
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, frozenset | tuple):
        return [_plain(each, row) for each in (sorted(value) if isinstance(value, frozenset) else value)]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return str(value) if isinstance(value, str) else value


def _node(value: object, *, flow: bool) -> Node:
    if value is GAP:
        return ScalarNode(GAP_TAG, "", style="'")
    if isinstance(value, Mapping):
        pairs = [(_scalar(key), _node(each, flow=flow or not isinstance(each, list))) for key, each in value.items()]
        return MappingNode(_TAG + "map", pairs, flow_style=flow)
    if isinstance(value, list):
        nested = any(isinstance(each, Mapping) for each in value)
        return SequenceNode(_TAG + "seq", [_node(each, flow=True) for each in value], flow_style=flow or not nested)
    return _scalar(value)


def _scalar(value: object) -> ScalarNode:
    if value is None:
        return ScalarNode(_TAG + "null", "null")
    if isinstance(value, bool):
        return ScalarNode(_TAG + "bool", "true" if value else "false")
    if isinstance(value, int | float):
        return ScalarNode(_TAG + ("int" if isinstance(value, int) else "float"), repr(value))
    return ScalarNode(_TAG + "str", str(value))

"""A JSON Schema (draft 2020-12) of an estate's file for editors, from the same dataclasses that `load` reads by.

`python -m inventory.schema` writes it anew. What a schema cannot say (names that refer, whole-estate sums) is in
`validate`.
"""

import dataclasses
import json
import types
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

from inventory import bounds, load, shapes, windows
from inventory.model import ESTATE_VERSION, Estate, Window

PATH = Path(__file__).with_name("estate.schema.json")

Schema = dict[str, Any]


def text() -> str:
    """The schema as it stands in `estate.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> Schema:
    """The schema of one file of an estate."""
    definitions: dict[str, Schema] = {}
    tables = {
        table: {"type": "array", "items": _reference(cls, definitions)} for table, cls in sorted(load.TABLES.items())
    }
    header = _object(load.HEADER_FIELDS, definitions, Estate)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An estate's file",
        "description": "Any of the tables of an estate; the tables of all files of a directory are joined.",
        "type": "object",
        "additionalProperties": False,
        "required": ["version"],
        "properties": {"version": {"const": ESTATE_VERSION}, "estate": header, **tables},
        "$defs": dict(sorted(definitions.items())),
    }


def _reference(cls: Any, definitions: dict[str, Schema]) -> Schema:
    if cls.__name__ not in definitions:
        definitions[cls.__name__] = {}
        definitions[cls.__name__] = _object(shapes.fields_of(cls), definitions, cls)
    return {"$ref": f"#/$defs/{cls.__name__}"}


def _object(fields: tuple[shapes.Field, ...], definitions: dict[str, Schema], cls: Any) -> Schema:
    written = {
        "type": "object",
        "additionalProperties": False,
        "required": [each.name for each in fields if each.required],
        "properties": {each.name: _of_field(each, definitions) for each in fields},
    }
    doc = cls.__doc__ or ""
    return written if doc.startswith(f"{cls.__name__}(") or not doc else {"description": _prose(doc), **written}


def _of_field(field: shapes.Field, definitions: dict[str, Schema]) -> Schema:
    many = _of(field.hint, field.name, definitions)
    return {"anyOf": [many["items"], many, {"type": "null"}]} if field.alone else many


def _prose(doc: str) -> str:
    return " ".join(doc.split())


def _of(hint: Any, name: str, definitions: dict[str, Schema]) -> Schema:
    inner = shapes.optional(hint)
    if inner is not None:
        return {"anyOf": [_of(inner, name, definitions), {"type": "null"}]}
    origin = get_origin(hint)
    if origin in {tuple, frozenset}:
        items = {"type": "array", "items": _of(get_args(hint)[0], name, definitions)}
        return {**items, "uniqueItems": True} if origin is frozenset else items
    if origin is Mapping or isinstance(hint, types.GenericAlias):
        return {"type": "object", "additionalProperties": {"type": "string"}}
    if hint is Window:
        return {"type": "string", "pattern": windows.PATTERN, "examples": ["Mon-Fri 22:00-05:00"]}
    return _reference(hint, definitions) if dataclasses.is_dataclass(hint) else _scalar(hint, name)


def _scalar(hint: Any, name: str) -> Schema:
    if hint is bool:
        return {"type": "boolean"}
    if hint is str:
        return (
            {"type": "string", "minLength": 1, "maxLength": bounds.LONGEST_NAME}
            if name in bounds.NAMES
            else {"type": "string"}
        )
    if issubclass(hint, StrEnum):
        return {"enum": [member.value for member in hint]}
    if issubclass(hint, IntEnum):
        return {"enum": [member.name.lower() for member in hint]}
    bound = bounds.bound_of(name)
    least = "exclusiveMinimum" if bound.above else "minimum"
    number = {"type": "integer" if hint is int else "number", least: bound.least, "maximum": bound.most}
    return {**number, "description": bound.unit} if bound.unit else number


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")

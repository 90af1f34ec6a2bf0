"""The schema for editors says what `load` says, as far as a schema can."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import inventory
from inventory import bounds, load, schema, shapes
from inventory.model import Estate

DEMO = Path(inventory.__file__).parent / "estates" / "demo"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema.PATH.read_text(encoding="utf-8")))


def document(table: str, row: dict[str, Any]) -> dict[str, Any]:
    return {"version": 1, table: [row]}


def test_the_schema_file_is_up_to_date() -> None:
    assert schema.PATH.read_text(encoding="utf-8") == schema.text(), "run python -m inventory.schema"


def test_the_schema_is_one() -> None:
    flaws = Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema.schema())
    assert [flaw.message for flaw in flaws] == []


def test_every_file_of_the_demo_satisfies_it_and_names_it(validator: Draft202012Validator) -> None:
    for path in DEMO.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        named = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
        assert (path.parent / named).resolve() == schema.PATH.resolve()
        assert list(validator.iter_errors(yaml.safe_load(text))) == []


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("rooms", {"name": "r"}),
        ("rooms", {"name": "r", "site": "s", "floor": 2}),
        ("rooms", {"name": "", "site": "s"}),
        ("feeds", {"name": "f", "room": "r", "rated_watts": -1}),
        ("feeds", {"name": "f", "room": "r", "rated_watts": 100, "derating_ratio": 80}),
        ("devices", {"name": "d", "kind": "fridge", "serves": "f", "address": "10.0.0.1"}),
        ("flavors", {"name": "f", "vcpus": 1, "memory_mib": "2GiB", "disk_gib": 1, "classification": "open"}),
        ("flavors", {"name": "f", "vcpus": 1, "memory_mib": 2048, "disk_gib": 1, "classification": 0}),
        ("castles", {"name": "c"}),
    ],
)
def test_it_refuses_what_load_refuses(
    tmp_path: Path, validator: Draft202012Validator, table: str, row: dict[str, Any]
) -> None:
    (tmp_path / "estate.yaml").write_text(yaml.safe_dump(document(table, row)), encoding="utf-8")
    with pytest.raises(load.EstateError):
        load.load(tmp_path)
    assert not validator.is_valid(document(table, row))


def test_every_number_of_the_model_has_a_bound_and_a_unit() -> None:
    definitions = schema.schema()["$defs"]
    assert set(definitions) >= {cls.__name__ for cls in load.TABLES.values()}
    for cls in load.TABLES.values():
        for each in shapes.fields_of(cls):
            if each.hint in {int, float}:
                assert bounds.bound_of(each.name)
    assert len(load.TABLES) == sum("Mapping" in str(each.hint) for each in shapes.fields_of(Estate))

"""Plans go to a file and come back whole; anything else is refused with its place."""

import json
from pathlib import Path

import jsonschema
import pytest

from controller.adapters import plan_file
from controller.errors import InputError
from controller.model.policy import Policy
from controller.planner import plan
from tests import builders
from tests.builders import NOW, Host, Vm

SCHEMA = Path(__file__).parents[3] / "docs" / "plan.schema.json"


@pytest.fixture
def made():
    cluster = builders.cluster(hosts=[Host(name="c1", memory_health=1), Host(name="c2")], vms=[Vm(name="a", host="c1")])
    return plan.plan(cluster, Policy(), NOW)


@pytest.fixture
def file(made, tmp_path):
    plan_file.write(made, tmp_path / "plan.json")
    return tmp_path / "plan.json"


def test_a_plan_comes_back_as_it_was(made, file):
    assert plan_file.read(file) == made


def test_a_file_follows_the_published_schema(file):
    schema = json.loads(SCHEMA.read_text())
    assert schema == plan_file.json_schema()
    jsonschema.validate(json.loads(file.read_text()), schema)


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (lambda data: data.update(version=1), "$.version"),
        (lambda data: data["plan"].update(more=1), "$.plan.more"),
        (lambda data: data["plan"]["moves"][0].pop("target"), "$.plan.moves[0].target"),
        (lambda data: data["plan"]["moves"][0].update(wave="first"), "$.plan.moves[0].wave"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(file, spoil, place):
    data = json.loads(file.read_text())
    spoil(data)
    file.write_text(json.dumps(data))
    with pytest.raises(InputError) as refused:
        plan_file.read(file)
    assert place in str(refused.value)
    assert str(file) in str(refused.value)


def test_a_file_that_is_missing_or_empty_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        plan_file.read(tmp_path / "none.json")
    (tmp_path / "empty.json").write_text("")
    with pytest.raises(InputError, match="is empty"):
        plan_file.read(tmp_path / "empty.json")

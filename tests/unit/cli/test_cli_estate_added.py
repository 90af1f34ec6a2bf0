"""`gdcc estate drift` beside a cloud: what was added by hand is drift, and without an answer there is no all-clear."""

import json
from contextlib import asynccontextmanager

import pytest
import typer

from controller.adapters.pulumi import finding
from controller.cli.estate import looking, select
from controller.errors import TransientError
from tests.fakes.estate_project import Project

SUBNET = {"id": "s9", "name": "side-door", "cidr": "10.9.0.0/24", "network_id": "n1"}


class Subnets:
    """A cloud that has subnets and nothing besides; or one that does not answer."""

    def __init__(self, *rows, answers=True):
        self.found, self.answers = rows, answers

    async def rows(self, service, path, table, params=None):
        if not self.answers:
            raise TransientError("no answer", where=f"GET {service} {path}")
        return list(self.found) if table == "subnets" else []

    @asynccontextmanager
    async def __call__(self):
        yield finding.Cloud(rows=self, region="R")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository of whose stacks one stands, with the network n1."""
    made = Project(tmp_path)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    made.deployed(made.stacks[0], resources=["n1"])
    return made


def look(project, cloud, capsys, to=None, as_json=True):
    chosen = select.selection(project.root, None, project.agencies[:1], False)
    with pytest.raises(typer.Exit) as ended:
        looking.look(chosen, True, 1, to, as_json, cloud)
    return ended.value.exit_code, capsys.readouterr().out


def test_what_was_added_by_hand_is_drift(project, capsys, tmp_path):
    to = tmp_path / "drift.prom"
    status, said = look(project, Subnets(SUBNET), capsys, to)
    (row,) = json.loads(said)["stacks"]
    assert (status, row["says"], row["resources"]) == (1, "drifted", [])
    assert [each["says"] for each in row["added"]] == ["subnet side-door 10.9.0.0/24: added by hand to Network n1"]
    assert f'gdcc_estate_drifted_resources{{stack="{project.stacks[0]}"}} 1.0' in to.read_text()


def test_people_see_what_was_added_and_to_what(project, capsys):
    status, said = look(project, Subnets(SUBNET), capsys, as_json=False)
    assert status == 1
    assert "Network n1" in said and "subnet side-door 10.9.0.0/24" in said and "1 drifted" in said


def test_nothing_added_is_no_drift(project, capsys):
    status, said = look(project, Subnets({**SUBNET, "network_id": "another"}), capsys)
    assert (status, json.loads(said)["added_looked_for"]) == (0, True)


def test_a_cloud_that_does_not_answer_is_no_all_clear(project, capsys, tmp_path):
    to = tmp_path / "drift.prom"
    status, said = look(project, Subnets(answers=False), capsys, to)
    (row,) = json.loads(said)["stacks"]
    assert (status, row["looked"]) == (2, False)
    assert row["says"].startswith("what was added by hand could not be looked for: GET ")
    assert f'gdcc_estate_drift_look_success{{stack="{project.stacks[0]}"}} 0.0' in to.read_text()


def test_without_a_cloud_in_the_environment_it_is_told_that_nobody_looked_for_it(project, capsys):
    status, said = look(project, None, capsys, as_json=False)
    assert status == 0
    assert looking.NO_CLOUD in " ".join(said.split())

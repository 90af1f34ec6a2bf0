"""`gdcc estate import`: what is only told beside it ends nothing."""

import json
from contextlib import asynccontextmanager

import pytest
import typer

from controller.adapters.pulumi import finding
from controller.cli.estate import deploying, select, taking
from controller.errors import TransientError
from tests.fakes.estate_project import Project


class Networks:
    """A cloud that tells its networks, and nothing else."""

    async def rows(self, service, path, table, params=None):
        if table != "networks":
            raise TransientError("no answer", where=f"GET {service} {path}")
        return [{"id": "lives", "name": "n1", "project_id": "p1"}]

    async def find(self, service, path, params=None):
        return None


@asynccontextmanager
async def opened():
    yield finding.Cloud(rows=Networks(), region="R")


def test_an_import_goes_on_where_what_is_declared_nowhere_cannot_be_listed(tmp_path, monkeypatch, capsys):
    project = Project(tmp_path)
    for name, value in project.env.items():
        monkeypatch.setenv(name, value)
    project.scenario(foundation={"declares": ["n1"]})
    chosen = select.selection(project.root, None, [], True)
    with pytest.raises(typer.Exit) as ended:
        taking.take(chosen, deploying.orders(chosen), False, 1, True, opened)
    (row,) = json.loads(capsys.readouterr().out)["stacks"]
    assert ended.value.exit_code == 0, row
    (said,) = row["settled"]
    assert said.startswith("what is declared nowhere was not listed:") and "no answer" in said

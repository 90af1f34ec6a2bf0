"""The verbs are all there, and none waits for another's libraries."""

import os
import subprocess
import sys

import pytest
from typer.main import get_group
from typer.testing import CliRunner

from controller.cli.main import app

HEAVY = {"aiohttp", "numpy", "openstack", "pulumi", "sqlalchemy", "pysnmp"}


def test_help_names_every_verb_with_a_sentence():
    said = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    rows = {words[1]: words[2:] for words in map(str.split, said.splitlines()) if len(words) > 2}
    for name in get_group(app).list_commands(None):
        assert len(rows[name]) > 2, name


@pytest.mark.parametrize("name", get_group(app).list_commands(None))
def test_every_verb_is_where_it_is_said_to_be(name):
    done = CliRunner().invoke(app, [name, "--help"])
    assert done.exit_code == 0 and f"{name} [OPTIONS]" in done.output


def test_a_verb_that_does_not_exist_is_answered_with_the_nearest():
    done = CliRunner().invoke(app, ["drian"])
    assert done.exit_code == 2 and "'drain'" in done.output


def test_the_verbs_of_the_estate_load_no_library_that_only_others_need():
    code = f"import sys, controller.cli.estate.app, controller.cli.main; print({HEAVY!r} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


@pytest.mark.parametrize(("typed", "offered"), [("gdcc dr", "drain"), ("gdcc estate dr", "drift")])
def test_the_shell_completes_verbs_at_every_level(typed, offered):
    asked = {"_GDCC_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    code = "import sys; sys.argv = ['gdcc']; from controller.cli.main import main; main()"
    argv = [sys.executable, "-c", code]
    said = subprocess.run(argv, env={**os.environ, **asked}, capture_output=True, text=True, check=False).stdout
    assert said.split() == [offered]

"""A cloud that clouds.yaml alone names: written into the files of stacks, and no variable beside it."""

import asyncio
import json
import os
from datetime import date

import pytest

from controller.adapters.pulumi import settling, tool, work
from controller.adapters.pulumi.runs import Run, Runner, State
from controller.adapters.pulumi.stacks import Verb, Wave
from controller.bootstrap import estate
from tests.fakes import pulumi_cli

STACK = "agency-tax"
NAMED = '{"config": {"openstack:cloud": "gdcc"}}'


class Place:
    """A repository whose login is an entry of clouds.yaml, and what each call of the CLI was given."""

    def __init__(self, home, entry="gdcc"):
        self.home, self.known, self.entry = home, {}, entry
        (home / "Pulumi.yaml").write_text("name: gdcc\n")
        (home / "infra/stacks").mkdir(parents=True)
        (home / "stacks").mkdir()
        path = os.pathsep.join([str(pulumi_cli.install(home)), os.environ["PATH"]])
        self.tool = tool.find(home, {**os.environ, "PATH": path, "FAKE_PULUMI": str(home), "OS_CLOUD": "gdcc"})

    def file(self, stack, text):
        (self.home / "infra/stacks" / f"Pulumi.{stack}.yaml").write_text(text)

    def stands(self, stack):
        (self.home / "stacks" / f"{stack}.json").write_text('{"resources": [], "pending": []}')
        self.known = {stack: {}}

    def calls(self):
        notes = self.home / pulumi_cli.NOTES
        return [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []

    def changed(self):
        """Calls that would have changed or asked something of a cloud, or of the stack's file."""
        return [each["words"] for each in self.calls() if each["words"][0] in {"preview", "up", "refresh", "destroy",
                                                                               "config", "stack"}]  # fmt: skip

    def carried_out(self, verb):
        async def nothing(*_):
            return {}

        async def no_project():
            return None

        orders = work.Orders(
            tool=self.tool, estate="estate", today=date(2026, 11, 21), beside=nothing, roles=nothing,
            settle=settling.settler(estate.living(self.home).opened), login_project=no_project, cloud=self.entry,
            login_quota=nothing, known=self.known,
        )  # fmt: skip
        run = Run(stack=STACK, verb=verb, folder=self.home / "run")
        asyncio.run(Runner(self.tool, work.worker(orders), lambda run: None, 1).go([Wave(stacks=(STACK,))], [run]))
        return run


def test_a_new_stacks_file_names_the_cloud(tmp_path):
    place = Place(tmp_path)
    assert place.carried_out(Verb.UP).state is State.DONE
    (written,) = [each["words"] for each in place.calls() if each["words"][:2] == ["config", "set-all"]]
    assert "openstack:cloud=gdcc" in written


@pytest.mark.parametrize(
    ("verb", "named", "given"),
    [
        (Verb.PREVIEW, NAMED, None),
        (Verb.PREVIEW, "", "gdcc"),
        (Verb.DRIFT, NAMED, None),
    ],
)
def test_a_call_for_a_stack_whose_file_names_the_cloud_is_given_no_variable(tmp_path, verb, named, given):
    place = Place(tmp_path)
    place.stands(STACK)
    place.file(STACK, named)
    assert place.carried_out(verb).state is State.DONE
    (looked,) = [each for each in place.calls() if each["words"][0] in {"preview", "refresh"}]
    assert looked["cloud"] == given


@pytest.mark.parametrize("verb", [Verb.UP, Verb.PREVIEW, Verb.REFRESH, Verb.DRIFT, Verb.DESTROY])
@pytest.mark.parametrize(("entry", "told"), [("gdcc", "gdcc"), (None, "none, by OS_AUTH_URL")])
def test_a_stack_of_another_cloud_is_not_touched(tmp_path, verb, entry, told):
    place = Place(tmp_path, entry)
    place.stands(STACK)
    place.file(STACK, "config: {'openstack:cloud': lab}\n")
    run = place.carried_out(verb)
    assert (run.state, run.said) == (State.FAILED, f"its file says openstack:cloud lab, this run {told}")
    assert not place.changed()


def test_a_new_stack_that_is_another_clouds_is_not_made(tmp_path):
    place = Place(tmp_path)
    place.file(STACK, "config: {'openstack:cloud': lab}\n")
    assert place.carried_out(Verb.UP).state is State.FAILED
    assert not place.changed()


@pytest.mark.parametrize("verb", [Verb.REFRESH, Verb.DRIFT, Verb.DESTROY])
def test_what_asks_no_program_is_not_begun_with_a_login_that_would_be_the_service_users(tmp_path, verb):
    place = Place(tmp_path)
    place.stands(STACK)
    run = place.carried_out(verb)
    assert run.state is State.FAILED and run.said.startswith("OS_CLOUD is set and its file names no cloud")
    assert not place.changed()


def test_the_file_of_a_stack_that_stands_is_not_given_a_cloud(tmp_path):
    place = Place(tmp_path)
    place.stands(STACK)
    assert place.carried_out(Verb.UP).state is State.DONE
    assert "openstack:cloud" not in (tmp_path / f"infra/stacks/Pulumi.{STACK}.yaml").read_text()


@pytest.mark.parametrize(
    ("file", "variables", "entry", "named"),
    [
        (NAMED, {}, "gdcc", True),
        (NAMED, {"OS_CLOUD": "lab"}, "lab", True),
        ("", {"OS_AUTH_URL": "http://keystone"}, None, True),
        ("", {}, None, False),
    ],
)
def test_the_cloud_is_the_variables_or_the_foundations(tmp_path, monkeypatch, file, variables, entry, named):
    for name in ("OS_CLOUD", "OS_AUTH_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    Place(tmp_path).file("foundation", file)
    cloud = estate.living(tmp_path)
    assert (cloud.entry, cloud.named) == (entry, named)

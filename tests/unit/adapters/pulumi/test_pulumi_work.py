"""What each verb does with a stack, by a small `pulumi`."""

import asyncio
import json
import os
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest
import typer

from controller.adapters.pulumi import finding, remedies, settling, tool, work
from controller.adapters.pulumi.runs import Run, Runner, State, StepFailedError
from controller.adapters.pulumi.stacks import Verb, Wave
from controller.cli.estate import running, taking
from controller.cli.estate.select import Selection
from controller.errors import InputError
from inventory import load
from tests.fakes import pulumi_cli

STACK = "agency-tax"
AGENCIES = Path(__file__).parents[3] / "lab" / "estate-agencies"
ROOT = Path(__file__).parents[4]


class Empty:
    """A cloud that has nothing."""

    async def rows(self, service, path, table, params=None):
        return []

    async def find(self, service, path, params=None):
        return None


@asynccontextmanager
async def nowhere():
    yield finding.Cloud(rows=Empty(), region="R")


class Place:
    """A repository with one stack, and orders that take note of what the guard of an `up` was shown."""

    def __init__(self, home, **stack):
        self.home, self.shown, self.ordered, self.refuses = home, [], {}, False
        (home / "Pulumi.yaml").write_text("name: gdcc\n")
        (home / "infra/stacks").mkdir(parents=True)
        (home / "stacks").mkdir()
        (home / "stacks" / f"{STACK}.json").write_text(json.dumps({"resources": [], "pending": [], **stack}))
        path = os.pathsep.join([str(pulumi_cli.install(home)), os.environ["PATH"]])
        self.tool = tool.find(home, {**os.environ, "PATH": path, "FAKE_PULUMI": str(home)})

    def kept(self):
        return json.loads((self.home / "stacks" / f"{STACK}.json").read_text())

    def declares(self, *names):
        (self.home / "scenario.json").write_text(json.dumps({STACK: {"declares": names}}))

    def orders(self, login_project=None):
        async def beside(run, kept):
            self.shown.append(kept)
            if self.refuses:
                raise StepFailedError(State.FAILED, "the guard refuses")

        async def nothing():
            return {}

        async def quota(project):
            return {"network": 400, "port": -1} if project == login_project else {}

        async def logged_in():
            return login_project

        return work.Orders(
            tool=self.tool,
            estate="estate",
            today=date(2026, 11, 21),
            settle=settling.settler(nowhere),
            beside=beside,
            roles=nothing,
            login_project=logged_in,
            login_quota=quota,
            known={STACK: {}},
            **self.ordered,
        )

    def carried_out(self, verb):
        run = Run(stack=STACK, verb=verb, folder=self.home / "run")
        runner = Runner(self.tool, work.worker(self.orders()), lambda run: None, 1)
        asyncio.run(runner.go([Wave(stacks=(STACK,))], [run]))
        return run


def test_what_a_settling_that_was_killed_took_in_is_completed_by_the_next(tmp_path):
    """Killed between the import and the completing: a security group would be replaced for what the state lacks."""
    place = Place(tmp_path, resources=["n0", "n1"], pending=["n1"])
    place.declares("n0", "n1")
    assert place.carried_out(Verb.UP).state is State.DONE
    completed = json.loads((tmp_path / "run/state.json").read_text())["deployment"]["resources"]
    needs = {row["id"]: row.get("dependencies", []) for row in completed}
    assert needs == {"n0": [], "n1": [completed[0]["urn"]]}


def test_an_up_that_changes_nothing_in_the_cloud_still_gives_back_the_protection(tmp_path):
    """As after an import, or a destroy that took the protection away and then failed."""
    place = Place(tmp_path, resources=["n1"], unprotected=True)
    (tmp_path / "scenario.json").write_text(json.dumps({STACK: {"declares": ["n1"], "protects": ["n1"]}}))
    run = place.carried_out(Verb.UP)
    assert (run.state, run.said) == (State.DONE, "no changes")
    assert not place.kept().get("unprotected")


class Judged(Place):
    """The same, with the project's own policies, and a network that its program declares no more."""

    def __init__(self, home, *, protects=(), named=None):
        super().__init__(home, resources=["n1"])
        for each in ("__init__.py", "naming.py", "policy"):
            (home / "infra" / each).symlink_to(ROOT / "infra" / each)
        excepts = [] if named is None else [{"rule": "protected-kinds", "reason": "moved", **named}]
        config = {"gdcc:seed": {"secure": "x"}, "gdcc:exceptions": excepts}
        (home / f"infra/stacks/Pulumi.{STACK}.yaml").write_text(json.dumps({"config": config}))
        plan = {"drops": ["n1"], "protects": protects, "excepts": json.dumps(excepts)}
        (home / "scenario.json").write_text(json.dumps({STACK: plan}))


def test_a_loss_is_judged_without_the_policy_pack_too(tmp_path):
    place = Judged(tmp_path)
    place.ordered["policy"] = False
    run = place.carried_out(Verb.UP)
    assert (run.state, run.said) == (
        State.FAILED,
        "protected-kinds: Network n1 would be deleted (gdcc:exceptions may name it)",
    )
    assert place.kept()["resources"] == ["n1"]


@pytest.mark.parametrize("named", [None, {"resource": "n2", "until": "9999-12-31"}, {"resource": "n1", "until": "x"}])
def test_what_the_engine_protects_is_refused_in_the_words_of_the_rule(tmp_path, named):
    place = Judged(tmp_path, protects=["n1"], named=named)
    run = place.carried_out(Verb.UP)
    assert run.state is State.FAILED
    assert run.said.startswith("protected-kinds: Network n1 would be deleted (gdcc:exceptions may name it")
    assert "unprotected" not in place.kept()


def test_a_named_exception_takes_the_engines_protection_off_and_lets_the_resource_go(tmp_path):
    place = Judged(tmp_path, protects=["n1"], named={"resource": "n1", "until": "9999-12-31"})
    run = place.carried_out(Verb.UP)
    assert (run.state, run.said) == (State.DONE, "1 deleted")
    assert run.settled == ("Network n1: unprotected, since gdcc:exceptions lets it go",)
    assert place.kept()["resources"] == []


@pytest.mark.parametrize("why", ["the preview", "the guard", "the run"])
def test_protection_that_was_lifted_is_back_where_the_run_came_to_nothing(tmp_path, why):
    place = Judged(tmp_path, protects=["n1"], named={"resource": "n1", "until": "9999-12-31"})
    plan = json.loads((tmp_path / "scenario.json").read_text())[STACK]
    more = {"the preview": {"violates": "no-host-pinning"}, "the run": {"declares": ["n2"], "fails": "n2"}}
    (tmp_path / "scenario.json").write_text(json.dumps({STACK: {**plan, **more.get(why, {}), "drops_last": True}}))
    place.refuses = why == "the guard"
    run = place.carried_out(Verb.UP)
    assert run.state is State.FAILED
    assert place.kept()["resources"] == ["n1"] and "unprotected" not in place.kept()
    assert run.settled[-1] == "Network n1: protected again, since the run did not end well"


def test_an_import_that_was_killed_before_it_completed_is_completed_by_the_same_once_more(
    tmp_path, monkeypatch, capsys
):
    place = Place(tmp_path, resources=["n0", "n1"])
    place.declares("n0", "n1")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert imported(place, capsys)["says"].startswith("1 of an earlier import completed")
    assert place.kept()["dependencies"] == {"n1": [pulumi_cli.Stack(tmp_path, STACK).urn("n0")]}
    assert imported(place, capsys)["says"] == "0 found, 0 to create"
    calls = [json.loads(line)["words"][:2] for line in (tmp_path / pulumi_cli.NOTES).read_text().splitlines()]
    assert calls.count(["stack", "import"]) == 1


def test_an_import_overwrites_nothing_that_another_run_did_while_it_was_completed(tmp_path, monkeypatch, capsys):
    place = Place(tmp_path, resources=["n0", "n1"])
    (tmp_path / "scenario.json").write_text(json.dumps({STACK: {"declares": ["n0", "n1"], "meddled": True}}))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    row = imported(place, capsys)
    assert row["state"] == "failed"
    assert row["says"].startswith(f"{STACK}: another run changed its state while an import completed it"), row
    assert "then the same import again" in row["says"]
    assert {"n0", "n1", "beside-2"} <= set(place.kept()["resources"])
    assert "dependencies" not in place.kept()


def imported(place, capsys):
    """What `gdcc estate import --write` says, of a cloud that has nothing."""
    estate = load.load(AGENCIES)
    chosen = Selection(tool=place.tool, estate=estate, estate_path="estate", stacks=(STACK,))
    with pytest.raises(typer.Exit):
        taking.take(chosen, place.orders(), write=True, parallel=1, as_json=True, open_cloud=nowhere)
    (row,) = json.loads(capsys.readouterr().out)["stacks"]
    return row


@pytest.mark.parametrize("verb", [Verb.UP, Verb.REFRESH, Verb.DESTROY, Verb.DRIFT])
def test_nothing_begins_where_the_environment_is_another_clouds(tmp_path, verb):
    place = Place(tmp_path)
    (tmp_path / "infra/stacks/Pulumi.foundation.yaml").write_text("config: {'gdcc:loginProject': ours}\n")
    with pytest.raises(InputError, match=r"project theirs, .* from project ours .*another cloud"):
        running.run(verb, [STACK], place.orders(login_project="theirs"), parallel=1, as_json=True)


def test_a_new_foundations_file_is_told_what_the_logins_project_has(tmp_path):
    place = Place(tmp_path)
    run = Run(stack="foundation", verb=Verb.UP, folder=tmp_path / "run")
    runner = Runner(place.tool, work.worker(place.orders(login_project="ours")), lambda run: None, 1)
    asyncio.run(runner.go([Wave(stacks=("foundation",))], [run]))
    assert run.state is State.DONE, run.said
    config = json.loads((tmp_path / "infra/stacks/Pulumi.foundation.yaml").read_text())["config"]
    assert (config["gdcc:loginProject"], config["gdcc:loginQuota"]) == ("ours", {"network": "400", "port": "-1"})


def test_what_nobody_foresaw_of_one_stack_ends_no_other(tmp_path):
    other = asyncio.Event()

    async def done(runner, run):
        if run.stack == "agency-a":
            other.set()
            raise RuntimeError("nobody foresaw it")
        await other.wait()
        call = await asyncio.create_subprocess_exec("/bin/true")
        await call.wait()
        run.said = "no changes"

    runs = [Run(stack=stack, verb=Verb.UP, folder=tmp_path) for stack in ("agency-a", "agency-b")]
    runner = Runner(Place(tmp_path).tool, done, lambda run: None, 2)
    with pytest.raises(RuntimeError, match="nobody foresaw it"):
        asyncio.run(runner.go([Wave(stacks=("agency-a", "agency-b"))], runs))
    assert (runs[1].state, runs[1].said) == (State.DONE, "no changes")


def test_old_runs_are_taken_away_but_not_one_that_still_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    home = tmp_path / "gdcc/estate"
    for name in ("20260101-ended-up", "20260102-long-up"):
        (home / name / "agency-tax/up").mkdir(parents=True)
        (home / name / "agency-tax/up/events").write_text("")
    for path in (home / "20260101-ended-up").rglob("*"):
        os.utime(path, (0, 0))
    place = Place(tmp_path)
    for _ in range(20):
        running.run(Verb.DRIFT, [], place.orders(), parallel=1, as_json=True)
    assert min(each.name for each in home.iterdir()) == "20260102-long-up"


def test_what_a_killed_run_left_in_clear_is_taken_out_of_its_events_by_a_later_one(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    quiet, going_on = (tmp_path / "gdcc/estate" / name / "agency-tax/up" for name in ("2026-quiet-up", "2026-long-up"))
    for call in (quiet, going_on):
        call.mkdir(parents=True)
        (call / "uncleaned").touch()
        (call / "events").write_text(
            '{"severity":"debug","message":"hunter2"}\n{"cancelEvent":{}}\n{"message":"hunter2","sev'
        )
    for path in (quiet.parents[0], quiet, *quiet.iterdir()):
        os.utime(path, (0, 0))
    running.run(Verb.DRIFT, [], Place(tmp_path).orders(), parallel=1, as_json=True)
    assert (quiet / "events").read_text() == '{"cancelEvent":{}}\n'
    assert "hunter2" in (going_on / "events").read_text()


def test_a_run_whose_files_cannot_be_written_fails_alone_and_says_where(tmp_path):
    place = Place(tmp_path)
    place.declares("n1")
    (tmp_path / "run").write_text("no folder")
    run = place.carried_out(Verb.UP)
    assert run.state is State.FAILED
    assert str(tmp_path / "run") in run.said and "could not be kept or read" in run.said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            "road-counts: sdk-v2/provider2.go:571: sdk.helper_schema: error deleting objectstorage_container_v1 "
            "'road-counts': <html><h1>Conflict</h1><p>There was a conflict when trying to complete your request.</p>",
            "road-counts holds objects",
        ),
        ("write /var/lib/x: no space left on device", "make room"),
        ("getting stack configuration: incorrect passphrase", "PULUMI_CONFIG_PASSPHRASE"),
        ("n1: the cloud refused n1\nbecause", "n1: the cloud refused n1"),
    ],
)
def test_an_error_that_does_not_say_what_to_do_is_told_with_it(error, said):
    assert said in remedies.told(error) and "\n" not in remedies.told(error)


def test_an_up_is_judged_by_the_state_that_the_settling_left_and_not_by_the_one_before(tmp_path):
    place = Place(tmp_path, pending=["n1"])
    place.declares("n1")
    assert place.carried_out(Verb.UP).state is State.DONE
    (kept,) = place.shown
    assert kept.pending == ()

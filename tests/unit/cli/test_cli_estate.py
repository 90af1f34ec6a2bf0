"""`gdcc estate` with a small `pulumi` on PATH: order, failures, locks, Ctrl-C, confirmation, exit status."""

import json
import os
import signal
import time
import xml.etree.ElementTree as ET
from datetime import UTC, datetime

import pytest
import typer

from controller.adapters.pulumi import stacks
from controller.adapters.pulumi.stacks import Verb
from controller.cli import output
from controller.errors import InputError
from infra import naming
from inventory import generate
from tests.fakes import pulumi_cli
from tests.fakes.estate_project import Project


@pytest.fixture
def project(tmp_path):
    """A repository with an estate, and a backend that is empty."""
    return Project(tmp_path)


def test_stacks_are_named_as_the_programs_name_them():
    assert stacks.agency_stack("tax") == naming.agency_stack("tax")
    assert stacks.FOUNDATION == naming.FOUNDATION
    assert stacks.agency_of(naming.agency_stack("tax")) == "tax"
    assert stacks.agency_of(naming.FOUNDATION) is None


def test_the_foundation_comes_first_and_is_destroyed_last():
    every = ("foundation", "agency-a", "agency-b")
    assert [wave.stacks for wave in stacks.waves(Verb.UP, every)] == [("foundation",), ("agency-a", "agency-b")]
    assert [wave.stacks for wave in stacks.waves(Verb.DESTROY, every)] == [("agency-a", "agency-b"), ("foundation",)]
    assert [wave.stacks for wave in stacks.waves(Verb.DRIFT, every)] == [every]
    assert stacks.waves(Verb.UP, ()) == ()


def test_every_unknown_agency_is_named_at_once():
    with pytest.raises(InputError, match="no agency is called x, y"):
        stacks.chosen(generate.estate(60, 1), ["y", "x"], False)


def test_up_sets_up_what_is_new_and_a_second_up_changes_nothing(project):
    project.scenario(**{"foundation": {"declares": ["f"]}, project.stacks[0]: {"declares": ["n1", "n2"]}})
    first = project.gdcc("up", "--foundation", *project.chosen(1), "--json")
    assert first.exit_code == 0, first.stderr
    said = {row["stack"]: row["says"] for row in json.loads(first.stdout)["stacks"]}
    assert said == {"foundation": "1 created", project.stacks[0]: "2 created"}
    ups = [words[words.index("--stack") + 1] for words in project.calls() if words[0] == "up"]
    assert ups == ["foundation", project.stacks[0]]
    second = project.gdcc("up", "--foundation", *project.chosen(1), "--json")
    assert {row["says"] for row in json.loads(second.stdout)["stacks"]} == {"no changes"}
    assert len([words for words in project.calls() if words[0] == "up"]) == 2


def test_a_new_stacks_seed_is_in_no_argument(project):
    project.gdcc("preview", *project.chosen(1))
    notes = [json.loads(line) for line in (project.home / pulumi_cli.NOTES).read_text().splitlines()]
    (seed,) = (note["stdin"] for note in notes if "gdcc:seed" in note["words"])
    assert len(bytes.fromhex(seed)) == 32
    assert not any(seed in word for note in notes for word in note["words"])


def test_one_failed_stack_stops_no_other_and_the_next_run_goes_on(project):
    one, two, three = project.stacks
    declares = {"declares": ["n1", "n2"]}
    project.scenario(**{one: declares, two: {**declares, "fails": "n2"}, three: declares})
    answer = project.gdcc("up", *project.chosen(), "--parallel", "2")
    assert answer.exit_code == 1
    assert "n2: the cloud refused n2" in answer.stdout
    assert [project.resources(each) for each in project.stacks] == [["n1", "n2"], ["n1"], ["n1", "n2"]]
    project.scenario(**dict.fromkeys(project.stacks, declares))
    again = project.gdcc("up", *project.chosen(), "--json")
    assert again.exit_code == 0
    assert [row["says"] for row in json.loads(again.stdout)["stacks"]] == ["no changes", "1 created", "no changes"]


def test_agencies_wait_for_a_foundation_that_failed(project):
    project.deployed("foundation", *project.stacks)
    project.scenario(foundation={"violates": "no-host-pinning"})
    answer = project.gdcc("preview", "--json")
    rows = {row["stack"]: row for row in json.loads(answer.stdout)["stacks"]}
    assert answer.exit_code == 1
    assert rows["foundation"]["says"] == "policy no-host-pinning: broken"
    assert rows[project.stacks[0]]["state"] == "skipped"
    assert rows[project.stacks[0]]["says"] == "not begun: foundation did not succeed"


def test_one_interrupt_lets_calls_end_what_they_began_and_begins_nothing_more(project):
    one, two, _ = project.stacks
    project.deployed(one, two)
    project.scenario(**{one: {"declares": ["n1", "n2", "n3"], "holds": "n2"}, two: {"declares": ["n1"]}})
    running = project.begin("up", *project.chosen(2), "--parallel", "1", "--json")
    project.until_under_way(one, "n2")
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    rows = {row["stack"]: row for row in json.loads(out)["stacks"]}
    assert running.returncode == 1, err
    assert rows[one]["says"] == "stopped; nothing is half done, the next run goes on from here"
    assert rows[two]["says"] == "not begun"
    assert project.resources(one) == ["n1", "n2"]
    assert project.resources(two) == []
    assert not list((project.home / ".pulumi").rglob("*.json"))
    project.scenario(**{each: {"declares": ["n1", "n2", "n3"]} for each in (one, two)})
    assert project.gdcc("up", *project.chosen(2)).exit_code == 0
    assert project.resources(one) == ["n1", "n2", "n3"]


def test_a_call_outlives_a_gdcc_that_is_killed(project):
    stack = project.stacks[0]
    project.deployed(stack)
    project.scenario(**{stack: {"declares": ["n1", "n2"], "holds": "n1"}})
    running = project.begin("up", *project.chosen(1))
    project.until_under_way(stack, "n1")
    running.kill()
    running.communicate(timeout=60)
    lock = json.loads(next((project.home / ".pulumi").rglob("*.json")).read_text())
    listed = json.loads(project.gdcc("list", *project.chosen(1), "--json").stdout)["stacks"][0]
    assert "it is still running: wait for it" in listed["says"]
    os.kill(lock["pid"], signal.SIGINT)
    end = time.monotonic() + 30
    while list((project.home / ".pulumi").rglob("*.json")) and time.monotonic() < end:
        time.sleep(0.02)
    assert project.resources(stack) == ["n1"]


def test_drift_ends_with_0_1_or_2(project):
    one, two, _ = project.stacks
    project.deployed(one, two, resources=["n1"])
    assert project.gdcc("drift", *project.chosen(2)).exit_code == 0
    project.scenario(**{two: {"changed": {"n1": 20}}})
    to = project.home / "drift.prom"
    drifted = project.gdcc("drift", *project.chosen(2), "--json", "--textfile", str(to))
    assert drifted.exit_code == 1
    (row,) = json.loads(drifted.stdout)["stacks"][1]["resources"]
    assert row["fields"] == [{"name": "cores", "declared": "10", "found": "20"}]
    assert f'gdcc_estate_drifted_resources{{stack="{two}"}} 1.0' in to.read_text()
    missing = project.gdcc("drift", *project.chosen(3))
    assert missing.exit_code == 2
    assert "could not look: there is no such stack yet" in missing.stdout


def test_drift_numbers_the_run_it_is_since_from_the_stacks_first_however_many_there_were(project):
    project.deployed(project.stacks[0], resources=["n1"])
    for since in (2, 11):
        project.scenario(**{project.stacks[0]: {"changed": {"n1": 20}, "runs": 12, "since": since}})
        answer = project.gdcc("drift", *project.chosen(1), "--json")
        (row,) = json.loads(answer.stdout)["stacks"][0]["resources"]
        assert row["since"]["run"] == since


def test_what_a_killed_run_left_open_is_no_all_clear(project):
    stack = project.stacks[0]
    project.deployed(stack, resources=["n1"], pending=["n2"])
    to = project.home / "drift.prom"
    answer = project.gdcc("drift", *project.chosen(1), "--json", "--textfile", str(to))
    (row,) = json.loads(answer.stdout)["stacks"]
    whose = "a run is going on, or was killed"
    said = f"Network n2: {whose}: it was creating it, and nobody knows whether the cloud has it (the next up asks)"
    assert (answer.exit_code, row["says"], row["pending"]) == (1, "drifted", [said])
    assert f'gdcc_estate_drifted_resources{{stack="{stack}"}} 1.0' in to.read_text()
    people = project.gdcc("drift", *project.chosen(1))
    assert "Network n2" in people.stdout and f"{whose}: it was creating" in " ".join(people.stdout.split())


@pytest.mark.parametrize("verb", ["drift", "preview"])
def test_what_a_run_that_is_going_on_has_under_way_is_no_drift_and_told_as_its(project, verb):
    stack = project.stacks[0]
    (project.root / f"infra/stacks/Pulumi.{stack}.yaml").write_text("config:\n  gdcc:seed: {secure: x}\n")
    project.deployed(stack, resources=["n1"], pending=["n2"])
    project.lock(stack, os.getpid(), since=datetime.now(UTC).isoformat())
    answer = project.gdcc(verb, *project.chosen(1), "--json")
    (row,) = json.loads(answer.stdout)["stacks"]
    assert answer.exit_code == 0, answer.stdout
    assert row["pending"] == [] and row["beside"].startswith("a run is going on (locked by ada@"), row
    assert f"{stack}: a run is going on (locked by ada@" in project.gdcc(verb, *project.chosen(1)).stdout


def test_a_preview_tells_what_a_killed_run_left_open(project):
    stack = project.stacks[0]
    (project.root / f"infra/stacks/Pulumi.{stack}.yaml").write_text("config:\n  gdcc:seed: {secure: x}\n")
    project.deployed(stack, resources=["n1"], pending=["n2"])
    answer = project.gdcc("preview", *project.chosen(1))
    assert answer.exit_code == 0
    assert f"{stack}: Network n2: a run is going on, or was killed: it was creating it" in answer.stdout


@pytest.mark.parametrize("verb", ["preview", "up"])
def test_what_a_run_is_warned_of_is_told_once_by_its_first_line(project, verb):
    stack = project.stacks[0]
    project.scenario(**{stack: {"declares": ["n1"], "warns": ["ten RBAC policies are too few\nmore", "one more"]}})
    answer = project.gdcc(verb, *project.chosen(1))
    assert answer.stdout.count(f"{stack}: warning: ten RBAC policies are too few") == 1
    (row,) = json.loads(project.gdcc("preview", *project.chosen(1), "--json").stdout)["stacks"]
    assert row["warnings"] == ["ten RBAC policies are too few", "one more"]


def test_drift_of_the_whole_estate_passes_over_what_is_not_deployed(project):
    project.deployed(project.stacks[0], resources=["n1"])
    answer = project.gdcc("drift", "--json")
    assert answer.exit_code == 0
    assert "foundation" in json.loads(answer.stdout)["not_deployed"]


def test_drift_gives_no_all_clear_where_the_backend_lost_a_stack_or_has_none(project):
    """As from a timer whose PULUMI_BACKEND_URL is another one, or whose disk is not mounted."""
    nothing = project.gdcc("drift")
    assert nothing.exit_code == 2
    one, two, _ = project.stacks
    project.deployed(one, resources=["n1"])
    file = project.root / f"infra/stacks/Pulumi.{two}.yaml"
    file.write_text("encryptionsalt: v1:x\nconfig:\n  gdcc:seed: {secure: x}\n")
    answer = project.gdcc("drift")
    assert answer.exit_code == 2
    assert f"{two}: could not look: {file}: is set up, and file://{project.home} has no stack {two}" in answer.stdout


def test_drift_looks_at_a_stack_whose_agency_the_estate_has_no_more(project):
    project.deployed(project.stacks[0], "agency-of-old", resources=["n1"])
    project.scenario(**{"agency-of-old": {"changed": {"n1": 20}}})
    answer = project.gdcc("drift", "--json")
    assert answer.exit_code == 1
    assert [row["stack"] for row in json.loads(answer.stdout)["stacks"]] == [project.stacks[0], "agency-of-old"]


def test_drift_that_cannot_even_begin_ends_with_2(project):
    assert project.gdcc("drift", "--agency", "nobody").exit_code == 2


def test_drift_that_breaks_off_ends_with_2_for_1_means_drift(project):
    project.deployed(project.stacks[0])
    (project.home / "stacks" / f"{project.stacks[0]}.json").write_text("[]")
    answer = project.gdcc("drift")
    assert answer.exit_code == 2, answer.output
    (project.root / "Pulumi.yaml").write_text("name: gdcc\nbackend: file:///x\n")
    project.backend = ""
    answer = project.gdcc("drift")
    assert (answer.exit_code, "Traceback" in answer.stderr) == (2, False)


def test_a_look_that_a_bug_ends_shows_where_and_keeps_its_own_status_of_a_refusal(capsys):
    with pytest.raises(typer.Exit) as ended, output.drift_told():
        raise AttributeError("of nothing")
    assert ended.value.exit_code == 2
    assert "AttributeError: of nothing" in capsys.readouterr().err
    with pytest.raises(typer.Exit) as ended, output.drift_told():
        raise typer.Exit(1)
    assert ended.value.exit_code == 1


def test_destroy_needs_the_whole_name_and_touches_nothing_without(project):
    project.deployed(project.stacks[0], resources=["n1"])
    answer = project.gdcc("destroy", *project.chosen(1))
    assert answer.exit_code == 1
    assert "was not confirmed, nothing was destroyed" in answer.stderr
    assert project.gdcc("destroy", *project.chosen(1), "--yes", "agency-other").exit_code == 2
    assert project.resources(project.stacks[0]) == ["n1"]


def test_destroy_leaves_what_is_protected_unless_told_by_name(project):
    stack = project.stacks[0]
    project.deployed(stack, resources=["n1", "n2"])
    project.scenario(**{stack: {"protects": ["n1"]}})
    refused = project.gdcc("destroy", *project.chosen(1), "--yes", stack)
    assert refused.exit_code == 1
    assert f"1 resources are protected (--yes-destroy {stack})" in refused.stdout
    assert project.resources(stack) == ["n1", "n2"]
    assert project.gdcc("destroy", *project.chosen(1), "--yes-destroy", stack).exit_code == 0
    assert project.resources(stack) == []


def test_an_agency_that_was_never_deployed_does_not_keep_the_foundation(project):
    project.deployed("foundation", project.stacks[0], resources=["n1"])
    yes = [word for each in ("foundation", *project.stacks[:2]) for word in ("--yes", each)]
    answer = project.gdcc("destroy", "--foundation", *project.chosen(2), *yes, "--json")
    assert answer.exit_code == 0, answer.stderr
    said = {row["stack"]: row["says"] for row in json.loads(answer.stdout)["stacks"]}
    assert said[project.stacks[1]] == "nothing to destroy"
    assert project.resources("foundation") == []


def test_an_agency_that_the_backend_lost_keeps_the_foundation(project):
    project.deployed("foundation", resources=["n1"])
    stack = project.stacks[0]
    (project.root / f"infra/stacks/Pulumi.{stack}.yaml").write_text("encryptionsalt: v1:x\n")
    yes = ("--yes", "foundation", "--yes", stack)
    assert project.gdcc("destroy", "--foundation", *project.chosen(1), *yes).exit_code == 1
    assert project.resources("foundation") == ["n1"]


def test_a_foundation_is_not_destroyed_while_an_agency_stands_on_it(project):
    stack = project.stacks[0]
    project.deployed("foundation", stack, resources=["n1"])
    project.deployed("agency-empty")
    answer = project.gdcc("destroy", "--foundation", "--yes", "foundation")
    assert answer.exit_code == 1
    assert f"{stack} stand on it: destroy them first" in answer.stdout
    assert project.resources("foundation") == ["n1"]
    both = project.gdcc("destroy", "--foundation", *project.chosen(1), "--yes", "foundation", "--yes", stack)
    assert both.exit_code == 0
    assert project.resources("foundation") == []


def test_a_stack_of_another_estate_is_refused_before_anything_is_touched(project):
    stack = project.stacks[0]
    files = project.root / "infra/stacks"
    (files / f"Pulumi.{stack}.yaml").write_text("config:\n  gdcc:estate: inventory/estates/demo\n")
    project.deployed(stack)
    answer = project.gdcc("up", *project.chosen(1), "--estate", str(project.root / "inventory/estates/gdcc"))
    assert answer.exit_code == 1
    assert "its file says gdcc:estate inventory/estates/demo" in answer.stdout


def test_a_stack_that_the_backend_lost_is_not_made_a_second_time(project):
    """As where the backend's disk is not mounted, or PULUMI_BACKEND_URL is another one."""
    stack = project.stacks[0]
    file = project.root / f"infra/stacks/Pulumi.{stack}.yaml"
    file.write_text("encryptionsalt: v1:x\nconfig:\n  gdcc:seed: {secure: x}\n")
    answer = project.gdcc("up", *project.chosen(1))
    assert answer.exit_code == 1
    assert f"has no stack {stack} (is it the right backend, and mounted?" in answer.stdout
    assert not (project.home / "stacks").exists()


def test_a_stack_that_stands_gets_no_other_seed_where_its_file_is_somebody_elses(project):
    stack = project.stacks[0]
    project.deployed(stack, resources=["n1"])
    answer = project.gdcc("up", *project.chosen(1))
    assert answer.exit_code == 1
    assert f"has no gdcc:seed, and {stack} stands (fetch the file" in answer.stdout
    assert not (project.root / f"infra/stacks/Pulumi.{stack}.yaml").exists()


def test_a_new_stack_is_not_made_with_another_passphrase_than_the_foundations(project):
    project.deployed("foundation")
    (project.root / "infra/stacks/Pulumi.foundation.yaml").write_text("encryptionsalt: v1:x\nconfig: {}\n")
    project.scenario(foundation={"refuses_secrets": True})
    answer = project.gdcc("up", *project.chosen(1))
    assert answer.exit_code == 1 and "incorrect passphrase" in answer.stdout
    assert [each.stem for each in (project.home / "stacks").iterdir()] == ["foundation"]


def test_where_what_calls_write_cannot_be_kept_the_stack_fails_and_says_where(project):
    one, two, _ = project.stacks
    project.deployed(one, two)
    project.scenario(**{two: {"declares": ["n1"]}})
    state = project.home / "xdg/gdcc"
    state.mkdir(parents=True)
    (state / "estate").write_text("a full disk would do as well")
    answer = project.gdcc("up", *project.chosen(2))
    assert answer.exit_code == 1
    assert f"{state / 'estate'}: cannot be written: " in answer.stderr


def test_without_pulumi_on_path_it_is_said_how_to_get_it(project):
    project.path = "/nonexistent"
    answer = project.gdcc("list")
    assert answer.exit_code == 1
    assert "pulumi is not on PATH (install the official CLI" in answer.stderr


def files(project):
    """What stands beside the programs and in the backend, to the byte."""
    found = [*(project.root / "infra").rglob("*"), *(project.home / "stacks").glob("*")]
    return {str(path): path.read_bytes() for path in found if path.is_file()}


@pytest.mark.parametrize("deployed", [False, True], ids=["no stack", "a stack whose file is elsewhere"])
@pytest.mark.parametrize("verb", ["list", "preview", "drift", "graph", "import"])
def test_looking_leaves_no_file_and_no_stack_that_was_not_there(project, verb, deployed):
    if deployed:
        project.deployed("foundation", project.stacks[0])
    before = files(project)
    words = project.agencies[:1] if verb == "graph" else ["--foundation", *project.chosen(1)]
    project.gdcc(verb, *words)
    made = [words for words in project.calls() if words[:2] == ["stack", "init"]]
    assert bool(made) is (not deployed and verb in {"preview", "graph", "import"})
    assert files(project) == before


def test_a_preview_reads_what_stands_in_a_stacks_file_and_up_still_sets_it_up(project):
    stack = project.stacks[0]
    file = project.root / f"infra/stacks/Pulumi.{stack}.yaml"
    file.write_text("config:\n  gdcc:credentialDays: 30\n")
    project.scenario(**{stack: {"declares": ["n1"]}})
    said = json.loads(project.gdcc("preview", *project.chosen(1), "--json").stdout)["stacks"][0]
    assert said["says"] == "1 to create"
    assert file.read_text() == "config:\n  gdcc:credentialDays: 30\n"
    copy = next((project.home / "xdg").rglob(file.name))
    assert "gdcc:seed" in copy.read_text()
    assert project.gdcc("up", *project.chosen(1)).exit_code == 0
    assert "gdcc:seed" in file.read_text()


def test_a_stack_that_somebody_fills_while_it_is_looked_at_stays(project):
    stack = project.stacks[0]
    project.scenario(**{stack: {"declares": ["n1"], "filled": True}})
    answer = project.gdcc("preview", *project.chosen(1))
    assert f"{stack}: was made for this look, and stays: the stack still has resources" in answer.stdout
    assert project.resources(stack) == ["n0"]


def test_refresh_writes_into_the_state_what_the_cloud_holds_and_asks_no_program(project):
    one, two, _ = project.stacks
    project.deployed(one, two, resources=["n1", "n2"])
    project.scenario(**{two: {"changed": {"n1": 20}}})
    answer = project.gdcc("refresh", *project.chosen(2), "--json")
    assert answer.exit_code == 0, answer.stderr
    rows = {row["stack"]: row for row in json.loads(answer.stdout)["stacks"]}
    assert {stack: row["says"] for stack, row in rows.items()} == {one: "no changes", two: "1 updated"}
    ran = [words for words in project.calls() if words[0] not in {"stack", "version"}]
    assert {words[0] for words in ran} == {"refresh"}
    assert all("--preview-only" not in words and "--yes" in words for words in ran), "it writes"
    missing = project.gdcc("refresh", *project.chosen(3))
    assert missing.exit_code == 1
    assert "there is no such stack yet" in missing.stdout


def test_a_graph_is_text_a_drawing_and_json_of_what_stands(project, tmp_path):
    stack, agency = project.stacks[0], project.agencies[0]
    project.deployed(stack, resources=["n1", "n2"])
    drawing = tmp_path / "stack.svg"
    text = project.gdcc("graph", agency, "--svg", str(drawing))
    assert text.exit_code == 0
    assert "Network n1" in text.stdout and "Network n2" in text.stdout
    drawn = " ".join(ET.parse(drawing).getroot().itertext())
    assert f"stack {stack}" in drawn and drawn.count("Network") == 2
    told = json.loads(project.gdcc("graph", agency, "--json").stdout)
    urns = [f"urn:pulumi:{stack}::gdcc::{pulumi_cli.KIND}::{name}" for name in ("n1", "n2")]
    assert (told["stack"], [each["urn"] for each in told["resources"]]) == (stack, urns)


def test_a_graph_of_what_is_not_deployed_is_of_its_preview_and_what_cannot_be_drawn_ends_with_1(project, tmp_path):
    stack, agency = project.stacks[0], project.agencies[0]
    project.scenario(**{stack: {"declares": ["n1"]}})
    (row,) = json.loads(project.gdcc("graph", agency, "--json").stdout)["resources"]
    assert row["urn"].endswith("::n1")
    refused = project.gdcc("graph", agency, "--svg", str(tmp_path / "nowhere" / "stack.svg"))
    assert (refused.exit_code, "cannot be written" in refused.stderr) == (1, True)
    assert project.gdcc("graph", "nobody").exit_code == 1
    project.scenario(**{stack: {"declares": ["n1"], "violates": "no-host-pinning"}})
    broken = project.gdcc("graph", agency)
    assert (broken.exit_code, "policy no-host-pinning" in broken.stderr) == (1, True)


def test_new_stacks_keep_their_secrets_as_they_are_told_to_or_as_the_foundation_does(project):
    def made():
        return [words for words in project.calls() if words[:2] == ["stack", "init"]]

    one, two, three = project.stacks
    project.gdcc("up", *project.chosen(1), "--secrets-provider", "hashivault://gdcc")
    assert made()[-1] == ["stack", "init", "--no-select", one, "--secrets-provider", "hashivault://gdcc"]
    file = project.root / "infra/stacks/Pulumi.foundation.yaml"
    file.write_text('{"secretsprovider": "awskms://ours", "config": {"gdcc:roles": {"member": "m", "reader": "r"}}}')
    project.gdcc("up", "--agency", project.agencies[1])
    assert made()[-1] == ["stack", "init", "--no-select", two, "--secrets-provider", "awskms://ours"]
    file.write_text('{"config": {"gdcc:roles": {"member": "m", "reader": "r"}}}')
    project.gdcc("up", "--agency", project.agencies[2])
    assert made()[-1] == ["stack", "init", "--no-select", three]

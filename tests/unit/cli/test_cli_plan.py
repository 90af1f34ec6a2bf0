"""`gdcc plan` and `gdcc explain` from a snapshot file, with no cloud and no configuration."""

import json
import os
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from benchmarks.parts import perturbed, small_instances
from controller.adapters import plan_file, snapshot_file
from controller.cli import plan
from controller.cli.main import app
from controller.model.policy import Policy
from controller.planner import anytime, check
from controller.planner import plan as planning
from tests import builders
from tests.builders import Host, Vm


@pytest.fixture
def snapshot(tmp_path):
    def written(**more):
        hosts = [Host(name="c1", memory_health=2), Host(name="c2", **more)]
        path = tmp_path / "cluster.json"
        snapshot_file.write(builders.cluster(hosts=hosts, vms=[Vm(name="a", host="c1")]), path)
        return str(path)

    return written


def gdcc(*words):
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


def words_of(answer) -> str:
    return " ".join(answer.output.replace("│", " ").split())


def test_a_plan_shows_moves_limits_and_a_sentence(snapshot):
    answer = gdcc("plan", "--snapshot", snapshot())
    assert answer.exit_code == 0, answer.output
    assert "1 move in 1 wave: 1 of 1 breach mended, none left." in answer.output
    assert "health:c1" in answer.output


def test_a_plan_that_leaves_something_broken_exits_1_and_says_what_holds_it(snapshot):
    answer = gdcc("plan", "--snapshot", snapshot(inlet=30.0))
    assert answer.exit_code == 1
    assert "heat" in answer.output


@pytest.mark.parametrize("name", ["web[/prod]", "[conceal]web", "[red]"])
def test_what_a_tenant_calls_a_server_is_shown_as_it_is(tmp_path, name):
    hosts = [Host(name="c1", memory_health=2, clearance=0), Host(name="c2")]
    vms = [Vm(name=name, host="c1", classification=1), Vm(name=f"{name} held", host="c1", locked=True)]
    path = tmp_path / "cluster.json"
    snapshot_file.write(builders.cluster(hosts=hosts, vms=vms), path)
    for words in (("plan",), ("explain", "1"), ("explain", "c1"), ("explain", f"{name} held")):
        answer = gdcc(*words, "--snapshot", path)
        assert answer.exit_code == (1 if words == ("plan",) else 0), answer.exception
        assert name in words_of(answer)


@pytest.mark.parametrize("out", [".", "/"])
def test_a_plan_cannot_be_written_to_what_is_no_file(snapshot, out):
    answer = gdcc("plan", "--snapshot", snapshot(), "--out", out)
    assert answer.exit_code == 1
    assert "cannot be written: it names no file" in answer.output


def test_of_more_rows_than_a_person_looks_through_the_rest_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "MOST_ROWS", 2)
    hosts = [Host(name="c1", memory_health=2), *[Host(name=f"c{n}") for n in range(2, 7)]]
    path = tmp_path / "cluster.json"
    held = Vm(name="held", host="c1", locked=True)
    snapshot_file.write(
        builders.cluster(hosts=hosts, vms=[held, *[Vm(name=f"v{n}", host="c1") for n in range(5)]]), path
    )
    answer = gdcc("plan", "--snapshot", path)
    assert "and 3 more: --out FILE or --json gives all of them" in words_of(answer)
    assert [name in answer.output for name in ("v0", "v1", "v4")] == [True, True, False]
    assert len(json.loads(gdcc("plan", "--snapshot", path, "--json").stdout)["plan"]["moves"]) == 5


def test_json_is_the_file_that_out_writes(snapshot, tmp_path):
    out = tmp_path / "plan.json"
    answer = gdcc("plan", "--snapshot", snapshot(), "--json", "--out", out)
    assert json.loads(answer.stdout) == json.loads(out.read_text())
    assert plan_file.read(out).moves[0].target == "c2"


def test_a_move_is_explained_in_a_sentence_and_in_numbers(snapshot):
    answer = gdcc("explain", "1", "--snapshot", snapshot())
    assert "c1 reports failing memory" in answer.output
    assert "broken: 1 → 0" in answer.output


def test_a_move_says_what_pays_for_it_and_what_would_undo_it(snapshot):
    answer = words_of(gdcc("explain", "1", "--snapshot", snapshot()))
    assert "paid for by VMs on c1 1 → 0, may be 0 (broken 1 → 0)" in answer
    assert "it would not move for health:c1 if c1 reported no failing memory" in answer
    told = json.loads(gdcc("explain", "1", "--snapshot", snapshot(), "--json").stdout)
    assert told["paid_by"] == told["terms"][0]["key"] == "health:c1"
    assert told["unless"][0]["conditions"] == [
        {"what": "memory_health", "subject": "c1", "unit": "", "now": 2.0, "at": 0.0,
         "words": "c1 reported no failing memory"}
    ]  # fmt: skip


@pytest.mark.parametrize("subject", ["a", "c1", "health:c1"])
def test_what_stays_says_the_rules_that_leave_no_target(snapshot, subject):
    path = snapshot(inlet=30.0)
    answer = words_of(gdcc("explain", subject, "--snapshot", path))
    assert "a minimal set of rules that leaves no target, over 1 hosts; none of them can be dropped" in answer
    assert "heat rules out 1 in r1; nothing else keeps it off c2" in answer
    told = json.loads(gdcc("explain", subject, "--snapshot", path, "--json").stdout)
    conflict = told["conflict"] or told["left"][0]["conflict"]
    assert [share["rule"] for share in conflict["shares"]] == ["heat"]


def test_a_host_that_cannot_be_emptied_says_so_in_the_sentence_and_in_the_plan(snapshot):
    path = snapshot(inlet=30.0)
    assert (
        "c1 cannot be emptied: 1 VM of agency has no target: heat rules out the only other host"
        in words_of(gdcc("explain", "c1", "--snapshot", path))
    )  # fmt: skip
    assert "every target is ruled out: heat rules out the only other host" in words_of(gdcc("plan", "--snapshot", path))


def test_explaining_by_a_plan_of_another_snapshot_is_refused(snapshot, tmp_path):
    path = snapshot()
    gdcc("plan", "--snapshot", path, "--out", tmp_path / "plan.json")
    data = json.loads((tmp_path / "plan.json").read_text())
    data["plan"]["estate"] = "elsewhere"
    (tmp_path / "plan.json").write_text(json.dumps(data))
    answer = gdcc("explain", "a", "--snapshot", path, "--plan", tmp_path / "plan.json")
    assert answer.exit_code == 1
    assert "was made from a snapshot of elsewhere" in answer.output


@pytest.mark.parametrize("subject", ["1", "2", "a", "c1", "health:c1"])
@pytest.mark.parametrize(
    "change",
    [{"vm": "nobody"}, {"target": "c9"}, {"source": "c9"}, {"target": "c1"}, {"copy": "P1D"}],
)
def test_explaining_by_a_plan_whose_moves_are_none_of_the_snapshot_is_refused(tmp_path, change, subject):
    path, out = tmp_path / "cluster.json", tmp_path / "plan.json"
    hosts = [Host(name="c1", memory_health=2), Host(name="c2")]
    snapshot_file.write(builders.cluster(hosts=hosts, vms=[Vm(name=name, host="c1") for name in "ab"]), path)
    gdcc("plan", "--snapshot", path, "--out", out)
    data = json.loads(out.read_text())
    data["plan"]["moves"][0].update(change)
    out.write_text(json.dumps(data))
    answer = gdcc("explain", subject, "--snapshot", path, "--plan", out)
    assert answer.exit_code == 1
    assert "does not fit this snapshot under this policy: move 1" in words_of(answer)


def test_explaining_under_another_policy_than_the_plans_is_refused(tmp_path):
    path, out, config = tmp_path / "cluster.json", tmp_path / "plan.json", tmp_path / "controller.yaml"
    hosts = [Host(name="c1", cpu=0.7), Host(name="c2")]
    cluster = builders.cluster(hosts=hosts, vms=[Vm(name="a", host="c1", vcpus=16, cpu=16.0)])
    snapshot_file.write(cluster, path)
    config.write_text("version: 1\nestate: e\npolicy: {thresholds: {cpu_ratio: 0.6}}\n")
    assert gdcc("plan", "--snapshot", path, "--config", config, "--out", out).exit_code == 0
    assert gdcc("explain", "1", "--snapshot", path, "--config", config, "--plan", out).exit_code == 0
    answer = gdcc("explain", "1", "--snapshot", path, "--plan", out)
    assert answer.exit_code == 1
    assert "hot before the plan would be 0, and it says 0.1666" in words_of(answer)


def test_without_a_snapshot_the_daemon_is_asked_and_told_that_it_is_not_there(tmp_path):
    for words in (["plan"], ["explain", "a"]):
        answer = gdcc(*words, "--socket", tmp_path / "none.sock")
        assert answer.exit_code == 1
        assert "none.sock" in answer.output
    assert gdcc("plan", "--cold", "c1").exit_code == 2


def test_a_snapshot_that_is_not_there_is_one_line_and_exit_1(tmp_path):
    answer = gdcc("plan", "--snapshot", tmp_path / "none.json")
    assert answer.exit_code == 1
    assert "cannot be read" in answer.output


def test_with_a_time_limit_each_better_plan_is_told_and_the_best_is_given(snapshot, tmp_path):
    out = tmp_path / "plan.json"
    answer = gdcc("plan", "--snapshot", snapshot(), "--time-limit", "5", "--out", out)
    assert answer.exit_code == 0, answer.output
    assert " s: 1 move in 1 wave" in answer.stderr
    assert plan_file.read(out).moves[0].target == "c2"
    again = gdcc("plan", "--snapshot", snapshot(), "--rounds", "2", "--json")
    assert json.loads(again.stdout)["plan"]["id"] == plan_file.read(out).id


def test_a_seed_wants_rounds_to_decide_over(snapshot):
    assert gdcc("plan", "--snapshot", snapshot(), "--rounds", "2", "--seed", "7").exit_code == 0
    alone = gdcc("plan", "--snapshot", snapshot(), "--seed", "7")
    assert alone.exit_code == 2
    assert "add --rounds or --time-limit" in alone.output


def test_a_limit_of_a_tenth_of_a_second_gives_a_whole_plan(snapshot):
    assert gdcc("plan", "--snapshot", snapshot(), "--time-limit", "0.1").exit_code in {0, 1}


def test_ctrl_c_takes_the_best_plan_so_far(snapshot, monkeypatch):
    def stopped(cluster, policy, now, spent, *, rounds, seed):
        yield planning.plan(cluster, policy, now)
        raise KeyboardInterrupt

    monkeypatch.setattr(anytime, "plans", stopped)
    answer = gdcc("plan", "--snapshot", snapshot(), "--time-limit", "60")
    assert "the best plan so far" in answer.stderr and "1 move in 1 wave" in answer.stdout


def test_a_time_limit_belongs_to_a_plan_that_is_made_here(snapshot):
    assert gdcc("plan", "--time-limit", "5").exit_code == 2
    assert gdcc("plan", "--snapshot", snapshot(), "--time-limit", "0").exit_code == 2
    assert gdcc("plan", "--snapshot", snapshot(), "--time-limit", "nan").exit_code == 2
    assert gdcc("plan", "--snapshot", snapshot(), "--recommended").exit_code == 2
    assert gdcc("explain", "a", "--snapshot", snapshot(), "--recommended").exit_code == 2
    assert gdcc("plan", "--snapshot", snapshot(), "--time-limit", "5", "--cold", "c1").exit_code == 2


def test_a_plan_that_frees_hosts_shows_them_and_what_that_saves(tmp_path):
    hosts = [Host(name=f"c{n}") for n in range(1, 5)]
    vms = [Vm(name=f"v{n}", host=f"c{n}") for n in range(1, 5)]
    path, config = tmp_path / "cluster.json", tmp_path / "controller.yaml"
    snapshot_file.write(builders.cluster(hosts=hosts, vms=vms), path)
    config.write_text("version: 1\nestate: e\npolicy: {consolidation: {enabled: true}}\n")
    seen = ("--snapshot", path, "--config", config)
    shown = words_of(gdcc("plan", *seen))
    assert "frees 2 hosts, 584 W idle saved for 16 GiB copied" in shown
    assert "c1 292 W 8 GiB" in shown
    told = json.loads(gdcc("plan", *seen, "--json").stdout)["plan"]
    assert told["frees"][0] == {"host": "c1", "idle_watts": 292.0, "copied_gib": 8.0}
    assert "the plan frees it: 292 W idle saved" in words_of(gdcc("explain", "c1", *seen))


def test_a_large_estate_and_a_tenth_of_a_second_give_a_plan_that_is_checked(tmp_path):
    path, out = tmp_path / "cluster.json", tmp_path / "plan.json"
    cluster = perturbed.perturbed(500, 9_450, 1)
    snapshot_file.write(cluster, path)
    answer = gdcc("plan", "--snapshot", path, "--time-limit", "0.1", "--out", out)
    assert answer.exit_code in {0, 1}, answer.exception
    made = plan_file.read(out)
    assert check.problems(cluster, Policy(), made) == ()
    assert made.score_after <= made.score_before


def test_ctrl_c_ends_a_search_with_the_best_plan_so_far(tmp_path):
    path, out = tmp_path / "cluster.json", tmp_path / "plan.json"
    cluster = small_instances.cluster(14)
    snapshot_file.write(cluster, path)
    words = ("plan", "--snapshot", path, "--time-limit", "600", "--out", out, "--json")
    command = [sys.executable, "-m", "controller", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=os.environ | {"COLUMNS": "200"}) as running:  # fmt: skip
        first = running.stderr.readline()
        running.send_signal(signal.SIGINT)
        told, said = running.communicate(timeout=120)
    assert first.startswith("after ") and "stopped; the best plan so far follows" in said
    assert running.returncode == 1, said
    made = plan_file.read(out)
    assert json.loads(told) == plan_file.plain(made) and check.problems(cluster, Policy(), made) == ()

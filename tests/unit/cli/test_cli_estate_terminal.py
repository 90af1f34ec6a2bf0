"""`gdcc estate` on a terminal: the table that lives, and what each Ctrl-C does."""

import json
import os
import sys

import pytest

from tests.fakes.estate_project import Project
from tests.fakes.terminal import Terminal

CTRL_C = b"\x03"


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path)
    one, two, three = made.stacks
    made.deployed(one, two, three)
    declares = {"declares": ["n1", "n2", "n3"]}
    made.scenario(**{one: {**declares, "holds": "n2", "stubborn": True}, two: declares, three: declares})
    return made


def up(project):
    argv = [sys.executable, "-m", "controller", "estate", "up", *project.chosen(), "--parallel", "1"]
    return Terminal([*argv, "--root", str(project.root)], {**os.environ, **project.env})


def test_the_table_shows_the_stacks_that_run_what_they_do_and_how_many_wait(project):
    one = project.stacks[0]
    with up(project) as terminal:
        project.until_under_way(one, "n2")
        shown = terminal.until("create n2")
        assert "3 stacks: 2 waiting, 1 running" in shown
        (row, *_) = [line for line in shown.splitlines() if line.lstrip().startswith(one) and "create n2" in line]
        assert row.split()[:3] == [one, "running", "up"]
        terminal.type(CTRL_C)
        terminal.until("stopping: 1 stacks end what they began; nothing new is begun")
        terminal.type(CTRL_C)
        terminal.until(f"{one}: its lock; create of n2 under way")
        terminal.type(CTRL_C)
        assert terminal.ended() == 1


def test_a_second_interrupt_says_what_a_third_would_leave_behind_and_the_third_leaves_it(project):
    one, two, _ = project.stacks
    with up(project) as terminal:
        project.until_under_way(one, "n2")
        terminal.until("create n2")
        terminal.type(CTRL_C)
        terminal.until("nothing new is begun")
        assert project.resources(one) == ["n1"], "it still waits for the cloud"
        terminal.type(CTRL_C)
        terminal.until("once more ends them at once, and leaves behind:")
        assert project.pending(one) == ["n2"], "the second alone ends nothing"
        terminal.type(CTRL_C)
        assert terminal.ended() == 1
        assert "ended at once" in terminal.shown
        assert "stopped in the middle of 1; the next run asks the cloud about them" in terminal.shown
    assert (project.pending(one), project.resources(two)) == (["n2"], [])


def test_at_the_end_the_table_stays_with_every_stack_and_its_words(project):
    project.scenario(**{each: {"declares": ["n1"]} for each in project.stacks})
    with up(project) as terminal:
        assert terminal.ended() == 0
    last = terminal.shown[terminal.shown.rindex("3 stacks: 3 done") :]
    for stack in project.stacks:
        (row,) = [line.split() for line in last.splitlines() if line.lstrip().startswith(f"{stack} ")]
        assert row[:3] == [stack, "done", "up"] and row[-2:] == ["1", "created"]
    assert json.loads((project.home / "stacks" / f"{project.stacks[0]}.json").read_text())["pending"] == []

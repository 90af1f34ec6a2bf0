"""Locks that `gdcc estate` meets: shown with whose they are, and taken away only on request and from the dead."""

import json
import os
from datetime import UTC, datetime

import pytest

from tests.fakes.estate_project import Project


@pytest.fixture
def project(tmp_path):
    """A repository with an estate, and a backend that is empty."""
    return Project(tmp_path)


def dead_pid():
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)
    return child


def now():
    return datetime.now(UTC).isoformat()


def test_a_dead_lock_is_shown_and_taken_away_only_on_request(project):
    stack = project.stacks[0]
    project.deployed(stack)
    project.scenario(**{stack: {"declares": ["n1"]}})
    project.lock(stack, dead_pid())
    answer = project.gdcc("up", *project.chosen(1))
    assert answer.exit_code == 1
    assert "locked by ada@" in answer.stdout and "since 2026-11-21 07:13:56 UTC" in answer.stdout
    assert f"--unlock {stack}" in answer.stdout
    listed = json.loads(project.gdcc("list", *project.chosen(1), "--json").stdout)["stacks"][0]
    assert listed["locks"][0]["user"] == "ada"
    assert project.resources(stack) == []
    assert project.gdcc("up", *project.chosen(1), "--unlock", stack).exit_code == 0
    assert project.resources(stack) == ["n1"]


def test_a_lock_whose_process_lives_stays(project):
    stack = project.stacks[0]
    project.deployed(stack)
    project.lock(stack, os.getpid(), since=now())
    answer = project.gdcc("up", *project.chosen(1), "--unlock", stack)
    assert answer.exit_code == 1
    assert "still runs: the lock stays" in answer.stderr
    assert ["cancel"] not in [words[:1] for words in project.calls()]


def test_a_lock_whose_process_ended_goes_though_another_has_its_number_by_now(project):
    stack = project.stacks[0]
    project.deployed(stack)
    project.lock(stack, os.getpid(), since="2020-01-01T00:00:00Z")
    assert project.gdcc("up", *project.chosen(1), "--unlock", stack).exit_code == 0


def test_locks_of_a_folder_beside_the_repository_are_seen_from_anywhere(project):
    stack, project.backend = project.stacks[0], "file://.."
    project.deployed(stack)
    project.lock(stack, os.getpid(), since=now())
    listed = json.loads(project.gdcc("list", *project.chosen(1), "--json").stdout)["stacks"][0]
    assert listed["locks"][0]["user"] == "ada"
    answer = project.gdcc("up", *project.chosen(1), "--unlock", stack)
    assert "still runs: the lock stays" in answer.stderr


def test_a_lock_in_a_backend_that_is_no_directory_is_taken_away_only_once_its_process_is_gone(project):
    """Its locks cannot be read: they are told by a call that needs them."""
    stack, project.backend = project.stacks[0], "postgres://gdcc@db.example/pulumi"
    project.deployed(stack, pending=["n1"])
    project.scenario(**{stack: {"declares": ["n2"]}})
    project.lock(stack, os.getpid(), since=now())
    refused = project.gdcc("preview", *project.chosen(1), "--unlock", stack)
    assert refused.exit_code == 1
    assert "still runs: the lock stays" in refused.stderr
    (project.home / f".pulumi/locks/organization/gdcc/{stack}/1.json").unlink()
    (project.home / f".pulumi/locks/organization/gdcc/{stack}").rmdir()
    project.lock(stack, dead_pid())
    answer = project.gdcc("preview", *project.chosen(1), "--unlock", stack, "--json")
    assert answer.exit_code == 0
    assert f"{stack}: was locked by ada@" in answer.stderr
    assert json.loads(answer.stdout)["stacks"][0]["says"] == "1 to create"
    assert project.pending(stack) == ["n1"], "it is still to be asked about"
    assert "is not locked" in project.gdcc("preview", *project.chosen(1), "--unlock", stack).stderr
    assert [words[0] for words in project.calls()].count("cancel") == 1


def test_a_backend_that_does_not_answer_is_not_taken_for_a_stack_without_a_lock(project):
    stack, project.backend = project.stacks[0], "postgres://gdcc@db.example/pulumi"
    project.deployed(stack)
    project.scenario(**{stack: {"unreachable": True}})
    answer = project.gdcc("preview", *project.chosen(1), "--unlock", stack)
    assert answer.exit_code == 1
    assert f"{stack}: cannot tell whether it is locked: the backend is not reachable" in answer.stderr

"""The example of the challenge's problem definition, from its files to the solved file, as a user runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.roadef import instance
from controller.planner.assignment import objective

MODEL = """
2  1 100  0 10
4  0 0  30 400  16 80  0 1 4 5
   0 0  10 240  8 160  1 0 3 4
   1 1  15 100  12 80  4 3 0 2
   1 2  10 100  8 80  5 4 2 0
2  2 0  1 1 0
3  0 12 10 1000  0 10 20 100  1 6 200 1
1  0 1 20 10
1 10 100
"""
"""Problem definition, 2.1; the best that can be done is told in 2.2: cost 2411."""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    model, assignment = tmp_path / "model.txt", tmp_path / "assignment.txt"
    model.write_text(MODEL)
    assignment.write_text("0 3 0\n")
    return model, assignment


def test_the_example_costs_what_the_definition_says(files: tuple[Path, Path]) -> None:
    problem = instance.read_problem(files[0], instance.read_assignment(files[1]))
    bins = [(0, 3, 0), (0, 2, 0), (0, 2, 1)]
    assert [objective.cost(problem, np.array(each)).total for each in bins] == [4200, 3510, 2411]


def test_machines_of_equal_costs_are_one_class_only_where_that_tells_every_cost() -> None:
    between = np.array([[0, 1, 7], [1, 0, 7], [3, 3, 0]])
    classes, costs = instance.classes_of_routes(between)
    of_pairs = costs[np.ix_(classes, classes)]
    np.testing.assert_array_equal(of_pairs[~np.eye(3, dtype=bool)], between[~np.eye(3, dtype=bool)])
    assert len(instance.classes_of_routes(np.array([[0, 1, 2], [3, 0, 4], [5, 6, 0]]))[1]) == 3


def test_a_file_that_ends_early_is_told(files: tuple[Path, Path]) -> None:
    files[0].write_text(MODEL.rsplit(maxsplit=2)[0])
    with pytest.raises(instance.MalformedInstanceError, match="ends after"):
        instance.read_problem(files[0], instance.read_assignment(files[1]))


def test_a_file_that_goes_on_is_told(files: tuple[Path, Path]) -> None:
    files[0].write_text(MODEL + "7")
    with pytest.raises(instance.MalformedInstanceError, match="goes on"):
        instance.read_problem(files[0], instance.read_assignment(files[1]))


@pytest.mark.lab
def test_two_processes_solve_it_the_same_way_every_time(files: tuple[Path, Path], tmp_path: Path) -> None:
    written = []
    for name in ("first.txt", "second.txt"):
        command = [sys.executable, "-m", "benchmarks.roadef", *map(str, files), "--tries", "300000"]
        subprocess.run([*command, "--processes", "2", "--out", str(tmp_path / name)], check=True, timeout=300)
        written.append((tmp_path / name).read_text())
    assert written == ["0 2 1\n"] * 2


def test_an_interrupt_writes_the_best_so_far(files: tuple[Path, Path], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.roadef", *map(str, files), "--tries", str(2**60), "--processes", "1"]
    with subprocess.Popen(
        [*command, "--out", str(tmp_path / "new.txt")], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        assert running.stdout is not None
        assert any("ready" in line for line in running.stdout)
        os.killpg(running.pid, signal.SIGINT)
        assert "written" in running.stdout.read()
    assert running.returncode == 0
    assert (tmp_path / "new.txt").exists()

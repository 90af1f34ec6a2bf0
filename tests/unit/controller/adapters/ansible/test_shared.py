"""Locks and artifacts are the group's of the folder that they are in, whatever the umask of who made them."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.adapters.ansible import held, shared
from controller.adapters.ansible.artifacts import Artifacts
from controller.adapters.ansible.redaction import Redactor
from controller.errors import InputError, RefusedError
from controller.model.ids import HostName
from controller.model.playbook import LONGEST_RUN_ID, PlaybookResult, PlaybookRun, RunId

C1 = HostName("c1")


@pytest.fixture(params=[0o077, 0o022, 0])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory, of a group that is not its maker's first one where the tests may do that."""
    made = tmp_path / "state"
    made.mkdir()
    os.chown(made, -1, 4711 if os.geteuid() == 0 else max(os.getgroups()))
    return made


def shown(path: Path, state: Path) -> str:
    """Its mode, and whether its group is the state directory's."""
    found = path.stat()
    return f"{stat.S_IMODE(found.st_mode):o} {'ours' if found.st_gid == state.stat().st_gid else found.st_gid}"


def run(name: str = "r1") -> PlaybookRun:
    return PlaybookRun(id=RunId(name), playbook="site.yml", hosts=(C1,), timeout=timedelta(hours=1))


@pytest.mark.usefixtures("umask")
def test_a_hosts_lock_may_be_taken_by_the_group(state: Path) -> None:
    home = state / "ansible"
    with held.hosts(home, [C1]):
        assert [shown(path, state) for path in (home, home / held.FOLDER, home / held.FOLDER / C1)] == [
            "770 ours",
            "770 ours",
            "660 ours",
        ]
        with pytest.raises(RefusedError, match=f"process {os.getpid()} works on it"), held.hosts(home, [C1]):
            pass
    with held.hosts(home, [C1]):
        pass


@pytest.mark.usefixtures("umask")
def test_what_a_run_leaves_is_the_groups_to_read_and_to_clear_away(state: Path) -> None:
    home, now = state / "ansible", datetime(2026, 11, 21, tzinfo=UTC)
    with Artifacts(home, run(), now, kept=10, redactor=Redactor(frozenset())) as artifacts:
        artifacts.close(PlaybookResult(run=run(), hosts={}, ended_at=now, artifacts=str(artifacts.folder)))
    assert [shown(path, state) for path in (home, artifacts.folder)] == ["770 ours", "770 ours"]
    assert {shown(path, state) for path in artifacts.folder.iterdir()} == {"640 ours"}
    assert len(list(artifacts.folder.iterdir())) == 4
    with pytest.raises(InputError, match="made before"):
        Artifacts(home, run(), now, kept=10, redactor=Redactor(frozenset()))


def test_a_folder_that_is_there_keeps_the_mode_that_it_was_given(state: Path) -> None:
    home = state / "ansible"
    home.mkdir(mode=0o700)
    shared.folder(home, there=True)
    assert shown(home, state).startswith("700")


def test_a_runs_id_may_be_as_long_as_a_folders_name(state: Path) -> None:
    now, nothing = datetime(2026, 11, 21, tzinfo=UTC), Redactor(frozenset())
    with Artifacts(state, run("r" * LONGEST_RUN_ID), now, kept=10, redactor=nothing) as artifacts:
        assert artifacts.folder.is_dir()
    with pytest.raises(InputError, match="cannot be a run's id"):
        Artifacts(state, run("r" * (LONGEST_RUN_ID + 1)), now, kept=10, redactor=nothing)

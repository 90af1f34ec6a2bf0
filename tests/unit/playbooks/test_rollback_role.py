"""The script that takes an unconfirmed change back, on a folder instead of a host, with a recording systemd."""

import io
import json
import os
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.playbooks.role_modules import role_module


def planned(**differing: object) -> dict[str, object]:
    """Of files of whoever runs the test."""
    own = {"owner": os.geteuid(), "group": os.getegid(), "mode": "0640"}
    return {
        "files": {},
        "absent": [],
        **own,
        "apply": [],
        "restore": [],
        "seconds": 60,
        "settle_seconds": 0,
        **differing,
    }


@pytest.fixture
def rollback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script; `systemd-run` says yes and does nothing, so that what it was to do is called by the test."""
    (tmp_path / "bin").mkdir()
    systemd_run = tmp_path / "bin" / "systemd-run"
    systemd_run.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/timers\n')
    systemd_run.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("GDCC_ROLLBACK_STATE", str(tmp_path / "state"))
    script = role_module("rollback/files/gdcc_rollback.py")
    monkeypatch.setattr(script, "connection_began_s", lambda process: None)
    return script


@pytest.fixture
def changed(rollback: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that stands, in an armed change of it and of one that does not stand yet."""
    file, new = tmp_path / "a.network", tmp_path / "b.network"
    file.write_text("old")
    file.chmod(0o640)
    commands = {"apply": [f"touch {tmp_path}/applied"], "restore": [f"-false {tmp_path}", f"touch {tmp_path}/restored"]}
    plan = planned(files={str(file): "new", str(new): "new"}, **commands)
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(plan)))
    assert rollback.main(["arm", "network"]) == 0
    return file


def test_a_change_that_nobody_confirms_leaves_the_old_files_and_runs_what_restores_them(
    rollback: ModuleType, changed: Path, tmp_path: Path
) -> None:
    assert "--on-active=60s" in (tmp_path / "timers").read_text()
    rollback.main(["apply-now", "network"])
    assert changed.read_text() == (tmp_path / "b.network").read_text() == "new"
    rollback.main(["restore", "network"])
    assert changed.read_text() == "old"
    assert changed.stat().st_mode & 0o777 == 0o640
    assert not (tmp_path / "b.network").exists()
    assert (tmp_path / "restored").exists()


def test_the_next_boot_brings_the_files_back_and_runs_nothing(
    rollback: ModuleType, changed: Path, tmp_path: Path
) -> None:
    rollback.main(["apply-now", "network"])
    rollback.main(["restore", "--all"])
    assert changed.read_text() == "old"
    assert not (tmp_path / "restored").exists()


def test_a_change_is_confirmed_only_after_it_was_applied(rollback: ModuleType, changed: Path, tmp_path: Path) -> None:
    assert rollback.main(["confirm", "network"]) == rollback.NOT_YET
    rollback.main(["apply-now", "network"])
    assert (tmp_path / "applied").exists()
    assert rollback.main(["confirm", "network"]) == 0
    assert changed.read_text() == "new"
    with pytest.raises(rollback.RefusedError, match="no change to the network waits here"):
        rollback.main(["restore", "network"])


def test_a_change_that_was_kept_is_known_from_one_that_was_taken_back(
    rollback: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while the commands still run that put the old files into effect."""
    told = tmp_path / "state" / "network.rolled-back.json"
    plan = json.dumps(planned(files={str(tmp_path / "a"): "new"}, restore=[f"cp {told} {tmp_path}/meanwhile"]))
    for word in ("restore", "confirm"):
        monkeypatch.setattr("sys.stdin", io.StringIO(plan))
        rollback.main(["arm", "network"])
        rollback.main(["apply-now", "network"])
        rollback.main([word, "network"])
        assert told.exists() is (word == "restore")
    assert "have not ended" in json.loads((tmp_path / "meanwhile").read_text())["failure"]


def test_a_connection_from_before_the_change_confirms_nothing(
    rollback: ModuleType, changed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollback.main(["apply-now", "network"])
    monkeypatch.setattr(rollback, "connection_began_s", lambda process: 0.0)
    assert rollback.main(["confirm", "network"]) == rollback.NOT_YET
    assert changed.read_text() == "new"


def test_a_second_change_is_refused_while_the_first_waits(rollback: ModuleType, changed: Path) -> None:
    again = planned(files={str(changed): "newer"})
    with pytest.MonkeyPatch.context() as patch, pytest.raises(rollback.RefusedError, match="not confirmed yet"):
        patch.setattr("sys.stdin", io.StringIO(json.dumps(again)))
        rollback.main(["arm", "network"])
    rollback.main(["restore", "network"])
    assert changed.read_text() == "old"


def test_what_fails_to_apply_is_never_confirmed(
    rollback: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(apply=["ls /no/such"])
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(plan)))
    rollback.main(["arm", "firewall"])
    rollback.main(["apply-now", "firewall"])
    with pytest.raises(rollback.RefusedError, match="the firewall was not applied: `ls /no/such` said: "):
        rollback.main(["confirm", "firewall"])


def test_a_timer_that_was_faster_than_the_controller_leaves_nothing_of_the_change(
    rollback: ModuleType, changed: Path, tmp_path: Path
) -> None:
    rollback.main(["restore", "network"])
    with pytest.raises(rollback.RefusedError, match="no change to the network waits here"):
        rollback.main(["apply-now", "network"])
    assert changed.read_text() == "old"
    assert not (tmp_path / "b.network").exists()

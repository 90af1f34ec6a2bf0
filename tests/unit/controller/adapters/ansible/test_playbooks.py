"""Playbooks run by the real Ansible, on this machine under several names."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.ansible import private, processes
from controller.adapters.ansible.playbooks import AnsiblePlaybooks
from controller.adapters.ansible.site import Site
from controller.errors import InputError, PermanentError
from controller.model.ids import HostName
from controller.model.playbook import PlaybookResult, PlaybookRun, RunId, TaskEvent, TaskStatus
from tests.fakes.ansible_site import encrypted, site

pytestmark = pytest.mark.lab
"""No lab, but too long for every change: Ansible's own processes, many times over."""

PLANTED = "planted-grue-42"
VAULTED = "vaulted-grue-43"
PASSWORD = "sesame-grue-44"
ENVIRONMENT = "environment-grue-45"
HIDDEN = "unlogged-grue-46"

MIXED = """\
- name: Work
  hosts: all
  gather_facts: false
  tasks:
    - name: Tell both secrets
      ansible.builtin.debug:
        msg: "{{ token | default('none') }} {{ stored }} {{ token | b64encode }}"
    - name: Write them where a diff shows them
      ansible.builtin.copy:
        content: "{{ stored }} {{ token }}"
        dest: "{{ folder }}/{{ inventory_hostname }}"
        mode: "0600"
    - name: Hide one
      ansible.builtin.command:
        argv: [echo, unlogged-grue-46]
      no_log: true
      when: inventory_hostname == 'nobody'
    - name: Fail on one
      ansible.builtin.command:
        argv: [sh, -c, "echo 'E: Could not get lock with {{ token }}' >&2; exit 3"]
      when: inventory_hostname == 'bad'
    - name: Wait for the test
      ansible.builtin.wait_for:
        path: "{{ folder }}/seen"
        sleep: 1
    - name: Tell facts
      ansible.builtin.set_stats:
        data: {kernel: "6.1", shown: "{{ stored }}"}
        per_host: true
"""
WRITE = """\
- name: Write
  hosts: all
  gather_facts: false
  tasks:
    - name: Write a file
      ansible.builtin.copy:
        content: "declared\\n"
        dest: "{{ folder }}/written"
        mode: "0600"
"""
SLEEP = """\
- name: Sleep
  hosts: all
  gather_facts: false
  tasks:
    - name: Sleep long
      ansible.builtin.command:
        argv: [sleep, "600"]
"""
HALF = """\
- name: Half
  hosts: all
  gather_facts: false
  max_fail_percentage: 10
  tasks:
    - name: Fail on one
      ansible.builtin.fail:
        msg: "declared 9000, found 1500"
      when: inventory_hostname == 'bad'
    - name: Come after
      ansible.builtin.debug:
"""
TELL = """\
- name: Tell
  hosts: all
  gather_facts: false
  tasks:
    - name: Tell a secret
      ansible.builtin.debug:
        msg: "it is {{ stored }}"
"""
BROKEN = "- name: Broken\n  hosts: all\n  tasks:\n    - no_such_action_at_all: 1\n"

QUITS = """\
import os
import sys

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_NAME = "quits"

    def v2_playbook_on_stats(self, stats):
        sys.stdout.flush()  # what was said before is heard; it goes without a farewell
        os._exit(7)
"""

PLAYBOOKS = {"mixed.yml": MIXED, "write.yml": WRITE, "sleep.yml": SLEEP, "half.yml": HALF, "broken.yml": BROKEN}


def asked(
    name: str, *hosts: str, variables: Mapping[str, str] | None = None, timeout_s: float = 120, **more: Any
) -> PlaybookRun:
    return PlaybookRun(
        id=RunId(name),
        playbook=more.pop("playbook", f"{name}.yml"),
        hosts=tuple(map(HostName, hosts)),
        variables=dict(variables or {}),
        timeout=timedelta(seconds=timeout_s),
        **more,
    )


async def ran(place: Site, run: PlaybookRun) -> tuple[PlaybookResult, list[TaskEvent]]:
    seen: list[TaskEvent] = []
    return await AnsiblePlaybooks(place).run(run, seen.append), seen


@pytest.fixture
def place(tmp_path: Path) -> Site:
    return site(tmp_path, PLAYBOOKS)


def everything(*folders: Path) -> str:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return "\n".join(path.read_text(errors="replace") for path in files)


def folders(run: str) -> list[Path]:
    """The folders in memory of runs of this id, whichever process they are of."""
    return [lock.parent for lock in private.MEMORY.glob("gdcc-run-*/lock") if read(lock).startswith(run)]


def read(path: Path) -> str:
    """What a file says; nothing where it has just gone."""
    try:
        return path.read_text()
    except OSError:
        return ""


def command_lines() -> str:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)


async def test_each_host_has_its_result_and_no_secret_is_left_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TOKEN_OF_SOMEBODY", ENVIRONMENT)
    stored = encrypted(f"stored: {VAULTED}\n", PASSWORD, tmp_path / "made")
    place = site(tmp_path, PLAYBOOKS, vault=lambda: PASSWORD, files={"inventory/group_vars/all/vault.yml": stored})
    work = tmp_path / "work"
    work.mkdir()
    lines: list[str] = []

    def progress(event: TaskEvent) -> None:
        if event.task == "Wait for the test" and event.status is TaskStatus.STARTED:
            lines.append(command_lines())
            (work / "seen").touch()
        told.append(event)

    told: list[TaskEvent] = []
    variables = {"token": PLANTED, "folder": str(work)}
    run = asked("mixed", "good", "bad", "away", variables=variables, secrets=frozenset({"token"}))
    with caplog.at_level("DEBUG"):
        result = await AnsiblePlaybooks(place).run(run, progress)

    good, bad, away = (result.hosts[HostName(name)] for name in ("good", "bad", "away"))
    assert good.succeeded
    assert good.facts["kernel"] == "6.1"
    assert good.changes[0].task == "Write them where a diff shows them"
    assert bad.failure is not None
    assert bad.failure.task == "Fail on one"
    assert bad.failure.said == "non-zero return code: E: Could not get lock with <secret>"
    assert away.failure is not None
    assert away.failure.unreachable
    assert "Connection refused" in away.failure.said
    assert not result.succeeded
    assert {event.host for event in told} == {"good", "bad", "away"}

    left = everything(place.artifacts) + caplog.text + repr(result) + repr(told)
    assert lines, "the run was never looked at"
    for secret in (PLANTED, VAULTED, PASSWORD, ENVIRONMENT, HIDDEN):
        assert secret not in left
        assert secret not in "".join(lines)
    assert json.loads((Path(result.artifacts) / "run.json").read_text())["variables"]["token"] is None
    assert not folders("mixed")


async def test_a_run_in_check_shows_what_would_change_and_changes_nothing(place: Site, tmp_path: Path) -> None:
    result, _ = await ran(place, asked("write", "good", variables={"folder": str(tmp_path)}, check=True))
    (change,) = result.hosts[HostName("good")].changes
    assert change.diff.splitlines()[-1] == "+declared"
    assert not (tmp_path / "written").exists()


async def test_what_does_not_exist_is_refused_before_anything_runs(place: Site) -> None:
    refused = [
        (asked("a", "good", playbook="nothing.yml"), "there is no playbook 'nothing.yml'"),
        (asked("b", "good", playbook="../mixed.yml"), "there is no playbook"),
        (asked("c", "good", "c17", "c18", playbook="write.yml"), "has no c17, c18"),
        (asked("d", "good", playbook="write.yml", variables={"foldr": "/"}), "no playbook or role has foldr"),
        (asked("e", playbook="write.yml"), "a run needs a host"),
    ]
    playbooks = AnsiblePlaybooks(place)
    for run, words in refused:
        with pytest.raises(InputError, match=words):
            await playbooks.run(run, lambda _: None)
    assert not place.artifacts.exists()


async def test_a_vault_without_its_password_is_refused(tmp_path: Path) -> None:
    stored = encrypted("stored: planted\n", PASSWORD, tmp_path / "made")
    place = site(tmp_path, PLAYBOOKS, files={"root/playbooks/group_vars/all/vault.yml": stored})
    with pytest.raises(InputError, match=r"vault.yml: is encrypted, and no vault password is given"):
        await ran(place, asked("write", "good"))


async def test_no_secret_is_left_where_the_inventory_is_a_folder(tmp_path: Path) -> None:
    stored = encrypted(f"stored: {VAULTED}\n", PASSWORD, tmp_path / "made")
    files = {"inventory/group_vars/all/vault.yml": stored}
    made = site(tmp_path, {"tell.yml": TELL}, vault=lambda: PASSWORD, files=files)
    place = replace(made, inventory=made.inventory.parent)
    result, _ = await ran(place, asked("tell", "good"))
    assert result.succeeded
    assert VAULTED not in everything(place.artifacts) and "it is <secret>" in everything(place.artifacts)


async def test_a_playbook_that_ansible_cannot_read_is_told_in_its_words(place: Site) -> None:
    with pytest.raises(PermanentError, match="no_such_action_at_all"):
        await ran(place, asked("broken", "good"))


async def test_one_host_of_two_that_fails_breaks_off_the_other(place: Site) -> None:
    result, _ = await ran(place, asked("half", "good", "bad"))
    good, bad = result.hosts[HostName("good")], result.hosts[HostName("bad")]
    assert bad.failure is not None
    assert bad.failure.said == "declared 9000, found 1500"
    assert not good.ended
    assert good.failure is None


async def test_an_ansible_that_ends_badly_after_every_host_has_succeeded_on_none(tmp_path: Path) -> None:
    place = site(tmp_path, PLAYBOOKS, files={"root/playbooks/callback_plugins/quits.py": QUITS})
    result, _ = await ran(place, asked("write", "good", variables={"folder": str(tmp_path)}))
    assert (tmp_path / "written").exists()
    assert result.stopped is not None and result.stopped.startswith("Ansible ended with status 7 though no host failed")
    failure = result.hosts[HostName("good")].failure
    assert failure is not None and failure.said == result.stopped


async def test_a_run_that_takes_too_long_is_ended_with_its_processes(place: Site) -> None:
    result, _ = await ran(place, asked("sleep", "good", timeout_s=6))
    assert result.stopped == "it took longer than 6 s"
    assert not result.hosts[HostName("good")].ended
    assert not list(processes.of("sleep"))


async def test_a_run_that_is_cancelled_ends_its_processes(place: Site) -> None:
    begun, run = asyncio.Event(), asked("cancelled", "good", playbook="sleep.yml")
    task = asyncio.create_task(AnsiblePlaybooks(place).run(run, lambda _: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not list(processes.of("cancelled"))
    assert not folders("cancelled")


async def test_the_end_of_a_run_leaves_another_landscapes_run_of_the_same_id_alone(tmp_path: Path) -> None:
    mine, other = site(tmp_path / "mine", PLAYBOOKS), site(tmp_path / "other", PLAYBOOKS)
    begun, run = asyncio.Event(), asked("same-id", "good", playbook="sleep.yml", timeout_s=60)
    task = asyncio.create_task(AnsiblePlaybooks(mine).run(run, lambda _: begun.set()))
    await begun.wait()
    await ran(other, asked("same-id", "good", playbook="write.yml", variables={"folder": str(tmp_path)}))
    going_on = list(processes.of("same-id"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert going_on


async def test_a_runs_id_is_used_once_and_the_oldest_artifacts_go(tmp_path: Path) -> None:
    place = site(tmp_path, PLAYBOOKS, kept=1)
    with pytest.raises(PermanentError):
        await ran(place, asked("broken", "good"))
    with pytest.raises(InputError, match="a run of this id was made before"):
        await ran(place, asked("broken", "good"))
    with pytest.raises(PermanentError):
        await ran(place, asked("another", "good", playbook="broken.yml"))
    assert [each.name for each in place.artifacts.iterdir()] == ["another"]


def test_patterns_mean_hosts_and_unknown_ones_are_told_all_at_once(place: Site) -> None:
    listing = AnsiblePlaybooks(place).inventory.listing()
    assert listing.meant(["rack:r07"]) == ("bad", "good")
    assert listing.meant(["all"]) == ("away", "bad", "good")
    assert listing.meant(["away", "rack:r08"]) == ("away",)
    with pytest.raises(InputError, match="has no c17, rack:r99; has no host in rack:r09 "):
        listing.meant(["good", "c17", "rack:r99", "rack:r09"])

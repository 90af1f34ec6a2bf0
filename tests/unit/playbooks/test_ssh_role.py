"""What the ssh role refuses before it changes a key, by the real Ansible on this machine."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.ansible_site import CONFIGURATION

pytestmark = pytest.mark.lab
"""No lab, but too long for every change: Ansible's own processes."""

NOBODY = "gdcc-nobody"
"""An account that no machine has, so that nothing of one could be changed."""

OWN, OTHER = "ssh-ed25519 AAAAown", "ssh-ed25519 AAAAother"

TASKS = """\
- name: Look at the ssh role
  hosts: all
  gather_facts: false
  tasks:
    - name: Do a part of it
      ansible.builtin.include_role: {name: ssh, tasks_from: "{{ part }}"}
"""


def told(folder: Path, part: str, *options: str, **variables: Any) -> tuple[int, str]:
    """The exit status and the words of a run of the role's part that was opened by the key OWN."""
    (folder / "play.yml").write_text(TASKS)
    (folder / "auth").write_text(f"publickey {OWN}\n")
    given = json.dumps({"part": part, "ansible_python_interpreter": sys.executable, **variables})
    command = [sys.executable, "-m", "ansible", "playbook", "-i", "here,", "-c", "local", "-e", given, *options]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(CONFIGURATION), "SSH_USER_AUTH": str(folder / "auth")}
    ran = subprocess.run(
        [*command, str(folder / "play.yml")], env=environment, capture_output=True, text=True, check=False
    )
    return ran.returncode, " ".join((ran.stdout + ran.stderr).split())


def declared(*keys: list[str], ansible_user: str = NOBODY) -> dict[str, Any]:
    return {"ansible_user": ansible_user, "ssh_authorized_keys": [{"user": NOBODY, "keys": each} for each in keys]}


def proved(folder: Path, *keys: str, by_any: bool) -> tuple[int, str]:
    login = {"__ssh_login_user": NOBODY, "__ssh_login_file": "", "__ssh_login_keys": list(keys)}
    return told(folder, "prove_login", **login, __ssh_login_by_any=by_any)


def test_ansibles_own_account_is_not_left_without_a_key(tmp_path: Path) -> None:
    status, said = told(tmp_path, "authorized_keys", "--check", **declared([]))

    assert status
    assert f"No key was changed: ssh_authorized_keys lists {NOBODY}, as whom Ansible logs in, without a key." in said


def test_an_account_that_is_listed_twice_is_refused(tmp_path: Path) -> None:
    status, said = told(tmp_path, "authorized_keys", "--check", **declared([OWN], [OTHER], ansible_user="root"))

    assert status
    assert f"No key was changed: ssh_authorized_keys lists an account more than once ({NOBODY}, {NOBODY})" in said


def test_another_account_may_be_left_without_a_key(tmp_path: Path) -> None:
    assert told(tmp_path, "authorized_keys", "--check", **declared([], ansible_user="root"))[0] == 0


def test_a_login_counts_only_by_a_key_that_stays(tmp_path: Path) -> None:
    status, said = proved(tmp_path, OTHER, by_any=False)
    assert status
    assert f"was opened by {OWN}, and not by {OTHER}." in said

    status, said = proved(tmp_path, by_any=False)
    assert status
    assert f"was opened by {OWN}, and not by a key that is declared." in said

    assert proved(tmp_path, OTHER, OWN, by_any=False)[0] == 0


def test_any_key_will_do_for_an_account_whose_keys_stay(tmp_path: Path) -> None:
    assert proved(tmp_path, by_any=True)[0] == 0

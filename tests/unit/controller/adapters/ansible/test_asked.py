"""Which of what a run is given is secret: by what the roles say of variables, and by the vaults."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.ansible import asked, tags, vault
from controller.adapters.ansible.inventory import Listing
from controller.errors import InputError
from controller.model.ids import HostName
from controller.model.playbook import PlaybookRun, RunId, Variable

PLAYBOOKS = Path(__file__).parents[5] / "playbooks"


def run(**variables: Variable) -> PlaybookRun:
    return PlaybookRun(
        id=RunId("r"),
        playbook="host-configure.yml",
        hosts=(HostName("c1"),),
        timeout=timedelta(hours=1),
        variables=variables,
    )


def test_a_variable_that_its_role_keeps_out_of_logs_is_secret() -> None:
    marked = asked.marked(run(bmc_password="grue-47", pki_valid_days=90), PLAYBOOKS)
    assert marked.secrets == {"bmc_password"}
    assert asked.secret_values(marked) == {"grue-47"}


def test_each_value_of_a_list_is_secret_by_itself() -> None:
    marked = asked.marked(run(pki_ca_passphrase=("grue-48", "grue-49")), PLAYBOOKS)
    assert asked.secret_values(marked) == {"grue-48", "grue-49"}


def test_a_variable_for_those_who_know_it_is_given_to_them_alone(tmp_path: Path) -> None:
    listing = Listing(where="an estate", hosts=(HostName("c1"),), groups={})
    asked_for = replace(run(), where_known={"max_failed_percentage": 100, "grue": 1})
    asked.check(asked_for, PLAYBOOKS, listing)
    assert asked.completed(asked_for, PLAYBOOKS).variables == {"max_failed_percentage": 100}
    (tmp_path / "host-configure.yml").write_text("- hosts: all\n")
    asked.check(asked_for, tmp_path, listing)
    assert asked.completed(asked_for, tmp_path).variables == {}
    given = replace(asked_for, variables={"max_failed_percentage": 5})
    assert asked.completed(given, PLAYBOOKS).variables == {"max_failed_percentage": 5}


def test_a_run_without_variables_is_left_as_it_is() -> None:
    assert asked.marked(run(), PLAYBOOKS) == run()


def test_the_variables_that_are_known_are_those_of_playbooks_and_roles() -> None:
    known = asked.words(PLAYBOOKS)
    assert {"patch_packages", "patch_lock_timeout_s", "reboot_timeout_s", "kernel_parameters"} <= known
    assert "patch_package" not in known


@pytest.mark.parametrize(
    ("playbook", "has", "lacks"),
    [
        ("host-patch.yml", {"patch", "all"}, {"network"}),
        ("host-configure.yml", {"network", "ssh", "firmware"}, {"patch", "verify"}),
        ("host-verify.yml", {"verify", "network", "ssh"}, {"patch"}),
    ],
)
def test_a_playbooks_tags_are_its_own_and_those_of_what_it_imports(
    playbook: str, has: set[str], lacks: set[str]
) -> None:
    found = tags.of(PLAYBOOKS / playbook)
    assert has <= found
    assert not lacks & found


def test_tags_are_found_in_blocks_roles_and_lists_of_words(tmp_path: Path) -> None:
    tasks = tmp_path / "roles" / "lamp" / "tasks"
    tasks.mkdir(parents=True)
    (tasks / "main.yml").write_text("- name: Light\n  block:\n    - name: Oil\n      tags: [oil]\n")
    play = {
        "hosts": "all",
        "roles": [{"role": "lamp", "tags": "light, dark"}],
        "post_tasks": [{"name": "End", "rescue": [{"name": "Mend", "tags": ["never", "mend"]}]}],
    }
    (tmp_path / "lamp.yml").write_text(json.dumps([play]))
    assert tags.of(tmp_path / "lamp.yml") - tags.of(PLAYBOOKS / "host-patch.yml") == {
        "oil", "light", "dark", "never", "mend",
    }  # fmt: skip


def test_a_role_that_includes_itself_is_read_once(tmp_path: Path) -> None:
    tasks = tmp_path / "roles" / "lamp" / "tasks"
    tasks.mkdir(parents=True)
    again = {"name": "Again", "include_role": {"name": "lamp", "tasks_from": "oil"}, "tags": "oil"}
    (tasks / "main.yml").write_text(json.dumps([again]))
    (tmp_path / "lamp.yml").write_text(json.dumps([{"hosts": "all", "roles": ["lamp", "lamp"]}]))
    assert "oil" in tags.of(tmp_path / "lamp.yml")


def test_tags_are_found_in_task_files_of_playbooks_and_in_folders_of_roles(tmp_path: Path) -> None:
    (tmp_path / "roles" / "lamp" / "tasks" / "wick").mkdir(parents=True)
    (tmp_path / "roles" / "lamp" / "tasks" / "wick" / "trim.yml").write_text("- {name: Trim, tags: trim}\n")
    (tmp_path / "more.yml").write_text("- {name: Again, import_tasks: more.yml, tags: [more]}\n")
    tasks = [
        {"name": "More", "import_tasks": "more.yml"},
        {"name": "Shine", "include_tasks": {"file": "{{ of_the_run }}.yml", "apply": {"tags": ["shine"]}}},
    ]
    (tmp_path / "lamp.yml").write_text(json.dumps([{"hosts": "all", "roles": ["lamp"], "tasks": tasks}]))
    assert {"trim", "more", "shine"} <= tags.of(tmp_path / "lamp.yml")


def test_an_imported_playbooks_roles_and_files_stand_beside_it(tmp_path: Path) -> None:
    tasks = tmp_path / "shared" / "roles" / "lamp" / "tasks"
    tasks.mkdir(parents=True)
    (tasks / "main.yml").write_text("- {name: Light, tags: light}\n")
    (tmp_path / "shared" / "more.yml").write_text("- {name: More, tags: more}\n")
    play = {"hosts": "all", "roles": ["lamp"], "tasks": [{"name": "More", "import_tasks": "more.yml"}]}
    (tmp_path / "shared" / "lamp.yml").write_text(json.dumps([play]))
    (tmp_path / "site.yml").write_text(json.dumps([{"import_playbook": "shared/lamp.yml"}]))
    assert {"light", "more"} <= tags.of(tmp_path / "site.yml")


def test_a_run_by_a_tag_that_nothing_has_is_refused() -> None:
    mistyped = replace(run(), tags=("netwrok",))
    listing = Listing(where="an estate", hosts=(HostName("c1"),), groups={})
    with pytest.raises(InputError, match=r"host-configure\.yml: nothing in it is tagged netwrok"):
        asked.check(mistyped, PLAYBOOKS, listing)


@pytest.mark.parametrize("body", ["616", "6162", "36310a36320a7a7a"])
def test_a_damaged_vault_is_named(tmp_path: Path, body: str) -> None:
    (tmp_path / "vars").mkdir()
    (tmp_path / "vars" / "secret.yml").write_text(f"$ANSIBLE_VAULT;1.1;AES256\n{body}\n")
    with pytest.raises(InputError, match=r"vars/secret\.yml: is damaged"):
        vault.secrets((tmp_path,), "sesame")

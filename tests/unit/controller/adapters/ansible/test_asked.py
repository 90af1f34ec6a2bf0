"""Which of what a run is given is secret: by what the roles say of variables, and by the vaults."""

from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.ansible import asked, vault
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


def test_a_run_without_variables_is_left_as_it_is() -> None:
    assert asked.marked(run(), PLAYBOOKS) == run()


def test_the_variables_that_are_known_are_those_of_playbooks_and_roles() -> None:
    known = asked.words(PLAYBOOKS)
    assert {"patch_packages", "patch_lock_timeout_s", "reboot_timeout_s", "kernel_parameters"} <= known
    assert "patch_package" not in known


@pytest.mark.parametrize("body", ["616", "6162", "36310a36320a7a7a"])
def test_a_damaged_vault_is_named(tmp_path: Path, body: str) -> None:
    (tmp_path / "vars").mkdir()
    (tmp_path / "vars" / "secret.yml").write_text(f"$ANSIBLE_VAULT;1.1;AES256\n{body}\n")
    with pytest.raises(InputError, match=r"vars/secret\.yml: is damaged"):
        vault.secrets((tmp_path,), "sesame")

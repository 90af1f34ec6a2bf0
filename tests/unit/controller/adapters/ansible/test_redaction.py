"""Known secrets go out of whatever is shown."""

import base64
import json
from pathlib import Path

import pytest
import yaml

from controller.adapters.ansible import private, processes, vault
from controller.adapters.ansible.redaction import HIDDEN, Redactor
from controller.errors import InputError
from tests.fakes import marked
from tests.fakes.ansible_site import encrypted

SECRET = 'tru"e-grue\\some'


def test_a_secret_goes_from_text_and_json_and_base64() -> None:
    redactor = Redactor([SECRET])
    for shown in (SECRET, json.dumps(SECRET), base64.b64encode(SECRET.encode()).decode()):
        assert redactor.text(f"before {shown} after").count(HIDDEN) == 1


@pytest.mark.parametrize("secret", [SECRET, "it's: planted", "#'planted'", "a \\ 'b' \"c\""])
def test_a_secret_goes_from_yaml_however_that_quotes_it(secret: str) -> None:
    shown = yaml.safe_dump({"secret": secret}, width=1000)
    assert Redactor([secret]).text(shown).count(HIDDEN) == 1, shown


def test_each_line_of_a_longer_secret_goes() -> None:
    assert Redactor(["first-line\nsecond-line"]).text("a second-line b") == f"a {HIDDEN} b"


def test_a_secret_goes_from_data_of_any_shape_and_from_numbers() -> None:
    redactor = Redactor(["12345678", "planted-one"])
    assert redactor.data({"planted-one": [12345678, True, None]}) == {HIDDEN: [HIDDEN, True, None]}


def test_what_is_too_short_to_be_a_secret_stays() -> None:
    assert Redactor(["yes"]).text("yes") == "yes"


def test_a_longer_secret_goes_before_the_shorter_one_within_it() -> None:
    assert Redactor(["secret-1", "secret-1-and-more"]).text("secret-1-and-more") == HIDDEN


def test_a_vaults_values_are_known_by_its_password(tmp_path: Path) -> None:
    whole = encrypted("db_password: planted-one\nnested:\n  - planted-two\nplain: true\n", "sesame", tmp_path / "v")
    inline = encrypted("planted-three", "sesame", tmp_path / "v").replace("\n", "\n          ")
    folder = tmp_path / "group_vars" / "all"
    folder.mkdir(parents=True)
    (folder / "vault.yml").write_text(whole)
    (folder / "plain.yml").write_text(f"key: !vault |\n          {inline}\nother: value\n")
    assert vault.secrets((tmp_path,), "sesame") == {"planted-one", "planted-two", "planted-three"}
    with pytest.raises(InputError, match=r"plain\.yml: is encrypted, and no vault password is given"):
        vault.secrets((tmp_path,), None)
    with pytest.raises(InputError, match="the vault's password does not open it"):
        vault.secrets((tmp_path,), "wrong")


@pytest.mark.parametrize("following", ["zone: x", "bmc_user: x", "admin: x", "12: x", "", "\n\nb: x"])
def test_a_vault_ends_where_the_next_key_begins_whatever_its_letters_are(tmp_path: Path, following: str) -> None:
    inline = encrypted("planted-three", "sesame", tmp_path / "v").replace("\n", "\n  ").rstrip()
    (tmp_path / "all.yml").write_text(f"key: !vault |\n  {inline}\n{following}\n")
    assert vault.secrets((tmp_path,), "sesame") == {"planted-three"}


def test_a_vault_in_quotes_is_read(tmp_path: Path) -> None:
    inline = encrypted("planted-three", "sesame", tmp_path / "v").rstrip().replace("\n", "\n\n  ")
    (tmp_path / "all.yml").write_text(f'key: !vault "{inline}"\nother: x\n')
    assert vault.secrets((tmp_path,), "sesame") == {"planted-three"}


def test_a_vault_is_found_wherever_it_stands_below_the_folder_and_others_files_are_left_alone(tmp_path: Path) -> None:
    text = encrypted("password: planted-one", "sesame", tmp_path / "v")
    for folder in ("inventory", "inventory/.deep/er", "elsewhere", "inventory/ansible_collections/x", "inventory/.git"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "inventory" / "secrets.yml").write_text(text)
    (tmp_path / "inventory" / ".deep" / "er" / "one.yml").write_text(text)
    (tmp_path / "elsewhere" / "two.yml").write_text(encrypted("password: planted-two", "sesame", tmp_path / "v"))
    (tmp_path / "inventory" / "group_vars").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "inventory" / "round").symlink_to(tmp_path / "inventory")
    for others in ("ansible_collections/x", ".git"):
        (tmp_path / "inventory" / others / "their.yml").write_text(encrypted("a: b", "other", tmp_path / "v"))
    assert vault.secrets((tmp_path / "inventory",), "sesame") == {"planted-one", "planted-two"}


def test_a_password_is_handed_over_once_and_leaves_no_file(tmp_path: Path) -> None:
    with vault.handed_over(tmp_path, "sesame") as pipe:
        assert pipe is not None
        assert pipe.read_text() == "sesame\n"
    assert list(tmp_path.iterdir()) == []


def test_a_password_that_nobody_reads_holds_nobody_up(tmp_path: Path) -> None:
    with vault.handed_over(tmp_path, "sesame"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_runs_folder_is_its_own_and_goes_with_it() -> None:
    with private.folder("own") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        private.sweep(folder.parent)
        assert folder.exists()
    assert not folder.exists()


def test_a_folder_that_has_just_been_made_is_left_to_its_maker(tmp_path: Path) -> None:
    made = tmp_path / "gdcc-run-made"
    made.mkdir()
    (made / "lock").touch()
    private.sweep(tmp_path)
    assert made.exists()


def test_what_a_killed_run_left_is_swept_its_processes_too(tmp_path: Path) -> None:
    left = tmp_path / "gdcc-run-left"
    left.mkdir()
    (left / "lock").write_text("killed-run")
    (left / "variables.json").write_text("planted")
    with marked.process("killed-run") as process:
        private.sweep(tmp_path)
        assert process.wait() == -9
    assert not left.exists()


def test_a_runs_processes_are_found_and_ended_whatever_their_group_is() -> None:
    with marked.process("marked-run") as process:
        assert list(processes.of("marked-run")) == [process.pid]
        processes.end("marked-run")
        assert process.wait() == -9

"""The conventions that hold for every role and playbook, read from their files."""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.engine.host_work.looking import EACH_BY_ITSELF
from tests.fakes.host_work import MOST_FAILED

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
ROLES = sorted(each.parent.parent for each in PLAYBOOKS.glob("roles/*/tasks/main.yml"))
ORDER = [
    *("base", "ssh", "time", "kernel", "network", "storage", "firewall", "pki"),
    *("hypervisor", "monitoring", "logging", "audit", "bmc", "firmware"),
]

every_role = pytest.mark.parametrize("role", ROLES, ids=lambda each: each.name)
every_playbook = pytest.mark.parametrize(
    "playbook",
    sorted(each for each in PLAYBOOKS.glob("*.yml") if each.name != "requirements.yml"),
    ids=lambda each: each.name,
)


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text()) if path.exists() else None


def defaults(role: Path) -> Mapping[str, Any]:
    return read(role / "defaults/main.yml") or {}


def specified(role: Path) -> Mapping[str, set[str]]:
    """Variables by entry point."""
    specs = read(role / "meta/argument_specs.yml")["argument_specs"]
    return {entry: set(spec.get("options", {})) for entry, spec in specs.items()}


def text_of(role: Path) -> str:
    """What the role does with its variables: everything but their defaults, specs and description."""
    apart = {role / "README.md", role / "defaults", role / "meta"}
    files = (each for each in role.rglob("*") if each.is_file() and apart.isdisjoint({each, *each.parents}))
    return "\n".join(each.read_text() for each in files if each.suffix != ".pyc")


def tasks(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every task, those of blocks too."""
    for each in value or ():
        yield each
        for part in ("block", "rescue", "always"):
            yield from tasks(each.get(part))


def internals(role: Path) -> Iterator[str]:
    """Names that the role gives to what it finds out."""
    yield from read(role / "vars/main.yml") or {}
    for path in (*role.glob("tasks/*.yml"), *role.glob("handlers/*.yml")):
        for task in tasks(read(path)):
            if "register" in task:
                yield task["register"]
            yield from task.get("ansible.builtin.set_fact", {})


@every_role
def test_every_variable_of_a_role_is_specified_for_its_entry_point_main(role: Path) -> None:
    entries = specified(role)

    assert {"main", "verify"} <= set(entries)
    assert set(defaults(role)) <= set().union(*entries.values())
    assert all((role / "tasks" / f"{entry}.yml").exists() for entry in entries)


@every_role
def test_every_variable_of_a_role_is_described_in_its_readme_and_used(role: Path) -> None:
    variables = set(defaults(role)).union(*specified(role).values())
    readme = (role / "README.md").read_text()
    used = text_of(role)

    assert {each for each in variables if f"`{each}`" not in readme} == set()
    assert {each for each in variables if not re.search(rf"\b{each}\b", used)} == set()


@every_role
def test_a_readme_describes_no_variable_that_the_role_does_not_have(role: Path) -> None:
    described = re.findall(r"^\| `(\w+)` \|", (role / "README.md").read_text(), re.MULTILINE)

    assert set(described) <= set(defaults(role)).union(*specified(role).values())


@every_role
def test_names_begin_with_the_role_and_internal_ones_with_two_underscores_before_it(role: Path) -> None:
    variables = set(defaults(role)).union(*specified(role).values())

    assert {each for each in variables if not each.startswith(f"{role.name}_")} == set()
    assert {each for each in internals(role) if not each.startswith(f"__{role.name}")} == set()


@every_role
def test_a_role_says_what_it_is(role: Path) -> None:
    about = read(role / "meta/main.yml")["galaxy_info"]

    assert about["description"]
    assert (role / "README.md").read_text().startswith(f"# {role.name}\n")


@every_role
def test_verify_changes_nothing(role: Path) -> None:
    commands = ("ansible.builtin.command", "ansible.builtin.shell")
    changing = [
        task["name"]
        for path in role.glob("tasks/verify*.yml")
        for task in tasks(read(path))
        if any(each in task for each in commands) and task.get("changed_when") is not False
    ]

    assert changing == []


@every_playbook
def test_every_play_has_tags_and_a_limit_on_failures_and_gathers_no_facts_unasked(playbook: Path) -> None:
    for play in read(playbook):
        if "ansible.builtin.import_playbook" not in play:
            assert play["tags"], play["name"]
            assert play["gather_facts"] is False, play["name"]
            assert "max_fail_percentage" in play, play["name"]


@every_playbook
def test_a_limit_on_failures_can_be_lifted_for_runs_that_only_look(playbook: Path) -> None:
    """So that one host that cannot be looked at hides nothing of the others."""
    for play in read(playbook):
        if play.get("max_fail_percentage", 100) != 100:
            assert _limit(play) in {0, 10}, play["name"]


def test_work_on_hosts_is_tested_against_the_limits_that_the_playbooks_have() -> None:
    plays = {name: [_limit(play) for play in _plays(PLAYBOOKS / name)] for name in MOST_FAILED}

    assert {name: min(limits) for name, limits in plays.items()} == MOST_FAILED


def _plays(playbook: Path) -> Iterator[dict[str, Any]]:
    for play in read(playbook):
        imported = play.get("ansible.builtin.import_playbook")
        yield from _plays(PLAYBOOKS / imported) if imported else [play]


def _limit(play: dict[str, Any]) -> int:
    """Percent of hosts that may fail where nobody says otherwise."""
    given = str(play["max_fail_percentage"])
    match = re.fullmatch(rf"\{{\{{ {next(iter(EACH_BY_ITSELF))} \| default\((\d+)\) \}}\}}", given)
    return int(match[1] if match else given)


@pytest.mark.parametrize("concern", ORDER)
def test_a_concern_is_one_play_that_lists_its_role(concern: str) -> None:
    (play,) = read(PLAYBOOKS / f"{concern}.yml")

    assert play["tags"] == [concern]
    assert concern in [each["role"] for each in play["roles"]]
    assert {"tasks", "pre_tasks", "post_tasks", "handlers"}.isdisjoint(play)


def test_the_site_is_every_concern_in_order() -> None:
    imported = [each["ansible.builtin.import_playbook"] for each in read(PLAYBOOKS / "site.yml")]

    assert imported == [f"{concern}.yml" for concern in ORDER]


def test_verify_looks_at_every_concern_in_order() -> None:
    (play,) = read(PLAYBOOKS / "host-verify.yml")
    included = [task["ansible.builtin.include_role"] for task in play["tasks"]]

    assert [each["name"] for each in included] == ORDER
    assert {each["tasks_from"] for each in included} == {"verify"}
    assert [task["tags"] for task in play["tasks"]] == [[concern] for concern in ORDER]


@pytest.mark.parametrize("path", sorted(PLAYBOOKS.glob("group_vars/all/*.yml")), ids=lambda each: each.name)
def test_what_is_the_same_everywhere_stands_in_the_file_of_its_role(path: Path) -> None:
    assert {each for each in read(path) or {} if not each.startswith(f"{path.stem}_")} == set()


@pytest.mark.parametrize(
    ("playbook", "disturbing"), [("host-reboot.yml", "Reboot"), ("host-decommission.yml", "Stop what serves the cloud")]
)
def test_a_host_is_looked_through_for_guests_before_it_is_disturbed(playbook: str, disturbing: str) -> None:
    (play,) = read(PLAYBOOKS / playbook)
    names = [task["name"] for task in play["tasks"]]
    (look,) = (task for task in play["tasks"] if task.get("ansible.builtin.import_tasks") == "tasks/guests.yml")

    assert names.index(look["name"]) < names.index(disturbing)


def test_a_guest_is_found_on_a_host_that_has_neither_pgrep_nor_ps() -> None:
    look = read(PLAYBOOKS / "tasks/guests.yml")[0]["ansible.builtin.command"]["argv"]
    with tempfile.TemporaryDirectory() as only:
        for name in ("sh", "grep"):
            Path(only, name).symlink_to(Path("/usr/bin", name))
        guest = subprocess.Popen(["/bin/sleep", "60"], executable="/bin/sleep")
        named = subprocess.Popen(["/usr/bin/qemu-system-x86_64", "60"], executable="/bin/sleep")
        try:
            found = subprocess.run(look, env={"PATH": only}, capture_output=True, text=True, check=False)
        finally:
            for each in (guest, named):
                each.kill()
                each.wait()

    assert found.returncode in {0, 2}
    assert f"/proc/{named.pid}/cmdline" in found.stdout.splitlines()
    assert f"/proc/{guest.pid}/cmdline" not in found.stdout.splitlines()


def test_no_service_takes_its_configuration_by_a_handler_that_a_broken_run_forgets() -> None:
    """libvirt's sockets and a timer of ours are looked at by tasks of their own."""
    handlers = {path.parts[-3]: read(path) for path in PLAYBOOKS.glob("roles/*/handlers/main.yml")}

    assert set(handlers) <= {"audit", "hypervisor", "monitoring"}

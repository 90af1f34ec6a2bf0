"""The pack and the changes check under Pulumi's own engine. No cloud is asked: nothing gets past its preview."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from controller.adapters.pulumi import remedies
from infra.policy import kinds
from tests.lab.stacks import REPOSITORY, tools

pytestmark = pytest.mark.lab

STACK = "agency-tax"
PROJECT = f"name: gdcc\nruntime: {{name: python, options: {{toolchain: pip, virtualenv: {sys.prefix}}}}}\n"
PROGRAM = """
import pulumi
from pulumi_openstack import identity, objectstorage, provider

project = identity.Project("return", tags=["agency:tax", "system:return", "tier:basic", "classification:internal"])
user = identity.User("deployer", name="deployer", password="from the seed")
own = provider.Provider("own", user_name=user.name, tenant_id=project.id, application_credential_secret="in clear")
objectstorage.Container(
    "shared", metadata={"classification": "internal"}, container_read=".r:*", opts=pulumi.ResourceOptions(provider=own)
)
objectstorage.Container("ours", metadata={"classification": "internal"})
"""
LOGIN = {
    "OS_AUTH_URL": "http://127.0.0.1:1/v3",
    "OS_USERNAME": "admin",
    "OS_PASSWORD": "x",
    "OS_PROJECT_NAME": "admin",
    "OS_USER_DOMAIN_NAME": "Default",
    "OS_PROJECT_DOMAIN_NAME": "Default",
    "OS_REGION_NAME": "RegionOne",
}


class Trial:
    """A Pulumi project of one file, and its state."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder = folder
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text(PROJECT)
        (folder / "__main__.py").write_text(program)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        backend = {"PULUMI_BACKEND_URL": f"file://{folder}/state", "PULUMI_CONFIG_PASSPHRASE": "lab"}
        self.env = {**kept, **tools(), **LOGIN, **backend}
        assert self.pulumi("stack", "init", STACK).returncode == 0

    def pulumi(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["pulumi", "--non-interactive", *words]
        where = {"cwd": self.folder, "env": self.env}
        return subprocess.run(command, **where, check=False, capture_output=True, text=True, timeout=300)


def test_a_program_that_breaks_policies_gets_no_further_than_its_preview(tmp_path: Path) -> None:
    trial = Trial(tmp_path, PROGRAM)
    ran = trial.pulumi("preview", "--stack", STACK, "--policy-pack", str(REPOSITORY / "infra/policy"))
    assert ran.returncode != 0
    broken = {line.split("  ")[-2].strip() for line in ran.stdout.splitlines() if "[mandatory]" in line}
    assert broken == {
        "agencies-own-their-things",
        "containers-shared-upwards",
        "quotas-for-every-project",
        "secrets-are-secret",
    }, ran.stdout + ran.stderr
    assert "can't run policy" not in ran.stdout
    assert "in clear" not in ran.stdout


def standing(trial: Trial, *, protect: bool) -> None:
    """A state that holds a project, which no program declares."""
    root = f"urn:pulumi:{STACK}::gdcc::pulumi:pulumi:Stack::gdcc-{STACK}"
    provider = f"urn:pulumi:{STACK}::gdcc::{kinds.PROVIDER}::default"
    resources = [
        {"urn": root, "custom": False, "type": "pulumi:pulumi:Stack"},
        {"urn": provider, "custom": True, "id": "p-1", "type": kinds.PROVIDER, "inputs": {}, "outputs": {}},
        {
            "urn": f"urn:pulumi:{STACK}::gdcc::{kinds.PROJECT}::return",
            "custom": True,
            "id": "1" * 32,
            "type": kinds.PROJECT,
            "inputs": {"name": "return"},
            "outputs": {"name": "return"},
            "parent": root,
            "provider": f"{provider}::p-1",
            "protect": protect,
        },
    ]
    state = {"version": 3, "deployment": {"manifest": {}, "resources": resources}}
    (trial.folder / "standing.json").write_text(json.dumps(state))
    assert trial.pulumi("stack", "import", "--stack", STACK, "--file", "standing.json").returncode == 0


def test_a_project_that_a_program_dropped_is_refused_by_what_its_preview_says(tmp_path: Path) -> None:
    trial = Trial(tmp_path, "")
    standing(trial, protect=False)
    ran = trial.pulumi("preview", "--stack", STACK, "--json")
    assert ran.returncode == 0, ran.stderr
    (tmp_path / "preview.json").write_text(ran.stdout)
    command = [sys.executable, "-m", "infra.policy.changes", str(tmp_path / "preview.json")]
    judged = subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True, text=True, timeout=60)
    assert (judged.returncode, judged.stdout.split(" (")[0]) == (
        1,
        "protected-kinds: Project return would be deleted",
    ), judged.stderr


@pytest.mark.parametrize("words", [("preview",), ("up", "--yes", "--skip-preview")])
def test_what_is_protected_the_engine_refuses_to_lose_without_any_pack_and_it_is_told_in_plain_words(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    trial = Trial(tmp_path, "")
    standing(trial, protect=True)
    ran = trial.pulumi(*words, "--stack", STACK)
    assert ran.returncode != 0
    assert remedies.told(ran.stdout).startswith("protected-kinds: Project return would be deleted (gdcc:exceptions")


REPLACING = """
import pulumi
from datetime import date
from infra import protection
from infra.policy import exceptions
from pulumi_openstack import identity

named = [exceptions.Named(rule="protected-kinds", resource=NAMED, reason="moved", until=date(2026, 3, 1))]
pulumi.runtime.register_stack_transformation(protection.of_stack(True, named, date(2026, 3, 1)))
identity.Project("return", name="return", is_domain=True)
"""


@pytest.mark.parametrize(("named", "refused"), [("another", True), ("return", False)])
def test_a_named_exception_lifts_the_engines_refusal_of_a_replacement(
    tmp_path: Path, named: str, refused: bool
) -> None:
    trial = Trial(tmp_path, REPLACING.replace("NAMED", repr(named)))
    trial.env["PYTHONPATH"] = str(REPOSITORY)
    standing(trial, protect=True)
    ran = trial.pulumi("preview", "--stack", STACK)
    assert (ran.returncode != 0) is refused, ran.stdout + ran.stderr
    assert remedies.told(ran.stdout).startswith("protected-kinds: Project return would be replaced") is refused

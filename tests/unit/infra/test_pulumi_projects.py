"""What the official CLI and its language host ask of Pulumi.yaml and PulumiPolicy.yaml before they run a program.

The host of 3.250 (sdk/python/toolchain/pip.go) lists the packages of `runtime.options.virtualenv` with its own pip, and
refuses to go on where that fails. Where the official bundle cannot be had, tests run with a host that asks none of it.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.adapters.pulumi import tool

ROOT = Path(__file__).parents[3]
PROJECTS = [ROOT / "Pulumi.yaml", ROOT / "infra/policy/PulumiPolicy.yaml"]


def project(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.name)
def test_its_environment_is_the_projects_and_can_be_asked_for_its_packages(path: Path) -> None:
    options = project(path)["runtime"]["options"]
    assert options["toolchain"] == "pip"
    environment = (path.parent / options["virtualenv"]).resolve()
    assert environment == ROOT / ".venv"
    asked = [environment / "bin/python", "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
    listed = subprocess.run(asked, capture_output=True, check=True, text=True).stdout
    assert {"pulumi", "pulumi_openstack", "pulumi_policy"} <= {
        each["name"].replace("-", "_") for each in json.loads(listed)
    }


def test_the_backend_is_pulumi_yamls_unless_the_environment_names_one(tmp_path: Path) -> None:
    (tmp_path / "pulumi").touch(mode=0o755)
    declared = project(ROOT / "Pulumi.yaml")["backend"]["url"]
    assert declared.startswith("file:///")
    found = tool.find(ROOT, {"PATH": str(tmp_path)})
    assert (found.env["PULUMI_BACKEND_URL"], found.backend) == (declared, declared)
    elsewhere = tool.find(ROOT, {"PATH": str(tmp_path), "PULUMI_BACKEND_URL": "file:///elsewhere"})
    assert elsewhere.env["PULUMI_BACKEND_URL"] == "file:///elsewhere"

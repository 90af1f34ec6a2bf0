"""`gdcc inventory draft` of the real cloud, as somebody would do it on a first day with a cloud that already lives."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from inventory import load
from tests.lab import clouds_yaml
from tests.lab.daemon import ESTATE
from tests.lab.fixtures import Lab

CLOUD = "living"
CANNOT_KNOW = ("rack", "cords", "watts", "classification")
"""What no API shows: each has to be among the gaps."""


def gdcc(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    env = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    env |= {"OS_CLIENT_CONFIG_FILE": str(folder / "clouds.yaml"), "COLUMNS": "200"}
    command = [sys.executable, "-m", "controller", "inventory", *words]
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


class Gaps(yaml.SafeLoader):
    """Reads a gap as None."""


Gaps.add_constructor("!gap", lambda loader, node: None)


def table(folder: Path, file: str, name: str) -> dict[str, dict[str, object]]:
    rows = yaml.load((folder / file).read_text(), Gaps)[name]
    return {row["name"]: row for row in rows}


def test_a_living_cloud_drafts_its_own_estate_and_check_names_what_only_a_person_knows(
    lab: Lab, tmp_path: Path
) -> None:
    clouds_yaml.write(tmp_path / "clouds.yaml", CLOUD, lab.env)
    out, declared = tmp_path / "drafted", load.load(ESTATE)

    drafted = gdcc(tmp_path, "draft", "--cloud", CLOUD, "--out", str(out))
    assert drafted.returncode == 0, drafted.stderr
    assert "gaps to fill" in drafted.stdout

    assert declared.flavors.keys() <= table(out, "cloud.yaml", "flavors").keys()
    assert {system.project for system in declared.systems.values()} <= {
        str(row["project"]) for row in table(out, "systems.yaml", "systems").values()
    }
    hosts = table(out, "hosts.yaml", "hosts")
    assert {name: row["clearance"] for name, row in hosts.items()} == {
        name: host.clearance.name.lower() for name, host in declared.hosts.items()
    }, "a trait of nova-compute's says it"

    checked = gdcc(tmp_path, "check", str(out))
    assert checked.returncode == 1
    for word in CANNOT_KNOW:
        assert word in checked.stderr, f"{word} is no gap: {checked.stderr[:2000]}"
    assert all(f"{out}/" in line for line in checked.stderr.splitlines())

    again = gdcc(tmp_path, "draft", "--cloud", CLOUD, "--out", str(out))
    assert again.returncode == 1
    assert "is not an empty directory" in again.stderr


def test_a_cloud_that_clouds_yaml_does_not_name_is_refused(lab: Lab, tmp_path: Path) -> None:
    clouds_yaml.write(tmp_path / "clouds.yaml", CLOUD, lab.env)
    refused = gdcc(tmp_path, "draft", "--cloud", "nowhere", "--out", str(tmp_path / "drafted"))
    assert refused.returncode == 1
    assert "nowhere" in refused.stderr
    assert not (tmp_path / "drafted").exists()

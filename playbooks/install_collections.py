"""Installs the collections that `requirements.yml` pins into `playbooks/collections`, and does nothing where they are.

From Ansible Galaxy; where Galaxy does not answer, from the `ansible` package on PyPI, whose release carries the same
versions. Run by `make setup`: `python playbooks/install_collections.py`.
"""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import yaml

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.yml"
TARGET = HERE / "collections"
RELEASE = "12.3.0"
"""The release of PyPI's `ansible` that carries what `requirements.yml` pins."""

GALAXY_S = 20


def required() -> Mapping[str, str]:
    """Versions by `namespace.name`."""
    listed = yaml.safe_load(REQUIREMENTS.read_text())["collections"]
    return {each["name"]: str(each["version"]) for each in listed}


def missing(wanted: Mapping[str, str]) -> Mapping[str, str]:
    """Those of them that do not stand in `TARGET` in that version."""
    return {name: version for name, version in wanted.items() if installed(name) != version}


def installed(name: str) -> str | None:
    try:
        manifest = json.loads((TARGET / "ansible_collections" / name.replace(".", "/") / "MANIFEST.json").read_text())
    except FileNotFoundError:
        return None
    return str(manifest["collection_info"]["version"])


def from_galaxy() -> bool:
    """Whether Galaxy gave them."""
    galaxy = Path(sys.executable).parent / "ansible-galaxy"
    command = [galaxy, "collection", "install", "--force", "--timeout", str(GALAXY_S), "-r", REQUIREMENTS, "-p", TARGET]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def from_pypi(wanted: Mapping[str, str]) -> None:
    """Unpacks them, and nothing else, from the release's wheel."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [os.environ.get("UV", "uv"), "tool", "run", "-q", "pip"]
        subprocess.run([*pip, "download", "-q", "--no-deps", "-d", folder, f"ansible=={RELEASE}"], check=True)
        (wheel,) = Path(folder).glob("ansible-*.whl")
        prefixes = tuple(f"ansible_collections/{name.replace('.', '/')}/" for name in wanted)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(TARGET, [one for one in archive.namelist() if one.startswith(prefixes)])


def main() -> None:
    wanted = missing(required())
    if not wanted:
        return
    if not from_galaxy():
        from_pypi(wanted)
    if still := missing(wanted):
        names = ", ".join(f"{name} {version}" for name, version in still.items())
        sys.exit(f"neither Galaxy nor ansible {RELEASE} has {names}: see {REQUIREMENTS}")


if __name__ == "__main__":
    main()

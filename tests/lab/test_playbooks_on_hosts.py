"""Playbooks on real hosts over SSH: a host whose key changed, one whose key is not known, one that does not answer."""

import asyncio
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.ansible.playbooks import AnsiblePlaybooks
from controller.adapters.ansible.site import Site
from controller.model.ids import HostName
from controller.model.playbook import PlaybookRun, RunId, TaskFailure
from tests.lab.host_fixtures import DIRECTORY, REPOSITORY, Hosts

pytestmark = pytest.mark.lab

ADDRESS = "10.214.0.11"
LINE = (
    "{name} ansible_host={address} ansible_user=root ansible_ssh_private_key_file={key} ansible_ssh_common_args='{ssh}'"
)


def place(folder: Path, known: str) -> Site:
    """host1 and an address where nobody is, with these lines of known_hosts."""
    (folder / "known_hosts").write_text(known)
    ssh = f"-o UserKnownHostsFile={folder}/known_hosts -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=3"
    hosts = {"host1": ADDRESS, "nobody": "10.214.0.250"}
    lines = [LINE.format(name=name, address=address, key=DIRECTORY / "key", ssh=ssh) for name, address in hosts.items()]
    (folder / "inventory").mkdir(exist_ok=True)
    (folder / "inventory" / "hosts.ini").write_text("\n".join(lines) + "\n")
    return Site(root=REPOSITORY, inventory=folder / "inventory" / "hosts.ini", artifacts=folder / "artifacts")


def failure(site: Site, name: str, host: str) -> TaskFailure | None:
    run = PlaybookRun(
        id=RunId(name), playbook="host-boot-id.yml", hosts=(HostName(host),), timeout=timedelta(minutes=2)
    )
    result = asyncio.run(AnsiblePlaybooks(site).run(run, lambda _: None))
    return result.hosts[HostName(host)].failure


def test_each_way_a_host_cannot_be_reached_is_told_as_what_it_is(standing_hosts: Hosts, tmp_path: Path) -> None:
    scanned = subprocess.run(["ssh-keyscan", "-t", "ed25519", ADDRESS], capture_output=True, text=True, check=True)
    assert failure(place(tmp_path, scanned.stdout), "known", "host1") is None
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    other = (tmp_path / "other.pub").read_text()
    changed = failure(place(tmp_path, f"{ADDRESS} {other}"), "changed", "host1")
    assert changed is not None and changed.unreachable
    assert f"its SSH host key is not the one that is known in {tmp_path}/known_hosts:1" in changed.said
    unknown = failure(place(tmp_path, ""), "unknown", "host1")
    assert unknown is not None and unknown.unreachable
    assert unknown.said == "its SSH host key is not known; verify it and add it to known_hosts"
    nobody = failure(place(tmp_path, ""), "nobody", "nobody")
    assert nobody is not None and nobody.unreachable
    assert "port 22" in nobody.said

"""Three bare hosts become compute hosts by `gdcc host`; what is then broken on one is named and mended.

The tests build on one another, in their order: they are one host's life.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lab.host_fixtures import DIRECTORY, ESTATE_OF_HOSTS, NUMBERS, REPOSITORY, Hosts

BROKEN = {
    "/etc/sudoers.d/gdcc": "echo 'nobody ALL=(ALL) ALL' >/etc/sudoers.d/gdcc",
    "/etc/ssh/sshd_config.d/00-gdcc.conf": "echo 'X11Forwarding yes' >/etc/ssh/sshd_config.d/00-gdcc.conf",
    "/etc/chrony/chrony.conf": "echo 'pool example.org' >/etc/chrony/chrony.conf",
    "/etc/sysctl.d/90-gdcc.conf": "echo 'net.ipv4.ip_forward = 1' >/etc/sysctl.d/90-gdcc.conf",
    "/etc/nova/provider_config/provider.yaml": "sed -i /CONFIDENTIAL/d /etc/nova/provider_config/provider.yaml",
    "/etc/snmp/snmpd.conf": "echo 'rocommunity public' >/etc/snmp/snmpd.conf",
}
"""What is broken by hand, by the file that a difference names."""


class Operator:
    """Who runs `gdcc host` with no daemon, holding the journal's lock."""

    def __init__(self, folder: Path) -> None:
        settings = {
            "version": 1,
            "estate": str(ESTATE_OF_HOSTS),
            "state_dir": str(folder / "state"),
            "ansible": {"root": str(REPOSITORY), "artifacts": str(folder / "artifacts"), "environment": ["HOSTS_LAB"]},
        }
        self._config = folder / "controller.yaml"
        self._config.write_text(json.dumps(settings))

    def does(self, verb: str, *hosts: str, ok: int = 0) -> dict[str, Any]:
        """What a verb says of each host. Raises `AssertionError` where it ends with another status than `ok`."""
        direct = [] if verb == "drift" else ["--direct"]
        done = subprocess.run(
            [sys.executable, "-m", "controller", "host", verb, *hosts, "--json", *direct],
            capture_output=True, text=True, check=False, cwd=REPOSITORY,
            env={**os.environ, "GDCC_CONFIG": str(self._config), "HOSTS_LAB": str(DIRECTORY)},
        )  # fmt: skip
        assert done.returncode == ok, done.stdout + done.stderr
        said = {row["host"]: row for row in json.loads(done.stdout)["hosts"]}
        assert set(said) == set(hosts or NUMBERS)
        return said


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    return Operator(tmp_path_factory.mktemp("operator"))


@pytest.fixture(scope="module")
def first(operator: Operator, bare_hosts: Hosts) -> dict[str, Any]:
    """The first configuration of bare hosts, prepared before; it ends with their verification."""
    operator.does("prepare", *NUMBERS)
    return operator.does("configure", *NUMBERS)


def test_three_bare_hosts_are_prepared_configured_and_verified(first: dict[str, Any]) -> None:
    assert {host: row["ended"] for host, row in first.items()} == dict.fromkeys(NUMBERS, "done")
    assert all(row["changes"] for row in first.values())


@pytest.mark.soak
def test_a_second_run_changes_nothing(first: dict[str, Any], operator: Operator) -> None:
    again = operator.does("configure", *NUMBERS)

    assert {host: row["changes"] for host, row in again.items()} == {host: [] for host in NUMBERS}


def test_what_is_broken_by_hand_is_named_by_drift_and_put_right_by_configure(
    first: dict[str, Any], operator: Operator, bare_hosts: Hosts
) -> None:
    files = f"sha256sum {' '.join(BROKEN)}"
    before = bare_hosts.command("host2", files)
    for command in BROKEN.values():
        bare_hosts.command("host2", command)

    drift = operator.does("drift", "host2", ok=1)["host2"]
    mended = operator.does("configure", "host2")["host2"]

    assert [file for file in BROKEN if file not in json.dumps(drift["differences"])] == [], drift
    assert len(mended["changes"]) >= len(BROKEN), mended
    assert bare_hosts.command("host2", files) == before


@pytest.mark.soak
def test_then_drift_has_nothing_to_say(first: dict[str, Any], operator: Operator) -> None:
    assert {host: row["differences"] for host, row in operator.does("drift", *NUMBERS).items()} == {
        host: [] for host in NUMBERS
    }

"""`gdcc host` on hosts that serve a cloud: patched, given other keys, taken out for good and brought back."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.model.host_run import HostRunState
from tests.lab.daemon import Daemon
from tests.lab.host_fixtures import DIRECTORY, ESTATE_OF_HOSTS, NUMBERS, REPOSITORY, JoinedLab
from tests.lab.test_campaign_on_hosts import PACKAGE, upgrades, with_old_packages

pytestmark = pytest.mark.lab

SSH = ("ssh", "-o", f"UserKnownHostsFile={DIRECTORY}/known_hosts", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes")


@pytest.fixture
def daemon(joined_lab: JoinedLab, tmp_path: Path) -> Iterator[Daemon]:
    """It moves nothing but for drains, and knows where the playbooks are."""
    ansible = {"root": str(REPOSITORY), "artifacts": str(tmp_path / "artifacts"), "environment": ["HOSTS_LAB"]}
    policy = {"mode": "observe", "thresholds": {"cpu_ratio": 1.0}}
    made = Daemon(tmp_path, policy, estate=str(ESTATE_OF_HOSTS), snmp={"interval": "2s"}, ansible=ansible)
    made.start()
    made.until(lambda: made.status()["hosts"]["trusted"] == len(NUMBERS), "trusted readings")
    yield made
    made.stop()


def host(daemon: Daemon, *words: str, ok: int = 0) -> dict[str, dict[str, object]]:
    """What `gdcc host` says of each host."""
    said = daemon.gdcc("host", words[0], "--config", str(daemon.config), "--json", *words[1:], ok=ok)
    return {row["host"]: row for row in json.loads(said)["hosts"]}


def logs_in(key: Path, host: str, *words: str) -> bool:
    command = [*SSH, "-i", str(key), f"root@{_address(host)}", *(words or ("true",))]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _address(host: str) -> str:
    return f"10.214.0.{10 + NUMBERS[host]}"


def test_a_patch_with_a_reboot_empties_the_host_upgrades_it_and_gives_it_back(
    joined_lab: JoinedLab, daemon: Daemon
) -> None:
    with_old_packages(joined_lab)
    guests, boot = joined_lab.admin.names_on("host1"), joined_lab.hosts.boot_id("host1")
    assert guests

    told = host(daemon, "patch", "host1", "--package", PACKAGE, "--reboot", "--yes")["host1"]

    assert told["ended"] == "done", told
    assert upgrades(joined_lab, "host1") == 1
    assert joined_lab.hosts.boot_id("host1") not in {"", boot}
    assert joined_lab.admin.disabled() == []
    assert {status for _, status, _ in joined_lab.admin.standing()} == {"ACTIVE"}
    assert len(daemon.entries()) >= len(guests)


def test_rotated_keys_leave_an_open_connection_alone_and_the_old_key_is_refused(
    joined_lab: JoinedLab, daemon: Daemon, tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copy2(DIRECTORY / "key", old)
    shutil.copy2(DIRECTORY / "key.pub", f"{old}.pub")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", new], check=True)
    login = [*SSH, "-i", str(old), f"root@{_address('host1')}", "cat"]
    with subprocess.Popen(login, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as open_before:
        assert _echoed(open_before, "before") == "before"
        shutil.copy2(f"{new}.pub", DIRECTORY / "authorized.pub")
        host(daemon, "rotate-keys", *NUMBERS, "--old", str(old), "--new", str(new))
        shutil.copy2(new, DIRECTORY / "key")
        shutil.copy2(f"{new}.pub", DIRECTORY / "key.pub")
        assert _echoed(open_before, "after") == "after"
    assert [name for name in NUMBERS if logs_in(old, name)] == []
    assert [name for name in NUMBERS if logs_in(new, name)] == list(NUMBERS)


def _echoed(connection: subprocess.Popen[str], line: str) -> str:
    assert connection.stdin is not None
    assert connection.stdout is not None
    connection.stdin.write(f"{line}\n")
    return connection.stdout.readline().strip()


def test_a_decommissioned_host_is_closed_to_everybody_and_comes_back_only_from_bare(
    joined_lab: JoinedLab, daemon: Daemon
) -> None:
    host(daemon, "decommission", "host3", "--yes-decommission", "host3")
    assert joined_lab.admin.disabled() == ["host3"]
    assert joined_lab.admin.names_on("host3") == set()
    assert not logs_in(DIRECTORY / "key", "host3")
    disk = DIRECTORY / "machines" / "host3"
    secret = ("etc/nova/nova.conf.d/51-gdcc-secrets.conf", "etc/pki/gdcc/host.key", "etc/pki/qemu/server-key.pem")
    assert [each for each in secret if (disk / each).exists()] == []

    refused = host(daemon, "enable", "host3", ok=1)["host3"]
    assert "not enabled" in str(refused["says"])
    assert joined_lab.admin.disabled() == ["host3"]

    joined_lab.hosts.make_bare("host3")
    host(daemon, "prepare", "host3")
    host(daemon, "configure", "host3")
    assert joined_lab.admin.disabled() == ["host3"]
    host(daemon, "enable", "host3")
    assert joined_lab.admin.disabled() == []
    assert joined_lab.hosts.says("host3", "systemctl is-active nova-compute") == "active"
    assert HostRunState.OPEN.value not in daemon.gdcc("host", "--config", str(daemon.config), "--json")
    joined_lab.await_reports()

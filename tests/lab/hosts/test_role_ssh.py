"""The ssh role on a host: settings that shut Ansible out are taken back, those that sshd did not read are read."""

import json

import pytest

from tests.lab.host_fixtures import DIRECTORY, Hosts, Played

pytestmark = [pytest.mark.lab, pytest.mark.soak]

HOST = "host2"
ONLY = ("--limit", HOST)
DROP_IN = "/etc/ssh/sshd_config.d/00-gdcc.conf"


def play(hosts: Hosts, *options: str, **more: object) -> Played:
    return hosts.play("ssh", *ONLY, "-e", json.dumps({"ssh_rollback_seconds": 30, **more}), *options)


def verify(hosts: Hosts, **more: object) -> Played:
    return hosts.play("host-verify", "--tags", "ssh", *ONLY, "-e", json.dumps(more))


@pytest.fixture(scope="module")
def hosts(standing_hosts: Hosts) -> Hosts:
    played = play(standing_hosts)
    assert not played.failed, played.output
    return standing_hosts


def test_a_second_run_changes_nothing_and_verify_agrees(hosts: Hosts) -> None:
    assert play(hosts).changed == {HOST: 0}
    assert play(hosts, "--check", "--diff").changed == {HOST: 0}
    verified = verify(hosts)
    assert not verified.failed, verified.output


@pytest.mark.parametrize("shutting", [{"AllowUsers": "nobody"}, {"PubkeyAuthentication": False}])
def test_settings_with_which_nobody_could_log_in_are_taken_back(hosts: Hosts, shutting: dict[str, object]) -> None:
    before = hosts.command(HOST, f"cat {DROP_IN}")
    shut = play(hosts, ssh_extra_settings=shutting)
    assert shut.failed == {HOST}
    assert f"The change to the ssh of {HOST} was not kept" in " ".join(shut.output.split())
    assert hosts.command(HOST, f"cat {DROP_IN}") == before
    verified = verify(hosts)
    assert not verified.failed, verified.output


def test_settings_that_sshd_would_not_start_with_change_nothing(hosts: Hosts) -> None:
    refused = play(hosts, ssh_extra_settings={"Ciphers": "rot13"})
    assert refused.failed == {HOST}
    assert refused.changed == {HOST: 0}
    assert "rot13" in refused.output


def test_settings_that_the_running_sshd_never_read_are_named_and_read(hosts: Hosts) -> None:
    """As a run leaves them that was killed between the file and the reload."""
    hosts.command(HOST, f"sed -i 's/^MaxAuthTries.*/MaxAuthTries 9/' {DROP_IN} && systemctl reload ssh")
    hosts.command(HOST, f"sed -i 's/^MaxAuthTries.*/MaxAuthTries 4/' {DROP_IN}")
    verified = verify(hosts)
    assert verified.failed == {HOST}
    assert f"ssh.service runs, and has not read {DROP_IN.rpartition('/')[0]}" in " ".join(verified.output.split())
    mended = play(hosts)
    assert not mended.failed and mended.changed[HOST] > 0, mended.output
    verified = verify(hosts)
    assert not verified.failed, verified.output


def test_options_of_a_key_that_are_gone_are_named_and_put_back(hosts: Hosts) -> None:
    own = (DIRECTORY / "authorized.pub").read_text().strip()
    narrow = f'from="192.0.2.0/24",no-pty {own}'
    declared = {"ssh_authorized_keys": [{"user": "root", "keys": [own]}, {"user": "somebody", "keys": [narrow]}]}
    hosts.command(HOST, "id somebody 2>/dev/null || useradd --create-home somebody")
    assert not play(hosts, **declared).failed
    assert not verify(hosts, **declared).failed
    hosts.command(HOST, "sed -i 's/^from=[^ ]* //' ~somebody/.ssh/authorized_keys")
    verified = verify(hosts, **declared)
    assert verified.failed == {HOST}
    assert 'somebody is not opened by declared keys: from="192.0.2.0/24",no-pty' in " ".join(verified.output.split())
    assert not play(hosts, **declared).failed
    assert not verify(hosts, **declared).failed
    hosts.command(HOST, "userdel --remove somebody")

"""Three bare hosts become compute hosts by the project's playbooks; what is then broken on one is named and mended.

The tests build on one another, in their order: they are one host's life.
"""

import pytest

from tests.lab.host_fixtures import NUMBERS, Hosts, Played

UNCHANGED = dict.fromkeys(NUMBERS, 0)
BROKEN = {
    "/etc/sudoers.d/gdcc": "echo 'nobody ALL=(ALL) ALL' >/etc/sudoers.d/gdcc",
    "/etc/ssh/sshd_config.d/00-gdcc.conf": "echo 'X11Forwarding yes' >/etc/ssh/sshd_config.d/00-gdcc.conf",
    "/etc/chrony/chrony.conf": "echo 'pool example.org' >/etc/chrony/chrony.conf",
    "/etc/sysctl.d/90-gdcc.conf": "echo 'net.ipv4.ip_forward = 1' >/etc/sysctl.d/90-gdcc.conf",
    "/etc/nova/provider_config/provider.yaml": "sed -i /CONFIDENTIAL/d /etc/nova/provider_config/provider.yaml",
    "/etc/snmp/snmpd.conf": "echo 'rocommunity public' >/etc/snmp/snmpd.conf",
}
"""What is broken by hand, by the file that a difference names."""


@pytest.fixture(scope="module")
def first(bare_hosts: Hosts) -> Played:
    """The first run on bare hosts, prepared before."""
    prepared = bare_hosts.play("host-prepare")
    assert set(prepared.changed) == set(NUMBERS), prepared.output
    assert not prepared.failed, prepared.output
    return bare_hosts.configure()


def test_three_bare_hosts_are_configured(first: Played) -> None:
    assert all(changed > 0 for changed in first.changed.values())


def test_then_the_running_hosts_are_found_as_declared(first: Played, bare_hosts: Hosts) -> None:
    verified = bare_hosts.play("host-verify")

    assert verified.changed == UNCHANGED, verified.output
    assert not verified.failed, verified.output


def test_a_second_run_changes_nothing(first: Played, bare_hosts: Hosts) -> None:
    again = bare_hosts.configure()

    assert again.changed == UNCHANGED, again.output


def test_what_is_broken_by_hand_is_named_by_a_check_and_put_right_by_a_run(first: Played, bare_hosts: Hosts) -> None:
    for command in BROKEN.values():
        bare_hosts.command("host2", command)

    named = bare_hosts.play("host-configure", "--check", "--diff", "--limit", "host2")
    mended = bare_hosts.play("host-configure", "--limit", "host2")
    after = bare_hosts.play("host-verify", "--limit", "host2")

    assert not named.failed, named.output
    assert [file for file in BROKEN if file not in named.output] == [], named.output
    assert not mended.failed, mended.output
    assert mended.changed["host2"] >= len(BROKEN), mended.output
    assert after.changed == {"host2": 0}, after.output
    assert not after.failed, after.output

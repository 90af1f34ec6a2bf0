"""The storage role on a host, as far as a container goes: nothing is erased, and every difference is named."""

import json

import pytest

from tests.lab.host_fixtures import Hosts, Played

pytestmark = pytest.mark.lab

HOST = "host2"
BLANK, HOLDING = "/srv/blank.img", "/srv/holding.img"
DECLARED = {
    "storage_filesystems": [{"device": BLANK, "type": "ext4"}],
    "storage_mounts": [
        {"path": "/srv/in", "source": "tmpfs", "type": "tmpfs", "options": ["size=8m", "nosuid", "noexec"]},
        {"path": "/srv/bound", "source": "/srv/data", "type": "none", "options": ["bind"]},
    ],
    "storage_multipath_enabled": True,
    "storage_multipath_defaults": {"find_multipaths": "strict", "polling_interval": 7},
    "storage_iscsi_enabled": True,
    "storage_iscsi_settings": {"node.startup": "automatic"},
}


def play(hosts: Hosts, *options: str, playbook: str = "storage", **more: object) -> Played:
    return hosts.play(playbook, "--limit", HOST, "-e", json.dumps({**DECLARED, **more}), *options)


def verify(hosts: Hosts) -> Played:
    return play(hosts, "--tags", "storage", playbook="host-verify")


@pytest.fixture(scope="module")
def hosts(bare_hosts: Hosts) -> Hosts:
    """Looked at by `--check`, refused to format what nobody named, and then configured."""
    bare_hosts.command(HOST, f"mkdir -p /srv/data; truncate -s 64M {BLANK} {HOLDING}; mkfs.ext4 -q {HOLDING}")
    looked = play(bare_hosts, "--check", "--diff")
    assert not looked.failed, looked.output
    refused = play(bare_hosts)
    assert f"{BLANK} is blank and declared to hold ext4" in " ".join(refused.output.split())
    assert bare_hosts.says(HOST, f"wipefs --noheadings {BLANK}") == ""
    configured = play(bare_hosts, storage_may_format=[BLANK])
    assert not configured.failed, configured.output
    return bare_hosts


def test_a_second_run_changes_nothing(hosts: Hosts) -> None:
    assert play(hosts).changed == {HOST: 0}
    assert play(hosts, "--check", "--diff").changed == {HOST: 0}
    assert not verify(hosts).failed


@pytest.mark.parametrize(
    ("by_hand", "told"),
    [
        ("umount /srv/bound", "/srv/bound is declared as a mount of /srv/data, and nothing is mounted there"),
        ("mount -o remount,exec /srv/in", "/srv/in: noexec is declared, found"),
        ("sed -i s/strict/smart/ /etc/multipath.conf", "multipath's find_multipaths is declared strict"),
        (
            "sed -i 's/^node.startup.*/node.startup = manual/' /etc/iscsi/iscsid.conf",
            "iSCSI's node.startup is declared",
        ),
        ("echo InitiatorName=iqn.x >/etc/iscsi/initiatorname.iscsi", "found InitiatorName=iqn.x"),
    ],
)
def test_what_is_changed_by_hand_is_named_and_put_right(hosts: Hosts, by_hand: str, told: str) -> None:
    hosts.command(HOST, by_hand)
    assert play(hosts, "--check", "--diff").changed[HOST] > 0
    verified = verify(hosts)
    assert verified.failed == {HOST}
    assert told in " ".join(verified.output.split())
    assert not play(hosts).failed
    assert not verify(hosts).failed


def test_a_device_that_holds_something_is_refused_even_when_it_is_named(hosts: Hosts) -> None:
    before = hosts.command(HOST, f"sha256sum {HOLDING}")
    refused = play(hosts, storage_filesystems=[{"device": HOLDING, "type": "xfs"}], storage_may_format=[HOLDING])
    assert refused.failed == {HOST}
    assert f"{HOLDING} is declared to hold xfs, and holds ext4" in " ".join(refused.output.split())
    assert hosts.command(HOST, f"sha256sum {HOLDING}") == before


def test_a_mount_that_would_hide_what_stands_below_it_is_refused(hosts: Hosts) -> None:
    hosts.command(HOST, "umount /srv/in && echo disk >/srv/in/guest")
    refused = play(hosts)
    assert refused.failed == {HOST}
    assert "a mount would hide what stands below it: /srv/in/guest" in " ".join(refused.output.split())
    assert hosts.command(HOST, "cat /srv/in/guest") == "disk\n"
    hosts.command(HOST, "rm /srv/in/guest")
    assert not play(hosts).failed
    assert not verify(hosts).failed

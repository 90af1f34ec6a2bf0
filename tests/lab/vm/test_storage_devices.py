"""The storage role on block devices: volume groups, a disk on two paths, NFS and iSCSI from servers on the host."""

import json

import pytest

from tests.lab.host_fixtures import Played
from tests.lab.vm_fixtures import NAME, Vm

pytestmark = [pytest.mark.lab, pytest.mark.soak]

VOLUME, PATHS = "/dev/data/guests", "/dev/mapper/mpatha"
INITIATOR = "iqn.2025-01.th.go.gdcc:vm1"
TARGET = "iqn.2025-01.lab:disk"
DECLARED = {
    "storage_volume_groups": [{"name": "data", "devices": ["/dev/vdb", "/dev/vdc"]}],
    "storage_volumes": [{"group": "data", "name": "guests", "size_mib": 640}],
    "storage_filesystems": [{"device": VOLUME, "type": "xfs"}, {"device": PATHS, "type": "ext4"}],
    "storage_mounts": [
        {"path": "/srv/guests", "source": VOLUME, "type": "xfs", "options": ["noatime", "nodev"]},
        {"path": "/srv/paths", "source": PATHS, "type": "ext4", "options": ["_netdev"]},
        {"path": "/srv/share", "source": "127.0.0.1:/srv/export", "type": "nfs4", "options": ["soft", "nosuid"]},
    ],
    "storage_may_format": ["/dev/vdb", "/dev/vdc", VOLUME, PATHS],
    "storage_multipath_enabled": True,
    "storage_multipath_defaults": {"find_multipaths": "yes", "user_friendly_names": "yes", "polling_interval": 5},
    "storage_iscsi_enabled": True,
    "storage_iscsi_initiator": INITIATOR,
    "storage_iscsi_settings": {"node.startup": "automatic"},
}
SERVERS = f"""
mkdir -p /srv/export && echo here >/srv/export/file && echo '/srv/export 127.0.0.1(rw,no_subtree_check)' >/etc/exports
systemctl start nfs-server tgt multipathd
truncate -s 32M /srv/disk.img
tgtadm --op new --mode target --tid 1 -T {TARGET}
tgtadm --op new --mode logicalunit --tid 1 --lun 1 -b /srv/disk.img
tgtadm --op bind --mode target --tid 1 -I ALL
"""


def play(vm: Vm, *options: str, **more: object) -> Played:
    return vm.play("storage", *options, **{**DECLARED, **more})


def verify(vm: Vm) -> Played:
    return vm.verify("storage", **DECLARED)


def paths(vm: Vm) -> dict[str, str]:
    """The disks of the multipath device, and their states."""
    maps = json.loads(vm.command("multipathd show maps json"))["maps"]
    return {path["dev"]: path["dm_st"] for each in maps for group in each["path_groups"] for path in group["paths"]}


@pytest.fixture(scope="module")
def vm(bare_vm: Vm) -> Vm:
    """Looked at by `--check`, which changes nothing, and then configured."""
    bare_vm.command(SERVERS)
    looked = play(bare_vm, "--check", "--diff")
    assert not looked.failed, looked.output
    assert bare_vm.command("pvs --noheadings") == ""
    configured = play(bare_vm)
    assert not configured.failed, configured.output
    verified = verify(bare_vm)
    assert not verified.failed, verified.output
    return bare_vm


def test_volumes_paths_and_shares_are_mounted(vm: Vm) -> None:
    assert vm.command("vgs --noheadings -o pv_count data").strip() == "2"
    assert vm.command(f"lvs --noheadings --units m --nosuffix -o lv_size {VOLUME}").strip() == "640.00"
    found = {path: vm.command(f"findmnt -n -o FSTYPE,OPTIONS {path}") for path in ("/srv/guests", "/srv/paths")}
    assert found["/srv/guests"].startswith("xfs") and "noatime" in found["/srv/guests"]
    assert found["/srv/paths"].startswith("ext4")
    assert vm.command("cat /srv/share/file") == "here\n"


def test_a_second_run_changes_nothing(vm: Vm) -> None:
    for options in ((), ("--check", "--diff")):
        again = play(vm, *options)
        assert again.changed == {NAME: 0} and not again.failed, again.output


def test_a_path_that_is_taken_away_leaves_the_mount_working(vm: Vm) -> None:
    lost, *_ = before = paths(vm)
    assert before == dict.fromkeys(before, "active") and len(before) == 2
    vm.command(f"echo offline >/sys/block/{lost}/device/state")
    vm.command("dd if=/dev/zero of=/srv/paths/written bs=1M count=8 oflag=direct status=none")
    vm.await_that(lambda: paths(vm)[lost] == "failed", "multipathd sees the path fail")
    vm.command("dd if=/srv/paths/written of=/dev/null bs=1M iflag=direct status=none && touch /srv/paths/still && sync")
    vm.command(f"echo running >/sys/block/{lost}/device/state")
    vm.await_that(lambda: paths(vm) == before, "the path comes back")


def test_the_initiator_logs_in_to_a_target_under_its_declared_name(vm: Vm) -> None:
    vm.command("iscsiadm -m discovery -t sendtargets -p 127.0.0.1 && iscsiadm -m node --login")
    assert f"Initiator: {INITIATOR}" in vm.command("tgtadm --lld iscsi --op show --mode target")
    assert "node.startup = automatic" in vm.command("iscsiadm -m node -T " + TARGET)
    vm.command("iscsiadm -m node --logout")


@pytest.mark.parametrize(
    ("by_hand", "told"),
    [
        ("umount /srv/guests", "/srv/guests is declared as a mount of /dev/data/guests, and nothing is mounted there"),
        ("mount -o remount,dev /srv/guests", "/srv/guests: nodev is declared, found"),
        ("umount /srv/share", "/srv/share is declared as a mount of 127.0.0.1:/srv/export, and nothing is mounted"),
        ("systemctl disable --now multipathd.socket multipathd", "multipathd is declared enabled and active, found"),
    ],
)
def test_what_is_changed_by_hand_is_named_and_put_right(vm: Vm, by_hand: str, told: str) -> None:
    vm.command(by_hand)
    assert play(vm, "--check", "--diff").changed[NAME] > 0
    verified = verify(vm)
    assert verified.failed == {NAME}
    assert told in " ".join(verified.output.split())
    mended = play(vm)
    assert not mended.failed, mended.output
    verified = verify(vm)
    assert not verified.failed, verified.output


def test_a_volume_grows_with_its_filesystem_and_a_disk_that_holds_something_is_refused(vm: Vm) -> None:
    grown = play(vm, storage_volumes=[{"group": "data", "name": "guests", "size_mib": 800}])
    assert not grown.failed, grown.output
    assert int(vm.command("findmnt -n -b -o SIZE /srv/guests")) > 700 * 1024 * 1024
    refused = play(vm, storage_volume_groups=[{"name": "other", "devices": [PATHS]}], storage_volumes=[])
    assert refused.failed == {NAME}
    assert f"{PATHS} is declared to hold LVM2_member of other, and holds ext4" in " ".join(refused.output.split())


def test_everything_is_mounted_again_by_a_boot(vm: Vm) -> None:
    vm.command("systemctl enable nfs-server")
    before = vm.boot_id()
    vm.says("systemctl reboot")
    vm.await_that(lambda: vm.boot_id() not in {"", before}, "the host boots")
    vm.command("systemctl is-system-running --wait || true")
    verified = verify(vm)
    assert not verified.failed, verified.output
    assert len(paths(vm)) == 2

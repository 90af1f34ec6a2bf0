"""The kernel role on a kernel of the host's own: modules, the command line after a boot, hugepages, CPUs, a crash."""

import pytest

from tests.lab.host_fixtures import Played
from tests.lab.vm_fixtures import NAME, Vm

pytestmark = [pytest.mark.lab, pytest.mark.soak]

DECLARED = {
    "kernel_modules": ["br_netfilter", "vhost-net"],
    "kernel_parameters": ["transparent_hugepage=never"],
    "kernel_hugepages": [{"size": "2M", "count": 64}],
    "kernel_hugepages_leave_mib": 1024,
    "kernel_isolated_cpus": "1",
    "kernel_kdump": True,
    "kernel_kdump_memory": "256M",
}
WORDS = {
    "transparent_hugepage=never", "hugepagesz=2M", "hugepages=64", "isolcpus=managed_irq,domain,1", "nohz_full=1",
    "rcu_nocbs=1", "crashkernel=256M",
}  # fmt: skip


def play(vm: Vm, *options: str) -> Played:
    return vm.play("kernel", *options, **DECLARED)


def verify(vm: Vm) -> Played:
    return vm.verify("kernel", **DECLARED)


@pytest.fixture(scope="module")
def vm(bare_vm: Vm) -> Vm:
    """Looked at by `--check`, which changes nothing, configured, and rebooted by the project's playbook."""
    looked = play(bare_vm, "--check", "--diff")
    assert not looked.failed, looked.output
    assert "hugepages=64" in looked.output
    assert bare_vm.says("cat /etc/default/grub.d/90-gdcc.cfg; lsmod | grep br_netfilter") == ""
    configured = play(bare_vm)
    assert not configured.failed, configured.output
    early = verify(bare_vm)
    assert early.failed == {NAME}
    assert "the host has not been rebooted since" in " ".join(early.output.split())
    assert bare_vm.command("cat /run/reboot-required.pkgs") == "kernel-command-line\n"
    rebooted = bare_vm.play("host-reboot")
    assert not rebooted.failed, rebooted.output
    return bare_vm


def test_what_a_boot_takes_runs_after_it(vm: Vm) -> None:
    assert set(vm.command("cat /proc/cmdline").split()) >= WORDS
    assert vm.command("cat /sys/devices/system/cpu/isolated") == "1\n"
    assert "HugePages_Total:      64" in vm.command("cat /proc/meminfo")
    assert vm.command("cat /sys/kernel/kexec_crash_loaded") == "1\n"
    assert vm.command("cat /sys/kernel/kexec_crash_size") == f"{256 * 1024 * 1024}\n"
    assert vm.command("systemctl is-active kdump-tools") == "active\n"
    assert vm.command("ls -d /sys/module/br_netfilter /sys/module/vhost_net").count("\n") == 2
    assert vm.says("modprobe sctp || echo refused") == "refused"
    verified = verify(vm)
    assert not verified.failed, verified.output


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        ([{"size": "2M", "count": 900}], "has to leave 1024"),
        ([{"size": "1G", "count": 1}], "does not have them (pdpe1gb)"),
        ([{"size": "2M", "count": 1}, {"size": "2M", "count": 2}], "takes each size once"),
    ],
)
def test_pages_that_the_machine_cannot_give_are_refused(vm: Vm, pages: object, told: str) -> None:
    refused = vm.play("kernel", "--check", **{**DECLARED, "kernel_hugepages": pages})
    assert refused.failed == {NAME}
    assert told in " ".join(refused.output.split())


def test_a_second_run_changes_nothing(vm: Vm) -> None:
    for options in ((), ("--check", "--diff")):
        again = play(vm, *options)
        assert again.changed == {NAME: 0} and not again.failed, again.output


@pytest.mark.parametrize(
    ("by_hand", "told"),
    [
        ("sysctl -qw vm.swappiness=60", "Declared is vm.swappiness = 1; the kernel has 60"),
        ("rmmod br_netfilter", "Module br_netfilter is declared loaded and is not loaded"),
        ("systemctl stop kdump-tools", "kdump is declared, and no crash kernel is loaded"),
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


def test_a_crash_leaves_its_dump_and_the_host_comes_back(vm: Vm) -> None:
    before = vm.boot_id()
    vm.says("sync; timeout 5 sh -c 'echo c >/proc/sysrq-trigger'")
    vm.await_that(lambda: vm.boot_id() not in {"", before}, "the host comes back")
    assert "sysrq triggered crash" in vm.command("cat /var/crash/*/dmesg.*")
    assert int(vm.command("stat -c %s /var/crash/*/dump.*")) > 0

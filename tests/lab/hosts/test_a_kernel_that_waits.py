"""A kernel that was upgraded and asks for no reboot, as Debian's do not, on a host without unattended-upgrades."""

import pytest

from tests.lab.host_fixtures import Hosts

pytestmark = [pytest.mark.lab, pytest.mark.soak]

HOST = "host2"
ONLY = ("--limit", HOST)


def test_a_newer_kernel_is_told_by_patch_and_by_the_hosts_checks(
    standing_hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_SHOW_CUSTOM_STATS", "1")
    hosts = standing_hosts
    assert not hosts.play("monitoring", *ONLY).failed
    assert hosts.command(HOST, "ls /etc/kernel/postinst.d 2>/dev/null | grep -c unattended || true") == "0\n"
    hosts.command(HOST, "rm -f /run/reboot-required*")
    try:
        for kernels, required in (("6.1.0-9-amd64 $(uname -r)", "false"), ("$(uname -r) 99.0.0-1-amd64", "true")):
            hosts.command(
                HOST, f"mkdir -p /boot; rm -f /boot/vmlinuz-*; cd /boot; for k in {kernels}; do touch vmlinuz-$k; done"
            )
            patched = hosts.play("host-patch", *ONLY, "-e", '{"patch_packages": ["gdcc-canary"]}')
            assert not patched.failed, patched.output
            assert f"reboot_required: {required} " in patched.output, patched.output
            assert ("linux-image-99.0.0-1-amd64" in patched.output) is (required == "true")
            page = "/var/lib/prometheus/node-exporter/gdcc_host.prom"
            told = hosts.command(HOST, f"systemctl start gdcc-host-checks.service && cat {page}")
            assert f"gdcc_host_reboot_required {int(required == 'true')}\n" in told
    finally:
        hosts.command(HOST, "rm -f /boot/vmlinuz-*")

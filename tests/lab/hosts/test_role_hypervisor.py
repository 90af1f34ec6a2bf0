"""nova-compute from the joined lab's environment and Debian's libvirt, as the hypervisor role sets them up."""

import pytest

from tests.lab.host_fixtures import Hosts, JoinedLab

pytestmark = pytest.mark.lab

HOST = "host1"
ONLY = ("--limit", HOST)
WITH_LIBVIRT = (
    "-e",
    '{"hypervisor_libvirt": true, "hypervisor_virt_type": "qemu", "hypervisor_cpu_models": ["Westmere"]}',
)
DROP_IN = "/etc/nova/nova.conf.d/50-gdcc.conf"


@pytest.fixture(scope="module")
def hosts(standing_joined_lab: JoinedLab) -> Hosts:
    return standing_joined_lab.hosts


def test_an_older_nova_is_refused_before_anything_is_changed(hosts: Hosts) -> None:
    played = hosts.play("hypervisor", *ONLY, "-e", "hypervisor_nova_source=debian")
    assert played.failed == {HOST}
    assert played.changed == {HOST: 0}
    assert "takes nova-compute 34 or newer, and apt (debian) has 26." in played.output
    missing = hosts.play("hypervisor", *ONLY, "-e", "hypervisor_nova_venv=/opt/nothing")
    assert missing.failed == {HOST}
    assert "/opt/nothing has none" in missing.output


def test_a_second_run_changes_nothing_and_verify_reads_the_clearance_from_placement(hosts: Hosts) -> None:
    again = hosts.play("hypervisor", *ONLY)
    assert again.changed == {HOST: 0}, again.output
    verified = hosts.play("host-verify", "--tags", "hypervisor", *ONLY)
    assert not verified.failed, verified.output
    assert "Placement holds the host's clearance, and no other" in verified.output


def test_options_changed_by_hand_are_named_and_put_right(hosts: Hosts) -> None:
    hosts.command(
        HOST,
        f"sed -i 's/^cpu_allocation_ratio.*/cpu_allocation_ratio = 16/; /auto_converge/d' {DROP_IN}"
        " && systemctl restart nova-compute",
    )
    looked = hosts.play("hypervisor", "--check", "--diff", *ONLY)
    assert "-cpu_allocation_ratio = 16" in looked.output
    verified = hosts.play("host-verify", "--tags", "hypervisor", *ONLY)
    assert verified.failed == {HOST}
    assert "[DEFAULT] cpu_allocation_ratio is declared 4.0, and is 16.0" in verified.output
    assert "[libvirt] live_migration_permit_auto_converge is declared True, and is False" in verified.output
    assert not hosts.play("hypervisor", *ONLY).failed


def test_a_login_that_keystone_refuses_is_told_without_its_password(hosts: Hosts) -> None:
    refused = hosts.play("host-verify", "--tags", "hypervisor", *ONLY, "-e", "hypervisor_auth_password=planted-word")
    assert refused.failed == {HOST}
    assert "does not let nova in, so that the clearance cannot be read back" in " ".join(refused.output.split())
    assert "401" in refused.output
    assert "planted-word" not in refused.output


def test_a_nova_compute_that_is_not_the_declared_one_is_named(hosts: Hosts) -> None:
    """As where a virtual environment's unit goes on after the host was given another."""
    hosts.command(HOST, "ln -sfn /opt/lab/openstack/venv /opt/other")
    verified = hosts.play("host-verify", "--tags", "hypervisor", *ONLY, "-e", "hypervisor_nova_venv=/opt/other")
    assert verified.failed == {HOST}
    assert "nova-compute is declared to be /opt/other/bin/nova-compute (venv), and what runs" in " ".join(
        verified.output.split()
    )


def test_a_clearance_that_placement_does_not_hold_and_one_too_many_are_named(hosts: Hosts) -> None:
    declared = '{"gdcc_clearance_traits": ["CUSTOM_CLEARANCE_OPEN", "CUSTOM_CLEARANCE_SECRET"]}'
    verified = hosts.play(
        "host-verify", "--tags", "hypervisor", *ONLY, "-e", declared, "-e", "hypervisor_report_timeout_s=5"
    )
    assert verified.failed == {HOST}
    assert "missing: CUSTOM_CLEARANCE_SECRET" in verified.output
    assert "too many: CUSTOM_CLEARANCE_INTERNAL" in verified.output


def test_libvirt_takes_migrations_by_tls_on_their_network_alone(hosts: Hosts) -> None:
    played = hosts.play("hypervisor", *ONLY, *WITH_LIBVIRT)
    assert not played.failed, played.output
    assert hosts.play("hypervisor", *ONLY, *WITH_LIBVIRT).changed == {HOST: 0}
    verified = hosts.play("host-verify", "--tags", "hypervisor", *ONLY, *WITH_LIBVIRT)
    assert not verified.failed, verified.output
    address = "10.214.20.11"  # of a VLAN that the lab has not
    hosts.command(HOST, f"ip address replace {address}/32 dev lo")
    handshake = f"openssl s_client -connect {address}:16514 -CAfile /etc/pki/CA/cacert.pem -brief </dev/null 2>&1"
    assert "Verification: OK" in hosts.says(HOST, handshake)
    hosts.command(HOST, f"ip address delete {address}/32 dev lo")
    assert "QEMU" in hosts.command(HOST, "virsh -c qemu:///system version")

    hosts.command(HOST, "sed -i s/49215/50000/ /etc/libvirt/qemu.conf")
    verified = hosts.play("host-verify", "--tags", "hypervisor", *ONLY, *WITH_LIBVIRT)
    assert "libvirtd.service runs, and has not read /etc/libvirt/qemu.conf" in " ".join(verified.output.split())
    assert not hosts.play("hypervisor", *ONLY, *WITH_LIBVIRT).failed
    assert not hosts.play("hypervisor", *ONLY).failed

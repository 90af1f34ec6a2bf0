"""The network role on a kernel that has bonds and VLANs: the estate's cards and networks, a switch that speaks LACP."""

import json
from typing import Any

import pytest

from tests.lab.vm_fixtures import NAME, Vm

pytestmark = [pytest.mark.lab, pytest.mark.soak]

ROLLBACK_S = 240  # a host without KVM takes more than a minute to answer anew
SWITCH, MANAGEMENT = "10.215.20.1", "10.215.0.11"


def links(vm: Vm) -> dict[str, dict[str, Any]]:
    return {each["ifname"]: each for each in json.loads(vm.command("ip -json -details address show"))}


def pings(vm: Vm, size: int) -> bool:
    """Whether a packet of that size, with its headers, reaches the switch's address in the VLAN in one piece."""
    return "1 received" in vm.says(f"ping -c 1 -W 10 -M do -s {size - 28} {SWITCH}")


@pytest.fixture(scope="module")
def vm(bare_vm: Vm) -> Vm:
    """Configured over eth0, which becomes a member of bond0 on the way."""
    configured = bare_vm.play("network", network_rollback_seconds=ROLLBACK_S)
    assert not configured.failed, configured.output
    return bare_vm


def test_bonds_have_their_members_and_carry_the_vlan_with_its_mtu(vm: Vm) -> None:
    found = links(vm)
    assert {name: found[name]["master"] for name in ("eth0", "eth1", "eth2", "eth3")} == {
        "eth0": "bond0", "eth1": "bond0", "eth2": "bond1", "eth3": "bond1",
    }  # fmt: skip
    assert found["bond0"]["linkinfo"]["info_data"]["mode"] == "active-backup"
    assert found["bond1"]["linkinfo"]["info_data"]["mode"] == "802.3ad"
    assert found["bond1.20"]["linkinfo"]["info_data"]["id"] == 20
    assert {name: found[name]["mtu"] for name in ("bond0", "eth3", "bond1", "bond1.20")} == {
        "bond0": 1500, "eth3": 9000, "bond1": 9000, "bond1.20": 9000,
    }  # fmt: skip
    vm.await_that(lambda: pings(vm, 9000), "the switch answers in VLAN 20")
    bond = vm.command("cat /proc/net/bonding/bond1")
    assert bond.count("MII Status: up") == 3, bond
    assert "Partner Mac Address: 00:00:00:00:00:00" not in bond
    assert "Number of ports: 2" in bond
    verified = vm.verify("network")
    assert not verified.failed, verified.output


def test_a_member_that_fails_leaves_the_bond_working_and_is_named(vm: Vm) -> None:
    vm.command("ip link set eth2 down")
    vm.await_that(lambda: pings(vm, 9000), "the switch answers over the other member")
    verified = vm.verify("network")
    assert verified.failed == {NAME}
    assert "eth2: state up is declared, found down" in " ".join(verified.output.split())
    mended = vm.play("network", network_rollback_seconds=ROLLBACK_S)
    assert mended.changed[NAME] > 0 and not mended.failed, mended.output
    vm.await_that(lambda: "Number of ports: 2" in vm.says("cat /proc/net/bonding/bond1"), "both members carry again")
    verified = vm.verify("network")
    assert not verified.failed, verified.output


def test_a_second_run_changes_nothing(vm: Vm) -> None:
    for options in ((), ("--check", "--diff")):
        again = vm.play("network", *options, network_rollback_seconds=ROLLBACK_S)
        assert again.changed == {NAME: 0} and not again.failed, again.output


def test_a_bond_that_cuts_the_host_off_is_taken_back_by_the_host(vm: Vm) -> None:
    before = vm.command("cat /etc/systemd/network/*")
    alone = [{"name": "management", "use": "management", "cidr": "10.215.0.0/24", "vlan": 66, "address": MANAGEMENT}]
    cut = vm.play(
        "network",
        network_networks=alone,
        network_routes=[],
        network_bonds={"bond0": {"mode": "802.3ad"}},
        network_rollback_seconds=ROLLBACK_S,
    )
    said = " ".join(cut.output.split())
    assert cut.failed == {NAME}
    assert f"The change to the network of {NAME} was not kept" in said
    assert f"has its old files again and answers on {MANAGEMENT}" in said
    assert vm.command("cat /etc/systemd/network/*") == before
    assert links(vm)["bond0"]["linkinfo"]["info_data"]["mode"] == "active-backup"
    vm.await_that(lambda: pings(vm, 9000), "the switch answers in VLAN 20 again")
    verified = vm.verify("network")
    assert not verified.failed, verified.output


def test_bonds_come_up_with_the_host(vm: Vm) -> None:
    before = vm.boot_id()
    vm.says("systemctl reboot")
    vm.await_that(lambda: vm.boot_id() not in {"", before}, "the host boots")
    vm.await_that(lambda: pings(vm, 9000), "the switch answers in VLAN 20")
    verified = vm.verify("network")
    assert not verified.failed, verified.output

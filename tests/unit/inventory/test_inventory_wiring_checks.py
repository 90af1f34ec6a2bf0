"""Ports, bonds and the hosts' own networks: one thing wrong, one problem at its line."""

from pathlib import Path

import pytest

from inventory import load
from inventory.wiring import HostNetwork, HostNetworkUse
from tests.estates import TEXT, told

NETWORKS = """\
host_networks:
- {name: management, use: management, cidr: 10.0.4.0/24, vlan: 10}
- {name: migration, use: migration, cidr: 10.0.5.0/24, vlan: 20, mtu: 9000}
- {name: storage-a, use: storage, cidr: 10.0.6.0/24}
- {name: provider, use: provider, mtu: 9000}
"""
TYPE = "idle_watts: 180, peak_watts: 520}"
HOST = "hosts:\n- name: h1\n"
H1_LINE = (TEXT[: TEXT.index(HOST)] + NETWORKS).count("\n") + 3


def told_of(directory: Path, fields: str, networks: str = NETWORKS) -> list[str]:
    """What is wrong when host h1 has one more line, the networks declared."""
    return told(directory, HOST, f"{networks}{HOST}  {fields}\n")


def told_of_type(directory: Path, fields: str) -> list[str]:
    """What is wrong when host type t has more fields, without the file's line."""
    said = told(directory, TYPE, f"{TYPE[:-1]}, {fields}}}")
    return [each.partition(": ")[2] for each in said]


def test_a_host_may_have_an_address_on_each_network(tmp_path: Path) -> None:
    assert told_of(tmp_path, "networks: {migration: 10.0.5.1, storage-a: 10.0.6.1}\n  address: 10.0.4.1") == []
    estate = load.load(tmp_path)
    assert estate.hosts["h1"].networks == {"migration": "10.0.5.1", "storage-a": "10.0.6.1"}
    assert estate.host_networks["provider"] == HostNetwork(name="provider", use=HostNetworkUse.PROVIDER, mtu=9000)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ("networks: {backup: 10.0.7.1}", "networks names 'backup', which is not in host_networks"),
        ("networks: {migration: 10.0.6.1}", "10.0.6.1 is no host's address in 10.0.5.0/24 of network migration"),
        ("networks: {migration: 10.0.5.0}", "10.0.5.0 is no host's address in 10.0.5.0/24"),
        ("networks: {migration: 10.0.5.255}", "10.0.5.255 is no host's address in 10.0.5.0/24"),
        ("networks: {migration: somewhere}", "somewhere is no host's address in 10.0.5.0/24"),
        ('networks: {migration: "10.0.5.1:22"}', "10.0.5.1:22 is no host's address in 10.0.5.0/24"),
        ("networks: {migration: fd00::1}", "fd00::1 is no host's address in 10.0.5.0/24"),
        ("networks: {management: 10.0.4.1}", "management is a management network, the address on it is the host's own"),
        ("networks: {provider: 10.0.4.1}", "provider is a provider network, on which hosts have no address"),
        ("networks: {migration: 7}", "networks migration must be text, not the int 7"),
        ("address: 10.0.0.9", "address 10.0.0.9 is on no management network (correct it, or one of management "),
    ],
)
def test_an_address_that_cannot_be_is_told_at_its_line(tmp_path: Path, fields: str, what: str) -> None:
    (said,) = told_of(tmp_path, fields)
    assert said.startswith(f"estate.yaml:{H1_LINE}: hosts h1: ")
    assert what in said


def test_an_address_that_two_hosts_have_is_told(tmp_path: Path) -> None:
    unmanaged = "".join(line for line in NETWORKS.splitlines(keepends=True) if "use: management" not in line)
    (said,) = told_of(tmp_path, "networks: {migration: 10.0.5.1}\n  address: 10.0.5.1", unmanaged)
    assert "hosts h1: address 10.0.5.1 is also that of hosts h1 (correct one of them)" in said


def test_two_networks_to_migrate_over_are_told(tmp_path: Path) -> None:
    more = NETWORKS + "- {name: other, use: migration, cidr: 10.0.8.0/24}\n"
    (said,) = told_of(tmp_path, "networks: {migration: 10.0.5.1, other: 10.0.8.1}", more)
    assert "has addresses on migration and other, nova-compute migrates over one" in said


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("{name: storage-b, use: storage}", "is a storage network without a range of addresses (give its cidr)"),
        ("{name: outer, use: provider, cidr: 10.0.9.0/24}", "is a provider network, on which hosts have no address"),
        ("{name: storage-b, use: storage, cidr: 10.0.6.128/25}", "overlaps with 10.0.6.0/24 of storage-a"),
        ("{name: storage-b, use: storage, cidr: 10.0.9.1/24}", "is no network"),
        ("{name: storage-b, use: storage, cidr: 10.0.9.0/24, mtu: 90}", "mtu is 90, which cannot be"),
        ("{name: storage-b, use: storage, cidr: 10.0.9.0/24, vlan: 4095}", "vlan is 4095, which cannot be"),
        ("{name: storage-b, use: backup, cidr: 10.0.9.0/24}", "use is 'backup' (write one of: management, migration"),
        ("{name: storage-b, use: storage, cidr: 10.0.9.0/24, gateway: x}", "unknown key 'gateway'"),
    ],
)
def test_a_network_that_cannot_be_is_told(tmp_path: Path, row: str, what: str) -> None:
    (said,) = told(tmp_path, HOST, f"{NETWORKS}- {row}\n{HOST}")
    assert what in said


def test_ports_and_firmware_of_a_type_are_read(tmp_path: Path) -> None:
    assert told_of_type(tmp_path, "nics: [{name: eno1, bond: bond0}, {name: eno2}], firmware: {bios: 2.19.1}") == []
    host_type = load.load(tmp_path).host_types["t"]
    assert [(nic.name, nic.bond) for nic in host_type.nics] == [("eno1", "bond0"), ("eno2", None)]
    assert host_type.firmware == {"bios": "2.19.1"}


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ("nics: [{name: eno1}, {name: eno1}]", "host_types t: names a port twice (keep one)"),
        ("nics: [{name: eno1, bond: eno2}, {name: eno2}]", "host_types t: 'eno2' is a port and a bond"),
        ("nics: [{name: a-port-of-16-byt}]", "host_types t: 'a-port-of-16-byt' cannot name an interface"),
        ("nics: [{name: eno1, bond: bond/0}]", "host_types t: 'bond/0' cannot name an interface"),
        ("nics: [{bond: bond0}]", "host_types t: nics: name is missing (add it)"),
        ("firmware: {bios: 2.19}", "host_types t: firmware bios must be text, not the float 2.19"),
    ],
)
def test_a_port_or_a_version_that_cannot_be_is_told(tmp_path: Path, fields: str, what: str) -> None:
    (said,) = told_of_type(tmp_path, fields)
    assert said.startswith(what)


@pytest.mark.parametrize(
    ("cidr", "address", "held"),
    [
        ("10.0.0.0/31", "10.0.0.0", True),
        ("10.0.0.7/32", "10.0.0.7", True),
        ("10.0.0.0/30", "10.0.0.3", False),
        ("fd00::/64", "fd00::1", True),
        ("fd00::/64", "fd01::1", False),
        ("no range", "10.0.0.1", False),
    ],
)
def test_a_network_holds_what_can_be_a_hosts_address(cidr: str, address: str, held: bool) -> None:
    network = HostNetwork(name="n", use=HostNetworkUse.STORAGE, cidr=cidr)
    assert network.holds(address) is held

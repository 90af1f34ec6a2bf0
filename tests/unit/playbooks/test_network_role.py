"""Which links, files and commands a host's declared networks come to, and what is said of those that run."""

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from tests.unit.playbooks.role_modules import role_module

LINKS = role_module("network/filter_plugins/network_links.py")
FILES = role_module("network/filter_plugins/network_files.py")
BOND = {"mode": "802.3ad", "mii_monitor_ms": 100, "lacp_rate": "fast", "hash_policy": "layer3+4"}
NICS = [{"name": "eno1", "bond": "bond0"}, {"name": "eno2", "bond": "bond0"}]
MANAGEMENT = {"name": "management", "vlan": None, "cidr": "10.0.0.0/24", "mtu": 1500, "address": "10.0.0.7"}
MIGRATION = {"name": "migration", "vlan": 20, "cidr": "10.0.20.0/23", "mtu": 9000, "address": "10.0.20.7"}
DEFAULT = {"network": "management", "destination": "default", "gateway": "10.0.0.1"}


def links(nics: Any = NICS, networks: Any = (MANAGEMENT, MIGRATION), **more: Any) -> list[dict[str, Any]]:
    given = {"bond": BOND, "bonds": {}, "parents": {}, "routes": [DEFAULT], "host": "cmp1", **more}
    found: list[dict[str, Any]] = LINKS.network_links(nics, networks, **given)
    return found


def running(declared: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What `ip` says where all is as declared."""
    said = []
    for index, link in enumerate(declared, start=2):
        one: dict[str, Any] = {
            "ifindex": index,
            "ifname": link["name"],
            "mtu": link["mtu"],
            "flags": ["UP", "LOWER_UP"],
        }
        addresses = [each.split("/") for each in link["addresses"]]
        one["addr_info"] = [{"local": a, "prefixlen": int(p), "scope": "global"} for a, p in addresses]
        if link["bond"]:
            one |= {"master": link["bond"], "linkinfo": {"info_slave_data": {"mii_status": "UP"}}}
        if link["kind"] == "bond":
            one["linkinfo"] = {"info_data": {"mode": "802.3ad"}}
        if link["kind"] == "vlan":
            one |= {"link": link["parent"], "linkinfo": {"info_data": {"id": link["vlan"]}}}
        said.append(one)
    return said


ROUTES = [{"dst": "default", "gateway": "10.0.0.1", "dev": "bond0", "protocol": "static"}]


def test_a_bond_its_members_and_a_vlan_follow_from_nics_and_networks() -> None:
    found = {link["name"]: link for link in links()}
    assert list(found) == ["eno1", "eno2", "bond0", "bond0.20"]
    assert found["bond0"]["addresses"] == ["10.0.0.7/24"]
    assert found["bond0.20"]["addresses"] == ["10.0.20.7/23"]


def test_a_parent_and_its_members_carry_the_largest_packets_of_its_networks() -> None:
    assert {link["name"]: link["mtu"] for link in links()} == dict.fromkeys(("eno1", "eno2", "bond0", "bond0.20"), 9000)
    (only,) = links([{"name": "eno1"}], [{**MANAGEMENT, "mtu": 1400}])
    assert only["mtu"] == 1400


def test_a_network_with_two_cards_to_stand_on_is_refused_until_one_is_named() -> None:
    cards = [{"name": "eno1"}, {"name": "eno2"}]
    with pytest.raises(AnsibleFilterError, match="management may stand on eno1, eno2; say which in network_parents"):
        links(cards, [MANAGEMENT])
    named = links(cards, [MANAGEMENT], parents={"management": "eno2"})
    assert named[1]["addresses"] == ["10.0.0.7/24"]


def test_a_route_by_an_unknown_network_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="routes through storage"):
        links(routes=[{**DEFAULT, "network": "storage"}])


def test_files_say_what_networkd_needs() -> None:
    files = FILES.network_files(links())
    assert "Bond=bond0" in files["/etc/systemd/network/05-gdcc-eno1.network"]
    assert "VLAN=bond0.20" in files["/etc/systemd/network/05-gdcc-bond0.network"]
    assert "Gateway=10.0.0.1" in files["/etc/systemd/network/05-gdcc-bond0.network"]
    assert "Id=20" in files["/etc/systemd/network/05-gdcc-bond0.20.netdev"]
    assert "LACPTransmitRate=fast" in files["/etc/systemd/network/05-gdcc-bond0.netdev"]


def test_a_netdev_that_changes_or_goes_is_deleted_first_and_made_again_when_the_change_is_taken_back() -> None:
    declared = links()
    files = FILES.network_files(declared)
    stood = [{"path": "/etc/systemd/network/05-gdcc-bond0.30.netdev", "checksum": "x"}]
    change = FILES.network_change(files, stood, declared)
    assert "-/usr/bin/networkctl delete bond0.30" in change["apply"]
    assert "-/usr/bin/networkctl delete bond0.20" in change["restore"]
    assert change["absent"] == ["/etc/systemd/network/05-gdcc-bond0.30.netdev"]


def test_a_change_ends_when_its_links_are_configured_and_announced() -> None:
    declared = links()
    change = FILES.network_change(FILES.network_files(declared), [], declared)
    settle = "/usr/local/sbin/gdcc-network-settle eno1 eno2 bond0 bond0.20"
    assert (change["apply"][-1], change["restore"][-1]) == (settle, f"-{settle}")


def test_a_carrier_that_comes_and_goes_takes_no_address_away() -> None:
    files = FILES.network_files(links())
    kept = [path for path, content in files.items() if "ConfigureWithoutCarrier=yes" in content]
    assert kept == [f"/etc/systemd/network/05-gdcc-{name}.network" for name in ("bond0", "bond0.20")]


def test_what_runs_as_declared_is_no_problem() -> None:
    assert LINKS.network_problems(links(), running(links()), ROUTES) == []


@pytest.mark.parametrize(
    ("link", "differing", "told"),
    [
        (0, {"master": "bond9"}, "eno1: bond bond0 is declared, found bond9"),
        (1, {"linkinfo": {"info_slave_data": {"mii_status": "DOWN"}}}, "eno2: state in its bond UP is declared"),
        (2, {"mtu": 1500}, "bond0: MTU 9000 is declared, found 1500"),
        (2, {"addr_info": []}, "bond0: addresses 10.0.0.7/24 are declared, found none"),
        (3, {"flags": ["UP"]}, "bond0.20: state up is declared, found down"),
        (3, {"linkinfo": {"info_data": {"id": 21}}}, "bond0.20: VLAN 20 is declared, found 21"),
    ],
)
def test_each_difference_is_named(link: int, differing: dict[str, Any], told: str) -> None:
    found = running(links())
    found[link] |= differing
    (problem,) = LINKS.network_problems(links(), found, ROUTES)
    assert problem.startswith(told)


def test_missing_links_and_other_routes_are_named() -> None:
    other = [{"dst": "192.0.2.0/24", "gateway": "10.0.0.9", "dev": "bond0", "protocol": "boot"}]
    assert LINKS.network_problems(links(), running(links())[:3], other) == [
        "bond0: the route to 0.0.0.0/0 via 10.0.0.1 is declared, and there is none",
        "bond0: the route to 192.0.2.0/24 via 10.0.0.9 is found, and not declared",
        "vlan bond0.20 is declared, and there is none",
    ]


def test_two_networks_of_one_vlan_both_keep_their_addresses() -> None:
    second = {"name": "migration6", "vlan": 20, "cidr": "2001:db8::/64", "mtu": 1500, "address": "2001:db8::7"}
    vlan = {link["name"]: link for link in links(networks=[MANAGEMENT, MIGRATION, second])}["bond0.20"]
    assert vlan["addresses"] == ["10.0.20.7/23", "2001:db8::7/64"]
    assert vlan["mtu"] == 9000
    files = FILES.network_files(links(networks=[MANAGEMENT, MIGRATION, second]))
    assert files["/etc/systemd/network/05-gdcc-bond0.network"].count("VLAN=bond0.20") == 1


def test_a_link_whose_name_the_kernel_does_not_take_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match=r"cmp1: enp129s0f0np0.20: a link's name has 15 characters at most"):
        links([{"name": "enp129s0f0np0"}])


def test_a_network_on_a_member_of_a_bond_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="management stands on eno1, which is a member of bond0: name that"):
        links(parents={"management": "eno1"})

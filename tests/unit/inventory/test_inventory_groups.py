"""The groups and variables that Ansible is given of an estate, and the names that would select the wrong hosts."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from inventory import ansible_source, generate, groups, hostvars, load, provider_config
from inventory.facility import Rack, SnmpProfile
from inventory.model import Bmc, Estate, Lifecycle
from tests.estates import TEXT, told

Groups = Mapping[str, groups.Group]


@pytest.fixture(scope="module")
def demo() -> Estate:
    return generate.demo()


def of(estate: Estate) -> Groups:
    return {group.name: group for group in groups.of(estate)}


def members(found: Groups, name: str) -> set[str]:
    """All hosts of a group and of those below it."""
    group = found[name]
    return set(group.hosts).union(*(members(found, child) for child in group.children))


def renamed_racks(estate: Estate, names: Mapping[str, str]) -> Estate:
    racks = [replace(rack, name=names.get(rack.name, rack.name)) for rack in estate.racks.values()]
    hosts = {name: replace(host, rack=names.get(host.rack, host.rack)) for name, host in estate.hosts.items()}
    pdus = {name: replace(pdu, rack=names.get(pdu.rack, pdu.rack)) for name, pdu in estate.pdus.items()}
    return replace(estate, racks={rack.name: rack for rack in racks}, hosts=hosts, pdus=pdus)


def in_rack(estate: Estate, rack: str) -> set[str]:
    return {name for name, host in estate.hosts.items() if host.rack == rack}


def test_every_host_is_in_the_groups_of_what_it_is_and_in_no_others(demo: Estate) -> None:
    found = of(demo)
    mine = {name for name in found if "cmp0014" in members(found, name)}
    assert mine - {"estate"} == {
        *("site_site_1", "site-1", "room_room_1", "room-1", "zone_zone_1", "zone-1", "rack_rack_003", "rack-003"),
        *("feed_feed_1a", "feed-1a", "feed_feed_1b", "feed-1b"),
        *("generation_gen2", "gen2", "type_gen2_96t_768g", "gen2-96t-768g"),
        *("clearance_confidential", "confidential", "lifecycle_in_service", "in-service"),
    }


def test_every_group_stands_below_the_estates_but_the_empty_ones_of_the_dimensions(demo: Estate) -> None:
    found = of(demo)
    assert members(found, "estate") == demo.hosts.keys()
    below = {child for group in found.values() for child in group.children}
    assert found.keys() - below == {*groups.DIMENSIONS, "estate"}
    assert all(members(found, dimension) == set() for dimension in groups.DIMENSIONS)


def test_every_clearance_and_lifecycle_has_a_group_even_without_a_host(demo: Estate) -> None:
    found = of(demo)
    assert members(found, "lifecycle_decommissioned") == set()
    assert {f"lifecycle_{each.replace('-', '_')}" for each in Lifecycle} <= found.keys()


def test_a_name_that_a_rack_and_a_feed_share_has_no_group_of_its_own(demo: Estate) -> None:
    estate = renamed_racks(demo, {"rack-001": "feed-1a"})
    found = of(estate)
    assert "feed-1a" not in found
    assert members(found, "rack_feed_1a") == in_rack(demo, "rack-001")
    assert members(found, "feed_feed_1a") > members(found, "rack_feed_1a")


def test_a_rack_called_like_a_host_has_no_group_of_that_name_and_is_warned_of(demo: Estate) -> None:
    estate = renamed_racks(demo, {"rack-002": "cmp0001"})
    assert "cmp0001" not in of(estate)
    assert members(of(estate), "rack_cmp0001") == in_rack(demo, "rack-002")
    assert ansible_source.content(estate)["warnings"] == [
        "rack cmp0001 has the name of a host: --limit rack:cmp0001 selects that host (write rack_cmp0001)"
    ]


@pytest.mark.parametrize("name", ["rack", "all", "ungrouped", "estate", "localhost", "feed_feed_1a", "r7:r8", "!r7"])
def test_a_name_that_would_mean_something_else_has_no_group_of_its_own(demo: Estate, name: str) -> None:
    estate = renamed_racks(demo, {"rack-001": name})
    assert ("rack", name) not in groups.bare_names(estate)
    assert members(of(estate), groups.group_name("rack", name)) == in_rack(demo, "rack-001")


def test_names_that_give_one_group_are_told_at_the_second(tmp_path: Path) -> None:
    said = told(tmp_path, "- {name: r2, room", "- {name: r.9, room: hall, zone: cool}\n- {name: r-9, room: hall, zone: "
                "cool}\n- {name: r2, room")  # fmt: skip
    line = TEXT[: TEXT.index("- {name: r2, room")].count("\n") + 2
    assert said == [
        f"estate.yaml:{line}: racks r-9: its group in Ansible is rack_r_9, as is that of rack 'r.9' (rename one)"
    ]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("rack", "has the name of a group in Ansible's inventory (rename the host)"),
        ("all", "has the name of a group in Ansible's inventory (rename the host)"),
        ("rack_r1", "has the name of a group in Ansible's inventory (rename the host)"),
        ("'h[1:3]'", "cannot be selected in Ansible, to which its name is a pattern"),
        ("'!h1'", "cannot be selected in Ansible, to which its name is a pattern"),
    ],
)
def test_a_host_that_ansible_could_not_select_is_told(tmp_path: Path, name: str, what: str) -> None:
    changed = TEXT.replace("[h1, h2]", f"[{name}, h2]").replace("- name: h1", f"- name: {name}")
    (tmp_path / "estate.yaml").write_text(changed, encoding="utf-8")
    with pytest.raises(load.EstateError) as caught:
        load.load(tmp_path)
    (problem,) = caught.value.problems
    assert what in problem.what


def test_a_host_called_like_a_rack_is_allowed(tmp_path: Path) -> None:
    changed = TEXT.replace("[h1, h2]", "[h1, r1]").replace("- name: h2", "- name: r1")
    (tmp_path / "estate.yaml").write_text(changed, encoding="utf-8")
    assert "r1" in load.load(tmp_path).hosts


def test_a_hosts_variables_are_all_there_and_typed(demo: Estate) -> None:
    given = dict(hostvars.of(demo)["cmp0014"])
    assert given.pop("gdcc_provider_config") == provider_config.text(demo, demo.hosts["cmp0014"])
    assert given == {
        "ansible_host": "100.64.3.3",
        "gdcc_site": "site-1",
        "gdcc_room": "room-1",
        "gdcc_zone": "zone-1",
        "gdcc_rack": "rack-003",
        "gdcc_unit": 3,
        "gdcc_feeds": ["feed-1a", "feed-1b"],
        "gdcc_type": "gen2-96t-768g",
        "gdcc_generation": "gen2",
        "gdcc_clearance": "confidential",
        "gdcc_clearance_traits": [f"CUSTOM_CLEARANCE_{level}" for level in ("OPEN", "INTERNAL", "CONFIDENTIAL")],
        "gdcc_lifecycle": "in-service",
        "gdcc_bmc": {"address": "127.20.3.3:16161", "profile": "xcc", "credential": "bmc-v3"},
        "gdcc_exporters": ["127.20.3.3:19100", "127.20.3.3:19177"],
        "gdcc_networks": [
            network("management", 10, "100.64.0.0/12", 1500, "100.64.3.3"),
            network("migration", 20, "100.80.0.0/12", 9000, "100.80.3.3"),
            network("storage", 30, "100.96.0.0/12", 9000, "100.96.3.3"),
            network("provider", None, None, 9000, None),
        ],
        "gdcc_traits": [],
        "gdcc_nics": [
            {"name": name, "bond": bond}
            for name, bond in (("eno1", "bond0"), ("eno2", "bond0"), ("ens1f0", "bond1"), ("ens1f1", "bond1"))
        ],
        "gdcc_numa": [{"vcpus": 48, "memory_mib": 393216}] * 2,
        "gdcc_reserved_vcpus": 0,
        "gdcc_reserved_memory_mib": 8192,
        "gdcc_cpu_ratio": 4.0,
        "gdcc_memory_ratio": 1.0,
        "gdcc_disk_ratio": 1.0,
        "gdcc_post_copy": False,
        "gdcc_firmware": {"bios": "1.12.2", "bmc": "6.10.80", "nic": "22.0.5"},
        "gdcc_migration_mib_s": 1200.0,
    }


def network(name: str, vlan: int | None, cidr: str | None, mtu: int, address: str | None) -> Mapping[str, object]:
    return {"name": name, "use": name, "vlan": vlan, "cidr": cidr, "mtu": mtu, "address": address}


def test_variables_are_plain_values_that_a_cache_gives_back_as_they_were(demo: Estate) -> None:
    content = ansible_source.content(demo)
    assert json.loads(json.dumps(content)) == content
    assert all(type(value) in {str, int, float, bool, list, dict, type(None)} for value in leaves(content))


def leaves(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return [leaf for each in (*value.keys(), *value.values()) for leaf in leaves(each)]
    return [leaf for each in value for leaf in leaves(each)] if isinstance(value, list | tuple) else [value]


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        (None, {"ansible_host": "cmp0001"}),
        ("10.0.0.1", {"ansible_host": "10.0.0.1"}),
        ("10.0.0.1:2222", {"ansible_host": "10.0.0.1", "ansible_port": 2222}),
        ("[fd00::1]:2222", {"ansible_host": "fd00::1", "ansible_port": 2222}),
    ],
)
def test_a_host_is_reached_at_its_address_or_else_by_its_name(
    demo: Estate, address: str | None, reached: Mapping[str, object]
) -> None:
    host = replace(demo.hosts["cmp0001"], address=address)
    given = hostvars.of(replace(demo, hosts={"cmp0001": host}))["cmp0001"]
    assert {key: value for key, value in given.items() if key.startswith("ansible_")} == reached


def test_a_bmc_is_null_where_there_is_none_and_else_names_its_credential(demo: Estate) -> None:
    bmc = Bmc(address="10.0.0.1", profile=SnmpProfile.ILO, credential="bmc-v3")
    for declared, given in ((None, None), (bmc, {"address": "10.0.0.1", "profile": "ilo", "credential": "bmc-v3"})):
        host = replace(demo.hosts["cmp0001"], bmc=declared)
        assert hostvars.of(replace(demo, hosts={"cmp0001": host}))["cmp0001"]["gdcc_bmc"] == given


def test_a_rack_without_hosts_has_an_empty_group(demo: Estate) -> None:
    racks = {**demo.racks, "spare": Rack(name="spare", room="room-1", zone="zone-1")}
    found = of(replace(demo, racks=racks))
    assert members(found, "rack_spare") == members(found, "spare") == set()


def test_the_digest_changes_with_a_file_of_the_estate_alone(tmp_path: Path) -> None:
    estate = tmp_path / "estate.yaml"
    estate.write_text(TEXT, encoding="utf-8")
    before = ansible_source.digest(tmp_path)
    (tmp_path / "gdcc.yml").write_text("plugin: gdcc\n", encoding="utf-8")
    assert ansible_source.digest(tmp_path) == before
    estate.write_text(TEXT + "# more\n", encoding="utf-8")
    assert ansible_source.digest(tmp_path) != before


def test_ansibles_own_files_are_no_part_of_the_estate(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "gdcc.yml").write_text("plugin: gdcc\n", encoding="utf-8")
    for name in ("group_vars", "host_vars"):
        (tmp_path / name / "estate").mkdir(parents=True)
        (tmp_path / name / "estate" / "time.yml").write_text("time_servers: []\n", encoding="utf-8")
    assert load.load(tmp_path).name == "small"
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "gdcc.yml").write_text("plugin: gdcc\n", encoding="utf-8")
    with pytest.raises(load.EstateError, match="version is missing"):
        load.load(tmp_path)

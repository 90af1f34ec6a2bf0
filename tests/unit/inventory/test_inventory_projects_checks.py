"""What a project is given, checked: one thing changed in a small valid estate, one problem at its line."""

from pathlib import Path

import pytest

from tests.estates import TEXT, line_of, problems, told

TYPES = "- {name: fast, classification: internal, backend: ceph}"
NETWORKS = "- {name: ext, cidr: 10.9.0.0/16, physical_network: physnet1, vlan: 100, classification: internal}"
PREFIX = "  subnet_prefix: 24"
AGENCIES = "- {name: law}"
IMAGE = "images:\n- {name: deb, id: %s, classification: open}\nvolume_types:"

BENCH = "- {name: bench, agency: law, project: bench, classification: internal, tier: basic}\n"


def only(said: list[str], line: int, what: str) -> None:
    assert len(said) == 1, said
    assert said[0].startswith(f"estate.yaml:{line}: {what}"), said[0]


def filing(tmp_path: Path, line: str) -> list[str]:
    """What is said of the system with one more line."""
    return told(tmp_path, PREFIX, f"{PREFIX}\n  {line}")


HERE = line_of(PREFIX) + 1


def test_a_subnet_that_was_there_before_lies_beside_all_other_ranges_and_takes_none_of_the_pool(
    tmp_path: Path,
) -> None:
    assert told(tmp_path, PREFIX, "  subnet: 10.77.0.0/24") == []
    assert told(tmp_path, PREFIX, "  subnet: 10.77.0.0/24\n  subnet_prefix: 19") == []
    for subnet, why in (
        ("10.77.0.1/24", "is no range of IPv4"),
        ("fd00::/64", "is no range of IPv4"),
        ("10.128.4.0/24", "overlaps with pool 10.128.0.0/20 of tax"),
        ("10.9.3.0/24", "overlaps with 10.9.0.0/16 of network ext"),
        ("10.77.0.0/30", "its 3 VMs do not fit into a /30 subnet"),
    ):
        (said,) = told(tmp_path, PREFIX, f'  subnet: "{subnet}"')
        assert why in said
    second = (
        "- {name: other, agency: tax, project: other, classification: internal, tier: basic, subnet: 10.77.0.128/25}\n"
        "data_sets:"
    )
    text = f"{PREFIX}\n  subnet: 10.77.0.0/24"
    (tmp_path / "estate.yaml").write_text(TEXT.replace(PREFIX, text).replace("data_sets:", second))
    (problem,) = problems(tmp_path)
    assert "subnet 10.77.0.128/25 overlaps with subnet 10.77.0.0/24 of filing" in problem.what


def test_a_subnet_that_holds_other_ranges_is_told_of_each_of_them(tmp_path: Path) -> None:
    said = told(tmp_path, PREFIX, "  subnet: 10.0.0.0/8")
    assert [each.partition("systems filing: ")[2] for each in said] == [
        "subnet 10.0.0.0/8 overlaps with 10.9.0.0/16 of network ext (correct one of them)",
        "subnet 10.0.0.0/8 overlaps with pool 10.128.0.0/20 of tax (correct one of them)",
    ]


def test_storage_of_an_unknown_type_or_one_below_the_system_or_asked_for_twice_is_told(tmp_path: Path) -> None:
    said = filing(tmp_path, "storage: [{volume_type: fats, size_gib: 10}]")
    only(said, HERE, "systems filing: storage names 'fats', which is not in volume_types")
    said = filing(tmp_path, "storage: [{volume_type: fast, size_gib: 1}, {volume_type: fast, size_gib: 2}]")
    only(said, HERE, "systems filing: asks twice for storage of type fast")
    (tmp_path / "more.yaml").write_text(
        "version: 1\nsystems:\n- {name: s, agency: tax, project: s, classification: internal, tier: basic,\n"
        "   storage: [{volume_type: fast, size_gib: 1}]}\n",
        encoding="utf-8",
    )
    said = told(tmp_path, TYPES, TYPES.replace("internal", "open"))
    assert [each.split(": ", 1)[1] for each in said] == [
        "systems s: is internal, its volume type fast only open (use a type of its level)"
    ]


def test_storage_at_or_above_the_systems_level_is_fine(tmp_path: Path) -> None:
    assert filing(tmp_path, "storage: [{volume_type: fast, size_gib: 10}]") == []


def test_a_quota_above_what_all_cleared_hosts_hold_is_told(tmp_path: Path) -> None:
    assert filing(tmp_path, "quota: {cores: 512}") == []
    said = filing(tmp_path, "quota: {cores: 513}")
    only(said, HERE, "systems filing: its quota of 513 vCPUs is above the 512 that all hosts cleared for internal hold")
    said = filing(tmp_path, "quota: {memory_mib: 2000000}")
    only(said, HERE, "systems filing: its quota of 2000000 MiB of memory is above the 1032192")


def test_a_quota_of_more_instances_than_the_hosts_hold_of_the_smallest_flavor_is_told(tmp_path: Path) -> None:
    assert filing(tmp_path, "quota: {instances: 126}") == []
    said = filing(tmp_path, "quota: {instances: 127}")
    only(said, HERE, "systems filing: its quota of 127 instances is above the 126 that all hosts cleared for internal")


def test_a_quota_of_more_floating_addresses_than_the_external_network_has_is_told(tmp_path: Path) -> None:
    assert filing(tmp_path, "quota: {floating_ips: 65532}") == []
    said = filing(tmp_path, "quota: {floating_ips: 65533}")
    only(said, HERE, "systems filing: its quota of 65533 floating addresses is above the 65532 that ext has beside")


def test_an_external_network_too_small_for_its_systems_routers_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, NETWORKS, NETWORKS.replace("10.9.0.0/16", "10.9.0.0/31"))
    few, none = said
    only([few], line_of(NETWORKS), "networks ext: 10.9.0.0/31 holds 2 addresses, too few for a gateway and others")
    only([none], line_of(NETWORKS), "networks ext: has 0 addresses, the routers of 1 systems take one each")


BACKENDS = "storage_backends:\n- {name: %s, capacity_gib: 1000}\nvolume_types:"
STORAGE = "storage: [{volume_type: fast, size_gib: %s}]"


def stored(tmp_path: Path, asked_gib: int, more: str = "") -> list[str]:
    """What is said of the system's storage, and one more line, on a backend that holds 1000 GiB."""
    text = TEXT.replace("volume_types:", BACKENDS % "ceph")
    text = text.replace(PREFIX, f"{PREFIX}\n  {STORAGE % asked_gib}{more}")
    (tmp_path / "estate.yaml").write_text(text, encoding="utf-8")
    return [f"{Path(each.where).name}: {each.what}" for each in problems(tmp_path)]


def test_storage_above_what_its_backend_holds_is_told(tmp_path: Path) -> None:
    assert stored(tmp_path, 1000) == []
    only(
        stored(tmp_path, 1001),
        line_of("volume_types:") + 1,
        "storage_backends ceph: holds 1000 GiB, systems ask for 1001 of the volume types on it",
    )


def test_a_quota_of_more_volumes_than_their_backends_hold_is_told(tmp_path: Path) -> None:
    assert stored(tmp_path, 10, "\n  quota: {volume_gib: 1000}") == []
    only(
        stored(tmp_path, 10, "\n  quota: {volume_gib: 1001}"),
        HERE + 3,
        "systems filing: its quota of 1001 GiB of volumes is above the 1000 that ceph hold",
    )


def test_a_volume_type_on_a_backend_that_no_row_states_is_told_where_any_is(tmp_path: Path) -> None:
    said = told(tmp_path, "volume_types:", BACKENDS % "nvme")
    only(said, line_of(TYPES) + 2, "volume_types fast: backend names 'ceph', which is not in storage_backends")


def test_a_quota_below_nothing_or_of_an_unknown_field_is_told(tmp_path: Path) -> None:
    assert "instances is -1, which cannot be" in filing(tmp_path, "quota: {instances: -1}")[0]
    assert "did you mean 'instances'" in filing(tmp_path, "quota: {instance: 1}")[0]


def test_a_network_shared_with_nobody_known_itself_or_a_lower_level_is_told(tmp_path: Path) -> None:
    said = filing(tmp_path, "share_network_with: [archive]")
    only(said, HERE, "systems filing: share_network_with names 'archive', which is not in systems")
    only(filing(tmp_path, "share_network_with: [filing]"), HERE, "systems filing: shares its network with itself")
    (tmp_path / "more.yaml").write_text(
        f"version: 1\nsystems:\n{BENCH}"
        "- {name: desk, agency: law, project: desk, classification: open, tier: basic}\n",
        encoding="utf-8",
    )
    said = filing(tmp_path, "share_network_with: [desk]")
    only(said, HERE, "systems filing: shares its internal network with desk, which is only open")


def test_a_network_of_an_agency_without_a_pool_cannot_be_shared(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text(
        f"version: 1\nsystems:\n{BENCH}"
        "- {name: desk, agency: law, project: desk, classification: open, tier: basic,\n"
        "   share_network_with: [filing]}\n",
        encoding="utf-8",
    )
    said = filing(tmp_path, "modelled: true")
    assert [each.split(": ", 1)[1] for each in said] == [
        "systems desk: shares a network, its agency law has no pool to take one from (give the agency a pool)"
    ]


def test_more_vms_than_the_subnet_has_addresses_are_told(tmp_path: Path) -> None:
    assert told(tmp_path, PREFIX, "  subnet_prefix: 29") == []
    fourth = "  - {role: app, flavor: i.2c8g, count: 1}\n  subnet_prefix: 29\ndata_sets:"
    text = TEXT.replace(f"{PREFIX}\n", "").replace("data_sets:", fourth)
    (tmp_path / "estate.yaml").write_text(text, encoding="utf-8")
    (said,) = (problem.what for problem in problems(tmp_path))
    assert said == "systems filing: its 4 VMs do not fit into a /29 subnet, which takes 3 (widen it)"


def test_subnets_that_outgrow_the_agencys_pool_are_told(tmp_path: Path) -> None:
    said = told(tmp_path, PREFIX, "  subnet_prefix: 19")
    only(
        said,
        line_of("- {name: tax,"),
        "agencies tax: pool 10.128.0.0/20 holds 4096 addresses, its systems' subnets take 8192",
    )


def test_a_pool_of_ipv6_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, AGENCIES, '- {name: law, pool: "fd00::/48"}')
    only(said, line_of(AGENCIES), "agencies law: pool fd00::/48 is not of IPv4")


def test_a_pool_on_a_provider_networks_addresses_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, AGENCIES, '- {name: law, pool: "10.9.16.0/20"}')
    only(said, line_of(AGENCIES), "agencies law: pool 10.9.16.0/20 overlaps with 10.9.0.0/16 of network ext")


def test_a_system_without_an_external_network_of_its_level_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "vlan: 100, classification: internal", "vlan: 100, classification: open")
    assert [each.split(": ", 1)[1] for each in said] == [
        "systems filing: is internal, no external network is (declare one, or take the pool from its agency)"
    ]


def test_two_external_networks_of_one_level_or_two_control_networks_are_told(tmp_path: Path) -> None:
    second = "- {name: e2, cidr: 10.10.0.0/16, physical_network: p, vlan: 7, classification: internal%s}"
    said = told(tmp_path, NETWORKS, f"{NETWORKS}\n{second % ''}")
    only(said, line_of(NETWORKS) + 1, "networks e2: is the internal external network, as is ext (there is one)")
    assert told(tmp_path, NETWORKS, f"{NETWORKS}\n{second % ', use: control'}") == []
    third = "- {name: e3, cidr: 10.11.0.0/16, physical_network: p, vlan: 8, classification: open, use: control}"
    said = told(tmp_path, NETWORKS, f"{NETWORKS}\n{second % ', use: control'}\n{third}")
    only(said, line_of(NETWORKS) + 2, "networks e3: is the control network, as is e2 (there is one)")


@pytest.mark.parametrize("gateway", ["10.8.0.1", "ext", "10.9.0.0/16", "10.9.0.0", "10.9.255.255"])
def test_a_gateway_outside_its_network_is_told(tmp_path: Path, gateway: str) -> None:
    said = told(
        tmp_path, "vlan: 100, classification: internal", f'vlan: 100, classification: internal, gateway: "{gateway}"'
    )
    only(said, line_of(NETWORKS), f"networks ext: gateway {gateway!r} is no address of 10.9.0.0/16")


def test_an_image_is_known_by_an_id_of_its_own(tmp_path: Path) -> None:
    one = "6f3b2a0e-4c1d-5e8a-9b7f-2d5c8e1a4b60"
    assert told(tmp_path, "volume_types:", IMAGE % one) == []
    assert "images deb: id 'debian-12' is no image's id" in told(tmp_path, "volume_types:", IMAGE % "debian-12")[0]
    twice = (IMAGE % one).replace(
        "volume_types:", f"- {{name: d2, id: {one.upper()}, classification: open}}\nvolume_types:"
    )
    assert "is also that of image deb" in told(tmp_path, "volume_types:", twice)[0]


def test_an_image_that_no_host_may_hold_is_told(tmp_path: Path) -> None:
    known = (IMAGE % "6f3b2a0e-4c1d-5e8a-9b7f-2d5c8e1a4b60").replace("open", "%s")
    assert told(tmp_path, "volume_types:", known % "confidential") == []
    only(
        told(tmp_path, "volume_types:", known % "secret"),
        line_of("volume_types:") + 1,
        "images deb: is secret, no host is cleared above confidential",
    )


def test_a_backend_written_twice_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "backend: ceph}", "backend: ceph, extra_specs: {volume_backend_name: ceph}}")
    only(said, line_of(TYPES), "volume_types fast: volume_backend_name repeats its backend")


def test_names_that_no_stack_or_project_can_bear_are_told(tmp_path: Path) -> None:
    for name in ("l/aw", "l" * 55, "-law"):
        said = told(tmp_path, AGENCIES, f"- {{name: {name}}}")
        assert any(f"agencies {name}: cannot name a stack" in each for each in said)
    said = told(tmp_path, "project: filing", f"project: {'p' * 65}")
    assert any("project's name has 65 characters, Keystone takes 64" in each for each in said)
    said = told(tmp_path, "name: rates", "name: ra/tes")
    only(said, line_of("- {name: rates"), "data_sets ra/tes: cannot stand in a tag or name a container")
    said = told(tmp_path, "[h1, h2], availability_zone: az1", '[h1, h2], availability_zone: "a:1"')
    only(said, line_of("- {name: az1"), "aggregates az1: availability zone 'a:1' holds ':'")


def test_names_that_differ_by_case_only_are_told(tmp_path: Path) -> None:
    said = told(tmp_path, AGENCIES, f"{AGENCIES}\n- {{name: Tax}}")
    only(said, line_of(AGENCIES) + 1, "agencies Tax: name 'Tax' differs from 'tax' by case only")


def test_service_users_and_operators_that_differ_by_case_only_are_told(tmp_path: Path) -> None:
    alike = BENCH.replace("name: bench", "name: Filing")
    said = told(tmp_path, "data_sets:", f"{alike}data_sets:")
    only(said, line_of("data_sets:"), "systems Filing: name 'Filing' differs from 'filing' by case only")
    first = alike.rstrip()[:-1].replace("Filing", "bench") + ", formerly: [FILING]}\n"
    said = told(tmp_path, "data_sets:", f"{first}data_sets:")
    only(said, line_of("data_sets:"), "systems bench: name 'FILING' differs from 'filing' by case only")
    said = told(tmp_path, AGENCIES, f"{AGENCIES}\noperators:\n- {{name: ops, roles: []}}\n- {{name: Ops, roles: []}}")
    only(said, line_of(AGENCIES) + 3, "operators Ops: name 'Ops' differs from 'ops' by case only")


SETS = "vm_sets: [{role: %s, flavor: i.2c8g, count: 1}]"


def test_vms_of_two_systems_that_would_bear_one_name_are_told(tmp_path: Path) -> None:
    other = f"{BENCH.rstrip()[:-1]}, {SETS % 'db'}}}\n".replace("bench", "filing-web")
    role = "  - {role: db, flavor: i.2c8g, count: 1}\n"
    both = "  - {role: web-db, flavor: i.2c8g, count: 1}\n"
    assert told(tmp_path, role, f"{role}{other}") == []
    said = told(tmp_path, role, f"{both}{other}")
    what = "systems filing-web: its db VMs are filing-web-db, as are the web-db VMs of system filing"
    only(said, line_of(role.rstrip("\n")) + 1, what)
    former = other.replace("name: filing-web", "name: bench").replace(
        "tier: basic", "tier: basic, formerly: [filing-web]"
    )
    (said,) = told(tmp_path, role, f"{both}{former}")
    assert "systems bench: its db VMs are filing-web-db, as are the web-db VMs" in said, "its stack looks for that name"


def test_two_roles_of_operators_that_would_bear_one_name_are_told(tmp_path: Path) -> None:
    groups = "operators:\n- {name: ops, roles: [net-admin]}\n- {name: ops-net, roles: [admin]}"
    said = told(tmp_path, AGENCIES, f"{AGENCIES}\n{groups}")
    what = "operators ops-net: its role admin is assigned as ops-net-admin, as is role net-admin of ops"
    only(said, line_of(AGENCIES) + 3, what)
    said = told(tmp_path, AGENCIES, f"{AGENCIES}\noperators:\n- {{name: ops, roles: [admin, admin]}}")
    only(said, line_of(AGENCIES) + 2, "operators ops: names a role twice")


SITES, ZONED = "sites:\n- {name: s1}\n", "[h1, h2], availability_zone: az1"


def test_two_sites_or_generations_of_one_aggregate_are_told(tmp_path: Path) -> None:
    said = told(tmp_path, SITES, f"{SITES}- {{name: site-s1}}\n")
    only(said, line_of("- {name: s1}") + 1, "sites site-s1: its host aggregate is site-s1, as is that of s1")
    types = "- {name: t,"
    other = "vcpus: 64, memory_mib: 1024, disk_gib: 1, idle_watts: 1, peak_watts: 2"
    more = f"- {{name: u, generation: g1, {other}}}\n- {{name: v, generation: generation-g1, {other}}}\n{types}"
    said = [each for each in told(tmp_path, types, more) if "aggregate" in each]
    what = "host_types v: the host aggregate of its generation is generation-g1, as is that of 'g1'"
    only(said, line_of(types) + 1, what)


def test_a_site_that_would_make_an_availability_zone_that_nova_refuses_is_told(tmp_path: Path) -> None:
    odd = '- {name: "b:1"}\n'
    assert told(tmp_path, SITES, f"{SITES}{odd}") == []
    (tmp_path / "more.yaml").write_text(f"version: 1\nsites:\n{odd}", encoding="utf-8")
    said = told(tmp_path, ZONED, "[h1, h2]")
    assert [each.split(" (")[0] for each in said] == [
        "more.yaml:3: sites b:1: its availability zone 'site-b:1' holds ':', which Nova refuses"
    ]


def test_an_agency_twice_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, AGENCIES, f"{AGENCIES}\n- {{name: law}}")
    assert len(said) == 1
    assert said[0].startswith(f"estate.yaml:{line_of(AGENCIES) + 1}: agencies law: ")


def test_a_former_name_that_is_a_system_still_or_two_systems_or_no_name_is_told(tmp_path: Path) -> None:
    assert filing(tmp_path, "formerly: [returns]") == []
    again = f"{BENCH.rstrip()[:-1]}, formerly: [returns]}}\ndata_sets:"
    assert filing(tmp_path, "formerly: [filing, returns]") == [], "renamed, and given its name back"
    twice = "systems filing: was formerly 'returns', as itself was already (keep one)"
    only(filing(tmp_path, "formerly: [returns, returns]"), HERE, twice)
    only(filing(tmp_path, 'formerly: [" "]'), HERE, "systems filing: formerly ' ' is no name")
    (tmp_path / "more.yaml").write_text("version: 1\nsystems:\n" + again.partition("data_sets")[0], encoding="utf-8")
    (said,) = filing(tmp_path, "formerly: [returns]")
    assert said.startswith("more.yaml:3: systems bench: was formerly 'returns', as filing was already")
    (said,) = filing(tmp_path, "formerly: [bench]")
    only([said], HERE, "systems filing: was formerly 'bench', which is a system still")

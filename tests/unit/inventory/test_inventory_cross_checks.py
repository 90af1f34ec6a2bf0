"""One test for each cross-check: a small valid estate, one thing changed, one problem at its line."""

import dataclasses
from pathlib import Path

import pytest

from inventory import load, validate
from inventory.checks import power
from inventory.checks.addresses import endpoint
from inventory.model import Classification
from tests.estates import TEXT, line_of, told

H1, H2 = "- name: h1", "- name: h2"


def line_in(row: str, field: str) -> int:
    """The line of a field below a row's first line."""
    start = TEXT.index(row)
    return TEXT[: TEXT.index(field, start)].count("\n") + 1


def expect(said: list[str], line: int, what: str) -> None:
    """Exactly one problem, at the line, beginning so."""
    assert len(said) == 1, said
    assert said[0].startswith(f"estate.yaml:{line}: {what}"), said[0]


def test_an_unknown_type_of_a_host_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "name: h2\n  type: t", "name: h2\n  type: u")
    expect(said, line_in(H2, "type"), "hosts h2: type names 'u', which is not in host_types (declare it there")


def test_a_host_in_no_rack_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "type: t\n  rack: r2", "type: t\n  rack: r9")
    assert said[0].startswith(f"estate.yaml:{line_in(H2, 'rack')}: hosts h2: rack names 'r9', which is not in racks")


def test_unknown_names_in_lists_are_told(tmp_path: Path) -> None:
    expect(told(tmp_path, "[h1, h2]", "[h1, h3]"), line_of("- {name: az1"), "aggregates az1: hosts names 'h3'")
    expect(
        told(tmp_path, "readers: [law]", "readers: [lore]"), line_of("- {name: rulings"), "data_sets rulings: readers"
    )
    expect(
        told(tmp_path, "role: db, flavor: i.2c8g", "role: db, flavor: x"), line_of("  vm_sets:"), "systems filing: vm_s"
    )
    expect(told(tmp_path, "serves: a", "serves: z"), line_of("- {name: ups-a"), "devices ups-a: serves names 'z'")


def test_a_cord_to_a_pdu_of_another_rack_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "[{pdu: r1-a}, {pdu: r1-b}]", "[{pdu: r1-a}, {pdu: r1-b}, {pdu: r2-b}]")
    expect(said, line_in(H1, "cords"), "hosts h1: stands in rack r1, its cord goes to PDU r2-b of rack r2")


def test_a_pdu_that_feeds_nothing_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "cords: [{pdu: r1-a}, {pdu: r1-b}]", "cords: [{pdu: r1-a}]")
    expect(said, line_of("- {name: r1-b"), "pdus r1-b: feeds nothing")


def test_a_host_without_cords_is_told_unless_it_is_only_planned(tmp_path: Path) -> None:
    cords = "cords: [{pdu: r2-a, phase: 2}, {pdu: r2-b, phase: 2}]"
    assert any("hosts h2: has no power cord" in each for each in told(tmp_path, cords, "cords: []"))
    planned = told(tmp_path, cords, "cords: []\n  lifecycle: planned")
    assert not any("no power cord" in each for each in planned)


def test_a_phase_that_the_pdu_does_not_have_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "cords: [{pdu: r1-a}, {pdu: r1-b}]", "cords: [{pdu: r1-a, phase: 3}, {pdu: r1-b}]")
    expect(said, line_in(H1, "cords"), "hosts h1: a cord is on phase 3 of PDU r1-a, which has 1")


def test_two_cords_on_one_feed_are_told(tmp_path: Path) -> None:
    said = told(tmp_path, "{name: r1-b, rack: r1, feed: b", "{name: r1-b, rack: r1, feed: a")
    expect(said, line_in(H1, "cords"), "hosts h1: all its cords hang on feed a")


def test_one_cord_is_taken_as_meant(tmp_path: Path) -> None:
    said = told(tmp_path, "{pdu: r2-a, phase: 2}, {pdu: r2-b, phase: 2}", "{pdu: r2-a, phase: 2}")
    assert [each.split(": ")[1] for each in said] == ["pdus r2-b"]


def test_feeds_that_do_not_name_each_other_are_told(tmp_path: Path) -> None:
    said = told(tmp_path, "rated_watts: 5000, partner: a", "rated_watts: 5000")
    line = line_of("- {name: a,")
    assert said[0].startswith(f"estate.yaml:{line}: feeds a: names b as partner, which names none")
    assert len(said) == 1


def test_a_host_on_two_feeds_that_are_no_pair_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "rated_watts: 5000, partner: b", "rated_watts: 5000")
    assert sum("hang on feeds a and b, which are not partners" in each for each in said) == 2


def test_a_feed_that_is_its_own_partner_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "rated_watts: 5000, partner: a", "rated_watts: 5000, partner: b")
    assert any("feeds b: is its own partner" in each for each in said)


def test_a_feed_that_its_idle_hosts_overdraw_when_the_partner_failed_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "rated_watts: 5000, partner: b", "rated_watts: 500, partner: b")
    expect(said, line_of("- {name: a,"), "feeds a: feed a may carry 400 W alone, its hosts draw 460 W idle")


def test_a_pdu_and_its_phase_that_idle_hosts_overdraw_are_told(tmp_path: Path) -> None:
    said = told(tmp_path, "feed: b, rated_amps: 16, phases: 3", "feed: b, rated_amps: 0.9, phases: 3")
    expect(said, line_of("- {name: r2-b"), "pdus r2-b: phase r2-b/2 may carry 166 W alone, its hosts draw 180 W idle")


def test_a_rack_in_another_room_than_its_zone_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "{name: r2, room: hall, zone: cool}", "{name: r2, room: hall, zone: far}")
    expect(said, line_of("- {name: r2,"), "racks r2: stands in room hall, its zone far is in room annex")


def test_a_pdu_on_a_feed_of_another_room_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "{name: b, room: hall,", "{name: b, room: annex,")
    assert len(said) == 2
    assert all("in room hall, its feed b in room annex" in each for each in said)


def test_two_hosts_in_one_rack_unit_are_told(tmp_path: Path) -> None:
    extra = "- {name: h3, type: t, rack: r2, unit: 1, clearance: open, cords: [{pdu: r2-a}, {pdu: r2-b}]}\naggregates:"
    expect(told(tmp_path, "aggregates:", extra), line_of("aggregates:"), "hosts h3: stands in unit 1 of rack r2, where")


def test_a_unit_beyond_the_rack_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "zone: cool, base_watts: 100", "zone: cool, base_watts: 100, units: 12")
    assert said == []
    said = told(tmp_path, "rack: r1\n  unit: 1", "rack: r1\n  unit: 43")
    expect(said, line_in(H1, "unit"), "hosts h1: unit 43 is beyond rack r1, which has 42")


def test_one_address_twice_is_told_the_default_port_counted(tmp_path: Path) -> None:
    said = told(tmp_path, "10.0.2.1", "10.0.0.1:161")
    expect(said, line_of("- {name: ups-a"), "devices ups-a: address 10.0.0.1:161 is also that of hosts h1")
    said = told(tmp_path, '["h1:9100"]', '["h1:9100", "h1:9100"]')
    expect(said, line_in(H1, "exporters"), "hosts h1: address h1:9100 is also that of hosts h1")
    said = told(tmp_path, 'exporters: ["h1:9100"]', 'address: "10.0.0.2"')
    expect(said, line_in(H2, "bmc"), "hosts h2: address 10.0.0.2 is also that of hosts h1")


def test_one_address_with_two_ports_is_two_endpoints(tmp_path: Path) -> None:
    assert told(tmp_path, '["h1:9100"]', '["10.0.0.1:9100", "10.0.0.1:9177"]') == []


def test_what_is_no_address_is_told(tmp_path: Path) -> None:
    assert "'10.0.2.256' is not an address" in told(tmp_path, "10.0.2.1", "10.0.2.256")[0]
    assert "'h1' is not an address with a port" in told(tmp_path, "h1:9100", "h1")[0]


def test_addresses_split_into_host_and_port() -> None:
    assert endpoint("10.0.0.1", 161) == ("10.0.0.1", 161)
    assert endpoint("[fd00::1]:1161", 161) == ("fd00::1", 1161)
    assert endpoint("fd00::1", 161) == ("fd00::1", 161)
    assert endpoint("node:9100", None) == ("node", 9100)
    for wrong in (
        "node",
        "node:",
        ":9100",
        "node:0",
        "node:70000",
        "node:²",
        f"node:{'9' * 5000}",
        "[fd00::1",
        "[fd00::1]9",
    ):
        assert endpoint(wrong, None) is None


def test_a_profile_of_another_kind_of_device_is_told(tmp_path: Path) -> None:
    assert "profile apc-pdu is not one for this kind" in told(tmp_path, "profile: idrac", "profile: apc-pdu")[0]
    assert "profile ilo is not one for this kind" in told(tmp_path, "profile: raritan-pdu", "profile: ilo")[0]
    assert "(use ups-mib)" in told(tmp_path, "profile: ups-mib", "profile: idrac")[0]


def test_a_device_that_nothing_polls_is_told_so(tmp_path: Path) -> None:
    said = told(tmp_path, "kind: ups, serves: a", "kind: cooling, serves: cool")
    expect(said, line_of("- {name: ups-a"), "devices ups-a: a device of kind cooling is not polled")


SWITCH = '- {name: sw, kind: switch, serves: r1, address: "10.0.3.1"'
READ = ", profile: if-mib, credential: s"


def with_switch(tmp_path: Path, rest: str) -> list[str]:
    """The estate with that switch on the line after its UPS."""
    ups = next(line for line in TEXT.splitlines() if line.startswith("- {name: ups-a"))
    return told(tmp_path, ups, f"{ups}\n{SWITCH}{rest}}}")


def test_a_switch_may_stand_there_unread_or_have_its_uplinks_read(tmp_path: Path) -> None:
    assert with_switch(tmp_path, "") == []
    assert with_switch(tmp_path, f"{READ}, uplinks: [Ethernet49/1, Ethernet50/1]") == []


def test_a_rack_whose_other_switch_says_nothing_of_uplinks_is_told(tmp_path: Path) -> None:
    other = SWITCH.replace("name: sw", "name: sw2").replace("10.0.3.1", "10.0.3.2")
    described = f"{READ}, uplinks: [Ethernet49/1]}}\n"
    expect(
        with_switch(tmp_path, f"{described}{other}"), line_of("- {name: ups-a") + 2,
        "devices sw2: says nothing of uplinks, and another switch of r1 names its own",
    )  # fmt: skip
    assert with_switch(tmp_path, f"{described}{other}, uplinks: []") == [], "none leads out of the rack, on purpose"


def test_uplinks_of_what_is_no_switch_are_told(tmp_path: Path) -> None:
    said = told(tmp_path, "profile: ups-mib,", "uplinks: [Ethernet1], profile: ups-mib,")
    expect(said, line_of("- {name: ups-a"), "devices ups-a: names uplinks and is of kind ups")


def test_uplinks_that_nothing_reads_and_a_switch_read_for_nothing_are_told(tmp_path: Path) -> None:
    line = line_of("- {name: ups-a") + 1
    expect(with_switch(tmp_path, ", uplinks: [Ethernet1]"), line, "devices sw: nothing reads its uplinks (give it prof")
    expect(with_switch(tmp_path, READ), line, "devices sw: names no uplinks, so nothing of it would be read")


def test_an_uplink_without_a_name_or_named_twice_is_told(tmp_path: Path) -> None:
    line = line_of("- {name: ups-a") + 1
    for ports, what in (
        ("['']", "'' is no name"),
        ("[' Ethernet1']", "' Ethernet1' is no name"),
        ("[49]", "must be text, not the int 49"),
        ("[Ethernet1, Ethernet1]", "names one thing twice"),
        ("Ethernet1", "must be a list"),
    ):
        expect(with_switch(tmp_path, f"{READ}, uplinks: {ports}"), line, f"devices sw: uplinks {what}")


def test_a_switch_is_read_by_its_interfaces_alone(tmp_path: Path) -> None:
    said = with_switch(tmp_path, ", profile: ups-mib, credential: s, uplinks: [Ethernet1]")
    expect(said, line_of("- {name: ups-a") + 1, "devices sw: profile ups-mib is not one for this kind of device")


def test_an_address_without_profile_or_credential_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "profile: apc-pdu, credential: pdu-v2c", "profile: apc-pdu")
    expect(said, line_of("- {name: r1-a"), "pdus r1-a: address, profile and credential belong together")
    assert "belong together" in told(tmp_path, "profile: ups-mib, credential: ups-v2c", "credential: ups-v2c")[0]


def test_a_host_in_two_availability_zones_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "flavors:", "- {name: az2, hosts: [h2], availability_zone: az2}\nflavors:")
    expect(said, line_of("flavors:"), "aggregates az2: puts host h2 into availability zone az2, it is in az1 already")


def test_a_host_in_no_aggregate_is_fine(tmp_path: Path) -> None:
    assert told(tmp_path, "hosts: [h1, h2], availability_zone", "hosts: [h1], availability_zone") == []


def test_a_decommissioned_host_in_an_aggregate_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "clearance: internal\n  cords", "clearance: internal\n  lifecycle: decommissioned\n  cords")
    assert any("aggregates az1: holds host h2, which is decommissioned" in each for each in said)


def test_a_host_may_be_listed_in_its_aggregate_before_nova_lists_it(tmp_path: Path) -> None:
    for stage in ("planned", "installed"):
        said = told(tmp_path, "clearance: internal\n  cords", f"clearance: internal\n  lifecycle: {stage}\n  cords")
        assert not any("aggregates" in each for each in said)


def test_host_types_that_cannot_be_are_told(tmp_path: Path) -> None:
    expect(
        told(tmp_path, "peak_watts: 520", "peak_watts: 100"), line_of("- {name: t,"), "host_types t: draws 180 W idle"
    )
    numa = "peak_watts: 520, numa: [{vcpus: 32, memory_mib: 262144}]"
    expect(told(tmp_path, "peak_watts: 520", numa), line_of("- {name: t,"), "host_types t: its NUMA cells add up to 32")
    reserve = "peak_watts: 520, reserved_vcpus: 64"
    assert any("keeps all its memory or vCPUs" in each for each in told(tmp_path, "peak_watts: 520", reserve))


def test_a_system_above_every_clearance_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "project: filing\n  classification: internal", "project: filing\n  classification: secret")
    line = line_in("- name: filing", "classification")
    wanted = f"estate.yaml:{line}: systems filing: is secret, no host is cleared above confidential"
    assert any(each.startswith(wanted) for each in said)


def test_a_flavor_below_its_systems_level_is_told(tmp_path: Path) -> None:
    said = told(
        tmp_path, "project: filing\n  classification: internal", "project: filing\n  classification: confidential"
    )
    assert f"estate.yaml:{line_of('  vm_sets:')}: systems filing: is confidential, flavor i.2c8g" in said[1]


def test_a_flavor_that_repeats_or_contradicts_the_trait_of_its_level_is_told(tmp_path: Path) -> None:
    where, key = line_of("hw:mem_page_size"), "flavors c.2c8g: trait:CUSTOM_CLEARANCE_"
    said = told(tmp_path, '"hw:mem_page_size": large', '"trait:CUSTOM_CLEARANCE_CONFIDENTIAL": required')
    expect(said, where, f"{key}CONFIDENTIAL repeats its classification")
    said = told(tmp_path, '"hw:mem_page_size": large', '"trait:CUSTOM_CLEARANCE_OPEN": required')
    expect(said, where, f"{key}OPEN contradicts its classification")


def test_a_spread_wider_than_its_fault_domains_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "count: 2, spread", "count: 3, spread")
    line = line_of("  vm_sets:")
    expect(
        said, line, "systems filing: its 3 web VMs, at most 1 in a host, do not fit into 2 such domains with internal"
    )


def test_a_spread_counts_only_domains_with_cleared_hosts(tmp_path: Path) -> None:
    said = told(tmp_path, "role: web, flavor: i.2c8g", "role: web, flavor: c.2c8g")
    assert "do not fit into 1 such domains with confidential hosts" in said[0]


def test_a_spread_over_feeds_takes_a_pair_of_feeds_as_one_domain(tmp_path: Path) -> None:
    assert (
        "into 1 such domains" in told(tmp_path, "domain: host, max_per_domain: 1", "domain: feed, max_per_domain: 1")[0]
    )


def test_vms_that_ask_for_more_than_cleared_hosts_hold_are_told(tmp_path: Path) -> None:
    said = told(tmp_path, "role: db, flavor: i.2c8g, count: 1", "role: db, flavor: c.2c8g, count: 64")
    expect(said, line_of("  name: small"), "estate small: systems of level confidential and above ask for 524288 MiB")


def test_two_systems_of_one_project_are_told(tmp_path: Path) -> None:
    extra = "- {name: more, agency: tax, project: filing, classification: internal, tier: basic}\ndata_sets:"
    expect(told(tmp_path, "data_sets:", extra), line_of("data_sets:"), "systems more: project 'filing' is also that")


def test_two_vm_sets_of_one_role_are_told(tmp_path: Path) -> None:
    assert "two VM sets of role 'web'" in told(tmp_path, "role: db", "role: web")[0]


def test_a_reader_whose_systems_are_all_below_the_data_is_told(tmp_path: Path) -> None:
    system = "- {name: rules, agency: law, project: rules, classification: open, tier: basic}\ndata_sets:"
    what = "data_sets rulings: is internal, and law has no system of that level that could read it"
    expect(told(tmp_path, "data_sets:", system), line_of("- {name: rulings") + 1, what)
    said = told(tmp_path, "data_sets:", system.replace("open", "internal"))
    assert not any("could read it" in each for each in said), said


def test_data_above_its_system_or_public_above_open_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "system: filing, classification: internal", "system: filing, classification: secret")
    expect(said, line_of("- {name: rulings"), "data_sets rulings: is secret, its system filing only internal")
    said = told(tmp_path, "classification: open, public: true", "classification: internal, public: true")
    expect(said, line_of("- {name: rates"), "data_sets rates: is public but internal")


def test_networks_that_clash_are_told(tmp_path: Path) -> None:
    extra = "- {name: e2, cidr: 10.9.4.0/24, physical_network: physnet1, vlan: 100, classification: open}\nagencies:"
    said = told(tmp_path, "agencies:", extra)
    assert [each.partition(": ")[2].split(" (")[0] for each in said] == [
        "networks e2: VLAN 100 on physnet1 is also that of ext",
        "networks e2: cidr 10.9.4.0/24 overlaps with 10.9.0.0/16 of ext",
    ]
    assert "has host bits set" in told(tmp_path, "10.9.0.0/16", "10.9.0.1/16")[0]


def test_two_networks_without_vlan_on_one_wire_are_told(tmp_path: Path) -> None:
    wire = "physical_network: physnet1, vlan: null, classification"
    (tmp_path / "more.yaml").write_text(
        f"version: 1\nnetworks:\n- {{name: ctl, cidr: 10.10.0.0/24, {wire}: open, use: control}}\n", encoding="utf-8"
    )
    assert told(tmp_path, "name: small", "name: little") == []
    (said,) = told(tmp_path, "physical_network: physnet1, vlan: 100, classification", wire)
    assert "networks ext: no VLAN on physnet1 is also that of ctl" in said or "networks ctl: no VLAN" in said


@pytest.mark.parametrize(("cidr", "told_of"), [("10.10.0.1/32", 1), ("10.10.0.0/31", 2), ("10.10.0.0/30", None)])
def test_a_network_without_room_for_a_gateway_and_others_is_told(
    tmp_path: Path, cidr: str, told_of: int | None
) -> None:
    row = f"- {{name: ctl, cidr: {cidr}, physical_network: p2, vlan: 5, classification: open, use: control}}\nagencies:"
    said = told(tmp_path, "agencies:", row)
    assert len(said) == (told_of is not None)
    assert all(f"networks ctl: {cidr} holds {told_of} addresses" in each for each in said)


def test_pools_that_overlap_are_told(tmp_path: Path) -> None:
    said = told(tmp_path, "{name: law}", '{name: law, pool: "10.128.8.0/24"}')
    expect(said, line_of("- {name: law"), "agencies law: pool 10.128.8.0/24 overlaps with 10.128.0.0/20 of tax")


def test_a_gap_is_told_with_what_belongs_there(tmp_path: Path) -> None:
    said = told(tmp_path, "rack: r2\n  unit: 1", "rack: !gap\n  unit: 1")
    expect(said, line_in(H2, "rack"), "hosts h2: rack is a gap (replace !gap by the name of the rack it stands in)")


def test_a_gap_inside_a_value_is_refused_as_no_value(tmp_path: Path) -> None:
    said = told(tmp_path, "{pdu: r2-a, phase: 2}", "{pdu: r2-a, phase: !gap }")
    expect(said, line_in(H2, "cords"), "hosts h2: cords: phase must be a whole number, not nothing")


def test_a_name_cannot_be_a_gap(tmp_path: Path) -> None:
    said = told(tmp_path, "- {name: law}", "- {name: law}\n- {name: !gap }")
    expect(said, line_of("- {name: law}") + 1, "agencies (unnamed): name must be text, not nothing")


def test_an_estate_from_no_file_is_checked_without_lines(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text(TEXT, encoding="utf-8")
    estate = load.load(tmp_path)
    hosts = {name: dataclasses.replace(host, clearance=Classification.OPEN) for name, host in estate.hosts.items()}
    problems = validate.problems(dataclasses.replace(estate, hosts=hosts))
    assert {problem.where for problem in problems} == {""}
    assert any("no host is cleared above open" in problem.what for problem in problems)


def test_loads_count_all_watts_of_a_host_on_each_of_its_feeds_and_the_racks_base(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text(TEXT, encoding="utf-8")
    loads = {load.subject: load for load in power.loads(load.load(tmp_path))}
    assert (loads["a"].idle_watts, loads["a"].peak_watts, loads["a"].limit_watts) == (460, 1140, 4000)
    assert (loads["b"].idle_watts, loads["b"].peak_watts) == (460, 1140)
    assert loads["r1-a"].idle_watts == loads["r1-a/1"].idle_watts == 280
    assert (loads["r2-a/1"].idle_watts, loads["r2-a/2"].idle_watts) == (0, 180)
    assert round(loads["r2-a"].limit_watts) == 3 * round(loads["r2-a/1"].limit_watts) == 8832


WEB = "  vm_sets:\n  - {role: web, flavor: i.2c8g, count: 2, spread: {domain: host"


def in_a_room_group(tmp_path: Path, domain: str = "host", count: int = 2) -> list[str]:
    """What is said where the system is of a room group."""
    sets = f"  vm_sets:\n  - {{role: web, flavor: i.2c8g, count: {count}, spread: {{domain: {domain}"
    return told(tmp_path, WEB, f"  room_group: core\n{sets}")


def test_a_room_group_that_no_room_holds_or_that_is_spread_over_rooms_is_told(tmp_path: Path) -> None:
    at = f"estate.yaml:{line_of('  vm_sets:')}: systems filing: "
    assert in_a_room_group(tmp_path) == []
    spread = in_a_room_group(tmp_path, domain="room")
    wanted = f"{at}its 2 web VMs are to stand in one room with room group 'core', and at most 1 of them in a room"
    assert any(each.startswith(wanted) for each in spread), spread
    large = in_a_room_group(tmp_path, count=4000)
    assert any(each.startswith(f"{at}room group 'core' asks for ") for each in large), large


def test_traits_of_a_hosts_own_are_legal_and_no_level(tmp_path: Path) -> None:
    def of_h2(traits: str) -> list[str]:
        return told(tmp_path, "name: h2\n  type: t", f"name: h2\n  traits: [{traits}]\n  type: t")

    assert of_h2("CUSTOM_LICENCE_ORACLE") == []
    line = line_in(H2, "type")
    expect(of_h2("CUSTOM_CLEARANCE_SECRET"), line, "hosts h2: trait CUSTOM_CLEARANCE_SECRET follows from its clearance")
    expect(of_h2("HW_CPU_X86_AVX2"), line, "hosts h2: 'HW_CPU_X86_AVX2' is no trait of a host's own")
    expect(of_h2("CUSTOM_oracle"), line, "hosts h2: 'CUSTOM_oracle' is no trait of a host's own")


def spread_by(tmp_path: Path, rules: str, count: int = 2, more: str = "") -> list[str]:
    """What is said where the system's VMs are bound by these rules."""
    before = "  vm_sets:\n  - {role: web, flavor: i.2c8g, count: 2, spread: {domain: host, max_per_domain: 1}}"
    return told(
        tmp_path, before, f"{more}  vm_sets:\n  - {{role: web, flavor: i.2c8g, count: {count}, spread: {rules}}}"
    )


def test_a_list_of_spread_rules_is_one_for_each_kind_of_domain(tmp_path: Path) -> None:
    assert spread_by(tmp_path, "[{domain: host, max_per_domain: 1}, {domain: rack, at_least: 2}]") == []
    spreads = load.load(tmp_path).systems["filing"].vm_sets[0].spreads
    assert [(each.domain, each.max_per_domain, each.at_least) for each in spreads] == [
        ("host", 1, 1),
        ("rack", None, 2),
    ]
    twice = spread_by(tmp_path, "[{domain: host, max_per_domain: 1}, {domain: host, at_least: 2}]")
    expect(twice, line_of("  vm_sets:"), "systems filing: the spread of its web VMs names host twice")


def test_a_spread_rule_that_asks_for_nothing_is_told(tmp_path: Path) -> None:
    said = spread_by(tmp_path, "{domain: rack}")
    expect(said, line_of("  vm_sets:"), "systems filing: the spread of its web VMs over racks asks for nothing")


def test_more_domains_than_vms_or_than_there_are_is_told(tmp_path: Path) -> None:
    line = line_of("  vm_sets:")
    few = spread_by(tmp_path, "{domain: rack, at_least: 3}")
    expect(few, line, "systems filing: its 2 web VMs cannot stand in at least 3 racks (lower at_least, or add VMs)")
    narrow = spread_by(tmp_path, "{domain: rack, at_least: 3}", count=3)
    expect(
        narrow,
        line,
        "systems filing: its 3 web VMs are to stand in at least 3 racks, and there are 2 such domains with",
    )


def test_a_room_group_whose_vms_are_to_stand_in_several_rooms_is_told(tmp_path: Path) -> None:
    said = spread_by(tmp_path, "{domain: room, at_least: 2}", more="  room_group: core\n")
    wanted = "its 2 web VMs are to stand in one room with room group 'core', and in at least 2 rooms (drop one of the"
    assert any(wanted in each for each in said), said

"""Generated estates: exact, valid, reproducible; what is written is what is read."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inventory
from inventory import dump, generate, load, validate
from inventory.checks import power
from inventory.facility import DeviceKind
from inventory.model import Classification, Domain, Estate, Spread
from inventory.modelled import named
from inventory.modelled.sizes import sizes

ESTATES = Path(inventory.__file__).parent / "estates"


def vms(estate: Estate) -> int:
    return sum(vm_set.count for system in estate.systems.values() for vm_set in system.vm_sets)


def written(estate: Estate, directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in dump.write(estate, directory, schema="s.json")}


@settings(max_examples=25, deadline=None)
@given(count=st.one_of(st.integers(1, 60), st.integers(61, 2_500)), seed=st.integers(0, 2**32))
def test_an_estate_of_any_size_holds_exactly_its_vms_and_breaks_no_rule(count: int, seed: int) -> None:
    estate = generate.estate(count, seed)
    assert vms(estate) == count
    assert validate.problems(estate) == ()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    first, again, other = (generate.estate(700, seed) for seed in (5, 5, 6))
    assert written(first, tmp_path / "a") == written(again, tmp_path / "b") != written(other, tmp_path / "c")


@settings(max_examples=8, deadline=None)
@given(count=st.integers(1, 400), seed=st.integers(0, 99), loopback=st.booleans())
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, count: int, seed: int, loopback: bool
) -> None:
    directory = tmp_path_factory.mktemp("estate")
    estate = generate.estate(count, seed, loopback=loopback)
    dump.write(estate, directory, schema="s.json")
    assert load.load(directory) == estate


def test_rows_with_every_field_given_are_read_back_too(tmp_path: Path) -> None:
    estate = generate.estate(60, 1)
    tables = {name: [dump.whole_row(row) for row in getattr(estate, name).values()] for name in load.TABLES}
    dump.write_rows({"estate": [{"name": estate.name, "vm_target": 60}], **tables}, tmp_path, schema="s.json")
    assert load.load(tmp_path).systems == estate.systems


def test_the_large_sizes_keep_about_twenty_vms_a_host() -> None:
    large = sizes(100_000)
    assert (large.hosts, large.agencies, large.hosts_per_rack) == (5_000, 472, 16)
    assert large.systems > sizes(60_000).systems > sizes(30_000).systems > sizes(12_000).systems == 1_570


def test_phase_one_is_what_the_generator_makes_of_its_public_numbers(tmp_path: Path) -> None:
    estate = generate.estate(12_000, 1)
    assert (vms(estate), len(estate.agencies), len(estate.systems)) == (12_000, 472, 1_570)
    assert {system.name for system in named.SYSTEMS} <= estate.systems.keys()
    assert estate.systems["digital-healthcare"].classification is Classification.CONFIDENTIAL
    assert len(estate.data_sets) == 15
    files = dump.write(estate, tmp_path, schema="../../estate.schema.json")
    kept = {path.name: path.read_bytes() for path in (ESTATES / "gdcc").glob("*.yaml")}
    assert kept == {path.name: path.read_bytes() for path in files}


def test_phase_one_loads_without_a_problem() -> None:
    estate = load.load(ESTATES / "gdcc")
    assert (len(estate.hosts), vms(estate), estate.vm_target) == (600, 12_000, 12_000)


def test_the_demo_is_two_rooms_of_four_racks_with_two_feeds_each() -> None:
    estate = load.load(ESTATES / "demo")
    assert estate == generate.demo()
    counts = (len(estate.rooms), len(estate.racks), len(estate.hosts), len(estate.feeds), len(estate.agencies))
    assert counts == (2, 8, 48, 4, 12)
    assert vms(estate) == 600
    assert {host.bmc.profile.value for host in estate.hosts.values() if host.bmc} == {
        "idrac",
        "ilo",
        "xcc",
        "supermicro",
    }
    assert {pdu.profile.value for pdu in estate.pdus.values() if pdu.profile} == {"apc-pdu", "raritan-pdu"}
    serves = {kind: {d.serves for d in estate.devices.values() if d.kind is kind} for kind in DeviceKind}
    assert serves == {DeviceKind.UPS: {*estate.feeds}, DeviceKind.SWITCH: {*estate.racks}, DeviceKind.COOLING: set()}
    assert {len(d.uplinks) for d in estate.devices.values() if d.kind is DeviceKind.SWITCH} == {2}
    assert {system.name for system in named.SYSTEMS} <= estate.systems.keys()


def test_every_device_of_the_demo_answers_on_a_loopback_address() -> None:
    estate = generate.demo()
    bmcs = [host.bmc.address for host in estate.hosts.values() if host.bmc]
    assert bmcs[0] == "127.20.1.1:16161"
    assert estate.hosts["cmp0001"].exporters == ("127.20.1.1:19100", "127.20.1.1:19177")
    others = [each.address for each in (*estate.pdus.values(), *estate.devices.values()) if each.address]
    assert all(address.startswith("127.") and address.endswith(":16161") for address in (*bmcs, *others))


def test_feeds_carry_a_normal_day_alone_but_not_every_host_at_its_peak() -> None:
    for each in power.loads(generate.estate(5_000, 3)):
        typical = each.idle_watts + 0.3 * (each.peak_watts - each.idle_watts)
        if each.table == "feeds":
            assert typical * 1.05 < each.limit_watts < each.peak_watts
        else:
            assert typical < each.limit_watts


def test_an_estate_of_no_vms_is_refused() -> None:
    with pytest.raises(ValueError, match="ask for at least 1"):
        generate.estate(0, 1)


def test_no_spread_rule_one_and_several_are_written_and_read_back(tmp_path: Path) -> None:
    estate = generate.estate(60, 1)
    rules = (Spread(domain=Domain.HOST, max_per_domain=9), Spread(domain=Domain.RACK, at_least=2))
    name = next(name for name, system in estate.systems.items() if system.vm_sets[0].count > 1)
    for n, spreads in enumerate(([], rules[:1], rules)):
        bound = replace(estate.systems[name].vm_sets[0], spreads=tuple(spreads))
        system = replace(estate.systems[name], vm_sets=(bound,))
        made = replace(estate, systems={**estate.systems, name: system})
        dump.write(made, tmp_path / str(n), schema="s.json")
        assert load.load(tmp_path / str(n)).systems[name].vm_sets == (bound,)
        whole = dump.whole_row(bound)["spread"]
        assert isinstance(whole, list) == (len(spreads) > 1)
        assert (whole is None) == (not spreads)

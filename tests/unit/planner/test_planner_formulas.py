"""The planner's formulas against numbers worked out by hand."""

import math

import numpy as np
import pytest

from controller.errors import InputError
from controller.model.cluster import PowerKind, VmState
from controller.model.policy import Policy
from controller.planner import amounts, canonical, extra_specs, plan, power, precopy, score, situation
from controller.planner.load import Load
from tests import builders
from tests.builders import GIB, NOW, Host, Supply, Vm


def load_of(cluster) -> Load:
    return Load(situation.of_cluster(cluster, Policy(), NOW))


def test_a_guest_that_writes_nothing_is_copied_once():
    estimate = precopy.estimate(8 * GIB, 0.0, 1 * GIB)
    assert (estimate.copy_s, estimate.sent_bytes, estimate.blackout_s) == (8.0, 8 * GIB, 0.0)


def test_pre_copy_sends_rounds_until_the_rest_fits_into_the_pause():
    # 8 s, then 4, 2, 1, and the half second left is the pause: 8 + 4 + 2 + 1 = 15 s.
    estimate = precopy.estimate(8 * GIB, 0.5 * GIB, 1 * GIB)
    assert estimate.copy_s == pytest.approx(15.0)
    assert estimate.blackout_s == pytest.approx(0.5)
    assert estimate.sent_bytes == pytest.approx(15 * GIB)


def test_pre_copy_never_ends_where_the_guest_writes_as_fast_as_the_link():
    assert precopy.estimate(GIB, GIB, GIB).copy_s == math.inf
    assert precopy.longest_s(8 * GIB, 0.5 * GIB, np.array([1.0, 0.5, 0.0]) * GIB).tolist() == [16.0, math.inf, math.inf]


@pytest.mark.parametrize(
    ("value", "wanted", "matches"),
    [
        ("true", "true", True), ("true", "false", False), ("8", ">= 4", True), ("8", "= 9", False),
        ("8", "== 8.0", True),
        ("8", "!= 8", False), ("8", "<= 4", False), ("many", ">= 4", False), ("ssd", "s== ssd", True),
        ("b", "s> a", True), ("intel", "<in> tel", True), ("ab", "<all-in> a b", True), ("a", "<all-in> a b", False),
        ("b", "<or> a <or> b", True), ("c", "<or> a <or> b", False), ("", "", True), ("1", ">=", False),
    ],
)  # fmt: skip
def test_an_extra_spec_is_matched_as_nova_matches_it(value, wanted, matches):
    assert extra_specs.matches(value, wanted) is matches


def test_the_options_of_an_or_stand_at_every_second_word():
    assert extra_specs.matches("<or>", "<or> a <or> b") is False


def test_a_supply_must_carry_all_watts_of_every_host_on_it():
    cluster = builders.cluster(
        hosts=[Host(name="a", watts=300), Host(name="b", watts=200, supplies=("A",))],
        supplies=[Supply(name="A", base_watts=50), Supply(name="B", kind=PowerKind.PDU)],
    )
    watts = power.of_cluster(cluster)
    assert watts.least.tolist() == [550.0, 300.0]
    assert watts.most.tolist() == [550.0, 300.0]


def test_a_host_whose_watts_nobody_reads_counts_at_most_as_the_densest():
    cluster = builders.cluster(hosts=[Host(name="a", watts=320), Host(name="b", watts=None)])
    watts = power.of_cluster(cluster)
    assert watts.least.tolist() == [320.0, 320.0]
    assert watts.most.tolist() == [640.0, 640.0]


def test_a_supply_of_which_no_host_is_read_is_not_measured():
    cluster = builders.cluster(hosts=[Host(name="a", watts=None)])
    assert np.isnan(power.of_cluster(cluster).least).all()


def test_a_move_adds_predicted_watts_and_the_margin_once():
    cluster = builders.cluster(
        hosts=[Host(name="a"), Host(name="b", supplies=("B",))],
        vms=[Vm(name="x", host="a", cpu=2.0), Vm(name="y", host="a", cpu=1.0)],
    )
    load = load_of(cluster)
    load.move(0, 1)
    load.move(1, 1)
    assert load.least.tolist() == [300 - 9, 300 - 9 + 300 + 9 + 5]
    load.move(0, 0)
    load.move(1, 0)
    assert load.least.tolist() == [300.0, 600.0]


@pytest.mark.parametrize(("limit", "moves"), [(285.0, 1), (291.0, 1), (292.0, 0), (295.0, 0)])
def test_a_feed_that_is_hardly_over_fills_no_other_to_the_brim(limit, moves):
    """It carries 300 W. With 6 W more and a margin of 5 the other would carry 311 of its 320 W: over 97 % of them."""
    cluster = builders.cluster(
        hosts=[Host(name="a", watts=300, supplies=("A",)), Host(name="b", watts=300, supplies=("B",))],
        supplies=[Supply(name="A", limit_watts=limit), Supply(name="B", limit_watts=320)],
        vms=[Vm(name="x", host="a", cpu=2.0)],
    )
    assert len(plan.plan(cluster, Policy(balance=False), NOW).moves) == moves


def test_a_vm_nobody_measures_brings_all_it_may_use_and_relieves_nothing():
    cluster = builders.cluster(
        hosts=[Host(name="a", cpu=0.5, memory_used_gib=6), Host(name="b")],
        vms=[Vm(name="x", host="a", vcpus=8, cpu=None, memory_used_gib=None), Vm(name="y", host="a", cpu=4.0)],
    )
    facts = situation.of_cluster(cluster, Policy(), NOW)
    assert facts.brings[:2, 0].tolist() == [8.0, 2 * GIB]
    assert facts.relieves[:, 0].tolist() == [0.0, 0.0, 0.0, 0.0]
    assert facts.brings[0, 1] == facts.relieves[0, 1] == 4.0


def test_a_server_that_is_off_brings_its_flavor_only():
    cluster = builders.cluster(hosts=[Host(name="a")], vms=[Vm(name="x", host="a", state=VmState.SHUTOFF)])
    facts = situation.of_cluster(cluster, Policy(), NOW)
    assert facts.brings[:, 0].tolist() == [0.0, 0.0, 0.0, 0.0]
    assert facts.asked[:, 0].tolist() == [4.0, 8192.0, 40.0]


def test_a_migration_under_way_counts_on_both_hosts():
    cluster = builders.cluster(
        hosts=[Host(name="a"), Host(name="b")], vms=[Vm(name="x", host="a", target="b", cpu=2.0)]
    )
    load = load_of(cluster)
    assert load.asked[0].tolist() == [4.0, 4.0]
    assert load.used[0].tolist() == [2.0, 2.0]


def test_the_score_is_in_the_order_of_concern():
    cluster = builders.cluster(
        hosts=[Host(name="a", memory_health=2), Host(name="b", cpu=0.88), Host(name="c", draining=True)],
        vms=[Vm(name="x", host="a"), Vm(name="y", host="c", cpu=0.0), Vm(name="z", host="c", cpu=0.0)],
    )
    broken, hot, drain, uneven, in_use = score.of_load(load_of(cluster))
    assert (broken, hot, drain) == (1.0, pytest.approx(0.1), 2.0)
    assert uneven == pytest.approx(0.88 - (0.88 * 64 + 1) / 192 - 0.25)
    assert in_use == 0.0, "consolidation is off"


def test_a_rack_mean_stays_where_it_was_when_a_vm_moves_inside_the_rack():
    cluster = builders.cluster(
        hosts=[Host(name="a", threads=32), Host(name="b")], vms=[Vm(name="x", host="a", cpu=4.0)]
    )
    load = load_of(cluster)
    before = load.rack_busy[0]
    load.move(0, 1)
    assert load.rack_busy[0] == before


def test_a_host_that_stands_in_the_snapshot_twice_is_refused():
    cluster = builders.cluster(hosts=[Host(name="a"), Host(name="b")])
    twice = builders.replace(cluster, hosts=builders.replace(cluster.hosts, names=("a", "a")))
    with pytest.raises(InputError, match="host 'a' stands in the snapshot twice"):
        canonical.canonical(twice)


def test_dirty_rates_nobody_measures_are_assumed_by_busy_vcpu():
    cluster = builders.cluster(
        hosts=[Host(name="a", cpu=0.5)],
        vms=[Vm(name="x", host="a", cpu=2.0, dirty_mib_s=None), Vm(name="y", host="a", dirty_mib_s=7.0)],
    )
    assert (amounts.dirty_bytes_s(cluster.vms) / amounts.MIB).tolist() == [128.0, 7.0]


def test_a_plan_says_what_it_makes_of_each_measured_quantity_of_a_host():
    host = Host(name="c1", cpu=0.5, memory_used_gib=64.0, network_mib_s=600.0)
    made = plan.plan(builders.cluster(hosts=[host, Host(name="c2")], vms=[]), Policy(), NOW)
    found = {limit.key: (limit.before, limit.after) for limit in made.limits if limit.subject == "c1"}
    assert set(found) == {"cpu:c1", "memory:c1", "network:c1"}
    assert found["network:c1"] == (0.5, 0.5)


@pytest.mark.parametrize(
    ("left", "dirty", "pause"),
    [
        (0.25 * GIB, 0.9 * GIB, 0.25),  # it fits already
        (4.0 * GIB, 0.25 * GIB, 0.25),  # 4 s, 1 s, 0.25 s
        (4.0 * GIB, 0.0, 0.0),
        (4.0 * GIB, 2.0 * GIB, precopy.DOWNTIME_S),
        (4.0 * GIB, None, precopy.DOWNTIME_S),
    ],
)
def test_the_pause_is_what_is_left_after_the_rounds_that_make_it_fit(left, dirty, pause):
    assert precopy.pause_s(left, dirty, GIB) == pytest.approx(pause)

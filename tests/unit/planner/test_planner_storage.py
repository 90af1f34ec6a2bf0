"""Hosts are kept below what their storage paths carry, where these are known and their reads and writes are read."""

import math
from dataclasses import replace

import numpy as np
import pytest

from controller.model.cluster import Cluster
from controller.model.policy import Policy, Thresholds
from controller.model.sample import Trust
from controller.planner import amounts, check, explain, plan, project, rules, situation
from controller.planner.load import Load
from tests import builders
from tests.builders import NOW, Host, Vm

POLICY = Policy(balance=False)
MIB = 2.0**20


def burdened(source: float | None = 910.0, path: float = 1000.0, vm: float | None = 200.0, **target: object) -> Cluster:
    """c1 uses 91 % of its storage path, c2 as told."""
    given = {"storage_mib_s": 100.0, "path_mib_s": 1000.0} | target
    hosts = [Host(name="c1", storage_mib_s=source, path_mib_s=path), Host(name="c2", **given)]
    return builders.cluster(hosts=hosts, vms=[Vm(name="v", host="c1", storage_mib_s=vm)])


def moved(cluster: Cluster, policy: Policy = POLICY) -> list[str]:
    made = plan.plan(cluster, policy, NOW)
    assert not check.problems(cluster, policy, made)
    return [f"{move.vm_name} to {move.target}" for move in made.moves]


def test_a_host_above_its_storage_path_sheds_what_reads_and_writes():
    cluster = burdened()
    made = plan.plan(cluster, POLICY, NOW)
    (breach,) = made.breaches_before
    assert (breach.key, breach.why) == ("storage:c1", "c1 is hot: 91.0% of its storage path is in use, limit 80%")
    assert moved(cluster) == ["v to c2"] and not made.breaches_after
    states = {state.key: (state.before, state.after) for state in made.limits}
    assert states["storage:c1"] == pytest.approx((0.91, 0.71))
    assert states["storage:c2"] == pytest.approx((0.10, 0.30))


@pytest.mark.parametrize(
    ("target", "goes"),
    [
        ({"storage_mib_s": 600.0}, True),
        ({"storage_mib_s": 601.0}, False),
        ({"storage_mib_s": 601.0, "path_mib_s": 2000.0}, True),
        ({"storage_mib_s": None}, True),
        ({"storage_mib_s": 5000.0, "path_mib_s": math.nan}, True),
    ],
)
def test_no_target_is_filled_above_its_path_and_what_is_not_known_bars_nothing(target: dict[str, object], goes: bool):
    assert moved(burdened(**target)) == (["v to c2"] if goes else [])


@pytest.mark.parametrize("unknown", [{"source": None}, {"path": math.nan}])
def test_a_host_whose_path_or_reading_is_not_known_is_not_hot_by_it(unknown: dict[str, float | None]):
    made = plan.plan(burdened(**unknown), POLICY, NOW)
    assert not made.breaches_before and "storage:c1" not in {state.key for state in made.limits}


@pytest.mark.parametrize("trust", [Trust.STALE, Trust.IMPLAUSIBLE, Trust.ABSENT])
def test_a_reading_that_is_not_fresh_counts_for_nothing(trust: Trust):
    cluster = builders.doubted(burdened(), "c1", "storage_bytes_s", trust)
    assert not plan.plan(cluster, POLICY, NOW).breaches_before


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1e9])
def test_a_value_that_is_none_makes_no_host_hot_and_no_vm_heavy(value: float):
    cluster = burdened(source=100.0)
    hosts, vms = cluster.hosts, cluster.vms
    of_host, of_vm = (reading.values.copy() for reading in (hosts.storage_bytes_s, vms.storage_bytes_s))
    of_host[0] = of_vm[0] = value
    lied = replace(
        cluster,
        hosts=replace(hosts, storage_bytes_s=replace(hosts.storage_bytes_s, values=of_host)),
        vms=replace(vms, storage_bytes_s=replace(vms.storage_bytes_s, values=of_vm)),
    )
    facts = situation.of_cluster(lied, POLICY, NOW)
    assert facts.brings[amounts.STORAGE].tolist() == [0.0]
    assert not plan.plan(lied, POLICY, NOW).breaches_before


@pytest.mark.parametrize(
    ("source", "path", "brings"),
    [
        (700.0, 1000.0, 350.0),
        (700.0, math.nan, 350.0),
        (70.0, 1000.0, 20.0),
        (None, 1000.0, 0.0),
        (20.0, 1000.0, 0.0),
    ],
)
def test_a_vm_that_is_not_read_brings_an_equal_part_of_what_its_host_uses_and_none_of_what_others_do(
    source: float | None, path: float, brings: float
):
    hosts = [Host(name="c1", storage_mib_s=source, path_mib_s=path), Host(name="c2")]
    vms = [Vm(name="dark", host="c1", storage_mib_s=None), Vm(name="read", host="c1", storage_mib_s=50.0)]
    facts = situation.of_cluster(builders.cluster(hosts=hosts, vms=vms), POLICY, NOW)
    assert (facts.brings[amounts.STORAGE] / MIB).tolist() == pytest.approx([brings, 50.0])
    assert facts.relieves[amounts.STORAGE, 0] == 0.0


@pytest.mark.parametrize("read", [None, 1.0])
def test_what_an_exporter_does_not_tell_of_one_vm_or_of_all_holds_none_on_a_host_that_fails(read: float | None):
    """The host's own reading counts its system, backups and block copies too."""
    hosts = [
        Host(name=f"c{n}", storage_mib_s=450.0, path_mib_s=1000.0, memory_health=2 * (n == 1)) for n in (1, 2, 3, 4)
    ]
    vms = [Vm(name=f"v{n}", host="c1", storage_mib_s=None if n == 0 else read) for n in range(10)]
    assert len(moved(builders.cluster(hosts=hosts, vms=vms), POLICY)) == 10


def test_the_rule_holds_with_both_copies_counted():
    cluster = burdened(storage_mib_s=500.0)
    load = Load(situation.of_cluster(cluster, POLICY, NOW))
    targets = np.array([1], np.int32)
    assert rules.storage(load, 0, targets).tolist() == [True]
    load.begin(0, 1)
    assert (load.used[amounts.STORAGE] / MIB).tolist() == pytest.approx([910.0, 700.0])
    assert rules.storage(load, 0, targets).tolist() == [False]


def test_the_checker_finds_a_path_that_is_filled_too_far():
    made = plan.plan(burdened(), POLICY, NOW)
    found = check.problems(burdened(storage_mib_s=700.0), POLICY, made)
    assert any("storage of row 1 could reach" in problem for problem in found)


def test_the_threshold_is_policys():
    policy = Policy(balance=False, thresholds=Thresholds(storage_ratio=0.95))
    assert moved(burdened(), policy) == []


def test_an_explanation_and_a_projection_go_by_it():
    cluster = burdened(storage_mib_s=750.0)
    made = plan.plan(cluster, POLICY, NOW)
    assert not made.moves and "its storage path would be over the threshold" in str(
        explain.explain(cluster, POLICY, made, "v")
    )
    after = project.project(burdened(), POLICY, plan.plan(burdened(), POLICY, NOW).moves, NOW)
    assert (after.hosts.storage_bytes_s.values / MIB).tolist() == pytest.approx([710.0, 300.0])


def test_an_estate_of_which_no_path_is_known_judges_three_quantities():
    assert situation.of_cluster(burdened(path=math.nan, path_mib_s=math.nan), POLICY, NOW).judged == amounts.STORAGE
    assert situation.of_cluster(burdened(), POLICY, NOW).judged == len(amounts.MEASURED)
